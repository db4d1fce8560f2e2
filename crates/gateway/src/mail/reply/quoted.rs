//! What somebody has written in an answer, without what the mail program has put under it: the letter that is answered, and who
//! one is.

/// Lines that a mail program may set between an answer and what it quotes, in lower case.
const RULES: [&str; 4] = [
    "-----original message-----",
    "________________________________",
    "-----原始邮件-----",
    "----- 原始邮件 -----",
];

/// The answer alone; empty: there is none.
pub(super) fn without(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let end = (0..lines.len()).find(|at| begins_the_rest(&lines, *at)).unwrap_or(lines.len());
    // Who answers between quoted lines keeps them; what is quoted at the end goes.
    let mut answer = &lines[..end];
    while let [before @ .., last] = answer
        && (last.trim().is_empty() || last.starts_with('>'))
    {
        answer = before;
    }
    if answer.iter().all(|line| line.trim().is_empty() || line.starts_with('>')) {
        return String::new();
    }
    answer.join("\n").trim().to_owned()
}

/// Whether what follows is no answer any more.
fn begins_the_rest(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim_end();
    // RFC 3676 §4.3: a signature.
    if lines[at] == "-- " || RULES.contains(&line.trim().to_lowercase().as_str()) {
        return true;
    }
    introduces(lines, at)
}

/// "On Monday, somebody wrote:", which may be broken into two lines, above what is quoted.
fn introduces(lines: &[&str], at: usize) -> bool {
    let ends = |line: &str| line.trim_end().ends_with([':', '：']);
    let quoted = |from: usize| {
        lines[from..].iter().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with('>'))
    };
    if lines[at].starts_with('>') || lines[at].trim().is_empty() {
        return false;
    }
    let last = |from: usize| lines[from..].iter().all(|line| line.trim().is_empty() || line.starts_with('>'));
    let one = ends(lines[at]) && quoted(at + 1) && last(at + 1);
    let two = !ends(lines[at])
        && lines.get(at + 1).is_some_and(|next| ends(next) && !next.starts_with('>'))
        && lines[at].contains(|c: char| c.is_ascii_digit())
        && quoted(at + 2)
        && last(at + 2);
    one || two
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_left() {
        for (mail, answer) in [
            ("I come.\n", "I come."),
            (
                "I come.\n\nAt eight.\n\nOn Monday, 1 June 2026, here.org wrote:\n> A message\n>\n> - come\n",
                "I come.\n\nAt eight.",
            ),
            ("I come.\n\nAm 1.6.2026 um 10:00 schrieb here.org\n<no-reply@here.org>:\n> come", "I come."),
            ("好的\n\n在 2026年6月1日，here.org 写道：\n> 来", "好的"),
            ("Yes\n-- \nJuliet\n", "Yes"),
            ("Yes\n\n-----Original Message-----\nFrom: here.org\n", "Yes"),
            ("> come?\nYes\n> room 3?\nYes, too\n> and bye", "> come?\nYes\n> room 3?\nYes, too"),
            ("I say this:\nand that", "I say this:\nand that"),
            ("> only quoted\n", ""),
            ("\n \n", ""),
            ("", ""),
        ] {
            assert_eq!(without(mail), answer, "{mail:?}");
        }
    }
}
