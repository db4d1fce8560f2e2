//! What the server keeps of a password: SCRAM's keys, from which the password cannot be read.

use std::borrow::Cow;
use std::fmt;

use subtle::ConstantTimeEq;

use super::{Hash, MAX_PASSWORD, hash::xor, prepare};

/// Bytes of salt for one hash.
pub const SALT_LEN: usize = 16;

/// Fresh random salts, one for each of [`Hash::ALL`].
pub type Salts = [[u8; SALT_LEN]; 3];

/// The first byte of the encoded form; another layout gets another number.
const ENCODING: u8 = 1;

/// The keys of RFC 5802 §3 for one hash function.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    /// Rounds of PBKDF2.
    pub iterations: u32,
    /// The salt: [`SALT_LEN`] bytes where we chose it, at most 255 elsewhere.
    pub salt: Vec<u8>,
    /// Proves the client; as long as the hash.
    pub stored_key: Vec<u8>,
    /// Proves the server; as long as the hash.
    pub server_key: Vec<u8>,
}

impl ScramKeys {
    pub(super) fn derive(hash: Hash, prepared: &str, salt: &[u8], iterations: u32) -> ScramKeys {
        let salted = hash.salted_password(prepared, salt, iterations);
        ScramKeys::of_salted(hash, &salted, salt, iterations)
    }

    fn of_salted(hash: Hash, salted: &[u8], salt: &[u8], iterations: u32) -> ScramKeys {
        ScramKeys {
            iterations,
            salt: salt.to_vec(),
            stored_key: hash.digest(&hash.hmac(salted, b"Client Key")),
            server_key: hash.hmac(salted, b"Server Key"),
        }
    }

    /// RFC 5802 §3: whether the proof was made with the password, for this dialogue. In constant time.
    pub(super) fn proves(&self, hash: Hash, auth_message: &[u8], proof: &[u8]) -> bool {
        let signature = hash.hmac(&self.stored_key, auth_message);
        let stored_key = hash.digest(&xor(proof, &signature));
        proof.len() == hash.size() && bool::from(stored_key.ct_eq(&self.stored_key))
    }
}

/// What is kept of an account's password: the keys for all three hashes.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(super) keys: [ScramKeys; 3],
}

/// Why a text cannot be a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PasswordError {
    /// Empty.
    #[error("the password is empty")]
    Empty,
    /// Longer than [`MAX_PASSWORD`].
    #[error("the password is longer than {MAX_PASSWORD} bytes")]
    TooLong,
    /// SASLprep forbids a character or the mixture of writing directions, or leaves nothing.
    #[error(
        "the password has a character that clients cannot send, such as a control character or a new emoji"
    )]
    Forbidden,
}

impl Credentials {
    /// The keys of a password. Hashes three times: run it where it may take tens of milliseconds.
    pub fn derive(password: &str, salts: &Salts, iterations: u32) -> Result<Credentials, PasswordError> {
        let prepared = prepare_password(password)?;
        let keys =
            Hash::ALL.map(|hash| ScramKeys::derive(hash, &prepared, &salts[hash as usize], iterations));
        Ok(Credentials { keys })
    }

    /// The keys for one hash.
    pub fn keys(&self, hash: Hash) -> &ScramKeys {
        &self.keys[hash as usize]
    }

    /// Whether the keys for `hash` were made with fewer rounds than are asked for now, and better ones are wanted
    /// (XEP-0480).
    pub fn is_behind(&self, hash: Hash, iterations: u32) -> bool {
        self.keys(hash).iterations < iterations
    }

    /// The same with better keys for `hash`, made of the salted password that the client has sent (XEP-0480 §3); nothing
    /// if that cannot be one.
    pub fn upgraded(
        &self,
        hash: Hash,
        salted: &[u8],
        salt: &[u8; SALT_LEN],
        iterations: u32,
    ) -> Option<Credentials> {
        let mut better = self.clone();
        better.keys[hash as usize] = ScramKeys::of_salted(hash, salted, salt, iterations);
        (salted.len() == hash.size()).then_some(better)
    }

    /// Whether this is the password. Hashes once: run it where it may take ten milliseconds.
    pub fn verify_plain(&self, password: &str) -> bool {
        verify_plain(self.keys(PLAIN_HASH), password)
    }

    /// The form that a store keeps, opaque to it: the version, then for each hash the rounds (big-endian), the salt's
    /// length and the salt, stored key and server key.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![ENCODING];
        for keys in &self.keys {
            out.extend_from_slice(&keys.iterations.to_be_bytes());
            out.push(keys.salt.len() as u8);
            out.extend_from_slice(&keys.salt);
            out.extend_from_slice(&keys.stored_key);
            out.extend_from_slice(&keys.server_key);
        }
        out
    }

    /// From [`Credentials::to_bytes`]; nothing for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Credentials> {
        let mut rest = bytes.strip_prefix(&[ENCODING])?;
        let mut take = |n: usize| {
            let (head, tail) = rest.split_at_checked(n)?;
            rest = tail;
            Some(head)
        };
        let mut read = |hash: Hash| {
            let iterations = u32::from_be_bytes(take(4)?.try_into().ok()?);
            let salt_len = usize::from(take(1)?[0]);
            Some(ScramKeys {
                iterations,
                salt: take(salt_len)?.to_vec(),
                stored_key: take(hash.size())?.to_vec(),
                server_key: take(hash.size())?.to_vec(),
            })
        };
        let keys = [read(Hash::Sha1)?, read(Hash::Sha256)?, read(Hash::Sha512)?];
        rest.is_empty().then_some(Credentials { keys })
    }
}

/// Never the keys.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// The keys that a password sent in the clear is compared with.
const PLAIN_HASH: Hash = Hash::Sha256;

fn verify_plain(keys: &ScramKeys, password: &str) -> bool {
    // What cannot be a password is hashed all the same, to be as slow as a wrong one.
    let prepared = prepare_password(password);
    let text = prepared.as_deref().unwrap_or_default();
    let candidate = ScramKeys::derive(PLAIN_HASH, text, &keys.salt, keys.iterations);
    let equal = bool::from(candidate.stored_key.ct_eq(&keys.stored_key));
    equal && !text.is_empty()
}

fn prepare_password(password: &str) -> Result<Cow<'_, str>, PasswordError> {
    if password.len() > MAX_PASSWORD {
        return Err(PasswordError::TooLong);
    }
    if password.is_empty() {
        return Err(PasswordError::Empty);
    }
    prepare(password).ok_or(PasswordError::Forbidden)
}

/// Stands in for the credentials of an account that does not exist, so that the dialogue does not tell: the same name is
/// always answered with the same salt and the usual rounds.
#[derive(Clone, Copy)]
pub struct Decoy<'a> {
    /// A secret of this server that does not change, so that nobody can compute the salts.
    pub key: &'a [u8],
    /// The rounds that new accounts get.
    pub iterations: u32,
}

impl Decoy<'_> {
    /// Keys that no password opens. `user` is compared as addresses are, so that the case of a letter does not betray
    /// which names exist.
    pub(super) fn keys(self, hash: Hash, user: &str) -> ScramKeys {
        let folded =
            jid::NodePart::new(user).map_or_else(|_| user.to_owned(), |node| node.as_str().to_owned());
        let part = |label: &str| {
            let text = format!("{label}\0{}\0{folded}", hash.size());
            let mut bytes = Hash::Sha512.hmac(self.key, text.as_bytes());
            bytes.truncate(hash.size());
            bytes
        };
        ScramKeys {
            iterations: self.iterations,
            salt: part("salt")[..SALT_LEN].to_vec(),
            stored_key: part("stored key"),
            server_key: part("server key"),
        }
    }

    /// As slow as [`Credentials::verify_plain`], and never true.
    pub(super) fn refuse_plain(self, user: &str, password: &str) {
        verify_plain(&self.keys(PLAIN_HASH, user), password);
    }
}
