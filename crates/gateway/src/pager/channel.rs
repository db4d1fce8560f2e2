//! Pages that people have chosen to be reached by: each goes to the carrier of the device.

use super::carrier::{Handed as Done, Order};
use super::feed::Feed;
use super::pocsag::{Alphabet, Content, Function, Page, Ric, SHORTEST};
use super::{limits, snpp, tap};
use crate::reach::channel::{Channel, Handed, Handing, Sending, Urgency, Way};
use rookery_core::Core;
use rookery_store::PagerDevice;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A carrier that the operator has configured.
#[derive(Clone, Debug)]
pub enum Carrier {
    /// By SNPP.
    Snpp(Endpoint),
    /// By TAP over TCP.
    Tap(Endpoint),
    /// By a transmitter of our own.
    Pocsag(Arc<Feed>, Alphabet),
}

/// Where a carrier is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// A name or an address.
    pub host: String,
    /// A port.
    pub port: u16,
    /// Who we are to it, and the password.
    pub login: Option<(String, String)>,
}

impl Endpoint {
    /// Connects; or what was in the way, as a sentence.
    pub async fn dial(&self) -> Result<TcpStream, String> {
        match timeout(limits::CARRIER, TcpStream::connect((self.host.as_str(), self.port))).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).ok();
                Ok(stream)
            }
            Ok(Err(error)) => Err(format!("The carrier cannot be reached: {error}.")),
            Err(_) => Err("The carrier does not answer.".to_owned()),
        }
    }

    /// Who we are to it.
    pub fn login(&self) -> Option<(&str, &str)> {
        self.login.as_ref().map(|(name, password)| (name.as_str(), password.as_str()))
    }
}

/// The channel of pagers.
pub struct Pagers {
    core: Arc<Core>,
    carriers: HashMap<String, Carrier>,
}

impl Pagers {
    /// With these carriers, by the names that devices know them by.
    pub fn new(core: Arc<Core>, carriers: HashMap<String, Carrier>) -> Pagers {
        Pagers { core, carriers }
    }

    async fn hand(&self, sending: &Sending) -> Handed {
        let pager = match self.core.store.pager(&sending.what.address).await {
            Ok(pager) => pager,
            Err(_) => return Handed::deferred("The device cannot be looked up at the moment."),
        };
        // It may be another's by now.
        let device = pager.filter(|pager| pager.uid == sending.what.uid).and_then(|pager| pager.device);
        let Some(device) = device else { return Handed::refused("There is no such pager any more.") };
        let Some(carrier) = self.carriers.get(&device.carrier) else {
            return Handed::refused(format!("There is no carrier “{}” any more.", device.carrier));
        };
        let text = words(&sending.what.text, &sending.what.code, &device);
        let handed = match carrier {
            Carrier::Pocsag(feed, alphabet) => match radio(&device, &text, *alphabet, sending.what.urgency) {
                Some(page) => feed.send(page, &sending.id.0.to_string()).await,
                None => Done::Refused(format!("{} is no address of a POCSAG pager.", device.address)),
            },
            Carrier::Snpp(endpoint) => match endpoint.dial().await {
                Ok(stream) => snpp::page(stream, &order(endpoint, &device, &text, sending)).await,
                Err(why) => Done::Deferred(why),
            },
            Carrier::Tap(endpoint) => match endpoint.dial().await {
                Ok(stream) => tap::page(stream, &order(endpoint, &device, &text, sending)).await,
                Err(why) => Done::Deferred(why),
            },
        };
        match handed {
            Done::Accepted(Some(ticket)) => Handed::accepted(format!("{} {}", ticket.tag, ticket.pass)),
            Done::Accepted(None) => Handed::Accepted { carrier_ref: None },
            Done::Deferred(why) => Handed::Deferred { why },
            Done::Refused(why) => Handed::Refused { why },
            Done::Unknown(why) => Handed::Unknown { why },
        }
    }
}

impl Channel for Pagers {
    fn way(&self) -> Way {
        Way::Pager
    }

    fn hand_over<'a>(&'a self, sending: &'a Sending) -> Handing<'a> {
        Box::pin(self.hand(sending))
    }
}

fn order<'a>(endpoint: &'a Endpoint, device: &'a PagerDevice, text: &'a str, sending: &Sending) -> Order<'a> {
    Order {
        pager: &device.address,
        caller: "",
        text,
        urgency: sending.what.urgency,
        login: endpoint.login(),
        two_way: device.two_way,
    }
}

/// What the device is to show. Whoever has a pager that cannot answer sends the code back by another way, so it stands where it
/// is not cut off: in front.
fn words(text: &str, code: &str, device: &PagerDevice) -> String {
    let code = if device.two_way { "" } else { code };
    match (device.numeric, code.is_empty()) {
        // Digits are all that it shows; of a text that is mostly none, the code is what helps.
        (true, false) => code.to_owned(),
        (true, true) | (false, true) => text.to_owned(),
        (false, false) => format!("[{code}] {text}"),
    }
}

/// A page by radio: sub-addresses tell how much it matters (D, C and B for texts; a numeric pager has A).
fn radio(device: &PagerDevice, text: &str, alphabet: Alphabet, urgency: Urgency) -> Option<Page> {
    let ric = Ric::new(device.address.parse().ok()?)?;
    let function = match (device.numeric, urgency) {
        (true, _) => Function::A,
        (false, Urgency::Normal) => Function::D,
        (false, Urgency::Important) => Function::C,
        (false, Urgency::Urgent) => Function::B,
    };
    let content = match device.numeric {
        true => Content::Numeric(text.to_owned()),
        false => Content::Text(text.to_owned(), alphabet),
    };
    // Noise seldom hits both.
    let times = if urgency == Urgency::Urgent { 2 } else { 1 };
    Some(Page { ric, function, content, length: usize::from(device.length).max(SHORTEST), times })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(numeric: bool, two_way: bool) -> PagerDevice {
        let (carrier, address) = ("radio".into(), "1234567".into());
        PagerDevice { carrier, address, numeric, two_way, length: 80 }
    }

    #[test]
    fn the_code_is_where_it_is_seen() {
        assert_eq!(words("Come", "4711", &device(false, false)), "[4711] Come");
        assert_eq!(words("Come", "4711", &device(false, true)), "Come");
        assert_eq!(words("Come", "", &device(false, false)), "Come");
        assert_eq!(words("Come", "4711", &device(true, false)), "4711");
    }

    #[test]
    fn urgency_is_a_sub_address() {
        let page =
            |numeric, urgency| radio(&device(numeric, false), "1", Alphabet::International, urgency).unwrap();
        assert_eq!(
            (page(false, Urgency::Normal).function, page(false, Urgency::Urgent).function),
            (Function::D, Function::B)
        );
        assert_eq!(
            (page(true, Urgency::Urgent).function, page(true, Urgency::Urgent).times),
            (Function::A, 2)
        );
        let wrong = PagerDevice { address: "7".into(), ..device(false, false) };
        assert!(radio(&wrong, "1", Alphabet::International, Urgency::Normal).is_none());
    }
}
