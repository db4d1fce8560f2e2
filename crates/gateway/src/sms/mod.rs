//! Short messages to and from phones, by carriers that the operator has configured.
//!
//! Read along in this order: [`text`] is a text as short messages, [`gsm`] their alphabet and [`phone`] their addresses; [`smpp`] and
//! [`http`] speak with carriers, and [`brought`] is what these bring; [`channel`] chooses the one that a message goes by, `talk` is what
//! people write to phones, and `incoming` what becomes of what carriers bring; `desk` does what people order by text messages.

mod address;
pub mod brought;
pub mod channel;
mod desk;
mod fresh;
pub mod gsm;
pub mod http;
mod incoming;
mod lanes;
pub mod limits;
pub mod phone;
pub mod smpp;
mod talk;
pub mod text;

pub use address::reaches;
pub use channel::{Carrier, Way};
pub use fresh::Fresh;

use crate::guard::Tally;
use crate::people::People;
use crate::reach::Reach;
use incoming::Line;
use lanes::Lanes;
use rookery_core::Core;
use rookery_core::component::Component;
use rookery_proto::Uid;
use rookery_proto::xml::Xml;
use rookery_store::Caps;
use smpp::link::{Take, Takes};
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What the operator decided about short messages.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The host that phones are at inside.
    pub host: String,
    /// What people may write to phones in a day, each and all together; none: nobody may.
    pub caps: Caps,
    /// Accounts that have a number of ours: the number, as carriers have it, and the account's name or number.
    pub numbers: HashMap<String, String>,
    /// Parts of a message that tells somebody what waits; what has no room in them is cut.
    pub parts: usize,
}

/// Phones as they are inside.
const PEOPLE: People = People { name: "Phones", kind: "sms", outside: address::outside, card };

/// XEP-0054: the number.
fn card(x: &mut Xml, party: &str) {
    if phone::is_canonical(party) {
        x.open("TEL").leaf("CELL").text_element("NUMBER", party).close();
    }
}

/// The way to phones of one server.
pub struct Gateway {
    core: Arc<Core>,
    component: Arc<Component>,
    reach: Arc<Reach>,
    settings: Settings,
    carriers: Vec<Carrier>,
    fresh: Arc<Fresh>,
    lanes: Lanes,
    /// Answers to those who have proven nothing.
    asides: Tally<Uid>,
    /// Calls of addresses that did not prove that they are a provider's.
    knocks: Tally,
    /// Calls of providers, by their places among the carriers.
    calls: Tally<usize>,
    /// Calls that are being taken.
    hooks: Semaphore,
}

impl Gateway {
    /// With these carriers, whose links share `fresh`; `None` if core has no gateway at its host.
    pub fn new(
        core: Arc<Core>,
        reach: Arc<Reach>,
        settings: Settings,
        carriers: Vec<Carrier>,
        fresh: Arc<Fresh>,
    ) -> Option<Arc<Gateway>> {
        let component = core.components.of(&settings.host).filter(|it| it.is_gateway())?.clone();
        let (lanes, asides) = (Lanes::default(), Tally::new(limits::ASIDES, limits::ASIDES_WITHIN));
        let knocks = Tally::new(limits::KNOCKS, limits::KNOCKS_WITHIN);
        let calls = Tally::new(limits::CALLS, limits::CALLS_WITHIN);
        let hooks = Semaphore::new(limits::INCOMING);
        Some(Arc::new(Gateway {
            core,
            component,
            reach,
            settings,
            carriers,
            fresh,
            lanes,
            asides,
            knocks,
            calls,
            hooks,
        }))
    }

    /// Keeps the carriers connected, and takes what they bring, for as long as it is polled.
    pub async fn run(self: Arc<Gateway>) {
        let mut links = JoinSet::new();
        for carrier in &self.carriers {
            // Whoever speaks HTTP is asked when there is something, and posts what it brings.
            if let Way::Smpp(link) = &carrier.way {
                links.spawn(link.clone().run(self.clone().taker(&carrier.name)));
            }
        }
        tokio::join!(self.speak(), self.write(), self.tidy(), async {
            while links.join_next().await.is_some() {}
        });
    }

    /// Speaks for the phones.
    async fn speak(&self) {
        let mut outlet = self.component.connect();
        while let Some(stanza) = poll_fn(|cx| outlet.poll_next(cx)).await {
            PEOPLE.asked(&self.core, &self.component, &stanza).await;
        }
    }

    /// Takes what this carrier brings, by each of its connections.
    fn taker(self: Arc<Gateway>, carrier: &str) -> Takes {
        let carrier: Arc<str> = carrier.into();
        Arc::new(move || -> Take {
            let (gateway, carrier) = (self.clone(), carrier.clone());
            let line: Arc<str> = gateway.core.env.token().into();
            Arc::new(move |brought| {
                let (gateway, carrier, line) = (gateway.clone(), carrier.clone(), line.clone());
                let place = gateway.place(&brought);
                Box::pin(async move {
                    gateway.take(Line { carrier: &carrier, name: &line }, place, brought).await
                })
            })
        })
    }
}
