//! Groups of people of whom one is on duty: what is written to `NAME@duty.DOMAIN`, or paged to the name, goes to whoever is on duty as
//! urgent, to the next person when it is not acknowledged in time, and ends acknowledged or with nobody reached, of which its
//! sender hears.
//!
//! Read along in this order: [`rota`] says, purely, who is on duty; `page` is a page as a message; `attend` takes what people write,
//! and goes on with pages that nobody acknowledges. What lasts is in [`rookery_store::Duty`] and [`rookery_store::DutyPage`].

mod attend;
pub mod limits;
mod page;
pub mod rota;

pub(crate) use page::Arriving;

use crate::people::People;
use rookery_core::Core;
use rookery_core::component::Component;
use rookery_proto::jid::BareJid;
use std::future::poll_fn;
use std::sync::Arc;

/// Groups as they are inside.
const PEOPLE: People = People { name: "Duty", kind: "pager", outside, card: |_, _| {} };

/// The name of a group.
fn outside(peer: &BareJid) -> Option<String> {
    peer.node().map(|name| name.as_str().to_owned())
}

/// Whether a localpart can be a group.
pub fn reaches(local: &str) -> bool {
    (1..=rookery_store::limits::PAGER_BYTES).contains(&local.len())
}

/// The host of groups on duty at a domain.
pub fn host(domain: &str) -> String {
    format!("duty.{domain}")
}

/// The duty desk of one server.
pub struct Desk {
    core: Arc<Core>,
    component: Arc<Component>,
    host: String,
}

impl Desk {
    /// `None` if core has no gateway at its host ([`host`]).
    pub fn new(core: Arc<Core>) -> Option<Arc<Desk>> {
        let host = host(&core.policy.domain);
        let component = core.components.of(&host).filter(|it| it.is_gateway())?.clone();
        Some(Arc::new(Desk { core, component, host }))
    }

    /// Takes pages and goes on with them for as long as it is polled.
    pub async fn run(self: Arc<Desk>) {
        tokio::join!(self.speak(), self.attend());
    }

    async fn speak(&self) {
        let mut outlet = self.component.connect();
        while let Some(stanza) = poll_fn(|cx| outlet.poll_next(cx)).await {
            PEOPLE.asked(&self.core, &self.component, &stanza).await;
        }
    }

    /// The address of a group.
    fn address(&self, name: &str) -> Option<BareJid> {
        BareJid::new(&format!("{name}@{}", self.host)).ok()
    }
}
