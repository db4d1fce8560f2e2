//! Entering a room, another nick, another presence, leaving (XEP-0045 §7.2, §7.6, §7.7, §7.14, §10.1).

use super::config::RoomConfig;
use super::fan::Greeting;
use super::history::Wanted;
use super::occupant::{Seat, occupant_id};
use super::privilege::{Affiliation, Role};
use super::room::{Room, State, newcomer};
use super::rooms::stored;
use super::status;
use crate::member::Member;
use crate::session::Session;
use crate::{Core, Ctx, address, limits, store_error};
use bytes::Bytes;
use rookery_proto::Uid;
use rookery_proto::error::{ErrorType, StanzaError};
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Stanza};
use rookery_store::{GroupAffiliate, GroupAffiliation, NewGroup, StoreError};
use std::sync::Arc;

/// Handles presence for a group or one of its occupants.
pub(crate) async fn presence(ctx: &Ctx<'_>, local: &str, nick: Option<&str>) -> Result<(), StanzaError> {
    match ctx.stanza.type_().as_deref() {
        None => {
            let text = "A room is entered with a nick, as in room@host/nick.";
            let nick = nick.ok_or_else(|| StanzaError::jid_malformed().text(text))?;
            available(ctx, local, nick).await
        }
        Some("unavailable") => leave(ctx, local).await,
        // A group has no roster, and nobody waits for an error of a presence.
        Some("error" | "probe" | "unsubscribe" | "unsubscribed") => Ok(()),
        _ => Err(StanzaError::service_unavailable()),
    }
}

/// The room itself, or, where there is none, one that is made for who asks.
async fn available(ctx: &Ctx<'_>, local: &str, nick: &str) -> Result<(), StanzaError> {
    let x = ctx.stanza.child(ns::MUC, "x");
    let said = content(ctx).await?;
    let known = ctx.core.room(local).await?;
    let here = known.as_ref().and_then(|room| {
        let state = room.state();
        state.occupant_of(ctx.session).map(|occupant| occupant.nick.clone())
    });
    if here.is_none() && x.is_some() {
        may_come(ctx)?;
        not_blocked(ctx, local, known.as_deref())?;
    }
    let (room, made) = match known {
        Some(room) => (room, false),
        // Whoever does not say that it wants to enter thinks that it is in it.
        None if x.is_none() => return Err(not_there()),
        None => {
            check_nick(nick)?;
            create(ctx, local).await?
        }
    };
    match (here, x) {
        (Some(now), None) if &*now == nick => update(ctx, &room, said).await,
        (Some(now), x) if &*now != nick => {
            rename(ctx, &room, nick).await?;
            // §7.2.1: who says it wants to enter has forgotten that it is here, and is told everything again.
            if x.is_some() { enter(ctx, &room, nick, x, said, false).await } else { Ok(()) }
        }
        (None, None) => Err(not_there()),
        (_, x) => {
            check_nick(nick)?;
            enter(ctx, &room, nick, x, said, made).await
        }
    }
}

/// Whether somebody may enter groups at all, and one more now.
fn may_come(ctx: &Ctx<'_>) -> Result<(), StanzaError> {
    if ctx.core.banned_by_lists(&ctx.member.address) {
        return Err(
            StanzaError::forbidden().text("You are in a list of those who may not enter groups here.")
        );
    }
    ctx.core.pace.join(ctx.member, ctx.core.env.now())
}

/// XEP-0191 §3.3: who blocks a group does not enter it, under whichever of its addresses.
fn not_blocked(ctx: &Ctx<'_>, local: &str, room: Option<&Room>) -> Result<(), StanzaError> {
    let address = match room {
        Some(room) => room.place.address.clone(),
        None => address::parse(&format!("{local}@{}", ctx.core.policy.groups))?.to_bare(),
    };
    if ctx.member.blocks(&address.into()) { Err(StanzaError::blocked()) } else { Ok(()) }
}

fn not_there() -> StanzaError {
    StanzaError::item_not_found().text("You are not in this room.")
}

/// What resourceprep lets through and a room does not.
pub(super) fn check_nick(nick: &str) -> Result<(), StanzaError> {
    let fits = nick.len() <= limits::NICK_BYTES && nick.trim() == nick;
    if fits { Ok(()) } else { Err(StanzaError::not_acceptable().text("This cannot be a nick.")) }
}

/// What the client says of its presence, without what only a room may say.
async fn content(ctx: &Ctx<'_>) -> Result<Bytes, StanzaError> {
    let stanza: Bytes = ctx.stanza.as_bytes().to_vec().into();
    let stanza = ctx.core.with_avatar(ctx.session.uid, stanza).await?;
    let stanza = Stanza::parse(&stanza).map_err(|_| StanzaError::internal_server_error())?;
    said(&stanza)
}

/// The elements of a presence that others are to see.
pub(super) fn said(stanza: &Stanza) -> Result<Bytes, StanzaError> {
    let kept = |child: &Child<'_>| {
        !matches!(child.ns(), ns::MUC | ns::MUC_USER | ns::OCCUPANT_ID | ns::HATS | ns::DELAY)
    };
    let said: Vec<u8> = stanza.children().filter(kept).flat_map(|child| child.xml()).copied().collect();
    if said.len() > limits::ROOM_PRESENCE {
        return Err(StanzaError::policy_violation().text("This presence is too large for a room."));
    }
    Ok(said.into())
}

/// §10.1: a room that is not there is made by who enters it, and locked until it is configured.
async fn create(ctx: &Ctx<'_>, local: &str) -> Result<(Arc<Room>, bool), StanzaError> {
    let core = ctx.core;
    let number = Uid::from_local(local);
    if number.is_some_and(|number| !core.router.rooms.redeem(number, ctx.member.uid)) {
        // A number is given by the server, never taken.
        return Err(StanzaError::item_not_found().text("There is no such group."));
    }
    if number.is_none() && local.chars().all(char::is_numeric) {
        return Err(StanzaError::not_acceptable().text("A name cannot consist of digits only."));
    }
    let config = RoomConfig { locked: true, ..RoomConfig::default() };
    let owner = GroupAffiliate {
        jid: ctx.member.address.clone(),
        affiliation: GroupAffiliation::Owner,
        nick: None,
        reason: None,
    };
    let new = NewGroup {
        uid: number,
        name: number.is_none().then(|| local.to_owned()),
        config: stored(&config),
        affiliates: vec![owner],
        created: core.env.now(),
        created_by: Some(ctx.member.address.clone()),
        epoch: u32::from_be_bytes(core.env.bytes()),
    };
    let made = match core.store.create_group(new).await {
        Ok(_) => true,
        // Somebody was quicker.
        Err(StoreError::Conflict) => false,
        Err(error) => return Err(store_error(error)),
    };
    let room = core.room(local).await?.ok_or_else(StanzaError::internal_server_error)?;
    Ok((room, made))
}

/// A session comes in, or is told anew who is here.
async fn enter(
    ctx: &Ctx<'_>,
    room: &Arc<Room>,
    nick: &str,
    x: Option<Child<'_>>,
    said: Bytes,
    made: bool,
) -> Result<(), StanzaError> {
    let (core, session) = (ctx.core, ctx.session);
    let came = session.state().enters(room);
    if let Err(error) = came {
        // It may have been made for this one alone.
        core.vacated(room).await;
        return Err(error);
    }
    let password = x.as_ref().and_then(|x| x.child(ns::MUC, "password")).map(|p| p.text().into_owned());
    let now = core.env.now();
    let id = occupant_id(&core.secret, room.place.uid, session.uid);
    let entered = room
        .act(|state| {
            let role = admit(state, ctx, nick, password.as_deref())?;
            let affiliation = state.affiliation(&ctx.member.address);
            let greeting = Greeting {
                session: session.clone(),
                history: Wanted::read(x.as_ref(), &state.config, now),
                codes: codes(&state.config, made),
            };
            let occupant = newcomer(nick, &session.address, session.uid, id, affiliation, role);
            Ok((Some(state.seat(occupant, session, said, Some(greeting))), ()))
        })
        .await;
    if entered.is_err() && room.state().occupant_of(session).is_none() {
        session.state().leaves(room);
        core.vacated(room).await;
        core.journal.snapshot(session);
    }
    // It may have ended meanwhile, and left its rooms before it came into this one.
    if entered.is_ok() && !session.is_live() {
        core.leave_room(session, room, None).await;
        core.journal.snapshot(session);
    }
    entered
}

/// Whether who enters may, and as what (§7.2.5 to §7.2.11).
fn admit(state: &State, ctx: &Ctx<'_>, nick: &str, password: Option<&str>) -> Result<Role, StanzaError> {
    let (config, real) = (&state.config, &ctx.member.address);
    let affiliation = state.affiliation(real);
    if state.has_ended() || (config.locked && affiliation < Affiliation::Owner) {
        return Err(StanzaError::item_not_found().text("There is no such room yet."));
    }
    if affiliation == Affiliation::Outcast {
        return Err(StanzaError::forbidden().text("You are banned from this room."));
    }
    if !affiliation.may_enter(config.members_only) {
        return Err(StanzaError::registration_required().text("Only members enter this room."));
    }
    let here = state.occupant(nick);
    let own = here.is_some_and(|occupant| occupant.real == *real);
    let again = here.is_some_and(|occupant| occupant.has(ctx.session));
    if !again && config.password.as_deref().is_some_and(|wanted| password != Some(wanted)) {
        return Err(StanzaError::not_authorized().text("This room asks for a password."));
    }
    free(state, nick, real)?;
    let most = config.max_occupants.map_or(limits::ROOM_OCCUPANTS, |most| most as usize);
    let full = state.occupants().len() >= most.min(limits::ROOM_OCCUPANTS);
    if full && !own && affiliation < Affiliation::Admin {
        // §7.2.9
        let text = "There is no room for one more.";
        return Err(StanzaError::service_unavailable().kind(ErrorType::Wait).text(text));
    }
    Ok(affiliation.default_role(config.moderated))
}

/// Whether a nick can be this account's: nobody else has it here, and it is kept for nobody else (§7.2.8).
pub(super) fn free(state: &State, nick: &str, real: &BareJid) -> Result<(), StanzaError> {
    let others = state.occupant(nick).is_some_and(|occupant| occupant.real != *real);
    let kept = state.keeper(nick).is_some_and(|keeper| keeper != real);
    if others || kept { Err(StanzaError::conflict().text("Somebody else has this nick.")) } else { Ok(()) }
}

/// The status codes of who comes in (§7.2.2, §7.2.3, §7.2.12, §10.1.1).
fn codes(config: &RoomConfig, made: bool) -> Vec<u16> {
    let codes = [
        (true, status::SELF),
        (config.is_open(), status::NON_ANONYMOUS_ROOM),
        (config.archived, status::LOGGED),
        (made, status::CREATED),
    ];
    codes.into_iter().filter(|(is, _)| *is).map(|(_, code)| code).collect()
}

/// §7.7: something else about its presence.
async fn update(ctx: &Ctx<'_>, room: &Arc<Room>, said: Bytes) -> Result<(), StanzaError> {
    let session = ctx.session;
    room.act(|state| {
        let occupant = state.occupant_of(session).ok_or_else(not_there)?.clone();
        Ok((Some(state.seat((*occupant).clone(), session, said, None)), ()))
    })
    .await?;
    ctx.core.journal.snapshot(session);
    Ok(())
}

/// §7.6: another nick, for all sessions of the occupant that the session is now.
async fn rename(ctx: &Ctx<'_>, room: &Arc<Room>, to: &str) -> Result<(), StanzaError> {
    check_nick(to)?;
    let renamed = room
        .act(|state| {
            // Under the room's lock: another session of it may just have taken another nick, and its old one be somebody's.
            let from = state.occupant_of(ctx.session).ok_or_else(not_there)?.nick.clone();
            if &*from == to {
                return Ok((None, None));
            }
            free(state, to, &ctx.member.address)?;
            if state.occupant(to).is_some() {
                // Its own, of another session: two occupants do not become one.
                return Err(StanzaError::conflict().text("You have this nick already."));
            }
            let change = state.rename(&from, to).ok_or_else(not_there)?;
            let after = change.after.clone();
            Ok((Some(change), after))
        })
        .await?;
    for seat in renamed.iter().flat_map(|occupant| &occupant.seats) {
        ctx.core.journal.snapshot(&seat.session);
    }
    Ok(())
}

/// §7.14: who is in the room leaves it; who is not is not told.
async fn leave(ctx: &Ctx<'_>, local: &str) -> Result<(), StanzaError> {
    // Nothing in it is worth an error to who goes.
    let said = said(ctx.stanza).ok();
    if let Some(room) = ctx.core.room(local).await? {
        ctx.core.leave_room(ctx.session, &room, said).await;
        ctx.core.journal.snapshot(ctx.session);
    }
    Ok(())
}

impl Core {
    /// A session leaves a room, and says this of it.
    pub(crate) async fn leave_room(&self, session: &Arc<Session>, room: &Arc<Room>, said: Option<Bytes>) {
        let left = room.act(|state| Ok((state.unseat(session, said), ()))).await;
        if let Err(error) = left {
            tracing::warn!(uid = room.place.uid.0, ?error, "a session's leave could not be told");
        }
        session.state().leaves(room);
        self.vacated(room).await;
    }

    /// A session leaves all rooms that it is in: it is gone, or says that it goes (§7.14).
    pub(crate) async fn leave_rooms(&self, session: &Arc<Session>, stanza: &[u8]) {
        let rooms = session.state().rooms();
        if rooms.is_empty() {
            return;
        }
        let said = Stanza::parse(stanza).ok().and_then(|stanza| said(&stanza).ok());
        for room in rooms {
            self.leave_room(session, &room, said.clone()).await;
        }
        self.journal.snapshot(session);
    }

    /// An account leaves the groups that it blocks: they are not to see it any more, and it nothing of theirs (XEP-0191 §3.2).
    pub(crate) async fn leave_blocked(&self, member: &Member) {
        for session in self.router.sessions(member.uid) {
            let rooms = session.state().rooms();
            for room in rooms {
                if member.blocks(&room.place.address.clone().into()) {
                    self.leave_room(&session, &room, None).await;
                    self.journal.snapshot(&session);
                }
            }
        }
    }

    /// The sessions of occupants that a room has sent away forget it.
    pub(super) fn let_go(&self, room: &Arc<Room>, departed: &[Seat]) {
        for Seat { session, .. } in departed {
            session.state().leaves(room);
            self.journal.snapshot(session);
        }
    }
}
