//! What a provider posts to us: it must prove that it is the provider, and what it says is taken as what other carriers bring.

use super::answer::{plain, shown};
use crate::guard::Doer;
use crate::reach::channel::State;
use crate::sms::brought::{Brought, Message, Receipt, party};
use crate::sms::incoming::Line;
use crate::sms::smpp::link::Taken;
use crate::sms::{Gateway, Way, limits};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use rookery_store::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// How a provider brings something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hook {
    /// What it must know; `None`: nothing.
    pub token: Option<String>,
    /// How it signs what it posts; `None`: it does not.
    pub signature: Option<Signature>,
    /// Where what it says stands.
    pub fields: Fields,
}

/// How what is posted is signed: HMAC (RFC 2104) with SHA-256, in hexadecimal digits or Base64, perhaps behind `sha256=`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// What both sides know.
    pub secret: String,
    /// The header that has it.
    pub header: String,
    /// The header that says when it was signed, in seconds or milliseconds since 1970; empty: nobody says, so that it may be posted
    /// again at any time.
    pub timestamp: String,
    /// What is signed, of `{body}` and `{timestamp}`.
    pub signed: String,
}

/// Where something stands in what is posted: pointers (RFC 6901) into JSON, of which the first that leads to something counts. A
/// form is a thing with a text for each field.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fields {
    /// Who wrote.
    pub from: Vec<String>,
    /// To which of our numbers.
    pub to: Vec<String>,
    /// What; where there is none it is a receipt, or nothing.
    pub text: Vec<String>,
    /// What the provider calls this message each time that it posts it.
    pub id: Vec<String>,
    /// What it calls the message of ours that a receipt is about.
    pub receipt: Vec<String>,
    /// What became of that.
    pub state: Vec<String>,
    /// And why.
    pub why: Vec<String>,
}

/// Something that is posted.
pub struct Call<'a> {
    /// Where from.
    pub from: IpAddr,
    /// The token that stands in the address, or as a bearer's (RFC 6750 §2.1).
    pub token: Option<&'a str>,
    /// Headers, by their names.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// At most [`limits::HOOK`] bytes.
    pub body: &'a [u8],
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// It is stored, or of no use to anybody: it need not be posted again.
    Taken,
    /// There is no such provider, or it brings nothing.
    Nobody,
    /// It does not prove that it is the provider, or not any more.
    Unproven,
    /// It is neither JSON nor a form.
    Garbled,
    /// It cannot be taken now.
    Later,
}

/// A provider whose call is being taken.
pub struct Turn<'a> {
    at: usize,
    name: &'a str,
    hook: &'a Hook,
    /// Which of our numbers a message is for that does not say so.
    here: &'a str,
}

impl Doer for usize {
    fn stands_for(self) -> usize {
        self
    }
}

impl Gateway {
    /// Whether a call of this provider from there is heard, before anything of it is read.
    pub fn turn(&self, provider: &str, from: IpAddr) -> Result<Turn<'_>, Heard> {
        let now = self.core.env.now();
        let found = self.carriers.iter().enumerate().find_map(|(at, carrier)| match &carrier.way {
            Way::Http(post) if carrier.name == provider => Some((at, carrier, post.settings())),
            _ => None,
        });
        let (at, carrier, settings) = found.ok_or(Heard::Nobody)?;
        let hook = settings.hook.as_ref().ok_or(Heard::Nobody)?;
        if self.knocks.is_over(from, now) || self.calls.is_over(at, now) {
            return Err(Heard::Later);
        }
        Ok(Turn { at, name: &carrier.name, hook, here: &settings.sender })
    }

    /// Takes what a provider posts.
    pub async fn hear(&self, turn: Turn<'_>, call: Call<'_>) -> Heard {
        let now = self.core.env.now();
        if !turn.hook.admits(&call, now) {
            self.knocks.count(call.from, now);
            tracing::warn!(carrier = turn.name, from = %call.from, "a call does not prove that it is the provider's");
            return Heard::Unproven;
        }
        self.calls.count(turn.at, now);
        // Only who proves something takes the place of others.
        let Ok(_permit) = self.hooks.try_acquire() else { return Heard::Later };
        let Some(said) = said(call.body) else { return Heard::Garbled };
        let brought = turn.hook.fields.read(&said, turn.here, call.body);
        let (line, place) = (self.core.env.token(), self.place(&brought));
        match self.take(Line { carrier: turn.name, name: &line }, place, brought).await {
            Taken::Done | Taken::Refused => Heard::Taken,
            Taken::Later => Heard::Later,
        }
    }
}

impl Hook {
    /// Whether a call proves all that it must.
    pub(super) fn admits(&self, call: &Call<'_>, now: Timestamp) -> bool {
        let token = self
            .token
            .as_ref()
            .map(|token| call.token.is_some_and(|said| same(said.as_bytes(), token.as_bytes())));
        let signature = self.signature.as_ref().map(|signature| signature.holds(call, now));
        match (token, signature) {
            (None, None) => false,
            (token, signature) => token.unwrap_or(true) && signature.unwrap_or(true),
        }
    }
}

impl Signature {
    fn holds(&self, call: &Call<'_>, now: Timestamp) -> bool {
        let timestamp = match self.timestamp.as_str() {
            "" => String::new(),
            header => match (call.header)(header).filter(|at| is_fresh(at, now)) {
                Some(at) => at,
                None => return false,
            },
        };
        let Some(given) = (call.header)(&self.header).and_then(|it| mac_of(&it)) else { return false };
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.secret.as_bytes());
        let mut mac = mac.expect("HMAC takes keys of any length");
        let mut rest = self.signed.as_str();
        while let Some(at) = rest.find('{') {
            mac.update(&rest.as_bytes()[..at]);
            rest = &rest[at..];
            rest = match (rest.strip_prefix("{body}"), rest.strip_prefix("{timestamp}")) {
                (Some(next), _) => {
                    mac.update(call.body);
                    next
                }
                (_, Some(next)) => {
                    mac.update(timestamp.as_bytes());
                    next
                }
                _ => {
                    mac.update(b"{");
                    &rest[1..]
                }
            };
        }
        mac.update(rest.as_bytes());
        mac.verify_slice(&given).is_ok()
    }
}

/// Whether something was signed a short while ago, or will be, as clocks differ.
fn is_fresh(at: &str, now: Timestamp) -> bool {
    /// What counts milliseconds is above this since 1973, what counts seconds is below it until the year 5138.
    const MILLISECONDS: i64 = 100_000_000_000;
    let Ok(at) = at.trim().parse::<i64>() else { return false };
    let at = if at < MILLISECONDS { at.saturating_mul(1000) } else { at };
    now.0.abs_diff(at) <= limits::HOOK_WINDOW.as_millis() as u64
}

/// The bytes of a signature.
fn mac_of(header: &str) -> Option<Vec<u8>> {
    let header = header.trim();
    let header = header.strip_prefix("sha256=").unwrap_or(header);
    let hex = HEXLOWER_PERMISSIVE.decode(header.as_bytes());
    hex.or_else(|_| BASE64.decode(header.as_bytes())).ok()
}

/// Compares digests, so that the time that it takes tells nothing.
fn same(one: &[u8], other: &[u8]) -> bool {
    Sha256::digest(one).ct_eq(&Sha256::digest(other)).into()
}

/// What is posted, as JSON; a form is a thing with a text for each field.
pub(super) fn said(body: &[u8]) -> Option<Value> {
    if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_slice(body) {
        return Some(value);
    }
    let text = std::str::from_utf8(body).ok().filter(|text| text.contains('='))?;
    let fields = url::form_urlencoded::parse(text.trim().as_bytes());
    Some(Value::Object(fields.map(|(name, value)| (name.into_owned(), value.into())).collect::<Map<_, _>>()))
}

impl Fields {
    /// What it says.
    pub(super) fn read(&self, said: &Value, here: &str, body: &[u8]) -> Brought {
        let at = |pointers: &[String]| {
            pointers
                .iter()
                .find_map(|pointer| said.pointer(pointer).filter(|it| !it.is_object()).and_then(plain))
        };
        if let Some(text) = at(&self.text) {
            let Some(from) = at(&self.from) else { return Brought::Nothing };
            let to = at(&self.to).unwrap_or_else(|| here.to_owned());
            // What has no name is the same if all of it is, the time and what else it says included.
            let name = at(&self.id).unwrap_or_else(|| HEXLOWER_PERMISSIVE.encode(&Sha256::digest(body)));
            return Brought::Message(Message::whole(party(from.trim()), party(to.trim()), &text, Some(name)));
        }
        match (at(&self.receipt), at(&self.state)) {
            (Some(id), Some(state)) => {
                let why = match at(&self.why) {
                    Some(why) => format!("The carrier says: {}", shown(&why)),
                    None => format!("The carrier says {}.", shown(&state)),
                };
                Brought::Receipt(Receipt { id: id.trim().to_owned(), state: state_of(&state), why })
            }
            _ => Brought::Nothing,
        }
    }
}

/// What became of a message, in the words that providers have for it.
fn state_of(word: &str) -> Option<State> {
    let word = word.trim().to_lowercase();
    match word.rsplit([':', '.']).next().unwrap_or_default() {
        "delivered" | "delivrd" | "read" => Some(State::Delivered),
        "sent" | "accepted" | "acceptd" => Some(State::Accepted),
        "failed" | "error" | "undelivered" | "undeliverable" | "undeliv" | "rejected" | "rejectd"
        | "expired" | "deleted" | "blocked" => Some(State::Failed),
        _ => None,
    }
}
