//! Mail as a way to people who are not here ([`crate::reach`]): a sending becomes a mail, and is handed at once to a server that takes
//! it. Its queue and its patience are reach's.

use super::route::Route;
use super::smtp::client::{Failure, Outgoing};
use super::{Gateway, address, incoming};
use crate::reach::channel::{Channel, Handed, Handing, Sending, Way};
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;
use rookery_store::Timestamp;
use std::sync::Arc;

/// Who writes them, at the server's domain. Nobody reads what is answered.
const WRITER: &str = "no-reply";

/// The channel.
pub struct Notices {
    gateway: Arc<Gateway>,
    route: Route,
}

impl Notices {
    /// By this way out.
    pub fn new(gateway: Arc<Gateway>, route: Route) -> Notices {
        Notices { gateway, route }
    }

    async fn hand(&self, sending: &Sending) -> Handed {
        let to = &sending.what.address;
        let Some((_, domain)) = address::halves(to) else {
            return Handed::refused("This is no address that mail can be sent to.");
        };
        let settings = &self.gateway.settings;
        // The same at each attempt: who has it already can tell.
        let name = format!("notice-{}", sending.id.0);
        let Some(data) = write(sending, &settings.domain, &name) else {
            return Handed::refused("No mail can be made of this.");
        };
        let data = [(settings.sign)(&data).into_bytes(), data].concat();
        // Without a reverse path nobody answers by machine (RFC 3834 §4).
        let mail = Outgoing { sender: "", recipient: to, envelope: &name, receipt: false, data: &data };
        match self.gateway.hand_on(&self.route, &domain.to_lowercase(), &mail).await {
            Ok(()) => Handed::accepted(name),
            Err(Failure::Unreached(why) | Failure::Later(why)) => Handed::deferred(why),
            Err(Failure::Never(why)) => Handed::refused(why),
            Err(Failure::Unknown(why)) => Handed::unknown(why),
        }
    }
}

impl Channel for Notices {
    fn way(&self) -> Way {
        Way::Mail
    }

    fn hand_over<'a>(&'a self, sending: &'a Sending) -> Handing<'a> {
        Box::pin(self.hand(sending))
    }
}

fn write(sending: &Sending, domain: &str, name: &str) -> Option<Vec<u8>> {
    let what = &sending.what;
    let title = if what.title.is_empty() { "A message waits for you" } else { &what.title };
    let Timestamp(at) = what.at;
    MessageBuilder::new()
        .from((domain.to_owned(), format!("{WRITER}@{domain}")))
        .to(what.address.as_str())
        .subject(incoming::one_line(title))
        .date(at.div_euclid(1000))
        .message_id(format!("{name}@{domain}"))
        .header("Auto-Submitted", Raw::new("auto-generated"))
        .text_body(what.text.replace("\r\n", "\n").replace('\n', "\r\n"))
        .write_to_vec()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_proto::Uid;
    use rookery_store::{NewSending, SendingId, SendingState, Urgency};

    #[test]
    fn a_sending_is_a_mail() {
        let what = NewSending {
            uid: Uid(1),
            way: Way::Mail,
            address: "juliet@verona.example".into(),
            urgency: Urgency::Normal,
            case: None,
            title: "Two messages\r\nBcc: x@y".into(),
            text: "From romeo:\nHello".into(),
            code: String::new(),
            at: Timestamp(0),
        };
        let (state, changed, next) = (SendingState::Sending, Timestamp(0), Timestamp(0));
        let sending = Sending {
            id: SendingId(7),
            what,
            state,
            changed,
            next,
            attempts: 1,
            trouble: String::new(),
            carrier: None,
        };
        let mail = String::from_utf8(write(&sending, "here.org", "notice-7").expect("a mail")).expect("text");
        for line in [
            "From: \"here.org\" <no-reply@here.org>\r\n",
            "To: <juliet@verona.example>\r\n",
            "Subject: Two messages Bcc: x@y\r\n",
            "Message-ID: <notice-7@here.org>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "From romeo:\r\nHello",
        ] {
            assert!(mail.contains(line), "{line:?} in {mail}");
        }
    }
}
