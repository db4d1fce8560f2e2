//! Who asks: the address behind a proxy, and whether anybody on the way can read along.

use crate::net::listener::Place;
use axum::http::HeaderMap;
use hyper::upgrade::OnUpgrade;
use parking_lot::Mutex;
use rookery_proto::sasl::ChannelBindings;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// What proxies say about the address that they speak for, each adding to the end.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// What a proxy says about how it was asked: `https`, or `http`.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The connection that a request came over.
#[derive(Clone)]
pub struct Wire {
    /// The other end.
    pub peer: IpAddr,
    /// What the TLS that we ended ourselves can be bound to, if there is any.
    pub tls: Option<ChannelBindings>,
    /// Its place among all connections.
    pub place: Arc<Place>,
    /// What the connection becomes when the answer to this request is out.
    pub(super) next: Arc<Mutex<Option<Upgrade>>>,
}

/// A WebSocket that is about to begin.
pub(super) struct Upgrade {
    pub(super) io: OnUpgrade,
    pub(super) visitor: Visitor,
    pub(super) place: Arc<Place>,
    pub(super) turn: OwnedSemaphorePermit,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Where from, behind all proxies that are believed.
    pub address: IpAddr,
    /// Whether secrets may pass: under our TLS, or a proxy's, or without leaving this machine.
    pub secure: bool,
    /// A proxy speaks for it.
    pub proxied: bool,
    /// What an authentication can be bound to.
    pub bindings: ChannelBindings,
}

/// A proxy said something about whom it speaks for that cannot be understood: nobody is believed then.
#[derive(Debug, PartialEq, Eq)]
pub struct Unclear;

impl Visitor {
    /// Who is behind a request with these headers. Only what a proxy of the operator's says is believed.
    pub fn of(wire: &Wire, headers: &HeaderMap, proxies: &[Network]) -> Result<Visitor, Unclear> {
        let trusted = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
        let proxied = headers.contains_key(FORWARDED_FOR) || headers.contains_key(FORWARDED_PROTO);
        if !proxied || !trusted(wire.peer) {
            return Ok(Visitor {
                address: wire.peer,
                // What stays on this machine is seen by nobody else.
                secure: wire.tls.is_some() || wire.peer.is_loopback(),
                proxied: false,
                bindings: wire.tls.clone().unwrap_or_default(),
            });
        }
        // From the nearest proxy outwards: the first that is not one of ours. What stands before it, anybody may have
        // written.
        let mut address = wire.peer;
        for said in entries(headers, FORWARDED_FOR)?.into_iter().rev() {
            address = said.parse::<IpAddr>().map_err(|_| Unclear)?.to_canonical();
            if !trusted(address) {
                break;
            }
        }
        let secure = entries(headers, FORWARDED_PROTO)?.last().is_some_and(|last| *last == "https");
        // The TLS is the proxy's: there is nothing to be bound to.
        Ok(Visitor { address, secure, proxied: true, bindings: ChannelBindings::default() })
    }
}

/// The entries of a list that can stand in several headers.
fn entries<'a>(headers: &'a HeaderMap, name: &str) -> Result<Vec<&'a str>, Unclear> {
    let mut all = Vec::new();
    for value in headers.get_all(name) {
        all.extend(value.to_str().map_err(|_| Unclear)?.split(',').map(str::trim));
    }
    Ok(all)
}

/// A network by its prefix: `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether `address` is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                (ours.to_bits() ^ theirs.to_bits()).leading_zeros() >= self.bits
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                (ours.to_bits() ^ theirs.to_bits()).leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Network, ()> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| ()))?;
        if bits <= most { Ok(Network { address, bits }) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::listener::Admission;
    use axum::http::HeaderValue;

    fn wire(peer: &str, tls: bool) -> Wire {
        let place = Admission::new(1, 1).enter(None).expect("there is room");
        Wire {
            peer: peer.parse().expect("an address"),
            tls: tls.then(ChannelBindings::default),
            place: Arc::new(place),
            next: Arc::default(),
        }
    }

    fn headers(said: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    /// The address and whether it is secure, or that it is unclear.
    fn seen(wire: &Wire, said: &[(&'static str, &'static str)]) -> Result<(String, bool), Unclear> {
        let proxies = ["127.0.0.1", "::1", "10.0.0.0/8"].map(|text| text.parse().expect("a network"));
        Visitor::of(wire, &headers(said), &proxies).map(|it| (it.address.to_string(), it.secure))
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let (far, near) = (wire("192.0.2.1", false), wire("127.0.0.1", false));
        let claim = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-proto", "https")];
        assert_eq!(seen(&far, &[]), Ok(("192.0.2.1".into(), false)));
        assert_eq!(seen(&far, &claim), Ok(("192.0.2.1".into(), false)), "anybody can write headers");
        assert_eq!(seen(&wire("192.0.2.1", true), &claim), Ok(("192.0.2.1".into(), true)), "our own TLS");
        assert_eq!(seen(&near, &claim), Ok(("198.51.100.7".into(), true)));
        assert_eq!(seen(&near, &[]), Ok(("127.0.0.1".into(), true)), "it never leaves the machine");
    }

    #[test]
    fn a_proxy_must_say_that_it_was_asked_in_private() {
        let near = wire("127.0.0.1", false);
        let from = ("x-forwarded-for", "198.51.100.7");
        assert_eq!(seen(&near, &[from]), Ok(("198.51.100.7".into(), false)));
        assert_eq!(seen(&near, &[from, ("x-forwarded-proto", "http")]), Ok(("198.51.100.7".into(), false)));
        // The last one is our proxy's own.
        let forged = [from, ("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")];
        assert_eq!(seen(&near, &forged), Ok(("198.51.100.7".into(), false)));
        let over_tls = wire("10.1.2.3", true);
        assert_eq!(seen(&over_tls, &[from]), Ok(("198.51.100.7".into(), false)), "its TLS, not the client's");
    }

    #[test]
    fn what_a_client_wrote_before_the_proxies_does_not_count() {
        let near = wire("127.0.0.1", false);
        let forged = [("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.0.0.5")];
        assert_eq!(seen(&near, &forged), Ok(("198.51.100.7".into(), false)));
        let split = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(seen(&near, &split), Ok(("198.51.100.7".into(), false)));
        assert_eq!(seen(&near, &[("x-forwarded-for", "unknown")]), Err(Unclear));
        assert_eq!(seen(&near, &[("x-forwarded-for", "")]), Err(Unclear));
    }

    #[test]
    fn networks_are_read_and_compared() {
        let network: Network = "10.0.0.0/8".parse().expect("a network");
        assert!(network.contains("10.255.0.1".parse().expect("an address")));
        assert!(network.contains("::ffff:10.0.0.1".parse().expect("an address")));
        assert!(!network.contains("11.0.0.1".parse().expect("an address")));
        assert!(!network.contains("fd00::1".parse().expect("an address")));
        let all: Network = "::/0".parse().expect("a network");
        assert!(all.contains("2001:db8::1".parse().expect("an address")));
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "example.org", "::/129"] {
            assert_eq!(wrong.parse::<Network>(), Err(()), "{wrong}");
        }
    }
}
