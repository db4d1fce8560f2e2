//! Commands about one's own messages: what is archived, for how long, how much it is, and to delete one's copy.

use super::{Command, Next, Turn, Who};
use crate::env::{parse_stamp, stamp};
use crate::{Ctx, address, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};
use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rookery_store::{ArchiveDefault, ArchivePrefs, PageQuery, Store, Timestamp};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        node: "https://rookery.im/command/archive-preferences",
        name: "What is archived of my messages",
        who: Who::Oneself,
        step: |turn| Box::pin(preferences(turn)),
    },
    Command {
        node: "https://rookery.im/command/retention",
        name: "How long my messages are kept",
        who: Who::Oneself,
        step: |turn| Box::pin(retention(turn)),
    },
    Command {
        node: "https://rookery.im/command/archive-statistics",
        name: "Message archive statistics",
        who: Who::Oneself,
        step: |turn| Box::pin(statistics(turn)),
    },
    Command {
        node: "https://rookery.im/command/delete-messages",
        name: "Delete my copy of messages",
        who: Who::Oneself,
        step: |turn| Box::pin(delete(turn)),
    },
];

/// Longest time that messages can be said to be kept.
const MAX_DAYS: u32 = 36_500;

/// The preferences of XEP-0313 §7, for clients that have no page for them.
async fn preferences(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let ctx = turn.ctx;
    let Some(answers) = turn.answers.first() else {
        let prefs = &ctx.member.prefs;
        let default = match prefs.default {
            ArchiveDefault::Always => "always",
            ArchiveDefault::Never => "never",
            ArchiveDefault::Roster => "roster",
        };
        let people = |var, label, jids: &[BareJid]| {
            Field::new(Kind::JidMulti, var, label).values(jids.iter().map(ToString::to_string))
        };
        return Next::ask(
            Form::untyped()
                .title("What is archived of my messages")
                .field(
                    Field::new(Kind::ListSingle, "default", "Archive messages")
                        .option("with everybody", "always")
                        .option("with contacts", "roster")
                        .option("with nobody", "never")
                        .value(default)
                        .required(),
                )
                .field(people("always", "But always with", &prefs.always))
                .field(people("never", "And never with", &prefs.never)),
        );
    };
    let default = match answers.text("default") {
        Some("always") => ArchiveDefault::Always,
        Some("roster") => ArchiveDefault::Roster,
        _ => ArchiveDefault::Never,
    };
    let (always, never) = (people(ctx, answers, "always").await?, people(ctx, answers, "never").await?);
    let prefs = ArchivePrefs { default, always, never };
    ctx.core.store.set_archive_prefs(ctx.member.uid, prefs).await.map_err(store_error)?;
    ctx.core.directory.changed(ctx.member.uid);
    Next::done("From now on your messages are archived so.")
}

async fn people(ctx: &Ctx<'_>, answers: &Answers, var: &str) -> Result<Vec<BareJid>, StanzaError> {
    let mut jids = Vec::new();
    for text in answers.all(var).iter().filter(|text| !text.is_empty()) {
        jids.push(ctx.resolved(address::parse(text)?.to_bare()).await?);
    }
    Ok(jids)
}

async fn retention(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (core, uid) = (turn.ctx.core, turn.ctx.member.uid);
    let Some(answers) = turn.answers.first() else {
        let days = core.store.retention_days(uid).await.map_err(store_error)?;
        let server = match core.policy.retention_days {
            Some(days) => format!("The server keeps messages for {days} days."),
            None => "The server keeps messages for good.".to_owned(),
        };
        return Next::ask(
            Form::untyped()
                .title("How long my messages are kept")
                .instructions(format!(
                    "{server} You may want yours to be deleted sooner; leave it empty if not."
                ))
                .field(
                    Field::new(Kind::TextSingle, "days", "Days").values(days.map(|days| days.to_string())),
                ),
        );
    };
    let days = answers
        .text("days")
        .map(|text| text.trim().parse::<u32>().ok().filter(|n| (1..=MAX_DAYS).contains(n)));
    if days == Some(None) {
        let text = format!("Days are a whole number from 1 to {MAX_DAYS}, or nothing.");
        return Err(StanzaError::not_acceptable().text(text));
    }
    let days = days.flatten();
    core.store.set_retention_days(uid, days).await.map_err(store_error)?;
    Next::done(match days {
        Some(1) => "Your copy of a message is deleted after a day.".to_owned(),
        Some(days) => format!("Your copy of a message is deleted after {days} days."),
        None => "Your messages are kept as long as the server keeps them.".to_owned(),
    })
}

async fn statistics(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (store, uid) = (&turn.ctx.core.store, turn.ctx.member.uid);
    let bounds = store.archive_bounds(uid).await.map_err(store_error)?;
    let (entries, bytes) = measured(store, uid).await?;
    let field = |var, label, value: String| Field::new(Kind::TextSingle, var, label).value(value);
    let mut form = Form::untyped()
        .title("Message archive statistics")
        .field(field("messages", "Messages", entries.to_string()))
        .field(field("bytes", "Bytes", bytes.to_string()));
    if let Some(bounds) = bounds {
        form = form.field(field("oldest", "Oldest", stamp(bounds.first.1))).field(field(
            "newest",
            "Newest",
            stamp(bounds.last.1),
        ));
    }
    Next::show(form)
}

/// How many messages there are in the archive of an account or of a group, and how many bytes.
pub(super) async fn measured(store: &Store, uid: Uid) -> Result<(u64, u64), StanzaError> {
    let (mut entries, mut bytes, mut after) = (0, 0, Some(Useq(0)));
    // In slices, so that a long log keeps nobody else from reading.
    while let Some(from) = after {
        let size = store.archive_size(uid, from).await.map_err(store_error)?;
        (entries, bytes, after) = (entries + size.entries, bytes + size.bytes, size.next);
    }
    Ok((entries, bytes))
}

/// Removes from an archive what is with this peer and before this moment, or all of it; how many messages.
pub(super) async fn purged(
    store: &Store,
    uid: Uid,
    with: Option<BareJid>,
    before: Option<Timestamp>,
) -> Result<u64, StanzaError> {
    let mut deleted = 0;
    loop {
        match store.purge(uid, with.clone(), before).await.map_err(store_error)? {
            0 => return Ok(deleted),
            slice => deleted += slice,
        }
    }
}

/// A number of messages that were deleted.
pub(super) fn deleted_sentence(deleted: u64) -> String {
    match deleted {
        1 => "One message was deleted.".to_owned(),
        n => format!("{n} messages were deleted."),
    }
}

/// Which messages are to go.
#[derive(Default)]
struct Selection {
    with: Option<BareJid>,
    before: Option<Timestamp>,
}

/// Asks which messages, then whether they are really meant, then deletes the asker's copy of them.
async fn delete(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let ctx = turn.ctx;
    let Some(answers) = turn.answers.first() else {
        return Next::ask_first(
            Form::untyped()
                .title("Delete my copy of messages")
                .instructions(
                    "Others keep their copies. With both fields empty all your messages are deleted.",
                )
                .field(Field::new(Kind::JidSingle, "with", "Only those with"))
                .field(Field::new(Kind::TextSingle, "before", "Only those before (2026-12-31T00:00:00Z)")),
        );
    };
    let selection = selection(ctx, answers).await?;
    let Some(sure) = turn.answers.get(1) else {
        let count = count(ctx, &selection).await?;
        let with = selection.with.as_ref().map(|jid| format!(" with {jid}")).unwrap_or_default();
        let before = selection.before.map(|at| format!(" before {}", stamp(at))).unwrap_or_default();
        return Next::ask(
            Form::untyped()
                .title("Delete my copy of messages")
                .instructions(format!("This deletes {count}{with}{before}. It cannot be undone."))
                .field(Field::new(Kind::Boolean, "sure", "Delete them").ticked(false).required()),
        );
    };
    if sure.flag("sure") != Some(true) {
        return Next::done("Nothing was deleted.");
    }
    let uid = ctx.member.uid;
    let deleted = purged(&ctx.core.store, uid, selection.with, selection.before).await?;
    tracing::info!(uid = uid.0, deleted, "messages deleted by their owner");
    Next::done(deleted_sentence(deleted))
}

async fn selection(ctx: &Ctx<'_>, answers: &Answers) -> Result<Selection, StanzaError> {
    let mut selection = Selection::default();
    if let Some(with) = answers.text("with") {
        selection.with = Some(ctx.core.canonical(address::parse(with)?.to_bare()).await?);
    }
    if let Some(before) = answers.text("before") {
        let at = parse_stamp(before)
            .ok_or_else(|| StanzaError::not_acceptable().text(format!("This is not a time: {before}")))?;
        selection.before = Some(at);
    }
    Ok(selection)
}

/// How many these are, as far as they are counted.
async fn count(ctx: &Ctx<'_>, selection: &Selection) -> Result<String, StanzaError> {
    let query = PageQuery {
        with: selection.with.clone(),
        end: selection.before.map(|at| Timestamp(at.0 - 1)),
        ..PageQuery::default()
    };
    let page = ctx.core.store.page(ctx.member.uid, query).await.map_err(store_error)?;
    Ok(match page.and_then(|page| page.count) {
        Some(1) => "one message".to_owned(),
        Some(n) => format!("{n} messages"),
        None => "thousands of messages".to_owned(),
    })
}
