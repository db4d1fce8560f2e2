//! Commands about all groups: which there are, page by page; one of them, and what an administrator of the server may do with
//! it in its owner's place.

use super::archive::{deleted_sentence, measured, purged};
use super::listing::{self, Wanted, column};
use super::{Command, Next, Turn};
use crate::env::stamp;
use crate::muc::config::RoomConfig;
use crate::muc::privilege::Affiliation;
use crate::muc::{Room, config_of};
use crate::{limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};
use rookery_proto::{Uid, prepared};
use rookery_store::{Group, GroupAffiliation, StoreError, Timestamp};
use std::sync::Arc;

pub(super) const COMMANDS: &[Command] = &[
    Command::admin("https://rookery.im/command/groups", "Groups", |turn| Box::pin(list(turn))),
    Command::admin("https://rookery.im/command/group", "About a group", |turn| Box::pin(about(turn))),
    Command::admin("https://rookery.im/command/group-settings", "Configure a group", |turn| {
        Box::pin(settings(turn))
    }),
    Command::admin(
        "https://rookery.im/command/group-affiliation",
        "Make somebody something to a group",
        |turn| Box::pin(affiliation(turn)),
    ),
    Command::admin("https://rookery.im/command/purge-group", "Delete what was said in a group", |turn| {
        Box::pin(purge(turn))
    }),
    Command::admin("https://rookery.im/command/destroy-group", "Destroy a group", |turn| {
        Box::pin(destroy(turn))
    }),
];

const DAY_MS: i64 = 86_400_000;

fn group_field() -> Field {
    Field::new(Kind::TextSingle, "group", "Number, name or address of the group").required()
}

/// The group that is named, in use from now on.
async fn named(turn: Turn<'_>, answers: &Answers) -> Result<Arc<Room>, StanzaError> {
    let core = turn.ctx.core;
    let text = answers.text("group").unwrap_or_default().trim();
    let (local, host) = text.split_once('@').map_or((text, None), |(local, host)| (local, Some(host)));
    let none = || StanzaError::item_not_found().text(format!("There is no group {text}."));
    if host.is_some_and(|host| !host.eq_ignore_ascii_case(&core.policy.groups)) {
        return Err(none());
    }
    let local = prepared::node(local).map_err(|_| none())?;
    core.room(&local).await?.ok_or_else(none)
}

fn kind(config: &RoomConfig) -> String {
    let kinds = [
        (config.locked, "locked"),
        (!config.persistent, "temporary"),
        (config.members_only, "members-only"),
        (!config.public, "hidden"),
        (config.moderated, "moderated"),
        (config.password.is_some(), "password"),
    ];
    kinds.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect::<Vec<_>>().join(", ")
}

/// Groups in the order of their numbers. A search looks at so many of them for one page, and goes on behind these.
async fn list(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        return Next::ask(listing::asked(Form::untyped().title("Groups").field(listing::words())));
    };
    let Wanted { words, after, max } = listing::read(answers)?;
    let (mut shown, mut after, mut seen, mut more) = (Vec::new(), Uid(after), 0, false);
    'pages: loop {
        let page = turn.ctx.core.store.groups(Some(after), rookery_store::limits::PAGE).await;
        let page = page.map_err(store_error)?;
        let whole = page.len() == rookery_store::limits::PAGE;
        for group in page {
            if shown.len() == max || seen == limits::GROUPS_SEARCHED {
                more = true;
                break 'pages;
            }
            (after, seen) = (group.uid, seen + 1);
            let config = config_of(&group);
            if words.as_deref().is_none_or(|words| matches(&group, &config, words)) {
                shown.push((group, config));
            }
        }
        if !whole {
            break;
        }
    }
    let mut rows = Vec::with_capacity(shown.len());
    for (group, config) in shown {
        rows.push(row(turn, &group, config).await?);
    }
    let columns = vec![
        column("number", "Number"),
        column("address", "Address"),
        column("title", "Name"),
        column("people", "Members"),
        column("present", "Present"),
        column("messages", "Messages"),
        column("kind", "Kind"),
    ];
    let form = listing::more(Form::untyped().title("Groups"), more.then_some(after.0));
    Next::show(form.table(columns, rows))
}

fn matches(group: &Group, config: &RoomConfig, words: &str) -> bool {
    group.uid.to_string().starts_with(words)
        || group.name.as_deref().is_some_and(|name| name.contains(words))
        || config.name.to_lowercase().contains(words)
}

async fn row(turn: Turn<'_>, group: &Group, config: RoomConfig) -> Result<Vec<String>, StanzaError> {
    let core = turn.ctx.core;
    let people = core.store.group_affiliates(group.uid).await.map_err(store_error)?;
    let belong = people.iter().filter(|who| who.affiliation >= GroupAffiliation::Member).count();
    let present = core.router.rooms.get(group.uid).map_or(0, |room| room.state().occupants().len());
    let most = limits::GROUP_COUNTED;
    let messages = core.store.log_length(group.uid, most).await.map_err(store_error)?;
    let over = if messages == most { "+" } else { "" };
    Ok(vec![
        group.uid.to_string(),
        core.group_address(group).to_string(),
        config.name.clone(),
        belong.to_string(),
        present.to_string(),
        format!("{messages}{over}"),
        kind(&config),
    ])
}

async fn about(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(Form::untyped().title("About a group").field(group_field()));
    };
    let room = named(turn, answers).await?;
    let uid = room.place.uid;
    let group = core.store.group(uid).await.map_err(store_error)?.ok_or_else(StanzaError::item_not_found)?;
    let people = core.store.group_affiliates(uid).await.map_err(store_error)?;
    let (messages, bytes) = measured(&core.store, uid).await?;
    let config = config_of(&group);
    let those = |least, most| {
        people
            .iter()
            .filter(move |who| (least..=most).contains(&who.affiliation))
            .map(|who| who.jid.to_string())
    };
    let owners = those(GroupAffiliation::Owner, GroupAffiliation::Owner).take(limits::ADMIN_LIST);
    let belong = those(GroupAffiliation::Member, GroupAffiliation::Owner).count();
    let banned = those(GroupAffiliation::Outcast, GroupAffiliation::Outcast).count();
    let field = |var, label, value: String| Field::new(Kind::TextSingle, var, label).value(value);
    let by = group.created_by.as_ref().map(ToString::to_string);
    Next::show(
        Form::untyped()
            .title("About a group")
            .field(Field::new(Kind::JidSingle, "address", "Address").value(room.place.address.to_string()))
            .field(field("number", "Number", uid.to_string()))
            .field(field("title", "Name", config.name.clone()))
            .field(field("description", "What it is about", config.description.clone()))
            .field(field("kind", "Kind", kind(&config)))
            .field(Field::new(Kind::JidMulti, "owners", "Owners").values(owners))
            .field(field("people", "Members", belong.to_string()))
            .field(field("banned", "Banned", banned.to_string()))
            .field(field("present", "Present", room.state().occupants().len().to_string()))
            .field(field("messages", "Messages", messages.to_string()))
            .field(field("bytes", "Bytes of messages", bytes.to_string()))
            .field(field("created", "Made", stamp(group.created)))
            .field(Field::new(Kind::TextSingle, "created-by", "Made by").values(by)),
    )
}

/// The owner's form (XEP-0045 §10.2), filled in by an administrator.
async fn settings(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        return Next::ask_first(Form::untyped().title("Configure a group").field(group_field()));
    };
    let room = named(turn, answers).await?;
    let Some(wanted) = turn.answers.get(1) else { return Next::ask(room.state().config.form()) };
    turn.ctx.core.configure_group(&room, wanted).await?;
    note(turn, &room, "configured");
    Next::done("The group is configured so.")
}

async fn affiliation(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        let to = Field::new(Kind::ListSingle, "affiliation", "Becomes").required();
        let options = [
            ("owner", "owner"),
            ("admin", "administrator of the group"),
            ("member", "member"),
            ("none", "nothing to it"),
            ("outcast", "banned"),
        ];
        let to = options.into_iter().fold(to, |to, (name, label)| to.option(label, name));
        return Next::ask(
            Form::untyped()
                .title("Make somebody something to a group")
                .field(group_field())
                .field(Field::new(Kind::JidSingle, "accountjid", "Address of the account").required())
                .field(to.value("owner")),
        );
    };
    let room = named(turn, answers).await?;
    let account = super::admin::one(turn, answers).await?;
    let who = core.accounts.address(&account);
    let to = answers.text("affiliation").and_then(Affiliation::from_name);
    let to = to.ok_or_else(|| StanzaError::not_acceptable().text("There is no such affiliation."))?;
    core.affiliate_in_group(room.place.uid, &who, to).await.map_err(|error| match error {
        StoreError::Conflict => StanzaError::conflict().text("A group has an owner: name another one first."),
        other => store_error(other),
    })?;
    note(turn, &room, "affiliation changed");
    let done = match to {
        Affiliation::Owner => "owns the group",
        Affiliation::Admin => "administers the group",
        Affiliation::Member => "is a member of the group",
        Affiliation::None => "is nothing to the group any more",
        Affiliation::Outcast => "is banned from the group",
    };
    Next::done(format!("{who} {done}."))
}

/// Deletes from the group's archive; what small private groups have put into their members' own logs is theirs.
async fn purge(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        let text = "This deletes messages from the group's archive, and cannot be undone. What members of a small private \
                    group have in their own archives stays theirs.";
        let days = Field::new(Kind::TextSingle, "days", "Keep those of so many days (0: none)").required();
        return Next::ask(
            Form::untyped()
                .title("Delete what was said in a group")
                .instructions(text)
                .field(group_field())
                .field(days.whole(0..=limits::ROOM_RETENTION_DAYS)),
        );
    };
    let room = named(turn, answers).await?;
    let days: i64 = answers.text("days").and_then(|text| text.trim().parse().ok()).unwrap_or_default();
    let before = (days > 0).then(|| Timestamp(core.env.now().0 - days * DAY_MS));
    let deleted = purged(&core.store, room.place.uid, None, before).await?;
    note(turn, &room, "messages deleted");
    Next::done(deleted_sentence(deleted))
}

async fn destroy(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        let text = "The group ends at once and for good, with its messages, members and settings. Nobody gets its number \
                    again.";
        return Next::ask(
            Form::untyped()
                .title("Destroy a group")
                .instructions(text)
                .field(group_field())
                .field(Field::new(Kind::TextSingle, "reason", "Why; those who are in it are told")),
        );
    };
    let reason = answers.text("reason").map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| reason.len() > limits::ROOM_TEXT) {
        return Err(StanzaError::policy_violation().text("The reason is too long."));
    }
    let room = named(turn, answers).await?;
    turn.ctx.core.end_group(room.place.uid, reason).await.map_err(store_error)?;
    note(turn, &room, "destroyed");
    Next::done(format!("The group {} is no more.", room.place.address))
}

fn note(turn: Turn<'_>, room: &Room, what: &str) {
    tracing::info!(admin = turn.ctx.member.uid.0, group = room.place.uid.0, what, "administration");
}
