//! Lists that come in pages: what is asked for, and how one goes on.

use crate::limits;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};

/// How many are shown where nobody says.
const USUAL: u64 = 25;

/// Which part of a list is asked for.
pub(super) struct Wanted {
    /// What it is searched for, in small letters.
    pub(super) words: Option<String>,
    /// The number after which it goes on.
    pub(super) after: u64,
    /// How many at most.
    pub(super) max: usize,
}

/// The form with the fields that ask for a part of a list.
pub(super) fn asked(form: Form) -> Form {
    let sizes = [25, 50, 100, limits::ADMIN_LIST];
    let size = Field::new(Kind::ListSingle, "max_items", "How many at once").value(USUAL.to_string());
    let size = sizes.iter().fold(size, |field, n| field.option(n.to_string(), n.to_string()));
    let after = Field::new(Kind::TextSingle, "after", "After this number (empty: from the beginning)");
    form.field(size).field(after)
}

/// The field by which a list is searched.
pub(super) fn words() -> Field {
    Field::new(Kind::TextSingle, "words", "Number, name or nickname (empty: all)")
}

/// What was filled in.
pub(super) fn read(answers: &Answers) -> Result<Wanted, StanzaError> {
    let number = |var, otherwise: u64| match answers.text(var).map(str::parse::<u64>) {
        None => Ok(otherwise),
        Some(Ok(number)) => Ok(number),
        Some(Err(_)) => Err(StanzaError::not_acceptable().text("This is not a number.")),
    };
    let words =
        answers.text("words").map(|words| words.trim().to_lowercase()).filter(|words| !words.is_empty());
    let max = number("max_items", USUAL)?.clamp(1, limits::ADMIN_LIST as u64) as usize;
    Ok(Wanted { words, after: number("after", 0)?, max })
}

/// The form with what says that there is more.
pub(super) fn more(form: Form, after: Option<u64>) -> Form {
    match after {
        Some(after) => {
            let label = "There are more, after number";
            form.field(Field::new(Kind::TextSingle, "after", label).value(after.to_string()))
        }
        None => form,
    }
}

/// A column of a table.
pub(super) fn column(var: &'static str, label: &'static str) -> Field {
    Field::new(Kind::TextSingle, var, label)
}
