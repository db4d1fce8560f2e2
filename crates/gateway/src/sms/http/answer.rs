//! What a provider's answer means.

use super::Answered;
use serde_json::Value;
use std::time::Duration;

/// Characters of what a provider says that people are told.
const WHY: usize = 120;

/// Bytes of what a provider may call a message.
const ID: usize = 200;

/// Where something stands in an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// In JSON, by a pointer (RFC 6901).
    Pointer(String),
    /// In a text that begins so, behind it, up to the end of the line.
    Text(String),
}

impl Place {
    /// `/messages/0/id`, or `text:` and what the text begins with; `None`: it is neither.
    pub fn new(written: &str) -> Option<Place> {
        match written.strip_prefix("text:") {
            Some(beginning) => Some(Place::Text(beginning.to_owned())),
            None => written.starts_with('/').then(|| Place::Pointer(written.to_owned())),
        }
    }

    fn read(&self, body: &[u8]) -> Option<String> {
        let found = match self {
            Place::Pointer(pointer) => {
                let json: Value = serde_json::from_slice(body).ok()?;
                plain(json.pointer(pointer)?)?
            }
            Place::Text(beginning) => {
                let text = String::from_utf8_lossy(body);
                text.trim_start().strip_prefix(beginning.as_str())?.lines().next()?.to_owned()
            }
        };
        Some(found.trim().to_owned())
    }
}

/// How an answer is read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reads {
    /// Where it says what the provider calls the message; `None`: nowhere, so there are no receipts.
    pub id: Option<Place>,
    /// Where it says what is wrong, if something is.
    pub error: Option<Place>,
}

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The provider has it, and may call it something.
    Accepted(Option<String>),
    /// It is too much for the provider; for so long, if it says so.
    Throttled(Option<Duration>),
    /// The provider does not have it, and may take it later.
    Later(String),
    /// The provider will not take it.
    Refused(String),
    /// The provider may have it.
    Unknown(String),
}

/// A value as text; `None`: there is nothing in it.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("true".to_owned()),
        // What went wrong is often a list, or a thing with a code and a text.
        Value::Array(items) if !items.is_empty() => Some(value.to_string()),
        Value::Object(fields) if !fields.is_empty() => Some(value.to_string()),
        _ => None,
    }
}

/// What an answer means (RFC 9110 §15). A fault of the provider's may have come after it took the message: nobody knows.
pub fn judge(reads: &Reads, answered: &Answered) -> Verdict {
    let error = reads.error.as_ref().and_then(|place| place.read(&answered.body));
    // Many say with a zero that nothing is wrong.
    let error = error.filter(|error| error != "0").map(|error| shown(&error));
    let status = answered.status;
    match status {
        200..=299 => match error {
            Some(error) => Verdict::Refused(format!("The carrier says: {error}")),
            None => Verdict::Accepted(
                reads.id.as_ref().and_then(|place| place.read(&answered.body)).filter(|id| is_id(id)),
            ),
        },
        429 | 503 => Verdict::Throttled(answered.retry_after),
        // The operator's matter, or a moment's; other providers may take it.
        300..=399 | 401 | 403 | 407 | 408 => Verdict::Later(format!("The carrier answers {status}.")),
        400..=499 | 501 => Verdict::Refused(match error {
            Some(error) => format!("The carrier says: {error}"),
            None => format!("The carrier answers {status}."),
        }),
        _ => Verdict::Unknown(format!("The carrier has a fault ({status}), and may have taken it.")),
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID && !id.contains(char::is_control)
}

/// For people: one line, not too long.
pub(super) fn shown(text: &str) -> String {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|it| !it.is_empty());
    line.collect::<Vec<_>>().join(" ").chars().take(WHY).collect()
}
