//! The two facts that we need of an X.509 certificate: until when it is valid, and what its issuer hashed.

use time::{Date, Month, PrimitiveDateTime, Time, UtcDateTime};

/// Facts of a certificate (RFC 5280 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Facts {
    pub(super) not_after: UtcDateTime,
    /// The hash function of the issuer's signature, if there is exactly one.
    pub(super) signature_hash: Option<SignatureHash>,
}

/// The hash function of a signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SignatureHash {
    /// MD5 and SHA-1, which are both too weak to bind to.
    Weak,
    Sha256,
    Sha384,
    Sha512,
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const CONTEXT_0: u8 = 0xa0;

impl Facts {
    /// Reads a certificate; nothing, if it does not have the form of one.
    pub(super) fn read(certificate: &[u8]) -> Option<Facts> {
        let mut certificate = Reader(Reader(certificate).expect(SEQUENCE)?);
        let mut body = Reader(certificate.expect(SEQUENCE)?);
        let mut algorithm = Reader(certificate.expect(SEQUENCE)?);

        if body.peek() == Some(CONTEXT_0) {
            body.expect(CONTEXT_0)?; // version
        }
        body.expect(INTEGER)?; // serialNumber
        body.expect(SEQUENCE)?; // signature
        body.expect(SEQUENCE)?; // issuer
        let mut validity = Reader(body.expect(SEQUENCE)?);
        validity.next()?; // notBefore
        let (tag, value) = validity.next()?;
        let not_after = read_time(tag, value)?;

        let signature_hash = signature_hash(algorithm.expect(OBJECT_IDENTIFIER)?, algorithm);
        Some(Facts { not_after, signature_hash })
    }
}

/// RFC 8017 A.2, RFC 5758 §3.2, RFC 4055 §2.1: object identifiers as they are encoded.
fn signature_hash(algorithm: &[u8], parameters: Reader<'_>) -> Option<SignatureHash> {
    const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
    if let Some(rsa) = algorithm.strip_prefix(PKCS1) {
        return match rsa {
            [4 | 5] => Some(SignatureHash::Weak),
            [10] => pss_hash(parameters),
            [11] => Some(SignatureHash::Sha256),
            [12] => Some(SignatureHash::Sha384),
            [13] => Some(SignatureHash::Sha512),
            _ => None,
        };
    }
    match algorithm.strip_prefix(ECDSA)? {
        [1] => Some(SignatureHash::Weak),
        [3, 2] => Some(SignatureHash::Sha256),
        [3, 3] => Some(SignatureHash::Sha384),
        [3, 4] => Some(SignatureHash::Sha512),
        _ => None,
    }
}

/// `RSASSA-PSS-params`: the hash is its first field, and SHA-1 where it is left out.
fn pss_hash(mut parameters: Reader<'_>) -> Option<SignatureHash> {
    const NIST_HASHES: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
    let mut fields = Reader(parameters.expect(SEQUENCE)?);
    if fields.peek() != Some(CONTEXT_0) {
        return Some(SignatureHash::Weak);
    }
    let mut algorithm = Reader(Reader(fields.expect(CONTEXT_0)?).expect(SEQUENCE)?);
    match algorithm.expect(OBJECT_IDENTIFIER)?.strip_prefix(NIST_HASHES)? {
        [1] => Some(SignatureHash::Sha256),
        [2] => Some(SignatureHash::Sha384),
        [3] => Some(SignatureHash::Sha512),
        _ => None,
    }
}

/// RFC 5280 §4.1.2.5: `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn read_time(tag: u8, value: &[u8]) -> Option<UtcDateTime> {
    let text = std::str::from_utf8(value).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (tag, text.len()) {
        (UTC_TIME, 12) => {
            let year: i32 = text[..2].parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, &text[2..])
        }
        (GENERALIZED_TIME, 14) => (text[..4].parse().ok()?, &text[4..]),
        _ => return None,
    };
    let pair = |at: usize| rest[at..at + 2].parse::<u8>().ok();
    let date = Date::from_calendar_date(year, Month::try_from(pair(0)?).ok()?, pair(2)?).ok()?;
    let time = Time::from_hms(pair(4)?, pair(6)?, pair(8)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).as_utc())
}

/// Reads one element after another (X.690 §8.1).
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element's tag and contents.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], mut rest) = self.0.split_first_chunk()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            // The long form; a certificate is far below the 4 GB of four bytes.
            let (digits, tail) =
                rest.split_at_checked(usize::from(first & 0x7f)).filter(|(d, _)| d.len() <= 4)?;
            length = digits.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            rest = tail;
        }
        let (contents, tail) = rest.split_at_checked(length)?;
        self.0 = tail;
        Some((tag, contents))
    }

    /// The next element's contents, if it has this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, contents)| contents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let utc = |text: &str| read_time(UTC_TIME, text.as_bytes()).map(|t| t.unix_timestamp());
        let generalized =
            |text: &str| read_time(GENERALIZED_TIME, text.as_bytes()).map(|t| t.unix_timestamp());
        assert_eq!(utc("700101000001Z"), Some(1));
        assert_eq!(utc("491231235959Z"), Some(2_524_607_999));
        assert_eq!(generalized("20500101000000Z"), Some(2_524_608_000));
        for wrong in ["", "Z", "700101000001", "701301000001Z", "7001010000Z", "70010100000xZ"] {
            assert_eq!(utc(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn hashes_of_signatures() {
        let none = || Reader(&[]);
        let rsa = |n| [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n];
        assert_eq!(signature_hash(&rsa(5), none()), Some(SignatureHash::Weak));
        assert_eq!(signature_hash(&rsa(12), none()), Some(SignatureHash::Sha384));
        assert_eq!(
            signature_hash(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4], none()),
            Some(SignatureHash::Sha512)
        );
        let ed25519 = [0x2b, 0x65, 0x70];
        assert_eq!(signature_hash(&ed25519, none()), None);
        let pss_sha256 = [
            0x30, 0x0f, 0xa0, 0x0d, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x01,
        ];
        assert_eq!(signature_hash(&rsa(10), Reader(&pss_sha256)), Some(SignatureHash::Sha256));
        assert_eq!(signature_hash(&rsa(10), Reader(&[0x30, 0])), Some(SignatureHash::Weak));
    }

    #[test]
    fn what_is_no_certificate() {
        for bytes in
            [&[][..], &[0x30], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x89, 1], &[0x30, 2, 0x30, 0]]
        {
            assert_eq!(Facts::read(bytes), None);
        }
    }
}
