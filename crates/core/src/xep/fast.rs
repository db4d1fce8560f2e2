//! XEP-0484: Fast Authentication Streamlining Tokens, and the device that each belongs to.
//!
//! A token is made of the server's secret and a random part, and only the latter is stored: HMAC needs the token itself, so
//! a hash of it would be as good as it for whoever reads the store, and this is good for nothing.

use super::Xep;
use crate::device::Installation;
use crate::pairing::Newcomer;
use crate::{Core, limits};
use rookery_proto::Uid;
use rookery_proto::sasl::{ChannelBindings, TokenMechanism, TokenProof};
use rookery_proto::sasl2::UserAgent;
use rookery_store::{
    AddressKind, DeviceId, Proof, Result, Seen, SignIn, StoreError, Timestamp, Token, TokenSeed,
};
use std::net::IpAddr;

/// XEP-0484.
pub const INFO: Xep = Xep::of(
    "XEP-0484",
    "Fast Authentication Streamlining Tokens",
    "0.1.1",
    "HT-SHA-256 with `EXPR`, `ENDP` and `NONE`; rotation, expiry, invalidation, counts. No TLS 0-RTT.",
);

/// What became of a token's proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Checked {
    /// The device has this token.
    Right {
        /// The token.
        token: Token,
        /// The proof that the server has it too.
        answer: Vec<u8>,
    },
    /// The device has a token that is too old.
    Expired,
    /// It has none, or it is for another device, mechanism or account.
    Wrong,
}

/// A token as its device is told it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issued {
    /// The token.
    pub token: String,
    /// How long it is good.
    pub expires: Timestamp,
}

/// Somebody who was let in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entered {
    /// A new token.
    pub issued: Option<Issued>,
    /// Which installation of a client it is, if it says so.
    pub installation: Option<Installation>,
}

/// Somebody who has proven who they are.
pub struct Entrant<'a> {
    /// The account.
    pub uid: Uid,
    /// What the client says of itself.
    pub agent: &'a UserAgent,
    /// Where it comes from.
    pub peer: IpAddr,
    /// What was proven.
    pub proof: Proof,
    /// The token that was used.
    pub used: Option<&'a Token>,
    /// The mechanism that a token is asked for.
    pub request: Option<TokenMechanism>,
}

impl Core {
    /// Which of the account's devices calls itself so. Tells nothing of the name.
    pub fn device_id(&self, uid: Uid, agent: &str) -> DeviceId {
        let id = self.secret.derive("device", &[&uid.0.to_be_bytes(), agent.as_bytes()]);
        let mut out = [0; 10];
        out.copy_from_slice(&id[..10]);
        DeviceId(out)
    }

    /// 256 bits that only this server can make of the random part, for this device and mechanism.
    fn token(&self, uid: Uid, device: DeviceId, mechanism: TokenMechanism, seed: TokenSeed) -> String {
        let parts: [&[u8]; 4] = [&uid.0.to_be_bytes(), &device.0, mechanism.name().as_bytes(), &seed.0];
        data_encoding::BASE64URL_NOPAD.encode(&self.secret.derive("token", &parts))
    }

    /// Whether a device of the account has the token that the proof was made with. Takes the same steps where there is
    /// no such account, device or token.
    pub async fn check_token(
        &self,
        uid: Option<Uid>,
        agent: &str,
        mechanism: TokenMechanism,
        proof: &TokenProof,
        bindings: &ChannelBindings,
    ) -> Result<Checked> {
        let owner = uid.unwrap_or(Uid(0));
        let device = self.device_id(owner, agent);
        let mut held = self.store.tokens(owner, device).await?.into_iter();
        let mut checked = Checked::Wrong;
        let good = |token: &Token| token.mechanism == code(mechanism) || passes(token, mechanism);
        // A device has two at most (§5.1). Where it has fewer, something is hashed all the same.
        for _ in 0..2 {
            let known = held.next().filter(&good);
            let seed = known.as_ref().map_or(TokenSeed([0; 16]), |token| token.seed);
            let text = self.token(owner, device, mechanism, seed);
            let matches = proof.matches(mechanism, &text, bindings);
            let answer = mechanism.answer(&text, bindings).unwrap_or_default();
            match known {
                Some(token) if matches && uid.is_some() => {
                    let expired = token.expires <= self.env.now();
                    checked = if expired { Checked::Expired } else { Checked::Right { token, answer } };
                }
                _ => {}
            }
        }
        Ok(checked)
    }

    /// The last word on a sign-in, and a token if one was asked for (§3.2) or is due (§3.5). A client that does not say
    /// which installation it is has no device, and gets none.
    ///
    /// [`StoreError::NotFound`]: what was proven is not true any more; [`StoreError::Conflict`]: a count was repeated.
    pub async fn sign_in(&self, entrant: Entrant<'_>) -> Result<Entered> {
        let Entrant { uid, agent, peer, proof, used, request } = entrant;
        let Some(id) = &agent.id else {
            self.store.sign_in(uid, SignIn { proof, seen: None, issue: None }).await?;
            return Ok(Entered::default());
        };
        let (now, device) = (self.env.now(), self.device_id(uid, id));
        // A token goes no further than the time for which the password was good on another's machine.
        let public = agent.public || self.store.device(uid, device).await?.is_some_and(|known| known.public);
        let pass = used.is_some_and(|token| token.mechanism == PASS);
        let life =
            used.filter(|_| !pass).map_or(Timestamp(now.0 + limits::PUBLIC_LIFE_MS), |token| token.expires);
        let until = public.then_some(life);
        let signs_out = matches!(proof, Proof::Token { invalidate: true, .. });
        let proof = match proof {
            Proof::Token { seed, count, .. } if pass => Proof::Token { seed, count, invalidate: true },
            other => other,
        };
        let due = used.filter(|token| !signs_out && now.0 - token.issued.0 >= limits::TOKEN_ROTATION_MS);
        let mechanism = request
            .or_else(|| TokenMechanism::ALL.into_iter().find(|m| Some(code(*m)) == due.map(|t| t.mechanism)));
        let issue = mechanism.map(|mechanism| Token {
            seed: TokenSeed(self.env.bytes()),
            mechanism: code(mechanism),
            issued: now,
            expires: until.unwrap_or(Timestamp(now.0 + limits::TOKEN_LIFE_MS)),
        });
        let issued = mechanism.zip(issue.as_ref()).map(|(mechanism, token)| Issued {
            token: self.token(uid, device, mechanism, token.seed),
            expires: token.expires,
        });
        let seen = Seen {
            id: device,
            software: agent.software.clone(),
            name: agent.device.clone(),
            at: now,
            address: kind(peer),
            public,
        };
        self.store.sign_in(uid, SignIn { proof, seen: Some(seen), issue }).await?;
        Ok(Entered { issued, installation: Some(Installation { device, until }) })
    }
}

/// What a device is let in with by another one.
pub struct Pass<'a> {
    /// Which installation it is to be.
    pub agent: &'a str,
    /// The device.
    pub newcomer: &'a Newcomer,
    /// Until when it may come.
    pub expires: Timestamp,
}

impl Core {
    /// The token of a pass as its device is told it, and what the store keeps.
    pub(crate) fn pass(&self, uid: Uid, pass: Pass<'_>) -> (String, Seen, Token) {
        let Pass { agent, newcomer, expires } = pass;
        let (now, device) = (self.env.now(), self.device_id(uid, agent));
        let token = Token { seed: TokenSeed(self.env.bytes()), mechanism: PASS, issued: now, expires };
        let seen = Seen {
            id: device,
            software: Some(newcomer.software.clone()),
            name: Some(newcomer.device.clone()).filter(|name| !name.is_empty()),
            at: now,
            address: kind(newcomer.from),
            public: newcomer.public,
        };
        (self.token(uid, device, TokenMechanism::Unbound, token.seed), seen, token)
    }
}

/// How the store calls a token that lets a device in once: shown by the mechanism that browsers have, and void then.
const PASS: u8 = 3;

/// Whether a token is a pass that this mechanism shows.
fn passes(token: &Token, mechanism: TokenMechanism) -> bool {
    token.mechanism == PASS && mechanism == TokenMechanism::Unbound
}

/// How the store calls a mechanism.
fn code(mechanism: TokenMechanism) -> u8 {
    match mechanism {
        TokenMechanism::Unbound => 0,
        TokenMechanism::ServerEndPoint => 1,
        TokenMechanism::Exporter => 2,
    }
}

fn kind(peer: IpAddr) -> AddressKind {
    match peer.to_canonical() {
        IpAddr::V4(v4) if v4.is_loopback() || v4.is_private() || v4.is_link_local() => AddressKind::Local,
        IpAddr::V4(_) => AddressKind::V4,
        IpAddr::V6(v6) if v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() => {
            AddressKind::Local
        }
        IpAddr::V6(_) => AddressKind::V6,
    }
}

/// Whether a sign-in failed because what was proven does not hold any more, rather than by the store.
pub fn was_overtaken(error: &StoreError) -> bool {
    matches!(error, StoreError::NotFound | StoreError::Conflict)
}
