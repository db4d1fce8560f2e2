//! The server's side of an authentication, one step at a time.

use super::message::{BindingFlag, ClientFinal, ClientFirst, Plain};
use super::{
    BindingType, ChannelBindings, Condition, Credentials, Decoy, Hash, MAX_MESSAGE, Mechanism, ScramKeys,
    announced, prepare,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What the exchange wants next, or how it ended. After [`Step::Success`] and [`Step::Failure`] it is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Send this; the answer goes to [`Exchange::respond`].
    Challenge(Vec<u8>),
    /// Look the account up and call [`Exchange::provide`].
    NeedCredentials {
        /// The simple user name, prepared with SASLprep; not yet an address.
        user: String,
    },
    /// The client knows the password of `user`.
    Success {
        /// As in [`Step::NeedCredentials`].
        user: String,
        /// The identity that the client wants to act as, if it named one; whether it may is the caller's to check.
        authzid: Option<String>,
        /// Goes with the success: the server's proof.
        data: Option<Vec<u8>>,
    },
    /// The authentication failed.
    Failure(Condition),
}

/// One authentication.
///
/// An account that does not exist passes the same steps with the same answers at the same cost as a wrong password
/// (no user enumeration).
pub struct Exchange {
    mechanism: Mechanism,
    bindings: ChannelBindings,
    /// What was announced, for the client to compare (XEP-0474).
    announced: Option<String>,
    state: State,
}

/// Where the exchange is.
enum State {
    /// The client has sent nothing yet.
    AwaitFirst,
    /// The account is looked up: SCRAM.
    AwaitKeys(ScramFirst),
    /// The account is looked up: PLAIN.
    AwaitPlain { user: String, authzid: Option<String>, password: String },
    /// SCRAM's challenge is sent.
    AwaitFinal(Box<ScramFinal>),
    /// Nothing more is accepted.
    Done,
}

/// What is kept of the client's first message.
struct ScramFirst {
    hash: Hash,
    user: String,
    authzid: Option<String>,
    /// What the client must repeat in its last message: its header and the binding's data.
    binding: Vec<u8>,
    bare: String,
    nonce: String,
}

struct ScramFinal {
    first: ScramFirst,
    keys: ScramKeys,
    /// Whether there is such an account.
    known: bool,
    /// Both nonces.
    nonce: String,
    server_first: String,
}

impl Exchange {
    /// Begins with what `<auth/>` carried. The mechanism was offered: that is the caller's to check. `bindings` are the
    /// connection's; where there are any, the client was offered -PLUS.
    pub fn start(
        mechanism: Mechanism,
        bindings: &ChannelBindings,
        initial: Option<&[u8]>,
    ) -> (Exchange, Step) {
        let mut exchange =
            Exchange { mechanism, bindings: bindings.clone(), announced: None, state: State::AwaitFirst };
        let step = match initial {
            Some(message) => exchange.respond(message),
            // RFC 4422 §3: the client speaks first in all our mechanisms; an empty challenge invites it.
            None => Step::Challenge(Vec::new()),
        };
        (exchange, step)
    }

    /// These mechanisms were announced, by the profile that the client uses: the challenge tells so (XEP-0474), for the
    /// client to see whether somebody between us has removed some.
    pub fn announce(&mut self, mechanisms: &[&str]) {
        self.announced = Some(announced(mechanisms, &self.bindings));
    }

    /// Whether [`Exchange::provide`] hashes a password and should run where it may take ten milliseconds.
    pub fn is_costly(&self) -> bool {
        matches!(self.state, State::AwaitPlain { .. })
    }

    /// Takes the client's next message.
    pub fn respond(&mut self, message: &[u8]) -> Step {
        let step = match std::mem::replace(&mut self.state, State::Done) {
            _ if message.len() > MAX_MESSAGE => Err(Condition::MalformedRequest),
            State::AwaitFirst => match self.mechanism {
                Mechanism::Scram { hash, plus } => self.scram_first(hash, plus, message),
                Mechanism::Plain => self.plain(message),
            },
            State::AwaitFinal(state) => state.verify(message),
            State::AwaitKeys(_) | State::AwaitPlain { .. } | State::Done => Err(Condition::MalformedRequest),
        };
        step.unwrap_or_else(Step::Failure)
    }

    /// Goes on after [`Step::NeedCredentials`], with nothing for an account that does not exist.
    ///
    /// `nonce` is fresh, printable and without a comma (base64 of 18 random bytes, say). In any other state this fails.
    pub fn provide(&mut self, credentials: Option<&Credentials>, nonce: &str, decoy: Decoy<'_>) -> Step {
        match std::mem::replace(&mut self.state, State::Done) {
            State::AwaitKeys(first) => {
                let keys = match credentials {
                    Some(credentials) => credentials.keys(first.hash).clone(),
                    None => decoy.keys(first.hash, &first.user),
                };
                let nonce = format!("{}{nonce}", first.nonce);
                let mut server_first =
                    format!("r={nonce},s={},i={}", BASE64.encode(&keys.salt), keys.iterations);
                if let Some(announced) = &self.announced {
                    server_first.push_str(",h=");
                    server_first.push_str(&BASE64.encode(first.hash.digest(announced.as_bytes())));
                }
                let challenge = server_first.clone().into_bytes();
                let known = credentials.is_some();
                self.state =
                    State::AwaitFinal(Box::new(ScramFinal { first, keys, known, nonce, server_first }));
                Step::Challenge(challenge)
            }
            State::AwaitPlain { user, authzid, password } => {
                let right = match credentials {
                    Some(credentials) => credentials.verify_plain(&password),
                    None => {
                        decoy.refuse_plain(&user, &password);
                        false
                    }
                };
                if right {
                    Step::Success { user, authzid, data: None }
                } else {
                    Step::Failure(Condition::NotAuthorized)
                }
            }
            State::AwaitFirst | State::AwaitFinal(_) | State::Done => {
                Step::Failure(Condition::MalformedRequest)
            }
        }
    }

    fn scram_first(&mut self, hash: Hash, plus: bool, message: &[u8]) -> Result<Step, Condition> {
        let first = ClientFirst::parse(message).ok_or(Condition::MalformedRequest)?;
        let mut binding = first.header.as_bytes().to_vec();
        // RFC 5802 §6
        match (first.flag, plus) {
            (BindingFlag::Bound(name), true) => {
                let kind = BindingType::ALL.into_iter().find(|kind| kind.name() == name);
                let data =
                    kind.and_then(|kind| self.bindings.get(kind)).ok_or(Condition::MalformedRequest)?;
                binding.extend_from_slice(data);
            }
            // Binding is what -PLUS means, and nothing else means it.
            (BindingFlag::Bound(_), false) | (_, true) => return Err(Condition::MalformedRequest),
            // The client did not see the -PLUS that we offered: somebody between us removed it.
            (BindingFlag::Unoffered, false) if self.bindings.offered() => {
                return Err(Condition::NotAuthorized);
            }
            (BindingFlag::Unoffered | BindingFlag::Unsupported, false) => {}
        }
        let user = prepare(&first.user).ok_or(Condition::MalformedRequest)?.into_owned();
        self.state = State::AwaitKeys(ScramFirst {
            hash,
            user: user.clone(),
            authzid: first.authzid,
            binding,
            bare: first.bare.to_owned(),
            nonce: first.nonce.to_owned(),
        });
        Ok(Step::NeedCredentials { user })
    }

    fn plain(&mut self, message: &[u8]) -> Result<Step, Condition> {
        let plain = Plain::parse(message).ok_or(Condition::MalformedRequest)?;
        let user = prepare(plain.user).ok_or(Condition::MalformedRequest)?.into_owned();
        self.state = State::AwaitPlain {
            user: user.clone(),
            authzid: plain.authzid.map(str::to_owned),
            password: plain.password.to_owned(),
        };
        Ok(Step::NeedCredentials { user })
    }
}

impl ScramFinal {
    fn verify(self, message: &[u8]) -> Result<Step, Condition> {
        let last = ClientFinal::parse(message).ok_or(Condition::MalformedRequest)?;
        let hash = self.first.hash;
        let auth_message = format!("{},{},{}", self.first.bare, self.server_first, last.without_proof);
        let proven = self.keys.proves(hash, auth_message.as_bytes(), &last.proof);
        // Two TLS connections with somebody between them have different bindings.
        let bound = last.binding == self.first.binding;
        if !(proven && bound && self.known && last.nonce == self.nonce) {
            return Err(Condition::NotAuthorized);
        }
        let signature = hash.hmac(&self.keys.server_key, auth_message.as_bytes());
        let data = format!("v={}", BASE64.encode(signature)).into_bytes();
        Ok(Step::Success { user: self.first.user, authzid: self.first.authzid, data: Some(data) })
    }
}
