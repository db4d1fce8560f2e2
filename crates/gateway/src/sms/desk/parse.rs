//! Commands as people type them on a phone, in English or Chinese.

/// The language of a command, in which it is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Language {
    English,
    Chinese,
}

/// What somebody wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Command<'a> {
    /// How many messages are unread, and the newest.
    Mail,
    /// To read the conversation of this number, from 1; `true`: to go on with it.
    Read(u8, bool),
    /// To go on with what was shown.
    More,
    /// To write into the conversation of this number.
    Reply(u8, &'a str),
    /// To write to somebody.
    To(&'a str, &'a str),
    /// Who is online.
    Who,
    /// Not to be at the devices, whatever they say.
    Away,
    /// To be there again.
    Back,
    /// What can be said.
    Help,
}

/// A text as a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Order<'a> {
    /// What stands in front, as a PIN does.
    pub(crate) pin: Option<&'a str>,
    pub(crate) language: Language,
    /// `None`: it is none that there is.
    pub(crate) command: Option<Command<'a>>,
}

/// Digits of a PIN: more than codes have ([`crate::reach::limits::CODE_DIGITS`]), so that the two are never the same.
pub(crate) const PIN_DIGITS: std::ops::RangeInclusive<usize> = 6..=8;

#[derive(Clone, Copy)]
enum Verb {
    Mail,
    Read,
    More,
    Reply,
    To,
    Who,
    Away,
    Back,
    Help,
}

/// Words of the Latin alphabet end where it ends; others end where the word does, the longer first.
const VERBS: [(&str, Verb); 31] = [
    ("M", Verb::Mail),
    ("MAIL", Verb::Mail),
    ("R", Verb::Read),
    ("READ", Verb::Read),
    ("MORE", Verb::More),
    ("REPLY", Verb::Reply),
    ("TO", Verb::To),
    ("WHO", Verb::Who),
    ("AWAY", Verb::Away),
    ("BACK", Verb::Back),
    ("HELP", Verb::Help),
    ("INFO", Verb::Help),
    ("查信", Verb::Mail),
    ("收信", Verb::Mail),
    ("信", Verb::Mail),
    ("阅读", Verb::Read),
    ("读", Verb::Read),
    ("更多", Verb::More),
    ("继续", Verb::More),
    ("回来", Verb::Back),
    ("回复", Verb::Reply),
    ("回", Verb::Reply),
    ("发给", Verb::To),
    ("发", Verb::To),
    ("谁在线", Verb::Who),
    ("在线", Verb::Who),
    ("谁在", Verb::Who),
    ("离开", Verb::Away),
    ("帮助", Verb::Help),
    ("?", Verb::Help),
    ("？", Verb::Help),
];

/// Reads a text; `None`: there is neither a PIN in front nor a command.
pub(crate) fn parse(text: &str) -> Option<Order<'_>> {
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let is_pin = PIN_DIGITS.contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_digit());
    let (pin, rest) = if is_pin { (Some(first), rest.trim()) } else { (None, text) };
    let found = verb(rest);
    let chinese = |word: &str| !word.is_ascii() && word != "？";
    let language = match found {
        Some((word, ..)) if chinese(word) => Language::Chinese,
        _ => Language::English,
    };
    let command = found.and_then(|(_, verb, rest)| command(verb, rest));
    (pin.is_some() || command.is_some()).then_some(Order { pin, language, command })
}

/// The verb that a text begins with, and what follows.
fn verb(text: &str) -> Option<(&'static str, Verb, &str)> {
    let letters = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (latin, after) = text.split_at(letters);
    VERBS.into_iter().find_map(|(word, verb)| {
        let is_latin = word.as_bytes()[0].is_ascii_alphabetic();
        let rest = match is_latin {
            true => latin.eq_ignore_ascii_case(word).then_some(after)?,
            false => text.strip_prefix(word)?,
        };
        Some((word, verb, rest.trim_start_matches([' ', '\t', '\n', ':', '：', ',', '，'])))
    })
}

fn command(verb: Verb, rest: &str) -> Option<Command<'_>> {
    let alone = |command| {
        let nothing = rest.trim_matches(|c: char| c.is_whitespace() || ".!?。！？".contains(c)).is_empty();
        nothing.then_some(command)
    };
    match verb {
        Verb::Mail => alone(Command::Mail),
        Verb::More => alone(Command::More),
        Verb::Who => alone(Command::Who),
        Verb::Away => alone(Command::Away),
        Verb::Back => alone(Command::Back),
        Verb::Help => alone(Command::Help),
        Verb::Read => {
            let (number, rest) = number(rest)?;
            match (rest.is_empty(), self::verb(rest)) {
                (true, _) => Some(Command::Read(number, false)),
                (false, Some((_, Verb::More, ""))) => Some(Command::Read(number, true)),
                _ => None,
            }
        }
        Verb::Reply => {
            let (number, text) = number(rest)?;
            (!text.is_empty()).then_some(Command::Reply(number, text))
        }
        Verb::To => {
            let (who, text) = rest.split_once(char::is_whitespace)?;
            let text = text.trim();
            (!text.is_empty()).then_some(Command::To(who, text))
        }
    }
}

/// A number of a list, and what follows.
fn number(text: &str) -> Option<(u8, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..end].parse().ok().filter(|number| *number > 0)?;
    Some((number, text[end..].trim_start_matches([' ', '\t', '\n', ':', '：', ',', '，']).trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> Option<Command<'_>> {
        parse(text).and_then(|order| order.command)
    }

    #[test]
    fn as_people_type_them() {
        for (text, command) in [
            ("M", Command::Mail),
            (" m. ", Command::Mail),
            ("查信", Command::Mail),
            ("R 2", Command::Read(2, false)),
            ("r2", Command::Read(2, false)),
            ("读2", Command::Read(2, false)),
            ("R 2 MORE", Command::Read(2, true)),
            ("读 2 更多", Command::Read(2, true)),
            ("more", Command::More),
            ("REPLY 2 I'll come", Command::Reply(2, "I'll come")),
            ("Reply 2: 4 pm", Command::Reply(2, "4 pm")),
            ("回2好的", Command::Reply(2, "好的")),
            ("回复 2 好的", Command::Reply(2, "好的")),
            ("TO 10007 Hello there", Command::To("10007", "Hello there")),
            ("发给10007 你好", Command::To("10007", "你好")),
            ("WHO?", Command::Who),
            ("谁在线？", Command::Who),
            ("away", Command::Away),
            ("回来", Command::Back),
            ("?", Command::Help),
            ("帮助", Command::Help),
        ] {
            assert_eq!(plain(text), Some(command), "{text}");
        }
        for text in [
            "",
            "More of that",
            "R",
            "R x",
            "R 0",
            "R 300",
            "REPLY 2",
            "REPLY hello",
            "TO 10007",
            "Mum",
            "回家",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn pins_stand_in_front() {
        let order = parse("471147 读2").unwrap();
        assert_eq!((order.pin, order.language), (Some("471147"), Language::Chinese));
        assert_eq!(order.command, Some(Command::Read(2, false)));
        let unknown = parse("471147 hello").unwrap();
        assert_eq!((unknown.pin, unknown.command), (Some("471147"), None));
        // Codes have four digits; nothing has more than eight.
        assert_eq!((parse("4711 hello"), parse("471147110 hello")), (None, None));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,80}") {
            parse(&text);
        }

        #[test]
        fn nothing_of_what_is_said_is_lost(text in "[a-z字😀]{1,20}( [a-z字😀0-9]{1,20}){0,5}", number in 1u8..=9) {
            let written = format!("REPLY {number} {text}");
            prop_assert_eq!(plain(&written), Some(Command::Reply(number, text.as_str())));
            let written = format!("471147 to 10007 {text}");
            prop_assert_eq!(parse(&written).and_then(|it| it.command), Some(Command::To("10007", text.as_str())));
        }
    }
}
