//! Sessions, and the table of those that are open.

use super::Line;
use super::state::State;
use crate::net::framing::Framing;
use crate::net::listener::Place;
use crate::net::transport::{Conn, Transport};
use crate::net::{self, Arrival, Server};
use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use rookery_proto::sasl::ChannelBindings;
use rookery_proto::stream::bosh::Body;
use rookery_proto::xml::Limits;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// The answer to a request, when it comes. An error means that the server ends.
pub type Reply = oneshot::Receiver<Bytes>;

/// One stream over many requests.
pub struct Session {
    /// Requests may not come in a less private way than the first.
    secure: bool,
    state: Mutex<State>,
}

impl Session {
    /// Takes a request.
    pub fn request(&self, body: Body) -> Reply {
        let (answer, reply) = oneshot::channel();
        self.state().request(body, answer, Instant::now());
        reply
    }

    /// What one element may measure now.
    pub fn limits(&self) -> Limits {
        self.state().limits
    }

    /// Changes that.
    pub fn set_limits(&self, limits: Limits) {
        self.state().limits = limits;
    }

    /// The stream has this identifier.
    pub fn opened(&self, id: &str) {
        self.state().stream_id = Some(id.to_owned());
    }

    /// What is written next is a stream error.
    pub fn fails(&self) {
        self.state().fails();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

struct Open {
    session: Arc<Session>,
    task: AbortHandle,
}

/// All open sessions by their identifiers. Each holds a place among the connections, which bounds them.
#[derive(Default)]
pub struct Sessions {
    open: Mutex<HashMap<String, Open>>,
}

/// Who asks for a session.
pub struct Client {
    /// Where from.
    pub address: IpAddr,
    /// Whether secrets may pass.
    pub secure: bool,
    /// Its place among all connections.
    pub place: Place,
    /// Its turn to sign in.
    pub turn: OwnedSemaphorePermit,
}

impl Sessions {
    /// The session of a request, which comes in a way that is secure or not.
    pub fn get(&self, sid: &str, secure: bool) -> Option<Arc<Session>> {
        let open = self.open.lock();
        open.get(sid).map(|open| open.session.clone()).filter(|session| secure || !session.secure)
    }

    /// Opens a session for its first request.
    pub fn open(self: &Arc<Self>, server: &Arc<Server>, client: Client, body: Body) -> Reply {
        let Client { address, secure, place, turn } = client;
        let sid = server.core.env.token();
        let state = State::new(&sid, &server.core.policy.domain, &body, Instant::now());
        let session = Arc::new(Session { secure, state: Mutex::new(state) });
        let reply = session.request(body);
        let transport: Transport<TcpStream> = Transport::Bosh(Line::new(session.clone()));
        let arrival = Box::new(Arrival {
            conn: Conn::new(transport, Framing::Bosh(session.clone())),
            peer: address,
            secure,
            // A session is of many connections: there is none that it could be bound to.
            bindings: ChannelBindings::default(),
        });
        // Locked before the task can begin, and thus end.
        let mut open = self.open.lock();
        let (all, name, server) = (self.clone(), sid.clone(), server.clone());
        let task = tokio::spawn(async move {
            net::serve(server, arrival, false, Some(turn)).await;
            all.open.lock().remove(&name);
            drop(place);
        });
        open.insert(sid, Open { session, task: task.abort_handle() });
        reply
    }

    /// Ends all at once, as the end of the process would.
    pub fn kill(&self) {
        self.open.lock().drain().for_each(|(_, open)| open.task.abort());
    }
}
