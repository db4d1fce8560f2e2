//! Keys of RSA (RFC 8017), made. Whoever uses them is ring, which checks them as it reads them.

use crypto_bigint::U1024;
use crypto_primes::{Flavor, random_prime};
use rand_core::{Infallible, TryCryptoRng, TryRng};

/// Of each of both primes: the key has twice as many.
const PRIME_BITS: u32 = 1024;

/// RFC 8017 §3.1, as everybody has it.
const EXPONENT: u32 = 65_537;

/// The system's randomness, without which nothing here may go on.
struct System;

impl TryRng for System {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        getrandom::fill(bytes).expect("the system gives randomness");
        Ok(())
    }
}

impl TryCryptoRng for System {}

/// A new private key: RSAPrivateKey (RFC 8017 A.1.2) in DER.
pub(super) fn make() -> Vec<u8> {
    loop {
        let one = random_prime::<U1024, _>(&mut System, Flavor::Any, PRIME_BITS);
        let other = random_prime::<U1024, _>(&mut System, Flavor::Any, PRIME_BITS);
        if let Some(key) = (one != other).then(|| of(one.max(other), one.min(other))).flatten() {
            return key;
        }
    }
}

/// The key of these primes, the larger one first; `None` if they do not make one of the full length.
fn of(p: U1024, q: U1024) -> Option<Vec<u8>> {
    let n = p.concatenating_mul(&q);
    if n.bit_width() != 2 * PRIME_BITS {
        return None;
    }
    let one = U1024::ONE;
    let exponent = U1024::from_u32(EXPONENT);
    let (p1, q1) = (p.wrapping_sub(&one), q.wrapping_sub(&one));
    // §3.2: the private exponent, and what makes its use quicker.
    let totient = p1.concatenating_mul(&q1);
    let wide = crypto_bigint::U2048::from_u32(EXPONENT);
    let d = Option::from(wide.invert_mod(&Option::from(totient.to_nz())?))?;
    let d: crypto_bigint::U2048 = d;
    let inverse = |of: &U1024, modulus: &U1024| -> Option<U1024> {
        Option::from(of.invert_mod(&Option::from(modulus.to_nz())?))
    };
    let (dp, dq, qinv) = (inverse(&exponent, &p1)?, inverse(&exponent, &q1)?, inverse(&q, &p)?);
    let mut body = integer(&[0]);
    body.extend(integer(n.to_be_bytes().as_ref()));
    body.extend(integer(&EXPONENT.to_be_bytes()));
    body.extend(integer(d.to_be_bytes().as_ref()));
    for number in [p, q, dp, dq, qinv] {
        body.extend(integer(number.to_be_bytes().as_ref()));
    }
    Some(element(0x30, &body))
}

/// What records have of a public key (RFC 5280 §4.1.2.7) that is an RSAPublicKey.
pub(super) fn subject_public_key_info(key: &[u8]) -> Vec<u8> {
    // rsaEncryption, without parameters (RFC 3279 §2.3.1).
    let mut body =
        element(0x30, &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00]);
    body.extend(element(0x03, &[&[0], key].concat()));
    element(0x30, &body)
}

/// X.690 §8.3: as short as it can be, and not negative.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let from = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    let bytes = &bytes[from..];
    match bytes.first() {
        Some(first) if *first >= 0x80 => element(0x02, &[&[0], bytes].concat()),
        _ => element(0x02, bytes),
    }
}

/// X.690 §8.1: tag, length, content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        length @ 0..=0x7f => out.push(length as u8),
        length => {
            let bytes = (length as u32).to_be_bytes();
            let from = bytes.iter().position(|byte| *byte != 0).unwrap_or(3);
            out.push(0x80 | (4 - from) as u8);
            out.extend_from_slice(&bytes[from..]);
        }
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_der_has_them() {
        assert_eq!(integer(&[0]), [2, 1, 0]);
        assert_eq!(integer(&[0, 0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(integer(&[0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(element(0x30, &[0; 128])[..3], [0x30, 0x81, 128]);
        assert_eq!(element(0x30, &[0; 300])[..4], [0x30, 0x82, 1, 44]);
    }
}
