//! What is said in a room (XEP-0045 §7.4, §8.1): stored in the room's log, and handed out after the commit.

use super::config::RoomConfig;
use super::occupant::Occupant;
use super::privilege::{Affiliation, Role};
use super::room::Room;
use super::{mediate, moderation, small, whisper};
use crate::pipeline::{Kind, Step, append_with, forged, has_content, is_encrypted, origin};
use crate::xep::inbox;
use crate::{Ctx, flags, limits, store_error};
use rookery_proto::Useq;
use rookery_proto::error::{ErrorType, StanzaError};
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Stanza, write_with};
use rookery_proto::xml::Xml;
use rookery_store::{Append, Direction, Entry, Flags, GroupSubject, MessageId, Pointer, Timestamp};
use smallvec::smallvec;
use std::sync::Arc;

/// Takes a message for a group or one of its occupants as far as the store's queue.
pub(crate) async fn message(
    ctx: &Ctx<'_>,
    kind: Kind,
    local: &str,
    nick: Option<&str>,
) -> Result<Step, StanzaError> {
    if kind == Kind::Error {
        return Ok(Step::Done);
    }
    let room = ctx.core.room(local).await?.ok_or_else(StanzaError::item_not_found)?;
    if ctx.member.blocks(&room.place.address.clone().into()) {
        return Err(StanzaError::blocked());
    }
    match (kind, nick) {
        (Kind::Groupchat, None) => said(ctx, &room).await,
        // §7.5
        (Kind::Groupchat, Some(_)) => Err(StanzaError::bad_request()
            .text("What is for one occupant alone is a message of the type chat or normal.")),
        (_, Some(nick)) => whisper::whisper(ctx, kind, &room, nick).await,
        (_, None) => mediate::message(ctx, &room).await,
    }
}

/// The occupant that a client is in a room; an error for who is not in it (§7.4).
pub(super) fn speaker(ctx: &Ctx<'_>, room: &Room) -> Result<Arc<Occupant>, StanzaError> {
    let occupant = room.state().occupant_of(ctx.session).cloned();
    occupant.ok_or_else(|| StanzaError::not_acceptable().text("You are not in this room."))
}

/// The same, if it has a voice (§7.4).
fn with_voice(ctx: &Ctx<'_>, room: &Room) -> Result<Arc<Occupant>, StanzaError> {
    let speaker = speaker(ctx, room)?;
    if !speaker.role.has_voice() {
        return Err(StanzaError::forbidden().text("You have no voice in this room."));
    }
    Ok(speaker)
}

/// Something for everybody in the room.
async fn said(ctx: &Ctx<'_>, room: &Arc<Room>) -> Result<Step, StanzaError> {
    if ctx.core.policy.gate.is_some() {
        let stranger = with_voice(ctx, room)?.affiliation < Affiliation::Member;
        ctx.screen_in_group(room.place.address.as_str(), stranger).await?;
    }
    // Who was asked about may have been silenced or sent away meanwhile.
    let speaker = with_voice(ctx, room)?;
    let config = room.state().config.clone();
    let subject = subject(ctx.stanza, &speaker, &config)?;
    let content = has_content(ctx.stanza);
    if content {
        wait_for_turn(ctx, room, &speaker, &config)?;
    }
    if let Some(retraction) = ctx.stanza.child(ns::RETRACT, "retract") {
        moderation::retract(ctx, room, &speaker, &retraction).await?;
    }
    let stanza = as_occupant(ctx, room, &speaker)?;
    let mut class = if is_encrypted(ctx.stanza) { Flags::ENCRYPTED } else { Flags::default() };
    if inbox::is_instant(ctx.stanza) {
        class = class | Flags::INSTANT;
    }
    let displayed = inbox::of_group_marker(ctx, &room.place);
    if let Some(text) = subject {
        // What a room is about lasts, and so does who said so, also where nothing else that is said does.
        let append = append(ctx, room, &speaker, stanza, class | flags::SUBJECT).await?;
        let subject = GroupSubject { text, by: speaker.nick.to_string(), at: append.at };
        let pending = ctx.store.set_group_subject(room.place.uid, subject, append).await;
        return pending.map(|pending| Step::Commit(pending, None)).map_err(store_error);
    }
    if content && config.archived && may_be_stored(ctx.stanza) {
        let append = append(ctx, room, &speaker, stanza, class).await?;
        return Ok(Step::Commit(append_with(ctx, append, displayed).await?, None));
    }
    if let Some(displayed) = displayed {
        ctx.store.set_displayed(displayed).await.map_err(store_error)?;
    }
    if !content {
        class = class | flags::STATE;
    }
    Ok(Step::Deliver(smallvec![(room.place.uid, passing(ctx, room, &speaker, class, stanza))], None))
}

/// What goes into the room's log, and into those of its members where there are few.
pub(super) async fn append(
    ctx: &Ctx<'_>,
    room: &Room,
    speaker: &Occupant,
    stanza: Vec<u8>,
    class: Flags,
) -> Result<Append, StanzaError> {
    let open = if room.state().config.is_open() { flags::OPEN } else { Flags::default() };
    let mut pointers = smallvec![Pointer {
        uid: room.place.uid,
        peer: speaker.real.clone(),
        peer_resource: Some(speaker.nick.clone()),
        direction: Direction::In,
        resource: None,
        flags: Flags::ARCHIVE,
    }];
    pointers.extend(small::pointers(ctx, room, speaker).await?);
    let (at, origin) = (ctx.core.env.now(), origin(ctx, &room.place.address));
    Ok(Append { stanza: stanza.into(), at, flags: class | open, pointers, origin })
}

/// Something that is in no log.
fn passing(ctx: &Ctx<'_>, room: &Room, speaker: &Occupant, flags: Flags, stanza: Vec<u8>) -> Arc<Entry> {
    Arc::new(Entry {
        useq: Useq(0),
        message: MessageId(0),
        peer: room.place.address.clone(),
        peer_resource: Some(speaker.nick.clone()),
        direction: Direction::In,
        resource: None,
        at: ctx.core.env.now(),
        flags,
        stanza: stanza.into(),
    })
}

/// XEP-0334: what the sender wants to be kept nowhere, or not for good.
fn may_be_stored(stanza: &Stanza) -> bool {
    !["no-store", "no-permanent-store"].iter().any(|hint| stanza.has_child(ns::HINTS, hint))
}

/// The new subject, if the message is one (§8.1: a subject and no body) and this occupant may set it.
fn subject(stanza: &Stanza, speaker: &Occupant, config: &RoomConfig) -> Result<Option<String>, StanzaError> {
    let Some(subject) = stanza.child(ns::CLIENT, "subject") else { return Ok(None) };
    if stanza.has_child(ns::CLIENT, "body") {
        return Ok(None);
    }
    if !speaker.role.may_change_subject(config.subject_by_participants) {
        return Err(StanzaError::forbidden().text("You may not change the subject of this room."));
    }
    let text = subject.text();
    if text.len() > limits::ROOM_SUBJECT {
        return Err(StanzaError::policy_violation().text("This subject is too long."));
    }
    Ok(Some(text.into_owned()))
}

/// XEP-0500: who is not a moderator waits between two messages.
fn wait_for_turn(
    ctx: &Ctx<'_>,
    room: &Room,
    speaker: &Occupant,
    config: &RoomConfig,
) -> Result<(), StanzaError> {
    if config.slow_mode == 0 || speaker.role == Role::Moderator {
        return Ok(());
    }
    let now = ctx.core.env.now();
    let until = Timestamp(now.0 + i64::from(config.slow_mode) * 1_000);
    if room.state().takes_turn(speaker.uid, now, until) {
        return Ok(());
    }
    let text = format!("In this room one waits {} seconds between two messages.", config.slow_mode);
    Err(StanzaError::policy_violation().kind(ErrorType::Wait).text(text))
}

/// The client's stanza as the room sends it on: from the occupant, with its id (XEP-0421), and nothing in it that only a
/// server or a room may say (invariant 9). Without `to`.
pub(super) fn as_occupant(ctx: &Ctx<'_>, room: &Room, speaker: &Occupant) -> Result<Vec<u8>, StanzaError> {
    let forged = forged(ctx.core);
    let drop = |child: &Child<'_>| {
        forged(child) || matches!(child.ns(), ns::OCCUPANT_ID | ns::MUC_USER | ns::MODERATE | ns::HATS)
    };
    let stanza = ctx.sent_on(&room.address_of(&speaker.nick), None, Some(&drop));
    let mut x = Xml::new();
    x.open_ns("occupant-id", ns::OCCUPANT_ID).attr("id", &speaker.id).close();
    with(&stanza, &x.into_vec())
}

/// A stanza with these elements at its end.
pub(super) fn with(stanza: &[u8], extra: &[u8]) -> Result<Vec<u8>, StanzaError> {
    let mut out = Vec::new();
    write_with(stanza, false, extra, &mut out).map_err(|_| StanzaError::internal_server_error())?;
    Ok(out)
}
