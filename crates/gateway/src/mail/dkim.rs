//! What goes out is signed with the domain's keys (DKIM, RFC 6376): with RSA, which everybody verifies, and with Ed25519 (RFC 8463),
//! which some do and which lasts longer.

mod rsa;

use data_encoding::BASE64;
use mail_auth::common::crypto::{DkimKey, Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{DkimSigner, Done};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// Fields that are signed where they are there: all that people and their programs go by (§5.4.1).
const SIGNED: [&str; 14] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// Characters of one string of a TXT record (RFC 1035 §3.3: 255 bytes), with room for the quotes of whoever pastes them.
const STRING: usize = 250;

/// A kind of key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// RSA, 2048 bits.
    Rsa,
    /// Ed25519 (RFC 8463).
    Ed25519,
}

/// A key of a domain under its selector (§3.1).
pub struct Key {
    /// Its selector.
    pub selector: String,
    /// Its kind.
    pub kind: Kind,
    signer: DkimSigner<DkimKey, Done>,
    record: String,
}

impl Kind {
    /// Makes a key, as PEM. [`Kind::Rsa`] takes seconds, and a whole processor for them.
    pub fn make(self) -> Option<String> {
        match self {
            Kind::Rsa => Some(pem("RSA PRIVATE KEY", &rsa::make())),
            Kind::Ed25519 => Ed25519Key::generate_pkcs8().ok().map(|der| pem("PRIVATE KEY", &der)),
        }
    }
}

impl Key {
    /// Reads a key from PEM (PKCS #8, or PKCS #1 for RSA); `None`: it is none that signs mail.
    pub fn read(domain: &str, selector: &str, pem: &[u8]) -> Option<Key> {
        let der = || PrivateKeyDer::from_pem_slice(pem).ok();
        let rsa = RsaKey::<Sha256>::from_key_der(der()?).ok();
        let (kind, name, public, key) = match rsa {
            Some(key) => {
                (Kind::Rsa, "rsa", rsa::subject_public_key_info(&key.public_key()), DkimKey::Rsa(key))
            }
            None => {
                let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(der()?.secret_der()).ok()?;
                (Kind::Ed25519, "ed25519", key.public_key(), DkimKey::Ed25519(key))
            }
        };
        let signer = DkimSigner::from_key(key).domain(domain).selector(selector).headers(SIGNED);
        let record = format!("v=DKIM1; k={name}; p={}", BASE64.encode(&public));
        Some(Key { selector: selector.to_owned(), kind, signer, record })
    }

    /// The text of its record at `SELECTOR._domainkey.DOMAIN` (§3.6.1).
    pub fn record(&self) -> &str {
        &self.record
    }

    /// The line of a zone file that publishes it.
    pub fn line(&self, domain: &str) -> String {
        let strings: Vec<_> = self
            .record
            .as_bytes()
            .chunks(STRING)
            .map(|it| format!("\"{}\"", String::from_utf8_lossy(it)))
            .collect();
        format!("{}._domainkey.{domain}. IN TXT ( {} )", self.selector, strings.join(" "))
    }

    /// The `DKIM-Signature` field of a mail, to stand before it; `None`: it cannot be signed.
    pub fn sign(&self, mail: &[u8]) -> Option<String> {
        self.signer.sign(mail).ok().map(|signature| signature.to_header())
    }
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n");
    format!("-----BEGIN {label}-----\n{}-----END {label}-----\n", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_and_sign() {
        for (kind, algorithm, record) in [
            (Kind::Rsa, "a=rsa-sha256", "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"),
            (Kind::Ed25519, "a=ed25519-sha256", "v=DKIM1; k=ed25519; p="),
        ] {
            let pem = kind.make().expect("a key");
            let key = Key::read("here.org", "s1", pem.as_bytes()).expect("it is read again");
            assert_eq!(key.kind, kind);
            assert!(key.record().starts_with(record), "{}", key.record());
            assert!(key.line("here.org").starts_with("s1._domainkey.here.org. IN TXT ( \"v=DKIM1;"));
            let field = key.sign(b"From: a@here.org\r\nSubject: x\r\n\r\nHi\r\n").expect("a signature");
            assert!(field.starts_with("DKIM-Signature: v=1;") && field.ends_with("\r\n"), "{field:?}");
            assert!(
                field.contains(algorithm) && field.contains("d=here.org") && field.contains("s=s1"),
                "{field}"
            );
        }
        assert!(Key::read("here.org", "s1", b"no key").is_none());
    }
}
