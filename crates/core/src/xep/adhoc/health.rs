//! The command that says how the server is.

use super::{Command, Next, Turn};
use crate::env::stamp;
use crate::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};

pub(super) const COMMANDS: &[Command] =
    &[Command::admin("https://rookery.im/command/health", "How the server is", |turn| {
        Box::pin(health(turn))
    })];

async fn health(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let accounts = core.store.account_count().await.map_err(store_error)?;
    let files = core.store.stored_files().await.map_err(store_error)?;
    let (served, waiting) = core.session_counts();
    let stats = core.store.stats();
    let fixed = |form: Form, var, label, value: String| {
        form.field(Field::new(Kind::TextSingle, var, label).value(value))
    };
    let facts = [
        ("version", "Version", env!("CARGO_PKG_VERSION").to_owned()),
        ("started", "Started", stamp(core.started)),
        ("accounts", "Accounts", accounts.to_string()),
        ("sessions", "Sessions that are connected", served.to_string()),
        ("sessions-waiting", "Sessions that wait for their client", waiting.to_string()),
        ("files", "Uploaded files", files.files.to_string()),
        ("files-bytes", "Bytes of uploaded files", files.bytes.to_string()),
        ("store-waiting", "Writes that wait for the store", stats.waiting.to_string()),
        ("store-slowest", "The slowest commit, microseconds", stats.commit_micros_max.to_string()),
        ("store-failures", "Commits that failed", stats.failures.to_string()),
        ("search-lag", "Messages that are not in the search index yet", core.store.index_lag().to_string()),
    ];
    let form =
        facts.into_iter().fold(Form::untyped().title("How the server is"), |form, (var, label, value)| {
            fixed(form, var, label, value)
        });
    let column = |var, label| Field::new(Kind::TextSingle, var, label);
    let columns = vec![
        column("at", "Minute"),
        column("served", "Sessions connected"),
        column("waiting", "Sessions waiting"),
        column("writes", "Writes"),
        column("commit-micros", "Microseconds a commit"),
    ];
    let rows = core.health.samples().into_iter().map(|sample| {
        vec![
            stamp(sample.at),
            sample.served.to_string(),
            sample.waiting.to_string(),
            sample.writes.to_string(),
            sample.commit_micros.to_string(),
        ]
    });
    Next::show(form.table(columns, rows.collect()))
}
