//! Devices that wait to be let in by one that is signed in already, as docs/extensions.md describes it.
//!
//! They are nobody's and wait for two minutes, so they are in memory only: after a restart they begin anew. What comes of an
//! approval is a device with a token (XEP-0484), which lasts as any other does: a new password, a disabled account or a
//! revocation makes it void before it was ever used.

use crate::device::Installation;
use crate::session::Session;
use crate::xep::fast;
use crate::{Core, limits, store_error};
use parking_lot::Mutex;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_store::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

/// What waits, as it says itself, and as it is seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Newcomer {
    /// The application.
    pub software: String,
    /// The machine, or the browser on it.
    pub device: String,
    /// Others use the machine too.
    pub public: bool,
    /// Where it asks from.
    pub from: IpAddr,
}

/// What it is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Begun {
    /// Stands in the QR code. Whoever has it can look and approve, and is let in nowhere.
    pub id: String,
    /// Nobody else knows it: it is let in by this.
    pub secret: String,
    /// Digits for whoever types rather than scans, and to compare.
    pub code: String,
    /// Until when it waits.
    pub expires: Timestamp,
}

/// What an approval gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admission {
    /// The account.
    pub address: BareJid,
    /// Which installation it is from now on (XEP-0388).
    pub agent: String,
    /// A token that is good for one sign-in (XEP-0484).
    pub token: String,
    /// Until when.
    pub expires: Timestamp,
}

/// How it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nobody has decided.
    Waiting,
    /// Somebody has, and it is not told yet: the store comes first.
    Deciding,
    /// Not let in.
    Refused,
    /// Let in.
    Approved(Admission),
}

/// How one names what waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named<'a> {
    /// As the QR code does.
    Id(&'a str),
    /// As people type it: digits, and whatever is between them.
    Code(&'a str),
}

/// What an account is shown of what waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Which one.
    pub id: String,
    /// Its digits, to compare.
    pub code: String,
    /// Until when it waits.
    pub expires: Timestamp,
    /// What it is.
    pub newcomer: Newcomer,
}

struct Pairing {
    secret: String,
    code: String,
    newcomer: Newcomer,
    /// As places count: an address, or the network of an IPv6 address.
    network: IpAddr,
    expires: Timestamp,
    /// Who looked at it first decides, and nobody else.
    looked: Option<Uid>,
    standing: watch::Sender<Standing>,
}

/// Everything that waits, by its id.
#[derive(Default)]
pub struct Pairings(Mutex<HashMap<String, Pairing>>);

impl Pairings {
    /// The one that an account means, if it still waits and no other account has looked at it.
    fn found<R>(
        &self,
        uid: Uid,
        named: Named<'_>,
        now: Timestamp,
        then: impl FnOnce(&str, &mut Pairing) -> R,
    ) -> Option<R> {
        let mut all = self.0.lock();
        let id = match named {
            Named::Id(id) => id.to_owned(),
            Named::Code(code) => {
                let code: String = code.chars().filter(char::is_ascii_digit).collect();
                all.iter().find(|(_, one)| one.code == code)?.0.clone()
            }
        };
        let one = all.get_mut(&id).filter(|one| {
            let theirs = one.looked.is_none_or(|looked| looked == uid);
            theirs && one.expires > now && *one.standing.borrow() == Standing::Waiting
        })?;
        one.looked = Some(uid);
        Some(then(&id, one))
    }

    fn decide(&self, id: &str, standing: Standing) {
        if let Some(one) = self.0.lock().get(id) {
            one.standing.send_replace(standing);
        }
    }
}

/// What is said of all that is not there, or not for who asks.
fn nothing() -> StanzaError {
    StanzaError::item_not_found().text("Nothing waits under this code, or not any more.")
}

impl Core {
    /// Something wants to be let in from a place. `network` is what counts as one place; of one, and of all, only so many wait.
    pub fn begin_pairing(&self, newcomer: Newcomer, network: IpAddr) -> Result<Begun, StanzaError> {
        let now = self.env.now();
        let mut all = self.pairings.0.lock();
        all.retain(|_, one| one.expires > now);
        let of_place = all.values().filter(|one| one.network == network).count();
        if all.len() >= limits::PAIRINGS || of_place >= limits::PAIRINGS_OF_PLACE {
            let text = "Too many devices wait to be let in. Try again in two minutes.";
            return Err(StanzaError::resource_constraint().text(text));
        }
        let code = loop {
            let code = format!("{:09}", u64::from_be_bytes(self.env.bytes()) % 1_000_000_000);
            if all.values().all(|one| one.code != code) {
                break code;
            }
        };
        let (id, secret) = (self.env.token(), self.env.token());
        let expires = Timestamp(now.0 + limits::PAIRING_MS);
        let begun = Begun { id: id.clone(), secret: secret.clone(), code: code.clone(), expires };
        let standing = watch::Sender::new(Standing::Waiting);
        all.insert(id, Pairing { secret, code, newcomer, network, expires, looked: None, standing });
        Ok(begun)
    }

    /// How one stands that knows its secret, to be waited upon. `None`: there is none, or not any more, or the secret is wrong.
    pub fn pairing(&self, id: &str, secret: &str) -> Option<(watch::Receiver<Standing>, Timestamp)> {
        let all = self.pairings.0.lock();
        let one = all.get(id).filter(|one| one.expires > self.env.now())?;
        let knows: bool = one.secret.as_bytes().ct_eq(secret.as_bytes()).into();
        knows.then(|| (one.standing.subscribe(), one.expires))
    }

    /// What a session is shown of one that waits. Other accounts do not find it any more.
    pub fn look_at_pairing(&self, session: &Session, named: Named<'_>) -> Result<Seen, StanzaError> {
        may_decide(session)?;
        let seen = |id: &str, one: &mut Pairing| Seen {
            id: id.to_owned(),
            code: one.code.clone(),
            expires: one.expires,
            newcomer: one.newcomer.clone(),
        };
        self.pairings.found(session.uid, named, self.env.now(), seen).ok_or_else(nothing)
    }

    /// Sends one away.
    pub fn refuse_pairing(&self, session: &Session, id: &str) -> Result<(), StanzaError> {
        may_decide(session)?;
        let refuse = |_: &str, one: &mut Pairing| one.standing.send_replace(Standing::Refused);
        self.pairings.found(session.uid, Named::Id(id), self.env.now(), refuse).map(drop).ok_or_else(nothing)
    }

    /// Lets one in: it is a device of the session's account, in the store when this returns, and learns by what it signs in.
    pub async fn approve_pairing(&self, session: &Arc<Session>, id: &str) -> Result<(), StanzaError> {
        may_decide(session)?;
        let now = self.env.now();
        let expires = Timestamp(now.0 + limits::PAIRING_MS);
        let take = |_: &str, one: &mut Pairing| {
            one.standing.send_replace(Standing::Deciding);
            // What was approved in its last second is to learn of it.
            one.expires = expires;
            one.newcomer.clone()
        };
        let newcomer = self.pairings.found(session.uid, Named::Id(id), now, take).ok_or_else(nothing)?;
        let agent = random_uuid(self.env.bytes());
        let pass = fast::Pass { agent: &agent, newcomer: &newcomer, expires };
        let (token, seen, kept) = self.pass(session.uid, pass);
        if let Err(error) = self.store.enroll(session.uid, seen, kept).await {
            self.pairings.decide(id, Standing::Waiting);
            return Err(store_error(error));
        }
        tracing::info!(uid = session.uid.0, from = %newcomer.from, "a device was let in by another");
        let address = session.address.clone();
        self.pairings.decide(id, Standing::Approved(Admission { address, agent, token, expires }));
        Ok(())
    }
}

/// A machine that others use too lets nobody in: whoever sits down at it could.
fn may_decide(session: &Session) -> Result<(), StanzaError> {
    match session.installation.as_deref() {
        Some(Installation { until: Some(_), .. }) => Err(StanzaError::forbidden()
            .text("This is a public computer. Let other devices in with one of your own.")),
        _ => Ok(()),
    }
}

/// A version 4 UUID (RFC 9562 §5.4), as installations are named (XEP-0388 §2.3).
pub(crate) fn random_uuid(bytes: [u8; 16]) -> String {
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installations_are_named_by_the_standard() {
        assert_eq!(random_uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(random_uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
