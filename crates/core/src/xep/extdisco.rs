//! XEP-0215: External Service Discovery: where STUN, TURN and the like are, and what opens them.

use super::Xep;
use crate::Ctx;
use crate::answer::{Answer, Reply};
use crate::env::stamp;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::Timestamp;
use sha1::Sha1;

/// XEP-0215.
pub const INFO: Xep = Xep {
    number: "XEP-0215",
    name: "External Service Discovery",
    version: "1.0.0",
    server: &[ns::EXT_DISCO],
    account: &[],
    note: "Services of the configuration, with fixed credentials or with ones that expire (TURN).",
};

/// A service that the operator configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// `stun`, `turn`, `turns` ...
    pub kind: String,
    /// Where it is: a name or an address.
    pub host: String,
    /// Its port.
    pub port: Option<u16>,
    /// `udp` or `tcp`.
    pub transport: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// What opens it.
    pub key: Key,
}

/// What opens a service.
#[derive(Clone, PartialEq, Eq)]
pub enum Key {
    /// Nothing is needed.
    None,
    /// The same for everybody.
    Fixed {
        /// The user.
        username: String,
        /// Its password.
        password: String,
    },
    /// Made for who asks, from a secret that the service knows too; good for a while.
    Shared {
        /// The secret.
        secret: String,
        /// For how long, seconds.
        seconds: u32,
    },
}

impl std::fmt::Debug for Key {
    // Secrets are not for the log (invariant 10).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Key::None => "None",
            Key::Fixed { .. } => "Fixed",
            Key::Shared { .. } => "Shared",
        })
    }
}

/// The services, of one type if the client names one (§3.1, §3.2).
pub fn services(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let kind = payload.attr("type");
    let mut x = Xml::new();
    x.open_ns("services", ns::EXT_DISCO).opt("type", kind.as_deref());
    for service in
        ctx.core.policy.services.iter().filter(|s| kind.as_deref().is_none_or(|kind| kind == s.kind))
    {
        write(&mut x, service, ctx.member.uid.0, ctx.core.env.now());
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// What opens one service (§3.3).
pub fn credentials(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let wanted = payload.child(ns::EXT_DISCO, "service").ok_or_else(StanzaError::bad_request)?;
    let (Some(host), Some(kind)) = (wanted.attr("host"), wanted.attr("type")) else {
        return Err(StanzaError::bad_request().text("A service is named by its host and its type."));
    };
    let port = wanted.attr("port");
    let mut x = Xml::new();
    x.open_ns("credentials", ns::EXT_DISCO);
    let mut any = false;
    for service in ctx.core.policy.services.iter().filter(|s| s.host == *host && s.kind == *kind) {
        if port.as_deref().is_none_or(|port| service.port.is_some_and(|p| p.to_string() == port)) {
            write(&mut x, service, ctx.member.uid.0, ctx.core.env.now());
            any = true;
        }
    }
    x.close();
    if any { Ok(Reply::Payload(x.into_vec())) } else { Err(StanzaError::item_not_found()) }
}

fn write(x: &mut Xml, service: &Service, uid: u64, now: Timestamp) {
    x.open("service").attr("type", &service.kind).attr("host", &service.host);
    x.opt("port", service.port.map(|port| port.to_string()));
    x.opt("transport", service.transport.as_deref()).opt("name", service.name.as_deref());
    match &service.key {
        Key::None => {}
        Key::Fixed { username, password } => {
            x.attr("restricted", "1").attr("username", username).attr("password", password);
        }
        Key::Shared { secret, seconds } => {
            let until = now.0 / 1000 + i64::from(*seconds);
            let (username, password) = expiring(secret, until, uid);
            x.attr("restricted", "1").attr("expires", &stamp(Timestamp(until * 1000)));
            x.attr("username", &username).attr("password", &password);
        }
    }
    x.close();
}

/// Credentials as TURN servers with a shared secret check them: the user's name says until when, the password proves it.
fn expiring(secret: &str, until: i64, uid: u64) -> (String, String) {
    let username = format!("{until}:{uid}");
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(username.as_bytes());
    (username, BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_that_a_turn_server_computes() {
        // printf '1433895918:10001' | openssl dgst -sha1 -hmac north -binary | base64
        let (username, password) = expiring("north", 1_433_895_918, 10_001);
        assert_eq!(
            (username.as_str(), password.as_str()),
            ("1433895918:10001", "Mp95gnl1feeaKZvp270uc0gYYuo=")
        );
    }
}
