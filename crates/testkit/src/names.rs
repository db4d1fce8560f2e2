//! What the DNS says in tests, of domains whose mail comes in.

use anyhow::{Error, Result};
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
