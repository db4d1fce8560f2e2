//! Addresses and their parts as people write them, in the one form in which they are kept and compared (RFC 7622 §3).
//!
//! The `jid` library prepares with stringprep, which folds case before it normalises, by tables of a newer Unicode than
//! stringprep's own. Some letters become others that a second preparation would change again: U+1CCD6 becomes `A`, and
//! `A` would become `a`. Such a name would be kept as one and read as another, so it is no name.

use jid::{Error, Jid, NodePart};

/// Reads an address.
pub fn jid(text: &str) -> Result<Jid, Error> {
    let jid = Jid::new(text)?;
    // Letters of ASCII stay what they are when they are prepared again.
    let is_final = text.is_ascii() || Jid::new(jid.as_str()).as_ref() == Ok(&jid);
    if is_final { Ok(jid) } else { Err(Error::NodePrep) }
}

/// Reads a localpart: what stands before the `@`.
pub fn node(text: &str) -> Result<String, Error> {
    let node = NodePart::new(text)?.as_str().to_owned();
    let is_final = NodePart::new(&node).is_ok_and(|again| again.as_str() == node);
    if is_final { Ok(node) } else { Err(Error::NodePrep) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_be_prepared_twice_is_no_address() {
        assert!(node("\u{1ccd6}lice").is_err());
        for text in ["\u{1ccd6}lice@localhost", "alice@loc\u{1ccd6}lhost"] {
            assert!(jid(text).is_err(), "{text}");
        }
        assert_eq!(node("\u{ff21}lice").as_deref(), Ok("alice"));
        let wide = jid("\u{ff21}lice@LOCALHOST/\u{ff21}").expect("an address");
        assert_eq!(wide.as_str(), "alice@localhost/A");
    }

    proptest! {
        /// What is kept as text must be read as the same address.
        #[test]
        fn what_is_prepared_stays_so(text in "\\PC{1,6}(@\\PC{1,6})?(/\\PC{1,6})?") {
            if let Ok(jid) = jid(&text) {
                prop_assert_eq!(super::jid(jid.as_str()).ok(), Some(jid.clone()), "{:?}", text);
                let bare = jid.to_bare();
                prop_assert_eq!(jid::BareJid::new(bare.as_str()).ok(), Some(bare));
            }
            if let Ok(node) = node(&text) {
                prop_assert_eq!(super::node(&node).ok(), Some(node), "{:?}", text);
            }
        }
    }
}
