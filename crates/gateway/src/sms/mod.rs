//! Short messages to and from phones, by carriers that the operator has configured.
//!
//! Read along in this order: [`text`] is a text as short messages, [`gsm`] their alphabet and [`phone`] their addresses; [`smpp`] speaks
//! with carriers; [`channel`] chooses the one that a message goes by, and [`incoming`] is what becomes of what they bring.

pub mod channel;
mod fresh;
pub mod gsm;
mod incoming;
pub mod limits;
pub mod phone;
pub mod smpp;
pub mod text;

pub use channel::{Carrier, Way};
pub use fresh::Fresh;

use crate::reach::Reach;
use smpp::link::Take;
use std::sync::Arc;
use tokio::task::JoinSet;

/// What the operator decided about short messages.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Parts of a message that tells somebody what waits; what has no room in them is cut.
    pub parts: usize,
}

/// The way to phones of one server.
pub struct Gateway {
    reach: Arc<Reach>,
    settings: Settings,
    carriers: Vec<Carrier>,
    fresh: Arc<Fresh>,
}

impl Gateway {
    /// With these carriers, whose links share `fresh`.
    pub fn new(
        reach: Arc<Reach>,
        settings: Settings,
        carriers: Vec<Carrier>,
        fresh: Arc<Fresh>,
    ) -> Arc<Gateway> {
        Arc::new(Gateway { reach, settings, carriers, fresh })
    }

    /// Keeps the carriers connected, and takes what they bring, for as long as it is polled.
    pub async fn run(self: Arc<Gateway>) {
        let mut links = JoinSet::new();
        for carrier in &self.carriers {
            let Way::Smpp(link) = &carrier.way;
            links.spawn(link.clone().run(self.clone().taker(&carrier.name)));
        }
        while links.join_next().await.is_some() {}
    }

    /// Takes what this carrier brings.
    fn taker(self: Arc<Gateway>, carrier: &str) -> Take {
        let carrier: Arc<str> = carrier.into();
        Arc::new(move |brought| {
            let (gateway, carrier) = (self.clone(), carrier.clone());
            Box::pin(async move { gateway.take(&carrier, brought).await })
        })
    }
}
