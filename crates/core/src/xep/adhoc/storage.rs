//! Commands about room on the disk: what takes it, how much an account may take, and who takes most.

use super::admin::{account_field, note, one};
use super::listing::column;
use super::{Command, Next, Turn};
use crate::{limits, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};

pub(super) const COMMANDS: &[Command] = &[
    Command::admin("https://rookery.im/command/storage", "Storage", |turn| Box::pin(storage(turn))),
    Command::admin("https://rookery.im/command/quota", "How much somebody may store", |turn| {
        Box::pin(quota(turn))
    }),
];

const MEGABYTE: u64 = 1_000_000;

fn field(var: &'static str, label: &'static str, value: impl ToString) -> Field {
    Field::new(Kind::TextSingle, var, label).value(value.to_string())
}

/// A limit; empty where there is none.
fn limit(var: &'static str, label: &'static str, value: Option<impl ToString>) -> Field {
    Field::new(Kind::TextSingle, var, label).values(value.map(|value| value.to_string()))
}

async fn storage(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let files = core.store.stored_files().await.map_err(store_error)?;
    let space = core.store.space().await.map_err(store_error)?;
    let quota = core.policy.files.as_ref().map(|files| files.quota).unwrap_or_default();
    let policy = &core.policy;
    let form = Form::untyped()
        .title("Storage")
        .instructions("Limits are the configuration's, but for those of single accounts.")
        .field(field("archive-bytes", "Messages and accounts, bytes", space.store))
        .field(field("free-bytes", "Of these free to be used again", space.free))
        .field(field("index-bytes", "Index of the search, bytes", space.index))
        .field(field("files", "Uploaded files", files.files))
        .field(field("files-bytes", "Bytes of uploaded files", files.bytes))
        .field(limit("files-most", "All files together, bytes at most", quota.total))
        .field(limit("account-most", "An account's files, bytes at most", quota.account))
        .field(limit("retention-days", "Days that messages are kept", policy.retention_days))
        .field(limit("group-retention-days", "Days that groups' messages are kept", policy.group_days()));
    let mut rows = Vec::new();
    for (uid, usage) in core.store.largest_file_usages().await.map_err(store_error)? {
        let member = core.directory.member(uid).await.map_err(store_error)?;
        let address = member.map(|member| member.address.to_string()).unwrap_or_default();
        let quota = quota_of(turn, uid).await?.map(|bytes| bytes.to_string()).unwrap_or_default();
        rows.push(vec![uid.to_string(), address, usage.files.to_string(), usage.bytes.to_string(), quota]);
    }
    let columns = vec![
        column("number", "Number"),
        column("address", "Address"),
        column("files", "Files"),
        column("bytes", "Bytes"),
        column("quota", "May store, bytes"),
    ];
    Next::show(form.table(columns, rows))
}

/// How many bytes an account may store; `None`: as many as there is room for.
pub(super) async fn quota_of(turn: Turn<'_>, uid: Uid) -> Result<Option<u64>, StanzaError> {
    let own = turn.ctx.core.store.file_quota(uid).await.map_err(store_error)?;
    let all = turn.ctx.core.policy.files.as_ref().and_then(|files| files.quota.account);
    Ok(own.or(all))
}

/// What an account takes, and what it may take.
pub(super) async fn of_account(turn: Turn<'_>, uid: Uid, form: Form) -> Result<Form, StanzaError> {
    let store = &turn.ctx.core.store;
    let used = store.file_usage(uid).await.map_err(store_error)?;
    let own = store.file_quota(uid).await.map_err(store_error)?;
    Ok(form
        .field(field("files", "Files", used.files))
        .field(field("files-bytes", "Bytes of files", used.bytes))
        .field(limit("quota", "May store, bytes", quota_of(turn, uid).await?))
        .field(Field::new(Kind::Boolean, "own-quota", "Has a limit of its own").ticked(own.is_some())))
}

/// An account's own limit: what it has stored stays, also where that is more.
async fn quota(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        let text = "What is stored already stays, also where it is more. With an empty field the limit of all others is \
                    the account's again.";
        let megabytes = Field::new(Kind::TextSingle, "megabytes", "Megabytes of files");
        return Next::ask(
            Form::untyped()
                .title("How much somebody may store")
                .instructions(text)
                .field(account_field())
                .field(megabytes.whole(0..=limits::QUOTA_MEGABYTES)),
        );
    };
    let account = one(turn, answers).await?;
    let megabytes = answers.text("megabytes").and_then(|text| text.trim().parse::<u64>().ok());
    let bytes = megabytes.map(|megabytes| megabytes * MEGABYTE);
    turn.ctx.core.store.set_file_quota(account.uid, bytes).await.map_err(store_error)?;
    let address = turn.ctx.core.accounts.address(&account);
    note(turn, "quota", &[account]);
    Next::done(match megabytes {
        Some(megabytes) => format!("{address} may store {megabytes} MB of files."),
        None => format!("{address} may store as much as all others."),
    })
}
