//! How far a client reaches: what people name must not lead to the inside of the operator's network.

use crate::http::visitor::Network;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses a client connects to.
#[derive(Clone, Debug)]
pub enum Reach {
    /// All: for what the operator named.
    Anywhere,
    /// Public ones, and these networks.
    Public {
        /// What the operator allows besides.
        besides: Vec<Network>,
    },
}

impl Reach {
    /// Whether a connection may go there.
    pub fn has(&self, address: IpAddr) -> bool {
        match self {
            Reach::Anywhere => true,
            Reach::Public { besides } => {
                let address = address.to_canonical();
                is_public(address) || besides.iter().any(|network| network.contains(address))
            }
        }
    }
}

/// Whether an address belongs to the public network (the registries of RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)           // this network, private, loopback
            | (100, 64..=127, _)       // shared (RFC 6598)
            | (169, 254, _)            // link-local
            | (172, 16..=31, _)        // private
            | (192, 0, 0 | 2)          // protocol assignments, documentation
            | (192, 88, 99)            // 6to4 relays, withdrawn
            | (192, 168, _)            // private
            | (198, 18 | 19, _)        // benchmarks
            | (198, 51, 100)           // documentation
            | (203, 0, 113)            // documentation
            | (224..=255, _, _) // multicast, reserved, broadcast
    );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        // RFC 6052, RFC 3056: an IPv4 address in other clothes leads where that leads.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // Protocol assignments with Teredo and benchmarks; documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Only 2000::/3 is given out; everything else is loopback, unique local, link-local, multicast and the like.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inside_is_not_public() {
        let inside = "0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.255.0.1 169.254.169.254 172.16.0.1 172.31.255.255 \
                      192.0.0.8 192.168.1.1 198.19.0.1 224.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 \
                      ::127.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 \
                      fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1 3fff::1";
        for address in inside.split_whitespace() {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        let outside = "1.1.1.1 100.128.0.1 172.32.0.1 192.169.0.1 9.9.9.9 2606:4700::1111 2a00:1450::1 ::ffff:8.8.8.8 \
                       64:ff9b::808:808 2002:808:808::1";
        for address in outside.split_whitespace() {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_the_operator_allows_is_reached() {
        let reach = Reach::Public { besides: vec!["10.0.0.0/8".parse().unwrap()] };
        assert!(reach.has("10.1.2.3".parse().unwrap()));
        assert!(reach.has("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!reach.has("192.168.1.1".parse().unwrap()));
        assert!(reach.has("1.1.1.1".parse().unwrap()));
        assert!(Reach::Anywhere.has("127.0.0.1".parse().unwrap()));
    }
}
