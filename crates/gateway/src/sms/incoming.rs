//! What carriers bring: receipts, and what people write.

use super::smpp::link::Taken;
use super::smpp::pdu::{Brought, Message};
use super::{Fresh, Gateway};
use crate::reach::channel::{SendingRef, Way};
use crate::sms::phone;

impl Gateway {
    pub(super) async fn take(&self, carrier: &str, brought: Brought) -> Taken {
        match brought {
            Brought::Receipt(receipt) => {
                let name = Fresh::name(carrier, &receipt.id);
                let Some(state) = receipt.state else { return Taken::Done };
                let which = match self.fresh.sending(&name) {
                    Some(id) => SendingRef::Id(id),
                    None => SendingRef::Carrier(Way::Sms, name),
                };
                match self.reach.news(which, state, &receipt.why).await {
                    Ok(()) => Taken::Done,
                    Err(error) => {
                        tracing::warn!(carrier, %error, "a receipt cannot be stored");
                        Taken::Later
                    }
                }
            }
            Brought::Message(message) => self.receive(carrier, &message).await,
            Brought::Nothing => Taken::Done,
        }
    }

    async fn receive(&self, carrier: &str, message: &Message) -> Taken {
        if !phone::is_canonical(&message.from) {
            return Taken::Done;
        }
        let text = message.alphabet.decode(&message.bytes);
        match self.reach.answered_from(Way::Sms, &message.from, &text).await {
            Ok(answered) => {
                tracing::info!(carrier, ?answered, "a short message came");
                Taken::Done
            }
            Err(error) => {
                tracing::warn!(carrier, condition = error.condition, "a short message cannot be stored");
                Taken::Later
            }
        }
    }
}
