//! Voluntary application server identification (RFC 8292): by its signature a push service knows that it is the same server
//! again, and a browser's subscription is good for this server alone.

use anyhow::{Context, Result};
use axum::http::Uri;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rookery_store::Timestamp;
use serde_json::json;
use std::path::Path;

/// The file in the data directory.
const FILE: &str = "push.key";

/// Seconds for which a signature is good; RFC 8292 §2 allows a day.
const GOOD_FOR: i64 = 12 * 3600;

/// The server's key.
pub struct Vapid {
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl Vapid {
    /// The key in the data directory, for its owner alone; made if there is none. Subscriptions end when it is lost.
    pub fn open(data: &Path) -> Result<Vapid> {
        let (path, random) = (data.join(FILE), SystemRandom::new());
        let pkcs8 = crate::data::kept(&path, || {
            let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
            Ok(key.map_err(|_| anyhow::anyhow!("The system gives no randomness."))?.as_ref().to_vec())
        })?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &random);
        let key = key.ok().with_context(|| format!("{} is not a key of the curve P-256.", path.display()))?;
        Ok(Vapid { key, random })
    }

    /// The public key, in base64url (RFC 8292 §3.2).
    pub fn public(&self) -> String {
        BASE64.encode(self.key.public_key())
    }

    /// What a request to this address says in `Authorization` (RFC 8292 §3); nothing if it is no address that can be asked.
    pub(super) fn sign(&self, to: &Uri, subject: &str, now: Timestamp) -> Option<String> {
        let audience = format!("{}://{}", to.scheme_str()?, to.authority()?);
        let head = json!({ "typ": "JWT", "alg": "ES256" });
        let claims = json!({ "aud": audience, "exp": now.0 / 1000 + GOOD_FOR, "sub": subject });
        let signed = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
        let signature = self.key.sign(&self.random, signed.as_bytes()).ok()?;
        Some(format!("vapid t={signed}.{}, k={}", BASE64.encode(signature), self.public()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    #[test]
    fn the_key_is_kept_and_signs() {
        let data = tempfile::tempdir().unwrap();
        let vapid = Vapid::open(data.path()).unwrap();
        assert_eq!(Vapid::open(data.path()).unwrap().public(), vapid.public());
        let to = "https://push.example:8443/send/abc".parse().unwrap();
        let said = vapid.sign(&to, "mailto:admin@example.org", Timestamp(1_000_500)).unwrap();
        let token = said.strip_prefix("vapid t=").and_then(|rest| rest.split_once(", k=")).unwrap();
        assert_eq!(token.1, vapid.public());
        let (signed, signature) = token.0.rsplit_once('.').unwrap();
        let key = BASE64.decode(token.1).unwrap();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key);
        key.verify(signed.as_bytes(), &BASE64.decode(signature).unwrap()).unwrap();
        let claims = BASE64.decode(signed.split_once('.').unwrap().1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        let expected =
            json!({ "aud": "https://push.example:8443", "exp": 44_200, "sub": "mailto:admin@example.org" });
        assert_eq!(claims, expected);
        assert_eq!(vapid.sign(&"/nowhere".parse().unwrap(), "x", Timestamp(0)), None);
    }

    #[test]
    fn a_broken_key_is_not_replaced() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join(FILE), "x").unwrap();
        assert!(Vapid::open(data.path()).is_err());
        assert_eq!(std::fs::read(data.path().join(FILE)).unwrap(), b"x");
    }
}
