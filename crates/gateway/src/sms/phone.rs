//! Phone numbers, as E.164 has them: `+` and at most fifteen digits.

/// Digits of a number: the shortest that lead to somebody in a country, and the most that there are (E.164 §6).
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// The canonical form of a number that somebody has typed; `None`: it is none, or does not say its country.
pub fn canonical(typed: &str) -> Option<String> {
    // As it is printed for callers inside of the country: +49 (0)171 …
    let typed = typed.trim().replace("(0)", "");
    let digits = match typed.strip_prefix('+') {
        Some(rest) => rest,
        None => typed.strip_prefix("00")?,
    };
    let plain: String =
        digits.chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '-' | '.' | '/' | '(' | ')')).collect();
    (is_number(&plain) && !plain.starts_with('0')).then(|| format!("+{plain}"))
}

/// Whether these are the digits of a number with its country.
fn is_number(digits: &str) -> bool {
    DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number in its canonical form, from one as carriers write it: with or without `+`, where they say that it is international.
pub(crate) fn international(digits: &str) -> Option<String> {
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    canonical(&format!("+{digits}"))
}

/// Whether it is in its canonical form.
pub(crate) fn is_canonical(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| is_number(digits) && !digits.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_type_them() {
        let number = Some("+491711234567".to_owned());
        for typed in ["+491711234567", "0049 171 123 45 67", "+49 (0)171/1234567", " +49-171-1234567 "] {
            assert_eq!(canonical(typed), number, "{typed}");
        }
        for typed in
            ["", "0171 1234567", "+49", "+0491711234567", "+4917112345678901", "+49171x234567", "+١٢٣٤٥٦٧٨"]
        {
            assert_eq!(canonical(typed), None, "{typed}");
        }
        assert_eq!(international("491711234567"), number);
        assert!(
            is_canonical("+491711234567")
                && !is_canonical("491711234567")
                && !is_canonical("+49 171 1234567")
        );
    }
}
