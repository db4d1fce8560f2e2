//! The protocol, pure: no sockets, no clock, no randomness.
//!
//! Bytes go in, values and bytes come out. Everything here can be stepped in a test.

pub mod error;
pub mod form;
pub mod name;
pub mod ns;
pub mod prepared;
pub mod sasl;
pub mod sasl2;
pub mod stanza;
pub mod stream;
pub mod subscription;
pub mod uid;
pub mod websocket;
pub mod xml;

pub use jid;
pub use uid::{Uid, Useq};
