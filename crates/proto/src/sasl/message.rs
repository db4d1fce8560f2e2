//! The messages of RFC 5802 §7 and RFC 4616 §2 as they are written: reading is strict, and never panics.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What the client says of channel binding (`gs2-cbind-flag`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BindingFlag<'a> {
    /// `n`: the client knows none.
    Unsupported,
    /// `y`: the client knows it, and thinks that the server does not.
    Unoffered,
    /// `p=`: the client binds, with the type of that name.
    Bound(&'a str),
}

/// `client-first-message`.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct ClientFirst<'a> {
    /// `gs2-header`, with its trailing comma, as it was written.
    pub(super) header: &'a str,
    pub(super) flag: BindingFlag<'a>,
    pub(super) authzid: Option<String>,
    /// `client-first-message-bare`, as it was written.
    pub(super) bare: &'a str,
    pub(super) user: String,
    pub(super) nonce: &'a str,
}

impl<'a> ClientFirst<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Option<ClientFirst<'a>> {
        let text = std::str::from_utf8(message).ok()?;
        let (flag, rest) = text.split_once(',')?;
        let (authzid, bare) = rest.split_once(',')?;
        let flag = match flag {
            "n" => BindingFlag::Unsupported,
            "y" => BindingFlag::Unoffered,
            bound => BindingFlag::Bound(bound.strip_prefix("p=").filter(|name| is_binding_name(name))?),
        };
        let authzid = match authzid {
            "" => None,
            named => Some(saslname(named.strip_prefix("a=")?)?),
        };
        // `m=` would stand first here: an extension that we must understand and do not.
        let (user, rest) = bare.strip_prefix("n=")?.split_once(',')?;
        let (nonce, extensions) = split_attributes(rest.strip_prefix("r=")?)?;
        check_extensions(extensions)?;
        Some(ClientFirst {
            header: &text[..text.len() - bare.len()],
            flag,
            authzid,
            bare,
            user: saslname(user)?,
            nonce: check_nonce(nonce)?,
        })
    }
}

/// `client-final-message`.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct ClientFinal<'a> {
    /// `client-final-message-without-proof`, as it was written.
    pub(super) without_proof: &'a str,
    /// `cbind-input`, decoded.
    pub(super) binding: Vec<u8>,
    pub(super) nonce: &'a str,
    pub(super) proof: Vec<u8>,
}

impl<'a> ClientFinal<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Option<ClientFinal<'a>> {
        let text = std::str::from_utf8(message).ok()?;
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let (binding, rest) = without_proof.strip_prefix("c=")?.split_once(',')?;
        let (nonce, extensions) = split_attributes(rest.strip_prefix("r=")?)?;
        check_extensions(extensions)?;
        Some(ClientFinal {
            without_proof,
            binding: BASE64.decode(binding).ok()?,
            nonce: check_nonce(nonce)?,
            proof: BASE64.decode(proof).ok()?,
        })
    }
}

/// `server-first-message`, as a client reads it.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct ServerFirst<'a> {
    pub(super) nonce: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
    /// The hash of what the server announced (XEP-0474).
    pub(super) announced: Option<&'a str>,
}

impl<'a> ServerFirst<'a> {
    pub(super) fn parse(text: &'a str) -> Option<ServerFirst<'a>> {
        let (nonce, rest) = text.strip_prefix("r=")?.split_once(',')?;
        let (salt, rest) = rest.strip_prefix("s=")?.split_once(',')?;
        let (iterations, extensions) = split_attributes(rest.strip_prefix("i=")?)?;
        check_extensions(extensions)?;
        let mut attributes = extensions.into_iter().flat_map(|text| text.split(','));
        Some(ServerFirst {
            nonce: check_nonce(nonce)?,
            salt: BASE64.decode(salt).ok()?,
            iterations: iterations.parse().ok().filter(|n| *n > 0)?,
            announced: attributes.find_map(|attribute| attribute.strip_prefix("h=")),
        })
    }
}

/// PLAIN's message: `[authzid] NUL authcid NUL passwd`.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Plain<'a> {
    pub(super) authzid: Option<&'a str>,
    pub(super) user: &'a str,
    pub(super) password: &'a str,
}

impl<'a> Plain<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Option<Plain<'a>> {
        let text = std::str::from_utf8(message).ok()?;
        let mut parts = text.split('\0');
        let (authzid, user, password) = (parts.next()?, parts.next()?, parts.next()?);
        let complete = parts.next().is_none() && !user.is_empty() && !password.is_empty();
        complete.then_some(Plain { authzid: Some(authzid).filter(|id| !id.is_empty()), user, password })
    }
}

/// A name as SCRAM writes it (`saslname`): `,` and `=` are escaped.
pub(super) fn escape(name: &str) -> Cow<'_, str> {
    if name.contains([',', '=']) {
        Cow::Owned(name.replace('=', "=3D").replace(',', "=2C"))
    } else {
        Cow::Borrowed(name)
    }
}

/// The name that a `saslname` spells; it is not empty and has no other use of `=` (RFC 5802 §5.1).
fn saslname(text: &str) -> Option<String> {
    let mut parts = text.split('=');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let (character, tail) = match part.split_at_checked(2)? {
            ("2C", tail) => (',', tail),
            ("3D", tail) => ('=', tail),
            _ => return None,
        };
        name.push(character);
        name.push_str(tail);
    }
    (!name.is_empty() && !name.contains('\0')).then_some(name)
}

/// `printable`: visible ASCII without the comma.
fn check_nonce(nonce: &str) -> Option<&str> {
    let printable = |b: u8| b.is_ascii_graphic() && b != b',';
    (!nonce.is_empty() && nonce.bytes().all(printable)).then_some(nonce)
}

/// `cb-name`
fn is_binding_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

/// The value before the first comma, and what follows it.
fn split_attributes(text: &str) -> Option<(&str, Option<&str>)> {
    Some(match text.split_once(',') {
        Some((value, rest)) => (value, Some(rest)),
        None => (text, None),
    })
}

/// Optional extensions are ignored (RFC 5802 §5.1), if they are written as attributes at all.
fn check_extensions(extensions: Option<&str>) -> Option<()> {
    let is_attribute = |text: &str| {
        let mut chars = text.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic())
            && chars.next() == Some('=')
            && chars.next().is_some()
    };
    extensions.is_none_or(|text| text.split(',').all(is_attribute)).then_some(())
}
