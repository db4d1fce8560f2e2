//! What the DNS, and a filter, say in tests of mail that comes in.

use anyhow::{Error, Result};
use rookery_gateway::mail::filter::{Ask, Opined, Opinion, Question};
use rookery_gateway::mail::judge::{Judge, Table};
use std::sync::Arc;

/// By TXT records; the mail server in dialogues is at 192.0.2.1.
const RECORDS: [(&str, &str); 6] = [
    ("verona.example", "v=spf1 ip4:192.0.2.1 -all"),
    ("_dmarc.verona.example", "v=DMARC1; p=reject"),
    ("reject.example", "v=spf1 -all"),
    ("_dmarc.reject.example", "v=DMARC1; p=reject"),
    ("quarantine.example", "v=spf1 -all"),
    ("_dmarc.quarantine.example", "v=DMARC1; p=quarantine"),
];

/// Judges by these.
pub fn judge() -> Result<Arc<Judge>> {
    Judge::of(Table::new(RECORDS)).map(Arc::new).map_err(Error::msg)
}

/// A filter that does as it is asked to in the subject.
pub fn filter() -> Arc<Ask> {
    Arc::new(|question: Question<'_>| -> Opined<'_> {
        let says = |words: &str| memchr::memmem::find(question.mail, words.as_bytes()).is_some();
        let opinion = match () {
            () if says("Subject: refuse me") => Ok(Opinion::Refuse("It wanted to".into())),
            () if says("Subject: take me for junk") => Ok(Opinion::Junk),
            () if says("Subject: not now") => Ok(Opinion::Later),
            () if says("Subject: say nothing") => Err("it is silent".into()),
            () => Ok(Opinion::Let),
        };
        Box::pin(async move { opinion })
    })
}
