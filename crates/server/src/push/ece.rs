//! Message encryption for Web Push (RFC 8291) in the content coding `aes128gcm` (RFC 8188), in one record.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::error::Unspecified;
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::{SecureRandom, SystemRandom};

/// The record size that is announced; one record holds all (RFC 8291 §4).
const RECORD: u32 = 4096;

/// What is sealed is filled up to a multiple of this, so that its length says little (RFC 8188 §4.8).
const PADDING: usize = 512;

/// Ends the content of the last record (RFC 8188 §2).
const LAST: u8 = 2;

/// The largest text: a record without what stands around it.
pub(super) const TEXT: usize = 3993;

/// Bytes of output of a key derivation.
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

/// Encrypts for a browser: `theirs` is its key, `auth` the secret that it shares. An error if the key is on no curve, or the
/// text is longer than [`TEXT`].
pub(super) fn encrypt(text: &[u8], theirs: &[u8; 65], auth: &[u8; 16]) -> Result<Vec<u8>, Unspecified> {
    let random = SystemRandom::new();
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
    let public = own.compute_public_key()?;
    let ours: [u8; 65] = public.as_ref().try_into().map_err(|_| Unspecified)?;
    let mut salt = [0; 16];
    random.fill(&mut salt)?;
    if text.len() > TEXT {
        return Err(Unspecified);
    }
    let mut record = text.to_vec();
    record.push(LAST);
    record.resize(record.len().next_multiple_of(PADDING).min(TEXT + 1), 0);
    let peer = UnparsedPublicKey::new(&ECDH_P256, theirs);
    agree_ephemeral(own, &peer, |shared| seal(record, &salt, shared, &ours, theirs, auth))?
}

/// The message, once both sides share a secret (RFC 8291 §3.4, RFC 8188 §2).
fn seal(
    mut record: Vec<u8>,
    salt: &[u8; 16],
    shared: &[u8],
    ours: &[u8; 65],
    theirs: &[u8; 65],
    auth: &[u8; 16],
) -> Result<Vec<u8>, Unspecified> {
    let mut material = [0; 32];
    let combined = Salt::new(HKDF_SHA256, auth).extract(shared);
    fill(&combined, &[b"WebPush: info\0", theirs, ours], &mut material)?;
    let prk = Salt::new(HKDF_SHA256, salt).extract(&material);
    let (mut key, mut nonce) = ([0; 16], [0; 12]);
    fill(&prk, &[b"Content-Encoding: aes128gcm\0"], &mut key)?;
    fill(&prk, &[b"Content-Encoding: nonce\0"], &mut nonce)?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)?;
    let mut message = Vec::with_capacity(16 + 4 + 1 + ours.len() + record.len());
    message.extend_from_slice(salt);
    message.extend_from_slice(&RECORD.to_be_bytes());
    message.push(ours.len() as u8);
    message.extend_from_slice(ours);
    message.extend_from_slice(&record);
    Ok(message)
}

fn fill(prk: &Prk, info: &[&[u8]], out: &mut [u8]) -> Result<(), Unspecified> {
    prk.expand(info, Bytes(out.len()))?.fill(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        BASE64.decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_example_of_the_standard() {
        // RFC 8291 appendix A, from the shared secret on.
        let theirs =
            bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let ours =
            bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let (salt, auth) = (bytes("DGv6ra1nlYgDCS1FRnbzlw"), bytes("BTBZMqHH6r4Tts7J_aSIgg"));
        let shared: [u8; 32] = bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let mut record = b"When I grow up, I want to be a watermelon".to_vec();
        record.push(LAST);
        let message = seal(record, &salt, &shared, &ours, &theirs, &auth).unwrap();
        assert_eq!(
            BASE64.encode(message),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6P\
             Bru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn lengths_say_little() {
        let key =
            bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let sealed = |text: usize| encrypt(&vec![b'x'; text], &key, &[7; 16]).map(|message| message.len());
        assert_eq!(sealed(1).unwrap(), sealed(500).unwrap());
        assert!(sealed(TEXT).unwrap() <= RECORD as usize);
        assert!(sealed(TEXT + 1).is_err());
        assert!(encrypt(b"x", &[4; 65], &[7; 16]).is_err(), "no point of the curve");
    }
}
