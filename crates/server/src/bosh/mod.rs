//! BOSH (XEP-0124, XEP-0206): a stream whose elements come and go in the bodies of HTTP requests. A [`Session`] takes
//! requests on one side; on the other its [`Line`] is what the stream is negotiated and served over, as over a socket.

mod line;
mod session;
mod state;

pub use line::Line;
pub use session::{Client, Reply, Session, Sessions};

use std::time::Duration;

/// The version of XEP-0124 that is spoken.
pub const VERSION: &str = "1.11";

/// Requests that a client may have under way (§11): one that waits, one that brings something.
pub const REQUESTS: usize = 2;

/// The longest that a request waits for an answer: below the minute after which many proxies give up.
pub const WAIT: Duration = Duration::from_secs(55);

/// How long a session lives without a request (§10): a client that changes from one network to another needs some
/// seconds, and resumption (XEP-0198) covers the rest.
pub const INACTIVITY: Duration = Duration::from_secs(60);

/// The longest pause that a client may announce (§10): a page that is being loaded.
pub const PAUSE: Duration = Duration::from_secs(120);

/// The shortest time between two empty requests of a client that lets none wait (§12).
pub const POLLING: Duration = Duration::from_secs(5);

/// Empty requests that make another one return early: so many at once, and one more each second. A client has no use for
/// them.
pub const EMPTY_BURST: f64 = 20.0;

/// Bytes of elements that wait for a stream that is busy: two of the largest requests.
pub const INBOX: usize = 2 << 20;

/// Bytes that wait for a request: beyond it the stream waits, too.
pub const OUTBOX: usize = rookery_core::limits::WRITE_CHUNK;
