//! SASL: SCRAM with SHA-1, SHA-256 and SHA-512, with and without channel binding, PLAIN, and hashed tokens; the server's
//! side, and the client's side for those who test and load a server.
//!
//! Pure: nonces and salts come in from outside, and whoever calls decides where the costly steps run.

pub mod client;
mod credentials;
mod hash;
mod message;
mod server;
mod token;

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

pub use credentials::{Credentials, Decoy, PasswordError, SALT_LEN, Salts, ScramKeys};
pub use hash::Hash;
pub use server::{Exchange, Step};
pub use token::{TokenMechanism, TokenProof};

/// Rounds of PBKDF2 where the operator says nothing else: RFC 7677 §4 asks for at least 4096; ten thousand keep a
/// sign-in below some ten milliseconds of one core.
pub const DEFAULT_ITERATIONS: u32 = 10_000;

/// Longest message of a peer, in bytes before base64. PLAIN's three parts and a SCRAM message with its nonces and a
/// channel binding stay far below; more is hostile.
pub const MAX_MESSAGE: usize = 4096;

/// Longest password in bytes: hashing is not to be fed with megabytes.
pub const MAX_PASSWORD: usize = 1024;

/// A mechanism of this server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mechanism {
    /// RFC 5802, RFC 7677; `plus` with channel binding.
    Scram {
        /// The hash function that the mechanism is named after.
        hash: Hash,
        /// Whether the exchange is bound to the TLS connection under it.
        plus: bool,
    },
    /// RFC 4616: the password itself.
    Plain,
}

impl Mechanism {
    /// All mechanisms, the strongest first: being bound to the channel counts more than the hash.
    pub const ALL: [Mechanism; 7] = [
        Mechanism::Scram { hash: Hash::Sha512, plus: true },
        Mechanism::Scram { hash: Hash::Sha256, plus: true },
        Mechanism::Scram { hash: Hash::Sha1, plus: true },
        Mechanism::Scram { hash: Hash::Sha512, plus: false },
        Mechanism::Scram { hash: Hash::Sha256, plus: false },
        Mechanism::Scram { hash: Hash::Sha1, plus: false },
        Mechanism::Plain,
    ];

    /// The name under which the mechanism is registered.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Scram { hash: Hash::Sha1, plus: false } => "SCRAM-SHA-1",
            Mechanism::Scram { hash: Hash::Sha1, plus: true } => "SCRAM-SHA-1-PLUS",
            Mechanism::Scram { hash: Hash::Sha256, plus: false } => "SCRAM-SHA-256",
            Mechanism::Scram { hash: Hash::Sha256, plus: true } => "SCRAM-SHA-256-PLUS",
            Mechanism::Scram { hash: Hash::Sha512, plus: false } => "SCRAM-SHA-512",
            Mechanism::Scram { hash: Hash::Sha512, plus: true } => "SCRAM-SHA-512-PLUS",
            Mechanism::Plain => "PLAIN",
        }
    }

    /// The mechanism of that name, if this server knows it. Names are compared as they are (RFC 4422 §3.1).
    pub fn from_name(name: &str) -> Option<Mechanism> {
        Mechanism::ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// Whether the mechanism needs a channel binding.
    pub fn is_bound(self) -> bool {
        matches!(self, Mechanism::Scram { plus: true, .. })
    }
}

/// A channel binding type by its registered name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BindingType {
    /// RFC 9266: keying material exported from the TLS session.
    Exporter,
    /// RFC 5929 §4: the hash of the server's certificate.
    ServerEndPoint,
}

impl BindingType {
    /// The strongest first.
    pub const ALL: [BindingType; 2] = [BindingType::Exporter, BindingType::ServerEndPoint];

    /// The registered name (`type` in XEP-0440, `p=` in SCRAM).
    pub fn name(self) -> &'static str {
        match self {
            BindingType::Exporter => "tls-exporter",
            BindingType::ServerEndPoint => "tls-server-end-point",
        }
    }
}

/// The channel bindings of one connection. Where there is any, the -PLUS mechanisms are offered; without TLS there is
/// none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChannelBindings {
    /// 32 bytes; only where the exported material is unique to the session (RFC 9266).
    pub exporter: Option<[u8; 32]>,
    /// The hash of the leaf certificate; its length is its algorithm's.
    pub server_end_point: Option<Vec<u8>>,
}

impl ChannelBindings {
    /// Whether -PLUS mechanisms can be offered.
    pub fn offered(&self) -> bool {
        self.types().next().is_some()
    }

    /// The types to announce (XEP-0440), the strongest first.
    pub fn types(&self) -> impl Iterator<Item = BindingType> + '_ {
        BindingType::ALL.into_iter().filter(|kind| self.get(*kind).is_some())
    }

    /// The binding's data, if the connection has that type.
    pub fn get(&self, kind: BindingType) -> Option<&[u8]> {
        match kind {
            BindingType::Exporter => self.exporter.as_ref().map(<[u8; 32]>::as_slice),
            BindingType::ServerEndPoint => self.server_end_point.as_deref(),
        }
    }
}

/// Why an authentication failed: the conditions of RFC 6120 §6.5.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Condition {
    /// §6.5.1: the client gave up.
    Aborted,
    /// §6.5.2: the account is disabled; said only to who knows its password.
    AccountDisabled,
    /// §6.5.3: the password has expired.
    CredentialsExpired,
    /// §6.5.4: only over TLS.
    EncryptionRequired,
    /// §6.5.5: not base64.
    IncorrectEncoding,
    /// §6.5.6: the client may not act for the identity it asked for.
    InvalidAuthzid,
    /// §6.5.7: not a mechanism of this server, or not offered here.
    InvalidMechanism,
    /// §6.5.8: a message that the mechanism does not allow.
    MalformedRequest,
    /// §6.5.9: the operator wants a stronger one.
    MechanismTooWeak,
    /// §6.5.10: wrong password and unknown account alike.
    NotAuthorized,
    /// §6.5.11: the server cannot tell now.
    TemporaryAuthFailure,
}

impl Condition {
    /// The element's name in `urn:ietf:params:xml:ns:xmpp-sasl`.
    pub fn name(self) -> &'static str {
        match self {
            Condition::Aborted => "aborted",
            Condition::AccountDisabled => "account-disabled",
            Condition::CredentialsExpired => "credentials-expired",
            Condition::EncryptionRequired => "encryption-required",
            Condition::IncorrectEncoding => "incorrect-encoding",
            Condition::InvalidAuthzid => "invalid-authzid",
            Condition::InvalidMechanism => "invalid-mechanism",
            Condition::MalformedRequest => "malformed-request",
            Condition::MechanismTooWeak => "mechanism-too-weak",
            Condition::NotAuthorized => "not-authorized",
            Condition::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }
}

/// The text of `<auth/>`: nothing, if it is empty; the empty message, if it is `=` (RFC 6120 §6.4.2).
pub fn decode_initial(text: &str) -> Result<Option<Vec<u8>>, Condition> {
    if text.is_empty() { Ok(None) } else { decode(text).map(Some) }
}

/// The text of `<response/>`, `<challenge/>` or `<success/>`, where an empty text is an empty message. White space
/// around it does not count.
pub fn decode(text: &str) -> Result<Vec<u8>, Condition> {
    let text = text.trim();
    if text == "=" {
        return Ok(Vec::new());
    }
    if text.len() > MAX_MESSAGE.div_ceil(3) * 4 {
        return Err(Condition::MalformedRequest);
    }
    BASE64.decode(text).map_err(|_| Condition::IncorrectEncoding)
}

/// A message as the text of an element that may also be without data: the empty message is `=` (RFC 6120 §6.4.2, §6.4.6).
pub fn encode(message: &[u8]) -> String {
    if message.is_empty() { "=".to_owned() } else { BASE64.encode(message) }
}

/// What a client can check to see that nobody between it and us has shortened our offer (XEP-0474 §6.1): the mechanisms and
/// channel bindings that were announced, in an order of their own.
fn announced(mechanisms: &[&str], bindings: &ChannelBindings) -> String {
    let sorted = |mut names: Vec<&str>| {
        names.sort_unstable();
        names.join("\x1e")
    };
    let mut text = sorted(mechanisms.to_vec());
    if bindings.offered() {
        text.push('\x1f');
        text.push_str(&sorted(bindings.types().map(BindingType::name).collect()));
    }
    text
}

/// SASLprep (RFC 4013), the empty result refused: of a user name or a password.
fn prepare(text: &str) -> Option<Cow<'_, str>> {
    stringprep::saslprep(text).ok().filter(|prepared| !prepared.is_empty())
}

#[cfg(test)]
mod tests;
