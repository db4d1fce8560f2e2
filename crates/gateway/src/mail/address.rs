//! Addresses of mail, and what they are inside: `user@example.org` is `user\40example.org@mail.DOMAIN` (XEP-0106).

use rookery_proto::jid::BareJid;

/// Longest address (RFC 5321 §4.5.3.1.3: a path of 256 with its angle brackets).
const LONGEST: usize = 254;
/// Longest localpart (RFC 5321 §4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;

/// XEP-0106 §4: what no localpart can contain, and how it is written there.
const ESCAPES: [(char, &str); 10] = [
    (' ', "\\20"),
    ('"', "\\22"),
    ('&', "\\26"),
    ('\'', "\\27"),
    ('/', "\\2f"),
    (':', "\\3a"),
    ('<', "\\3c"),
    ('>', "\\3e"),
    ('@', "\\40"),
    ('\\', "\\5c"),
];

/// A text as a localpart.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for (at, c) in text.char_indices() {
        match ESCAPES.iter().find(|(plain, _)| *plain == c) {
            // §4.2: a backslash only where what follows would be read as an escape.
            Some(('\\', _)) if !ESCAPES.iter().any(|(_, escaped)| text[at..].starts_with(escaped)) => {
                out.push(c)
            }
            Some((_, escaped)) => out.push_str(escaped),
            None => out.push(c),
        }
    }
    out
}

/// The text that a localpart was made of.
pub fn unescape(local: &str) -> String {
    let mut out = String::with_capacity(local.len());
    let mut rest = local;
    while let Some(c) = rest.chars().next() {
        match ESCAPES.iter().find(|(_, escaped)| rest.starts_with(escaped)) {
            Some((plain, escaped)) => {
                out.push(*plain);
                rest = &rest[escaped.len()..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// Both halves of an address, if it is one that mail can be sent to.
pub fn halves(address: &str) -> Option<(&str, &str)> {
    let (local, domain) = address.rsplit_once('@')?;
    let fits = address.len() <= LONGEST && (1..=LONGEST_LOCAL).contains(&local.len());
    let labels = || domain.split('.');
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    // No address literals: they are for tests of mail servers, not for people.
    let named = labels().all(label)
        && labels().next_back().is_some_and(|top| !top.bytes().all(|b| b.is_ascii_digit()));
    // Quoted localparts are possible (RFC 5321 §4.1.2) and nobody has one; spaces and the like would have to be quoted.
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || !c.is_ascii();
    let dots = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    let clean = local.chars().all(|c| plain(c) && !c.is_control() && !c.is_whitespace());
    (fits && named && dots && clean).then_some((local, domain))
}

/// Whether a localpart at the gateway's host is an address of mail.
pub fn reaches(local: &str) -> bool {
    halves(&unescape(local)).is_some()
}

/// An address of mail as it is inside; `None` if it cannot be one.
pub fn inside(address: &str, host: &str) -> Option<BareJid> {
    let (local, domain) = halves(address)?;
    BareJid::new(&format!("{}@{host}", escape(&format!("{local}@{}", domain.to_lowercase())))).ok()
}

/// Back again.
pub fn outside(peer: &BareJid) -> Option<String> {
    let address = unescape(peer.node()?.as_str());
    halves(&address).is_some().then_some(address)
}

/// Whom a localpart of our own domain means: without its detail (RFC 5233 §1: `name+detail`).
pub fn without_detail(local: &str) -> &str {
    local.split_once('+').map_or(local, |(user, _)| user)
}

/// Whether an address is that of who answers for the server (RFC 2142 §2, §5); the parser gives `<Postmaster>` alone as nothing
/// (RFC 5321 §4.5.1).
pub fn is_role(address: &str) -> bool {
    let local = without_detail(address.rsplit_once('@').map_or(address, |(local, _)| local));
    address.is_empty() || ["postmaster", "abuse"].iter().any(|role| local.eq_ignore_ascii_case(role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_both_ways() {
        for (plain, escaped) in [
            ("romeo@example.org", "romeo\\40example.org"),
            ("o'hara@example.org", "o\\27hara\\40example.org"),
            ("a/b&c@x.org", "a\\2fb\\26c\\40x.org"),
            // XEP-0106 §4.2 and §5.1: a backslash stays where nothing could be misread.
            ("a\\b", "a\\b"),
            ("a\\40b", "a\\5c40b"),
            ("a\\", "a\\"),
        ] {
            assert_eq!(escape(plain), escaped);
            assert_eq!(unescape(escaped), plain);
        }
    }

    #[test]
    fn what_is_no_address_is_not_reached() {
        for good in ["a@b.org", "a.b+c@x-y.example.org", "jörg@müller.example", "o'hara@x.org", "a@b"] {
            assert!(halves(good).is_some(), "{good}");
        }
        let long = format!("{}@b.org", "a".repeat(65));
        for bad in [
            "",
            "a",
            "@b.org",
            "a@",
            "a@-b.org",
            "a@b..org",
            "a b@c.org",
            "a@b@c.org",
            "<a@b.org>",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a\r\nb@c.org",
            "a@b.org\n",
            ".a@b.org",
            "a..b@b.org",
            "\"a\"@b.org",
            &long,
        ] {
            assert!(halves(bad).is_none(), "{bad}");
        }
        assert!(reaches("a\\40b.org") && !reaches("a") && !reaches("a\\40b\\40c.org"));
        assert_eq!(inside("Romeo@Example.ORG", "mail.x").unwrap().as_str(), "romeo\\40example.org@mail.x");
    }
}
