//! Affiliations change (XEP-0045 §9, §10): in the store first, then for those who are in the room, then those are told who
//! are concerned and not in it.

use super::asker::Asker;
use super::fan::Notes;
use super::invitation::Invitation;
use super::occupant::Occupant;
use super::privilege::{Affiliation, Role};
use super::room::{Room, State};
use super::{letter, status};
use crate::{Core, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::xml::Xml;
use rookery_store::{GroupAffiliate, Invite, Shown, Store, StoreError};
use std::sync::Arc;

/// What the store is to keep of somebody who becomes `to`. `nick`: the nick that is kept from now on; otherwise it is that which
/// was, for those who remain in the lists (§9.1).
pub(super) fn row(
    state: &State,
    jid: &BareJid,
    to: Affiliation,
    nick: Option<String>,
    reason: Option<String>,
) -> GroupAffiliate {
    let kept = || state.people().find(|who| who.jid == *jid).and_then(|who| who.nick.clone());
    GroupAffiliate {
        jid: jid.clone(),
        affiliation: to.into(),
        nick: if to >= Affiliation::Member { nick.or_else(kept) } else { None },
        reason,
    }
}

/// Somebody's affiliation that has changed.
struct Moved {
    jid: BareJid,
    before: Affiliation,
    after: Affiliation,
    reason: Option<String>,
}

/// Puts these in place of how they stood to the room, whose `changing` the caller holds; `by`: who does it, if that is
/// anybody's doing. What is stored is done: that somebody could not be told of it is no error, and holds up nothing else.
///
/// # Errors
/// `conflict`: nobody would be owner any more, or a nick is kept for somebody else. Nothing has changed then.
pub(super) async fn apply(
    core: &Core,
    store: &Store,
    room: &Arc<Room>,
    by: Option<&Asker>,
    rows: Vec<GroupAffiliate>,
) -> Result<(), StanzaError> {
    if rows.is_empty() {
        return Ok(());
    }
    store.affiliate(room.place.uid, rows.clone()).await.map_err(refused)?;
    settled(core, store, room, by, rows).await;
    Ok(())
}

/// What follows from rows that are stored: in memory, then for who is concerned.
async fn settled(
    core: &Core,
    store: &Store,
    room: &Arc<Room>,
    by: Option<&Asker>,
    rows: Vec<GroupAffiliate>,
) {
    let moved: Vec<Moved> = {
        let mut state = room.state();
        let moved = rows.iter().map(|row| Moved {
            jid: row.jid.clone(),
            before: state.affiliation(&row.jid),
            after: row.affiliation.into(),
            reason: row.reason.clone(),
        });
        let moved = moved.collect();
        state.affiliated(rows);
        moved
    };
    for moved in moved.into_iter().filter(|moved| moved.before != moved.after) {
        let uid = room.place.uid.0;
        if let Err(error) = follow(core, store, room, by, moved).await {
            tracing::debug!(uid, ?error, "somebody was not told of a change of affiliation");
        }
    }
}

fn refused(error: StoreError) -> StanzaError {
    match error {
        // §10.6
        StoreError::Conflict => {
            StanzaError::conflict().text("A room has an owner, and a nick is kept for one only.")
        }
        other => store_error(other),
    }
}

/// What follows from a change: for who is here another role perhaps, or the way out; a word to who is not.
async fn follow(
    core: &Core,
    store: &Store,
    room: &Arc<Room>,
    by: Option<&Asker>,
    moved: Moved,
) -> Result<(), StanzaError> {
    let Moved { jid, before, after, reason } = &moved;
    let (nicks, config): (Vec<Box<str>>, _) = {
        let state = room.state();
        let here = state.occupants().filter(|occupant| occupant.real == *jid);
        (here.map(|occupant| occupant.nick.clone()).collect(), state.config.clone())
    };
    let (members_only, moderated) = (config.members_only, config.moderated);
    let codes = match after {
        Affiliation::Outcast => vec![status::BANNED],
        _ if !after.may_enter(members_only) => vec![status::NOT_AFFILIATED],
        _ => Vec::new(),
    };
    let actor = by.and_then(|by| by.nick.clone());
    let reason = reason.as_deref().map(Into::into);
    let notes = Notes { codes, actor, reason, destroyed: None };
    for nick in &nicks {
        let role = |occupant: &Occupant| after.role_after(*before, occupant.role, members_only, moderated);
        alter(core, room, nick, notes.clone(), |occupant| (*after, role(occupant))).await?;
    }
    if nicks.is_empty() {
        tell_occupants(core, room, jid, *after).await;
        tell_absent(core, room, jid, *after).await?;
        if let Some(by) = by
            && *before < Affiliation::Member
            && *after >= Affiliation::Member
            && members_only
        {
            // §9.5: who may come now and is not here is invited.
            let invitation = Invitation::to(jid.clone());
            letter::pass_on(core, store, room, &by.jid, &invitation).await?;
        }
    }
    Ok(())
}

impl Core {
    /// Who has taken up an invitation to a group becomes a member, and is invited to enter (§7.8.2), which waits in the log.
    /// Who is something to the group already, or was thrown out, stays so; a group that has ended is passed over. What the group
    /// is called, if that one became a member.
    pub(crate) async fn join_invited(
        &self,
        group: &BareJid,
        inviter: &BareJid,
        who: &BareJid,
    ) -> Result<Option<String>, StanzaError> {
        let Some(local) = group.node().filter(|_| group.domain().as_str() == self.policy.groups) else {
            return Ok(None);
        };
        let Some(room) = self.room(local.as_str()).await? else { return Ok(None) };
        let _changing = room.changing.lock().await;
        let row = {
            let state = room.state();
            (state.affiliation(who) == Affiliation::None)
                .then(|| row(&state, who, Affiliation::Member, None, None))
        };
        let Some(row) = row else { return Ok(None) };
        apply(self, &self.store, &room, None, vec![row]).await?;
        letter::pass_on(self, &self.store, &room, inviter, &Invitation::to(who.clone())).await?;
        let name = room.state().config.name.clone();
        Ok(Some(name))
    }
}

impl Core {
    /// Somebody who has an account takes up an invitation to a group, which is used for it: false if it is no longer valid, or
    /// that one stands to the group in some way already. Both are one transaction.
    pub(crate) async fn accept_membership(
        &self,
        room: &Arc<Room>,
        invite: &Invite,
        who: &BareJid,
    ) -> Result<bool, StanzaError> {
        let _changing = room.changing.lock().await;
        let row = {
            let state = room.state();
            let new = state.affiliation(who) == Affiliation::None && !state.has_ended();
            new.then(|| row(&state, who, Affiliation::Member, None, None))
        };
        let Some(row) = row else { return Ok(false) };
        let shown = Shown { hash: invite.hash, at: self.env.now() };
        match self.store.take_up_group(shown, room.place.uid, row.clone()).await {
            Ok(()) => {}
            Err(StoreError::InvalidInvite) => return Ok(false),
            Err(error) => return Err(refused(error)),
        }
        settled(self, &self.store, room, None, vec![row]).await;
        Ok(true)
    }
}

/// Changes an occupant, and lets go of the sessions of one that is out; those of one that stays come back after a restart as
/// what it is now. One that is not here any more is passed over.
pub(super) async fn alter(
    core: &Core,
    room: &Arc<Room>,
    nick: &str,
    notes: Notes,
    to: impl FnOnce(&Occupant) -> (Affiliation, Role),
) -> Result<(), StanzaError> {
    let altered = room
        .act(|state| {
            let Some(occupant) = state.occupant(nick).cloned() else { return Ok((None, None)) };
            let (affiliation, role) = to(&occupant);
            let change = state.alter(nick, affiliation, role, notes);
            Ok((change, Some((occupant, role.is_present()))))
        })
        .await?;
    match altered {
        Some((occupant, true)) => {
            occupant.seats.iter().for_each(|seat| core.journal.snapshot(&seat.session));
        }
        Some((occupant, false)) => core.let_go(room, &occupant.seats),
        None => {}
    }
    Ok(())
}

/// §9.3, §9.4: the occupants learn what has become of somebody who is not here, as far as they see addresses.
async fn tell_occupants(core: &Core, room: &Arc<Room>, jid: &BareJid, affiliation: Affiliation) {
    if !room.state().config.is_open() {
        return;
    }
    let mut x = Xml::new();
    x.open("message").attr("from", room.place.address.as_str()).attr("id", &core.env.token());
    item(&mut x, Some(jid), affiliation, None);
    room.tell(x.into_vec().into()).await;
}

/// §9: who is not here learns it while that one is signed in; others see it when they come.
async fn tell_absent(
    core: &Core,
    room: &Room,
    jid: &BareJid,
    affiliation: Affiliation,
) -> Result<(), StanzaError> {
    let write = |to: &str| {
        let mut x = Xml::new();
        x.open("message").attr("from", room.place.address.as_str()).attr("to", to);
        x.attr("id", &core.env.token());
        item(&mut x, None, affiliation, Some(status::AFFILIATION_CHANGED));
        x.into_vec()
    };
    letter::show(core, jid, write).await
}

fn item(x: &mut Xml, jid: Option<&BareJid>, affiliation: Affiliation, code: Option<u16>) {
    x.open_ns("x", ns::MUC_USER);
    x.open("item").attr("affiliation", affiliation.name()).attr("role", Role::None.name());
    x.opt("jid", jid.map(|jid| jid.as_str())).close();
    if let Some(code) = code {
        x.open("status").attr("code", &code.to_string()).close();
    }
    x.close();
}

impl Core {
    /// The operator makes somebody something to a group: stored when this returns, and those who are in it see it.
    /// [`StoreError::Conflict`]: the group would have no owner any more.
    pub async fn affiliate_in_group(
        &self,
        uid: Uid,
        jid: &BareJid,
        to: Affiliation,
    ) -> Result<(), StoreError> {
        let room = self.room_of(uid).await?;
        let _changing = room.changing.lock().await;
        let row = row(&room.state(), jid, to, None, None);
        apply(self, &self.store, &room, None, vec![row]).await.map_err(as_stored)
    }

    /// The operator ends a group, and tells those who are in it why if there is something to tell (§10.9).
    pub async fn end_group(&self, uid: Uid, reason: Option<&str>) -> Result<(), StoreError> {
        let room = self.room_of(uid).await?;
        let _changing = room.changing.lock().await;
        let mut x = Xml::new();
        x.open("destroy");
        if let Some(reason) = reason {
            x.text_element("reason", reason);
        }
        x.close();
        self.destroy_room(&room, x.into_vec().into()).await.map_err(as_stored)
    }

    async fn room_of(&self, uid: Uid) -> Result<Arc<Room>, StoreError> {
        self.room(&uid.to_string()).await.map_err(as_stored)?.ok_or(StoreError::NotFound)
    }
}

/// For who is told of the store's errors in words.
fn as_stored(error: StanzaError) -> StoreError {
    match error.condition {
        "conflict" => StoreError::Conflict,
        "item-not-found" => StoreError::NotFound,
        "policy-violation" => StoreError::Limit("people in the lists of the group"),
        _ => StoreError::Io,
    }
}
