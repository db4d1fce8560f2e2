//! XEP-0114: external components: hosts beside ours that other programs serve. Here is who they are and what waits for
//! them; what they send is in [`inbound`], how they take part in presence in `presence`, their connection in the
//! server.

pub mod inbound;
mod presence;

use crate::gateway::{Gateway, Hosted};
use crate::limits;
use crate::xep::Xep;
use bytes::Bytes;
use parking_lot::Mutex;
use rookery_proto::error::{ErrorType, StanzaError};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// XEP-0114.
pub const INFO: Xep = Xep {
    number: "XEP-0114",
    name: "Jabber Component Protocol",
    version: "1.6",
    server: &[],
    account: &[],
    note: "`accept`; messages are kept in the user's log, subscriptions and presence go both ways.",
};

/// A component as the operator allows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The host that it serves, prepared; not the server's own domain.
    pub host: String,
    /// What it must know.
    pub secret: String,
    /// Its largest stanza in bytes.
    pub stanza_bytes: usize,
}

impl std::fmt::Debug for Allowed {
    // Secrets are not for the log (invariant 10).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Allowed({}, {} bytes)", self.host, self.stanza_bytes)
    }
}

/// All components that are allowed.
#[derive(Default)]
pub struct Components(Vec<Arc<Component>>);

impl Components {
    /// None of them is connected yet.
    pub fn new(allowed: &[Allowed], gateways: &[Hosted]) -> Components {
        let component = |allowed: &Allowed| Component::new(allowed.clone(), None);
        let gateway = |hosted: &Hosted| {
            // Nobody from outside proves to be a gateway; what it sends was made here.
            let (host, stanza_bytes) = (hosted.host.clone(), usize::MAX);
            let gateway = Gateway { reaches: hosted.reaches, bell: Arc::default() };
            Component::new(Allowed { host, secret: String::new(), stanza_bytes }, Some(gateway))
        };
        let all = allowed.iter().map(component).chain(gateways.iter().map(gateway));
        Components(all.map(Arc::new).collect())
    }

    /// The component that serves a host.
    pub fn of(&self, host: &str) -> Option<&Arc<Component>> {
        self.0.iter().find(|component| component.allowed.host == host)
    }

    /// The component that serves an address of this domain: its host, or this address alone.
    pub fn at(&self, local: Option<&str>, domain: &str) -> Option<&Arc<Component>> {
        self.0.iter().find(|component| component.serves(local, domain))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Component>> {
        self.0.iter()
    }
}

/// One component, connected or not.
pub struct Component {
    /// What the operator allows.
    pub allowed: Allowed,
    /// What it has that is a gateway of this process.
    pub(crate) gateway: Option<Gateway>,
    line: Mutex<Option<Line>>,
}

/// What waits for a connected component.
#[derive(Clone)]
struct Line {
    queue: mpsc::Sender<Bytes>,
    bytes: Arc<AtomicUsize>,
}

/// The other end of the queue: held by the component's connection.
pub struct Outlet {
    queue: mpsc::Receiver<Bytes>,
    bytes: Arc<AtomicUsize>,
}

impl Outlet {
    /// The next stanza; nothing when another connection has taken the component over.
    pub fn poll_next(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<Bytes>> {
        let next = self.queue.poll_recv(cx);
        if let std::task::Poll::Ready(Some(stanza)) = &next {
            self.bytes.fetch_sub(stanza.len(), Ordering::AcqRel);
        }
        next
    }

    /// What nobody has taken; no more can come. Waits for what has its place and is being stored, as long as that
    /// takes.
    pub async fn close(&mut self) -> Vec<Bytes> {
        self.queue.close();
        let mut left = Vec::new();
        while let Some(stanza) = self.queue.recv().await {
            left.push(stanza);
        }
        left
    }
}

/// A stanza that has its place in a component's queue and is not there yet: it goes when what it says is stored.
pub struct Parcel {
    place: Option<mpsc::OwnedPermit<Bytes>>,
    bytes: Arc<AtomicUsize>,
    stanza: Bytes,
}

impl Parcel {
    /// Into the queue with it.
    pub fn send(mut self) {
        if let Some(place) = self.place.take() {
            place.send(std::mem::take(&mut self.stanza));
        }
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        // Nothing is left in one that was sent.
        self.bytes.fetch_sub(self.stanza.len(), Ordering::AcqRel);
    }
}

impl Component {
    fn new(allowed: Allowed, gateway: Option<Gateway>) -> Component {
        Component { allowed, gateway, line: Mutex::default() }
    }

    /// Whether an address is one of the component's.
    pub(crate) fn serves(&self, local: Option<&str>, domain: &str) -> bool {
        match self.allowed.host.split_once('@') {
            Some((own, host)) => host == domain && local == Some(own),
            None => self.allowed.host == domain,
        }
    }

    /// A connection serves the component from now on; one that did before sees its queue end.
    pub fn connect(&self) -> Outlet {
        let (sender, queue) = mpsc::channel(limits::COMPONENT_QUEUE);
        let bytes = Arc::<AtomicUsize>::default();
        *self.line.lock() = Some(Line { queue: sender, bytes: bytes.clone() });
        Outlet { queue, bytes }
    }

    /// Whether a connection serves the component.
    pub fn is_connected(&self) -> bool {
        self.line.lock().as_ref().is_some_and(|line| !line.queue.is_closed())
    }

    /// Takes a place in the queue. An error where nobody is connected, or where it does not read what it is sent.
    pub fn parcel(&self, stanza: Bytes) -> Result<Parcel, StanzaError> {
        let line = self.line.lock().clone();
        let away = || {
            let text = "The service is not there at the moment.";
            StanzaError::service_unavailable().kind(ErrorType::Wait).text(text)
        };
        let full =
            || StanzaError::resource_constraint().text("The service does not keep up. Try again later.");
        let Line { queue, bytes } = line.ok_or_else(away)?;
        let place = queue.try_reserve_owned().map_err(|error| match error {
            TrySendError::Full(_) => full(),
            TrySendError::Closed(_) => away(),
        })?;
        let before = bytes.fetch_add(stanza.len(), Ordering::AcqRel);
        let parcel = Parcel { place: Some(place), bytes, stanza };
        if before > limits::COMPONENT_QUEUE_BYTES { Err(full()) } else { Ok(parcel) }
    }

    /// Sends a stanza now.
    pub fn send(&self, stanza: impl Into<Bytes>) -> Result<(), StanzaError> {
        self.parcel(stanza.into()).map(Parcel::send)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn component() -> Component {
        let allowed = Allowed { host: "c.b".into(), secret: "s".into(), stanza_bytes: 1 };
        Component::new(allowed, None)
    }

    fn next(outlet: &mut Outlet) -> Poll<Option<Bytes>> {
        outlet.poll_next(&mut Context::from_waker(Waker::noop()))
    }

    /// What is left in an outlet that nothing is on its way to.
    fn closed(outlet: &mut Outlet) -> Vec<Bytes> {
        match pin!(outlet.close()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(left) => left,
            Poll::Pending => panic!("something is on its way"),
        }
    }

    #[test]
    fn nobody_is_there_at_first() {
        let component = component();
        assert_eq!(component.send("a").expect_err("nobody").condition, "service-unavailable");
        let mut outlet = component.connect();
        component.send("a").expect("room");
        assert_eq!(next(&mut outlet), Poll::Ready(Some("a".into())));
        drop(outlet);
        assert!(!component.is_connected());
        assert_eq!(component.send("a").expect_err("gone").condition, "service-unavailable");
    }

    #[test]
    fn a_newer_connection_takes_over() {
        let component = component();
        let mut first = component.connect();
        let _second = component.connect();
        assert_eq!(next(&mut first), Poll::Ready(None));
    }

    #[test]
    fn what_is_being_stored_at_the_end_is_not_lost() {
        let component = component();
        let mut outlet = component.connect();
        component.send("a").expect("room");
        let (stored, failed) = (component.parcel("b".into()), component.parcel("c".into()));
        let mut closing = pin!(outlet.close());
        let mut left = || closing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(left(), Poll::Pending);
        assert!(!component.is_connected());
        stored.expect("room").send();
        assert_eq!(left(), Poll::Pending);
        drop(failed);
        assert_eq!(left(), Poll::Ready(vec!["a".into(), "b".into()]));
    }

    #[test]
    fn a_component_that_does_not_read_costs_no_memory() {
        let component = component();
        let mut outlet = component.connect();
        while component.send("x").is_ok() {}
        assert_eq!(outlet.queue.len(), limits::COMPONENT_QUEUE);
        assert_eq!(component.send("x").expect_err("full").condition, "resource-constraint");
        assert_eq!(closed(&mut outlet).len(), limits::COMPONENT_QUEUE);

        let mut outlet = component.connect();
        let large = Bytes::from(vec![b'x'; limits::COMPONENT_QUEUE_BYTES / 4]);
        let sent = (0..100).take_while(|_| component.send(large.clone()).is_ok()).count();
        assert_eq!(sent, 5);
        // What was taken, or was given up, makes room.
        assert!(matches!(next(&mut outlet), Poll::Ready(Some(_))));
        drop(component.parcel(large.clone()).expect("room"));
        assert!(component.send(large.clone()).is_ok());
        assert!(component.send(large).is_err());
    }
}
