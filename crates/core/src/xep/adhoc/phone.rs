//! The command about the PIN by which an account is used from phones.

use super::{Command, Next, Turn, Who};
use crate::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};
use rookery_store::Way;

pub(super) const COMMANDS: &[Command] = &[Command {
    node: "https://rookery.im/command/phone-pin",
    name: "PIN for text messages",
    who: Who::Oneself,
    step: |turn| Box::pin(pin(turn)),
}];

/// Digits of a PIN; codes that are sent back have fewer.
const DIGITS: std::ops::RangeInclusive<usize> = 6..=8;

/// Asks for a PIN, and keeps what it is known by.
async fn pin(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (core, uid) = (turn.ctx.core, turn.ctx.member.uid);
    if !core.policy.reach.ways.iter().any(|offer| offer.way == Way::Sms) {
        return Err(StanzaError::item_not_found().text("No text messages are sent from here."));
    }
    let Some(answers) = turn.answers.first() else {
        let has = core.store.has_phone_pin(uid).await.map_err(store_error)?;
        return Next::ask(
            Form::untyped()
                .title("PIN for text messages")
                .instructions(
                    "With it in front you read and write from your phone by text messages, as in: 123456 M. HELP says what there \
                     is. Never send your password.",
                )
                .field(Field::new(Kind::Fixed, "now", "Now").value(if has { "There is a PIN." } else { "There is none." }))
                .field(Field::new(Kind::TextPrivate, "pin", "New PIN, six to eight digits; empty: none")),
        );
    };
    let pin = answers.text("pin").unwrap_or_default().trim();
    if pin.is_empty() {
        core.store.set_phone_pin(uid, None).await.map_err(store_error)?;
        return Next::done("You have no PIN any more: nothing is done by text messages.");
    }
    if !DIGITS.contains(&pin.len()) || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(StanzaError::not_acceptable().text("A PIN has six to eight digits."));
    }
    if is_simple(pin) {
        return Err(
            StanzaError::not_acceptable().text("This PIN is one of the first that somebody would try.")
        );
    }
    let digest = core.phone_pin(uid, pin);
    core.store.set_phone_pin(uid, Some(digest)).await.map_err(store_error)?;
    tracing::info!(account = uid.0, "PIN for text messages set");
    Next::done("This is your PIN now.")
}

/// Whether all steps from digit to digit are the same and none or one.
fn is_simple(pin: &str) -> bool {
    let steps = |by: i16| pin.as_bytes().windows(2).all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == by);
    [-1, 0, 1].into_iter().any(steps)
}

#[cfg(test)]
mod tests {
    use super::is_simple;

    #[test]
    fn what_everybody_would_try() {
        for pin in ["000000", "123456", "98765432"] {
            assert!(is_simple(pin), "{pin}");
        }
        for pin in ["471147", "123457", "112233"] {
            assert!(!is_simple(pin), "{pin}");
        }
    }
}
