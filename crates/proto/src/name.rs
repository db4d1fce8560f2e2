//! Account names: what may stand before the `@` in place of the number.

use crate::prepared;

/// Longest name in bytes: the longest local part of a mail address (RFC 5321 §4.5.3.1.1), so that every account can have
/// one.
pub const MAX_NAME: usize = 64;

/// Names that only the operator can give, sorted: the role names of RFC 2142, and those that make people believe to
/// talk to the server or to who runs it.
pub const RESERVED: &[&str] = &[
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "administrators",
    "anonymous",
    "billing",
    "contact",
    "daemon",
    "ftp",
    "groups",
    "guest",
    "help",
    "helpdesk",
    "hostmaster",
    "info",
    "localhost",
    "mailer-daemon",
    "marketing",
    "moderator",
    "news",
    "no-reply",
    "nobody",
    "noc",
    "noreply",
    "operator",
    "owner",
    "pager",
    "postmaster",
    "reply",
    "rookery",
    "root",
    "sales",
    "secretary",
    "security",
    "server",
    "service",
    "staff",
    "support",
    "sysadmin",
    "sysop",
    "system",
    "usenet",
    "uucp",
    "webmaster",
    "www",
    "xmpp",
];

/// A name in its prepared form: compared as bytes, and a valid localpart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Name(String);

/// Why a text cannot be an account's name. The text says it to the person who chose it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NameError {
    /// Nothing, or nothing after preparation.
    #[error("the name is empty")]
    Empty,
    /// More than [`MAX_NAME`] bytes.
    #[error("the name is longer than {MAX_NAME} bytes")]
    TooLong,
    /// Not a localpart, or one that reads like another.
    #[error("a name cannot have spaces, control characters or any of \" & ' / : < > @ \\")]
    Invalid,
    /// Only digits: those are the accounts' numbers.
    #[error("a name cannot consist of digits only, because numbers are given by the server")]
    Number,
    /// In [`RESERVED`].
    #[error("this name is reserved")]
    Reserved,
}

impl Name {
    /// A name that the operator gives: reserved ones too.
    pub fn new(text: &str) -> Result<Name, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        // Before the preparation, which is not to be fed with megabytes; it seldom shortens a name.
        if text.len() > MAX_NAME {
            return Err(NameError::TooLong);
        }
        // RFC 7622 §3.3; a backslash would begin an escape of XEP-0106, and the name be shown as another.
        let prepared = prepared::node(text).map_err(|_| NameError::Invalid)?;
        if prepared.contains('\\') {
            return Err(NameError::Invalid);
        }
        if prepared.len() > MAX_NAME {
            return Err(NameError::TooLong);
        }
        if prepared.chars().all(char::is_numeric) {
            return Err(NameError::Number);
        }
        Ok(Name(prepared))
    }

    /// A name that somebody registers for themselves.
    pub fn for_registration(text: &str) -> Result<Name, NameError> {
        let name = Name::new(text)?;
        if name.is_reserved() { Err(NameError::Reserved) } else { Ok(name) }
    }

    /// Whether only the operator can give it.
    pub fn is_reserved(&self) -> bool {
        RESERVED.binary_search(&self.as_str()).is_ok()
    }

    /// The prepared localpart.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The prepared localpart.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registered(text: &str) -> Result<String, NameError> {
        Name::for_registration(text).map(Name::into_string)
    }

    #[test]
    fn names_are_prepared() {
        assert_eq!(registered("Alice").unwrap(), "alice");
        assert_eq!(registered("ß").unwrap(), "ss");
        assert_eq!(registered("Ａlice").unwrap(), "alice");
        assert_eq!(registered("王小明").unwrap(), "王小明");
        assert_eq!(registered("a.b-c_d+e").unwrap(), "a.b-c_d+e");
        assert_eq!(registered("4711a").unwrap(), "4711a");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let rows = [
            ("", NameError::Empty),
            ("\u{ad}", NameError::Invalid),
            ("two words", NameError::Invalid),
            ("a@b", NameError::Invalid),
            ("a/b", NameError::Invalid),
            ("a\\40b", NameError::Invalid),
            ("a\0", NameError::Invalid),
            ("10001", NameError::Number),
            ("007", NameError::Number),
            ("１０００１", NameError::Number),
            ("٣٤", NameError::Number),
            ("Admin", NameError::Reserved),
            ("ROOKERY", NameError::Reserved),
            ("ａｂｕｓｅ", NameError::Reserved),
        ];
        for (text, error) in rows {
            assert_eq!(registered(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn length_is_bounded_before_and_after_preparation() {
        assert!(Name::new(&"a".repeat(MAX_NAME)).is_ok());
        assert_eq!(Name::new(&"a".repeat(MAX_NAME + 1)), Err(NameError::TooLong));
        // One character that unfolds into eighteen.
        assert_eq!(Name::new(&"\u{fdfa}b".repeat(16)), Err(NameError::Invalid));
        assert_eq!(Name::new(&"\u{fb03}".repeat(21)).unwrap().as_str(), "ffi".repeat(21));
        assert_eq!(Name::new(&"\u{3a0}".repeat(33)), Err(NameError::TooLong));
    }

    #[test]
    fn the_operator_may_give_reserved_names() {
        assert_eq!(Name::new("Postmaster").unwrap().as_str(), "postmaster");
    }

    #[test]
    fn reserved_names_are_sorted_and_prepared() {
        assert!(RESERVED.is_sorted());
        for name in RESERVED {
            assert_eq!(Name::new(name).unwrap().as_str(), *name);
        }
    }
}
