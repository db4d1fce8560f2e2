//! What the handler of a request gives back.

use bytes::Bytes;
use rookery_proto::error::StanzaError;

/// What answers a request that succeeded.
pub enum Reply {
    /// An empty result.
    Empty,
    /// A result with this payload.
    Payload(Vec<u8>),
    /// An empty result, and these stanzas after it.
    Then(Vec<Bytes>),
    /// The answer comes by itself when it is there; others may come before it (RFC 6120 §10.1 is about what comes, and each
    /// answer names its request).
    Later,
    /// A result with this payload, which may be empty, and the end of the account that asked.
    Farewell(Vec<u8>),
}

/// What a handler gives: a reply, or the error that the client gets instead.
pub type Answer = Result<Reply, StanzaError>;
