//! The hashed-token mechanisms (draft-schmaus-kitten-sasl-ht-09), as XEP-0484 uses them: one message with a proof that the
//! client has a token, and one back that the server has it too.

use super::{BindingType, ChannelBindings, Condition, Hash, MAX_MESSAGE, prepare};
use subtle::ConstantTimeEq;

/// A mechanism of the family: HMAC with SHA-256, and what it is bound to.
///
/// `tls-unique` is not among them: TLS 1.3 has none (RFC 9266 §1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TokenMechanism {
    /// Bound to the TLS session.
    Exporter,
    /// Bound to the server's certificate.
    ServerEndPoint,
    /// Bound to nothing: for clients that are not told what TLS does, such as those in a browser.
    Unbound,
}

impl TokenMechanism {
    /// All of them, the strongest first.
    pub const ALL: [TokenMechanism; 3] =
        [TokenMechanism::Exporter, TokenMechanism::ServerEndPoint, TokenMechanism::Unbound];

    /// The registered name.
    pub fn name(self) -> &'static str {
        match self {
            TokenMechanism::Exporter => "HT-SHA-256-EXPR",
            TokenMechanism::ServerEndPoint => "HT-SHA-256-ENDP",
            TokenMechanism::Unbound => "HT-SHA-256-NONE",
        }
    }

    /// The mechanisms that a connection with these bindings can be offered.
    pub fn offered(bindings: &ChannelBindings) -> impl Iterator<Item = TokenMechanism> + use<> {
        let has = TokenMechanism::ALL.map(|m| m.data(bindings).is_some());
        TokenMechanism::ALL.into_iter().zip(has).filter(|(_, has)| *has).map(|(mechanism, _)| mechanism)
    }

    /// What the proofs are bound to on this connection; nothing where it has no such binding.
    fn data(self, bindings: &ChannelBindings) -> Option<&[u8]> {
        match self {
            TokenMechanism::Exporter => bindings.get(BindingType::Exporter),
            TokenMechanism::ServerEndPoint => bindings.get(BindingType::ServerEndPoint),
            TokenMechanism::Unbound => Some(&[]),
        }
    }

    /// The client's only message (§3.1); nothing where the connection lacks the binding.
    pub fn initial(self, user: &str, token: &str, bindings: &ChannelBindings) -> Option<Vec<u8>> {
        let proof = self.mac(token, b"Initiator", bindings)?;
        Some([user.as_bytes(), b"\0", &proof].concat())
    }

    /// The server's answer (§3.3), which only who has the token can give; the client checks it.
    pub fn answer(self, token: &str, bindings: &ChannelBindings) -> Option<Vec<u8>> {
        self.mac(token, b"Responder", bindings)
    }

    fn mac(self, token: &str, role: &[u8], bindings: &ChannelBindings) -> Option<Vec<u8>> {
        let data = self.data(bindings)?;
        Some(Hash::Sha256.hmac(token.as_bytes(), &[role, data].concat()))
    }
}

/// The client's message: who it says it is, and what shall prove it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenProof {
    /// The simple user name, prepared with SASLprep; not yet an address.
    pub user: String,
    proof: Vec<u8>,
}

impl TokenProof {
    /// Reads `authcid NUL initiator-hashed-token`.
    pub fn parse(message: &[u8]) -> Result<TokenProof, Condition> {
        let bounded = Some(message).filter(|message| message.len() <= MAX_MESSAGE);
        let end = bounded.and_then(|m| m.iter().position(|&b| b == 0)).ok_or(Condition::MalformedRequest)?;
        let (user, proof) = (&message[..end], &message[end + 1..]);
        let user = std::str::from_utf8(user).ok().and_then(prepare).ok_or(Condition::MalformedRequest)?;
        if proof.len() != Hash::Sha256.size() {
            return Err(Condition::MalformedRequest);
        }
        Ok(TokenProof { user: user.into_owned(), proof: proof.to_vec() })
    }

    /// Whether it was made with `token`, with this mechanism and on this connection. In constant time.
    pub fn matches(&self, mechanism: TokenMechanism, token: &str, bindings: &ChannelBindings) -> bool {
        let expected = mechanism.mac(token, b"Initiator", bindings);
        expected.is_some_and(|expected| self.proof.ct_eq(&expected).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bindings() -> ChannelBindings {
        ChannelBindings { exporter: Some([7; 32]), server_end_point: Some(vec![8; 32]) }
    }

    #[test]
    fn a_proof_is_good_for_its_token_mechanism_and_channel() {
        let here = bindings();
        let elsewhere = ChannelBindings { exporter: Some([9; 32]), server_end_point: Some(vec![9; 32]) };
        for mechanism in TokenMechanism::ALL {
            let message = mechanism.initial("romeo", "the token", &here).unwrap();
            let proof = TokenProof::parse(&message).unwrap();
            assert_eq!(proof.user, "romeo");
            assert!(proof.matches(mechanism, "the token", &here));
            assert!(!proof.matches(mechanism, "another", &here));
            let unbound = mechanism == TokenMechanism::Unbound;
            assert_eq!(proof.matches(mechanism, "the token", &elsewhere), unbound);
            for other in TokenMechanism::ALL.into_iter().filter(|other| *other != mechanism) {
                assert!(!proof.matches(other, "the token", &here));
            }
            let answer = mechanism.answer("the token", &here).unwrap();
            assert_ne!(answer, message["romeo\0".len()..], "an answer is no proof");
        }
    }

    /// Computed with the hmac module of Python from the formulas of §3.1 and §3.3.
    #[test]
    fn known_values() {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let initial = TokenMechanism::Unbound.initial("romeo", "token", &ChannelBindings::default()).unwrap();
        assert_eq!(hex(&initial[6..]), "d24d95482f0d6e035c56e787dac4ed832bdd84ee3ea242aaadd982270c330006");
        let answer = TokenMechanism::Exporter.answer("token", &bindings()).unwrap();
        assert_eq!(hex(&answer), "e51ebe999fad1127aa9ef9214ffd25fc25e9d5008eae5babf8ff3dbe2b519fe5");
    }

    #[test]
    fn what_a_connection_offers() {
        let names =
            |b: &ChannelBindings| TokenMechanism::offered(b).map(TokenMechanism::name).collect::<Vec<_>>();
        assert_eq!(names(&bindings()), ["HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"]);
        let older = ChannelBindings { exporter: None, ..bindings() };
        assert_eq!(names(&older), ["HT-SHA-256-ENDP", "HT-SHA-256-NONE"]);
        assert_eq!(names(&ChannelBindings::default()), ["HT-SHA-256-NONE"]);
        let proof = TokenMechanism::Unbound.initial("romeo", "t", &older).unwrap();
        let proof = TokenProof::parse(&proof).unwrap();
        assert!(!proof.matches(TokenMechanism::Exporter, "t", &older), "what is not there proves nothing");
    }

    #[test]
    fn malformed() {
        let long = [vec![b'x'; MAX_MESSAGE], vec![0; 33]].concat();
        let rows: [&[u8]; 7] = [
            b"",
            b"romeo",
            b"romeo\0",
            b"romeo\0short",
            &[0; 33],
            &long,
            b"\xff\0aaaabbbbccccddddaaaabbbbccccdddd",
        ];
        for row in rows {
            assert_eq!(TokenProof::parse(row), Err(Condition::MalformedRequest));
        }
    }
}
