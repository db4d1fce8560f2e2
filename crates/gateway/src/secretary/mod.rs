//! The network secretary: whoever writes to `secretary@DOMAIN` in plain words is reminded of what they said, when they said.
//!
//! Read along in this order: [`request`] is what can be said (`english`, `chinese`), [`calendar`] when that is, `sentences` what the
//! secretary says; `talk` takes what people write, `iq` what their applications ask, `attend` tells what is due. What lasts is in
//! [`rookery_store::Reminder`].

mod attend;
pub mod calendar;
mod chinese;
mod english;
mod iq;
pub mod limits;
pub mod request;
mod sentences;
mod talk;
#[cfg(test)]
mod tests;

use rookery_core::Core;
use rookery_core::component::Component;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::xml::Xml;
use rookery_store::{Result, Urgency};
use std::future::poll_fn;
use std::sync::Arc;

/// What the secretary is called before the `@`.
pub const NAME: &str = "secretary";

/// The secretary of one server.
pub struct Secretary {
    core: Arc<Core>,
    component: Arc<Component>,
    address: BareJid,
}

impl Secretary {
    /// At the address that core has for it ([`address`]); `None` if it has none.
    pub fn new(core: Arc<Core>) -> Option<Arc<Secretary>> {
        let address = BareJid::new(&address(&core.policy.domain)).ok()?;
        let component = core.components.of(address.as_str()).filter(|it| it.is_gateway())?.clone();
        Some(Arc::new(Secretary { core, component, address }))
    }

    /// Listens and reminds for as long as it is polled.
    pub async fn run(self: Arc<Secretary>) {
        tokio::join!(self.listen(), self.attend());
    }

    async fn listen(&self) {
        let mut outlet = self.component.connect();
        while let Some(stanza) = poll_fn(|cx| outlet.poll_next(cx)).await {
            self.asked(&stanza).await;
        }
    }

    /// The time zone that an account lives in, if it has said so.
    async fn zone_of(&self, uid: rookery_proto::Uid) -> Result<Option<String>> {
        let plan = self.core.store.reach_plan(uid).await?;
        Ok(plan.map(|plan| plan.zone).filter(|zone| !zone.is_empty()))
    }

    /// A message of the secretary's.
    fn message(&self, to: &BareJid, text: &str, urgency: Urgency) -> Vec<u8> {
        written(&self.address, to, &self.core.env.token(), text, urgency)
    }
}

fn written(from: &BareJid, to: &BareJid, id: &str, text: &str, urgency: Urgency) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("message").attr("from", from.as_str()).attr("to", to.as_str());
    x.attr("type", "chat").attr("id", id).text_element("body", text);
    if urgency > Urgency::Normal {
        x.open_ns("urgency", ns::URGENCY).attr("level", urgency.name()).close();
    }
    x.close();
    x.into_vec()
}

/// The secretary's address at a domain.
pub fn address(domain: &str) -> String {
    format!("{NAME}@{domain}")
}

/// The secretary is reached by its address, whatever else that address is.
pub fn reaches(local: &str) -> bool {
    local == NAME
}
