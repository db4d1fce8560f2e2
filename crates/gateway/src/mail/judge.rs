//! Whether a mail comes from whom it says: SPF (RFC 7208), DKIM (RFC 6376), ARC (RFC 8617) and, over them, DMARC (RFC 9989). What was
//! found stands at the top of the mail that is kept (RFC 8601).

use super::fields::{self, Field};
use super::limits;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::dmarc::{Dmarc, Policy};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::spf::Spf;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, AuthenticationResults, DkimResult, DmarcResult, DnsError, DnssecStatus, Error, MX,
    MessageAuthenticator, Parameters, RecordSet, ResolverCache, SpfResult, Txt,
};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Judges what comes in.
pub struct Judge {
    dns: MessageAuthenticator,
    /// Records in place of the DNS's.
    table: Option<Table>,
}

/// TXT records by name, in place of a DNS; what is not in it does not exist.
#[derive(Clone, Default)]
pub struct Table(HashMap<String, String>);

impl Table {
    /// Of names, without the dot at the end, and their records.
    pub fn new<'a>(records: impl IntoIterator<Item = (&'a str, &'a str)>) -> Table {
        Table(records.into_iter().map(|(name, text)| (format!("{name}."), text.to_owned())).collect())
    }

    /// A record as who asks for it reads it; which kind it is, its name and beginning say.
    fn read(&self, name: &str) -> Txt {
        let Some(text) = self.0.get(name) else {
            return Txt::Error(Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain)));
        };
        match text.as_str() {
            text if text.starts_with("v=spf1") => Spf::parse(text.as_bytes()).into(),
            text if text.starts_with("v=DMARC1") => Dmarc::parse(text.as_bytes()).into(),
            text => DomainKey::parse(text.as_bytes()).into(),
        }
    }
}

impl ResolverCache<Box<str>, Txt> for Table {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        // The name comes as something that is equal to it, and is found by that.
        let found =
            self.0.keys().find(|known| Borrow::<Q>::borrow(&Box::<str>::from(known.as_str())) == name);
        Some(found.map_or_else(|| self.read(""), |known| self.read(known)))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: std::time::Instant) {}
}

/// No addresses, mail servers or names are in a table.
macro_rules! nothing {
    ($key:ty, $($value:ty),*) => {$(
        impl ResolverCache<$key, RecordSet<$value>> for Table {
            fn get<Q>(&self, _: &Q) -> Option<RecordSet<$value>>
            where
                $key: Borrow<Q>,
                Q: Hash + Eq + ?Sized,
            {
                Some(RecordSet { rrset: Arc::new([]), dnssec_status: DnssecStatus::Indeterminate })
            }

            fn remove<Q>(&self, _: &Q) -> Option<RecordSet<$value>>
            where
                $key: Borrow<Q>,
                Q: Hash + Eq + ?Sized,
            {
                None
            }

            fn insert(&self, _: $key, _: RecordSet<$value>, _: std::time::Instant) {}
        }
    )*};
}
nothing!(Box<str>, MX, Ipv4Addr, Ipv6Addr);
nothing!(IpAddr, Box<str>);

/// How a mail came.
pub(super) struct Came<'a> {
    pub(super) peer: IpAddr,
    pub(super) helo: &'a str,
    /// The reverse path; empty: none.
    pub(super) from: &'a str,
    /// What this server calls itself.
    pub(super) hostname: &'a str,
}

/// What is to become of a mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The `Authentication-Results` field, with its end.
    pub(super) field: String,
    pub(super) mercy: Mercy,
}

/// What the author's domain asks for (RFC 9989 §4.7), or what follows where it asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mercy {
    /// It is taken as any mail.
    Let,
    /// It is set aside.
    Junk,
    /// It is refused, for the sake of this domain.
    Refused(String),
}

impl Judge {
    /// Asks the DNS as the system is configured to; an error in words if it is not.
    pub fn new() -> Result<Judge, String> {
        let dns = MessageAuthenticator::new_system_conf().map_err(|error| error.to_string())?;
        Ok(Judge { dns, table: None })
    }

    /// Asks this table and nobody else; an error in words if that cannot be.
    pub fn of(table: Table) -> Result<Judge, String> {
        let (config, options) = Default::default();
        let dns = MessageAuthenticator::new(config, options).map_err(|error| error.to_string())?;
        Ok(Judge { dns, table: Some(table) })
    }

    /// Judges a mail. What cannot be found out in time is not held against it.
    pub(super) async fn judge(&self, came: &Came<'_>, mail: &[u8]) -> Verdict {
        let judged = tokio::time::timeout(limits::JUDGEMENT, self.find_out(came, mail)).await;
        let field = || format!("Authentication-Results: {}; none\r\n", came.hostname);
        judged.ok().flatten().unwrap_or_else(|| Verdict { field: field(), mercy: Mercy::Let })
    }

    async fn find_out(&self, came: &Came<'_>, mail: &[u8]) -> Option<Verdict> {
        let message = AuthenticatedMessage::parse(mail)?;
        let &Came { peer, helo, from, hostname } = came;
        let spf = match from {
            // RFC 7208 §2.4: a report is its server's.
            "" => SpfParameters::verify_ehlo(peer, helo, hostname),
            from => SpfParameters::verify_mail_from(peer, helo, hostname, from),
        };
        let spf = self.dns.verify_spf(self.about(spf)).await;
        let dkim = self.dns.verify_dkim(self.about(&message)).await;
        let arc = self.dns.verify_arc(self.about(&message)).await;
        let domain = from.rsplit_once('@').map_or(helo, |(_, domain)| domain);
        let dmarc = DmarcParameters::new(&message, &dkim, domain, &spf);
        let dmarc = self.dns.verify_dmarc(self.about(dmarc)).await;
        let mut results = AuthenticationResults::new(hostname).with_dkim_results(&dkim, message.from());
        results = match from {
            "" => results.with_spf_ehlo_result(&spf, peer, helo),
            from => results.with_spf_mailfrom_result(&spf, peer, from, helo),
        };
        if !arc.sets().is_empty() || *arc.result() != DkimResult::None {
            results = results.with_arc_result(&arc, peer);
        }
        let field = results.with_dmarc_result(&dmarc).to_header();
        let signed = dkim.iter().any(|output| *output.result() == DkimResult::Pass);
        let mercy = match (dmarc.result(), dmarc.policy()) {
            (DmarcResult::Fail(_), Policy::Reject) => Mercy::Refused(dmarc.domain().to_owned()),
            (DmarcResult::Fail(_), Policy::Quarantine) => Mercy::Junk,
            // Where nobody says what to do: a domain that says that it was not this server, and no signature says better.
            (DmarcResult::None, _) if spf.result() == SpfResult::Fail && !signed => Mercy::Junk,
            _ => Mercy::Let,
        };
        Some(Verdict { field, mercy })
    }

    /// A question, with the table to find the answer in where there is one.
    fn about<P>(&self, params: P) -> Parameters<'_, P, Table, Table, Table, Table, Table> {
        let table = self.table.as_ref();
        Parameters {
            params,
            cache_txt: table,
            cache_mx: table,
            cache_ptr: table,
            cache_ipv4: table,
            cache_ipv6: table,
        }
    }
}

/// A mail without what others say in our name (RFC 8601 §5): `Authentication-Results` of `hostname`.
pub(super) fn without_ours(mail: Vec<u8>, hostname: &str) -> Vec<u8> {
    let (fields, rest) = fields::split(&mail);
    let others = fields.iter().filter(|field| !is_ours(field, hostname)).map(|field| field.whole);
    others.chain([rest]).collect::<Vec<_>>().concat()
}

fn is_ours(field: &Field<'_>, hostname: &str) -> bool {
    let value = field.value().trim_ascii_start();
    let end =
        value.iter().position(|byte| *byte == b';' || byte.is_ascii_whitespace()).unwrap_or(value.len());
    field.is("Authentication-Results") && value[..end].eq_ignore_ascii_case(hostname.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::dkim::{Key, Kind};
    use super::*;

    const MAIL: &str = "From: juliet@verona.example\r\nTo: romeo@here.org\r\nSubject: x\r\n\r\nHello\r\n";

    async fn judged(records: &[(&str, &str)], from: &str, mail: &str) -> (String, Mercy) {
        let judge = Judge::of(Table::new(records.iter().copied())).expect("a judge");
        let came = Came {
            peer: "192.0.2.1".parse().expect("an address"),
            helo: "mx.verona.example",
            from,
            hostname: "mx.here.org",
        };
        let verdict = judge.judge(&came, mail.as_bytes()).await;
        (verdict.field, verdict.mercy)
    }

    #[tokio::test]
    async fn domains_decide() {
        let reject = ("_dmarc.verona.example", "v=DMARC1; p=reject");
        let quarantine = ("_dmarc.verona.example", "v=DMARC1; p=quarantine");
        let here = ("verona.example", "v=spf1 ip4:192.0.2.1 -all");
        let elsewhere = ("verona.example", "v=spf1 ip4:198.51.100.1 -all");
        let juliet = "juliet@verona.example";
        let refused = Mercy::Refused("verona.example".into());
        for (records, mercy, found) in [
            (&[reject, here][..], Mercy::Let, "dmarc=pass"),
            (&[reject, elsewhere], refused, "dmarc=fail"),
            (&[quarantine, elsewhere], Mercy::Junk, "spf=fail"),
            (&[elsewhere], Mercy::Junk, "dmarc=none"),
            (&[], Mercy::Let, "spf=none"),
        ] {
            let (field, found_mercy) = judged(records, juliet, MAIL).await;
            assert_eq!(found_mercy, mercy, "{records:?}: {field}");
            assert!(
                field.starts_with("Authentication-Results: mx.here.org;") && field.contains(found),
                "{field}"
            );
        }
    }

    #[tokio::test]
    async fn our_own_signatures_are_good() {
        for kind in [Kind::Ed25519, Kind::Rsa] {
            let key = Key::read("verona.example", "s", kind.make().expect("a key").as_bytes()).expect("read");
            let records = [
                ("_dmarc.verona.example", "v=DMARC1; p=reject"),
                ("s._domainkey.verona.example", key.record()),
            ];
            let signed = key.sign(MAIL.as_bytes()).expect("a signature") + MAIL;
            let (field, mercy) = judged(&records, "list@elsewhere.example", &signed).await;
            assert_eq!(mercy, Mercy::Let, "{field}");
            assert!(field.contains("dkim=pass"), "{field}");
            let changed = signed.replace("Hello", "Hallo");
            assert_eq!(judged(&records, "", &changed).await.1, Mercy::Refused("verona.example".into()));
        }
    }

    #[test]
    fn nobody_speaks_in_our_name() {
        let mail = "A: b\r\nAuthentication-Results: MX.here.org;\r\n\tdkim=pass\r\nauthentication-results :\r\n mx.here.org; x\r\n\
                    Authentication-Results: other.example; spf=pass\r\nB: c\r\n\r\nAuthentication-Results: mx.here.org; body\r\n";
        let kept = without_ours(mail.as_bytes().to_vec(), "mx.here.org");
        assert_eq!(
            String::from_utf8_lossy(&kept),
            "A: b\r\nAuthentication-Results: other.example; spf=pass\r\nB: c\r\n\r\nAuthentication-Results: mx.here.org; body\r\n"
        );
        for odd in ["", "\r\n", "x", "Authentication-Results", "Authentication-Results:", ":\r\n"] {
            assert_eq!(without_ours(odd.into(), "mx.here.org"), odd.as_bytes());
        }
    }
}
