//! Signing in with mail programs: with the account's password, which only TLS or this machine itself may carry (RFC 8314 §4.1).

use rookery_core::member::Member;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// Somebody who says who they are.
pub struct Attempt {
    /// Where from.
    pub peer: IpAddr,
    /// The number or name of the account.
    pub user: String,
    /// Its password.
    pub password: String,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotSignedIn {
    /// There is no such account, or the password is another.
    Wrong,
    /// There were too many guesses, or it does not work at the moment.
    Later,
}

/// Checks who somebody is, in the same way and with the same patience as a sign-in of the messenger.
pub type SignIn =
    dyn Fn(Attempt) -> Pin<Box<dyn Future<Output = Result<Arc<Member>, NotSignedIn>> + Send>> + Send + Sync;

/// Why a message is none of PLAIN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NotPlain {
    /// Somebody wants to act for another, which nobody may here.
    Another,
    /// It is not well formed.
    Malformed,
}

impl Attempt {
    /// Programs know people by their whole address; accounts have what stands before `@domain`.
    pub(super) fn new(peer: IpAddr, user: &str, password: &str, domain: &str) -> Attempt {
        let local = match user.rsplit_once('@') {
            Some((local, at)) if at.eq_ignore_ascii_case(domain) => local,
            _ => user,
        };
        Attempt { peer, user: local.to_owned(), password: password.to_owned() }
    }
}

/// Whether a password may be said on such a connection.
pub(super) fn may_sign_in(tls: bool, peer: IpAddr) -> bool {
    tls || peer.is_loopback()
}

/// The name and the password in a message of PLAIN (RFC 4616 §2).
pub(super) fn plain(message: &[u8]) -> Result<(String, String), NotPlain> {
    let text = std::str::from_utf8(message).map_err(|_| NotPlain::Malformed)?;
    let parts: Vec<&str> = text.split('\0').collect();
    match parts[..] {
        [act, user, password] if act.is_empty() || act == user => Ok((user.to_owned(), password.to_owned())),
        [_, _, _] => Err(NotPlain::Another),
        _ => Err(NotPlain::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_has_two_names_and_a_password() {
        let own = Ok(("romeo".to_owned(), "secret".to_owned()));
        assert_eq!(plain(b"\0romeo\0secret"), own);
        assert_eq!(plain(b"romeo\0romeo\0secret"), own);
        assert_eq!(plain(b"juliet\0romeo\0secret"), Err(NotPlain::Another));
        for message in [b"".as_slice(), b"romeo\0secret", b"\0a\0b\0c", b"\0\xff\0x"] {
            assert_eq!(plain(message), Err(NotPlain::Malformed));
        }
    }

    #[test]
    fn people_are_known_by_address_or_name() {
        let peer = "127.0.0.1".parse().expect("an address");
        for (said, user) in [("romeo@Here.org", "romeo"), ("romeo", "romeo"), ("a@b.org", "a@b.org")] {
            assert_eq!(Attempt::new(peer, said, "x", "here.org").user, user);
        }
    }
}
