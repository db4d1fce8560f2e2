//! The client's side of SCRAM and PLAIN, for those who test and load a server.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use subtle::ConstantTimeEq;

use super::hash::xor;
use super::message::{ServerFirst, escape};
use super::{BindingType, ChannelBindings, Hash, MAX_MESSAGE, Mechanism, announced, prepare};

/// Most rounds of PBKDF2 that a server may ask for: a hostile one is not to keep us busy for minutes.
pub const MAX_ITERATIONS: u32 = 1_000_000;

/// What the client does about channel binding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Binding {
    /// It cannot (`n`).
    Unsupported,
    /// It could, but saw no -PLUS mechanism (`y`).
    Unoffered,
    /// It binds; with -PLUS mechanisms only.
    Bound(BindingType, Vec<u8>),
}

/// Why the client gave up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClientError {
    /// The user name or password has no prepared form.
    #[error("the user name or the password cannot be sent")]
    Unpreparable,
    /// A -PLUS mechanism without a binding, or the other way round.
    #[error("the mechanism and the channel binding do not fit")]
    BindingMismatch,
    /// The server's message is not what the mechanism allows.
    #[error("the server's message is malformed")]
    Malformed,
    /// The server's nonce does not begin with ours.
    #[error("the server answered another dialogue")]
    WrongNonce,
    /// More rounds than [`MAX_ITERATIONS`].
    #[error("the server asks for too much hashing")]
    TooManyIterations,
    /// The client was shown another offer than the server made (XEP-0474).
    #[error("somebody has tampered with the server's offer")]
    Tampered,
    /// The server does not know the password: it is somebody else.
    #[error("the server could not prove that it knows the account")]
    ServerNotProven,
}

/// The hashed password that an upgrade task asks for (XEP-0480 §3).
pub fn salted_password(
    hash: Hash,
    password: &str,
    salt: &[u8],
    iterations: u32,
) -> Result<Vec<u8>, ClientError> {
    if iterations > MAX_ITERATIONS {
        return Err(ClientError::TooManyIterations);
    }
    let password = prepare(password).ok_or(ClientError::Unpreparable)?;
    Ok(hash.salted_password(&password, salt, iterations))
}

/// One authentication.
pub struct Client {
    initial: Vec<u8>,
    scram: Option<Scram>,
}

struct Scram {
    hash: Hash,
    password: String,
    bare: String,
    nonce: String,
    binding: Vec<u8>,
    /// What the client saw announced.
    seen: Option<String>,
    /// What the server has to prove, once the client has proven itself.
    server_signature: Option<Vec<u8>>,
}

impl Client {
    /// Begins; `nonce` is fresh, printable and without a comma, and not used by PLAIN.
    pub fn new(
        mechanism: Mechanism,
        user: &str,
        password: &str,
        authzid: Option<&str>,
        nonce: &str,
        binding: Binding,
    ) -> Result<Client, ClientError> {
        let user = prepare(user).ok_or(ClientError::Unpreparable)?;
        let password = prepare(password).ok_or(ClientError::Unpreparable)?;
        let Mechanism::Scram { hash, plus } = mechanism else {
            let message = format!("{}\0{user}\0{password}", authzid.unwrap_or_default());
            return Ok(Client { initial: message.into_bytes(), scram: None });
        };
        let (flag, data) = match (plus, binding) {
            (false, Binding::Unsupported) => ("n".to_owned(), Vec::new()),
            (false, Binding::Unoffered) => ("y".to_owned(), Vec::new()),
            (true, Binding::Bound(kind, data)) => (format!("p={}", kind.name()), data),
            _ => return Err(ClientError::BindingMismatch),
        };
        let authzid = authzid.map(|id| format!("a={}", escape(id))).unwrap_or_default();
        let header = format!("{flag},{authzid},");
        let bare = format!("n={},r={nonce}", escape(&user));
        let scram = Scram {
            hash,
            password: password.into_owned(),
            nonce: nonce.to_owned(),
            binding: [header.as_bytes(), &data].concat(),
            seen: None,
            server_signature: None,
            bare: bare.clone(),
        };
        Ok(Client { initial: format!("{header}{bare}").into_bytes(), scram: Some(scram) })
    }

    /// This is what the client saw announced: a server that says what it announced must say the same (XEP-0474 §6.2).
    pub fn saw(&mut self, mechanisms: &[&str], bindings: &ChannelBindings) {
        if let Some(scram) = &mut self.scram {
            scram.seen = Some(announced(mechanisms, bindings));
        }
    }

    /// The message for `<auth/>`.
    pub fn initial(&self) -> &[u8] {
        &self.initial
    }

    /// The answer to a challenge. Hashes the password.
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, ClientError> {
        let scram = self.scram.as_mut().ok_or(ClientError::Malformed)?;
        let bounded = Some(challenge).filter(|challenge| challenge.len() <= MAX_MESSAGE);
        let text = bounded.and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or(ClientError::Malformed)?;
        scram.respond(text)
    }

    /// Checks what came with the success.
    pub fn finish(&self, data: Option<&[u8]>) -> Result<(), ClientError> {
        let Some(scram) = &self.scram else {
            return Ok(());
        };
        let proof = data
            .and_then(|data| data.strip_prefix(b"v="))
            .and_then(|value| BASE64.decode(value).ok())
            .ok_or(ClientError::Malformed)?;
        let expected = scram.server_signature.as_ref().ok_or(ClientError::ServerNotProven)?;
        if bool::from(proof.ct_eq(expected)) { Ok(()) } else { Err(ClientError::ServerNotProven) }
    }
}

impl Scram {
    /// RFC 5802 §3
    fn respond(&mut self, text: &str) -> Result<Vec<u8>, ClientError> {
        let server = ServerFirst::parse(text).ok_or(ClientError::Malformed)?;
        if !server.nonce.starts_with(&self.nonce) || server.nonce == self.nonce {
            return Err(ClientError::WrongNonce);
        }
        if server.iterations > MAX_ITERATIONS {
            return Err(ClientError::TooManyIterations);
        }
        let hash = self.hash;
        if let (Some(seen), Some(announced)) = (&self.seen, server.announced)
            && BASE64.encode(hash.digest(seen.as_bytes())) != announced
        {
            return Err(ClientError::Tampered);
        }
        let salted = hash.salted_password(&self.password, &server.salt, server.iterations);
        let client_key = hash.hmac(&salted, b"Client Key");
        let without_proof = format!("c={},r={}", BASE64.encode(&self.binding), server.nonce);
        let auth_message = format!("{},{text},{without_proof}", self.bare);
        let signature = hash.hmac(&hash.digest(&client_key), auth_message.as_bytes());
        let proof = BASE64.encode(xor(&client_key, &signature));
        let server_key = hash.hmac(&salted, b"Server Key");
        self.server_signature = Some(hash.hmac(&server_key, auth_message.as_bytes()));
        Ok(format!("{without_proof},p={proof}").into_bytes())
    }
}
