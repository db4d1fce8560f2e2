//! What a carrier says became of a message (SMPP 3.4 Appendix B).

use crate::reach::channel::State;
use crate::sms::brought::Receipt;
use rusmpp_core::values::MessageState;

/// A receipt in words: `id:… sub:… dlvrd:… submit date:… done date:… stat:DELIVRD err:000 text:…`; carriers vary it.
pub(super) fn parse(text: &str) -> Option<Receipt> {
    let id = field(text, "id")?;
    let stat = field(text, "stat")?;
    let err = field(text, "err").filter(|err| err.chars().any(|c| c != '0'));
    let why = match err {
        Some(err) => format!("The carrier says {stat}, error {err}."),
        None => format!("The carrier says {stat}."),
    };
    Some(Receipt { id: id.to_owned(), state: state(stat), why })
}

/// The value of a field, up to the next space.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text;
    loop {
        let at = rest.to_ascii_lowercase().find(&format!("{name}:"))?;
        let value = &rest[at + name.len() + 1..];
        // Not the end of another name.
        if at == 0 || rest.as_bytes()[at - 1] == b' ' {
            return value.split([' ', '\0']).next().filter(|value| !value.is_empty());
        }
        rest = value;
    }
}

fn state(stat: &str) -> Option<State> {
    Some(match stat.to_ascii_uppercase().as_str() {
        "DELIVRD" => State::Delivered,
        "ACCEPTD" => State::Accepted,
        "EXPIRED" | "DELETED" | "UNDELIV" | "REJECTD" => State::Failed,
        // ENROUTE and UNKNOWN are no news.
        _ => return None,
    })
}

/// `message_state` (§5.2.28).
pub(super) fn of_state(state: MessageState) -> (Option<State>, &'static str) {
    match state {
        MessageState::Delivered => (Some(State::Delivered), "DELIVRD"),
        MessageState::Accepted => (Some(State::Accepted), "ACCEPTD"),
        MessageState::Expired => (Some(State::Failed), "EXPIRED"),
        MessageState::Deleted => (Some(State::Failed), "DELETED"),
        MessageState::Undeliverable => (Some(State::Failed), "UNDELIV"),
        MessageState::Rejected => (Some(State::Failed), "REJECTD"),
        _ => (None, "UNKNOWN"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_in_words() {
        let text = "id:0123456789 sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 stat:DELIVRD err:000 text:id:9 stat:UNDELIV";
        let receipt = parse(text).expect("a receipt");
        assert_eq!((receipt.id.as_str(), receipt.state), ("0123456789", Some(State::Delivered)));
        let failed = parse("ID:ab-1 SUB:1 Stat:UNDELIV Err:017").expect("a receipt");
        assert_eq!((failed.id.as_str(), failed.state), ("ab-1", Some(State::Failed)));
        assert_eq!(failed.why, "The carrier says UNDELIV, error 017.");
        assert_eq!(parse("id:1 stat:ENROUTE").and_then(|it| it.state), None);
        for wrong in ["", "id:", "id: stat:DELIVRD", "stat:DELIVRD", "mid:1 stat:DELIVRD", "idé:é"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
