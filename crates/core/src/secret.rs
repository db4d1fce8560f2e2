//! The secret of this server, and what is made of it. It lies beside the store, not in it: who gets hold of the store alone
//! has nothing to sign in with.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// 256 random bits that never change.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The secret with these bytes.
    pub fn new(bytes: [u8; 32]) -> Secret {
        Secret(bytes)
    }

    /// Another secret, for one purpose and the thing that the parts name.
    pub fn derive(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in [purpose.as_bytes()].iter().chain(parts) {
            // With its length, so that no two lists of parts are the same bytes.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let secret = Secret::new([1; 32]);
        let one = secret.derive("a", &[b"b", b"c"]);
        assert_eq!(one, secret.derive("a", &[b"b", b"c"]));
        for other in [
            secret.derive("a", &[b"bc"]),
            secret.derive("a", &[b"b", b"c", b""]),
            secret.derive("ab", &[b"c"]),
            Secret::new([2; 32]).derive("a", &[b"b", b"c"]),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
