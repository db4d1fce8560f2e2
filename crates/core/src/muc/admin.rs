//! The lists of a room and the roles of its occupants, asked for and changed (XEP-0045 §8.2 to §8.5, §9.1 to §9.8, §10.3 to
//! §10.8): requests of the namespace `muc#admin`.
//!
//! A request is done whole or not at all: everything is looked up and allowed first, what lasts is in the store next, and
//! then the occupants see it.

use super::asker::Asker;
use super::change::{self, List, To, Who};
use super::fan::Notes;
use super::privilege::{self, Affiliation, Role, Standing};
use super::room::{Room, State};
use super::{affiliate, status};
use crate::address::Target;
use crate::answer::{Answer, Reply};
use crate::{Core, Ctx};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::GroupAffiliate;
use std::collections::HashMap;
use std::sync::Arc;

/// One line of a list.
struct Line {
    affiliation: Affiliation,
    jid: Option<String>,
    nick: Option<String>,
    role: Option<Role>,
    reason: Option<String>,
}

/// A list of those with an affiliation, or of the occupants with a role.
pub(super) fn get(ctx: &Ctx<'_>, room: &Room, query: &Child<'_>) -> Answer {
    let list = change::read_list(query)?;
    let asker = Asker::of(ctx, room);
    let lines = match list {
        List::Affiliation(affiliation) => affiliated(&room.state(), &asker, affiliation)?,
        List::Role(role) => having(&room.state(), &asker, role)?,
    };
    let mut x = Xml::new();
    x.open_ns("query", ns::MUC_ADMIN);
    for line in lines {
        x.open("item").attr("affiliation", line.affiliation.name()).opt("jid", line.jid);
        x.opt("nick", line.nick).opt("role", line.role.map(Role::name));
        if let Some(reason) = line.reason {
            x.text_element("reason", &reason);
        }
        x.close();
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// §9.2, §9.5, §10.5, §10.8: in the order of the addresses; with nick and role where somebody is here.
fn affiliated(state: &State, asker: &Asker, list: Affiliation) -> Result<Vec<Line>, StanzaError> {
    let config = &state.config;
    let roles = &config.members_seen_by;
    if !privilege::may_read_affiliations(asker.standing, list, roles, !config.is_open()) {
        return Err(StanzaError::forbidden());
    }
    let here: HashMap<&BareJid, _> = state.occupants().map(|occupant| (&occupant.real, occupant)).collect();
    let mut people: Vec<&GroupAffiliate> =
        state.people().filter(|who| Affiliation::from(who.affiliation) == list).collect();
    people.sort_unstable_by(|one, other| one.jid.as_str().cmp(other.jid.as_str()));
    let line = |who: &GroupAffiliate| {
        let here = here.get(&who.jid);
        Line {
            affiliation: list,
            jid: Some(who.jid.to_string()),
            nick: here.map(|occupant| occupant.nick.to_string()).or_else(|| who.nick.clone()),
            role: here.map(|occupant| occupant.role),
            reason: who.reason.clone().filter(|_| list == Affiliation::Outcast),
        }
    };
    Ok(people.into_iter().map(line).collect())
}

/// §8.5, §9.8: in the order of the nicks.
fn having(state: &State, asker: &Asker, role: Role) -> Result<Vec<Line>, StanzaError> {
    if !privilege::may_read_roles(asker.standing, role) {
        return Err(StanzaError::forbidden());
    }
    let occupants = state.occupants().filter(|occupant| occupant.role == role);
    let line = |occupant: &Arc<super::Occupant>| Line {
        affiliation: occupant.affiliation,
        // Who may read this is a moderator, and sees addresses (§4.2).
        jid: Some(occupant.seat().session.jid.to_string()),
        nick: Some(occupant.nick.to_string()),
        role: Some(role),
        reason: None,
    };
    Ok(occupants.map(line).collect())
}

/// What a request does when all of it is allowed.
#[derive(Default)]
struct Plan {
    /// What lasts.
    rows: Vec<GroupAffiliate>,
    /// The nicks of those whose role changes, what it becomes, and why.
    roles: Vec<(Box<str>, Role, Option<String>)>,
}

/// Changes roles and affiliations.
pub(super) async fn set(ctx: &Ctx<'_>, room: &Arc<Room>, query: &Child<'_>) -> Answer {
    let mut changes = change::read(query)?;
    let Standing { affiliation, role } = Asker::of(ctx, room).standing;
    if affiliation < Affiliation::Member && role != Role::Moderator {
        // Who may change nothing does not learn whom there is either.
        return Err(StanzaError::forbidden());
    }
    for change in &mut changes {
        if let Who::Jid(jid) = &mut change.who {
            *jid = known(ctx, jid).await?;
            // Who is made a member may be invited (§9.5): the limit of strangers that one writes to holds here too.
            if matches!(change.to, To::Affiliation { affiliation, .. } if affiliation >= Affiliation::Member)
            {
                let named = Jid::from(jid.clone());
                let target = ctx.core.target(&named).await?;
                ctx.core.approach(ctx.member, Some(&named), &target).await?;
            }
        }
    }
    let changing = room.changing.lock().await;
    let asker = Asker::of(ctx, room);
    let plan = Plan::of(&room.state(), &asker, changes)?;
    affiliate::apply(ctx.core, &ctx.store, room, Some(&asker), plan.rows).await?;
    for (nick, role, reason) in plan.roles {
        give(ctx.core, room, &asker, &nick, role, reason).await?;
    }
    drop(changing);
    // Who was sent away may have been the last.
    ctx.core.vacated(room).await;
    Ok(Reply::Empty)
}

/// The address that an account here is known by. There must be one: who takes the address later is somebody else.
pub(super) async fn known(ctx: &Ctx<'_>, jid: &BareJid) -> Result<BareJid, StanzaError> {
    match ctx.core.target(&Jid::from(jid.clone())).await? {
        Target::Account { member, .. } => Ok(member.address.clone()),
        _ => Err(StanzaError::item_not_found().text(format!("There is no account {jid}."))),
    }
}

impl Plan {
    fn of(state: &State, asker: &Asker, changes: Vec<change::Change>) -> Result<Plan, StanzaError> {
        let mut plan = Plan::default();
        for change::Change { who, to, reason } in changes {
            match to {
                To::Role(role) => plan.role(state, asker, &who, role, reason)?,
                To::Affiliation { affiliation, nick } => {
                    plan.affiliation(state, asker, &who, (affiliation, nick), reason)?;
                }
            }
        }
        Ok(plan)
    }

    fn role(
        &mut self,
        state: &State,
        asker: &Asker,
        who: &Who,
        role: Role,
        reason: Option<String>,
    ) -> Result<(), StanzaError> {
        let is_meant = |occupant: &&Arc<super::Occupant>| match who {
            Who::Nick(nick) => *occupant.nick == **nick,
            // §9.8: the list of moderators names addresses.
            Who::Jid(jid) => occupant.real == *jid,
        };
        let known = self.roles.len();
        for occupant in state.occupants().filter(is_meant) {
            let target = Standing { affiliation: occupant.affiliation, role: occupant.role };
            privilege::may_set_role(asker.standing, target, role)?;
            self.roles.push((occupant.nick.clone(), role, reason.clone()));
        }
        if self.roles.len() > known { Ok(()) } else { Err(StanzaError::item_not_found()) }
    }

    fn affiliation(
        &mut self,
        state: &State,
        asker: &Asker,
        who: &Who,
        (to, nick): (Affiliation, Option<String>),
        reason: Option<String>,
    ) -> Result<(), StanzaError> {
        let jid = match who {
            Who::Jid(jid) => jid,
            Who::Nick(nick) => {
                let here = state.occupant(nick).map(|occupant| &occupant.real);
                here.or_else(|| state.keeper(nick)).ok_or_else(StanzaError::item_not_found)?
            }
        };
        privilege::may_set_affiliation(
            asker.standing.affiliation,
            state.affiliation(jid),
            to,
            *jid == asker.jid,
        )?;
        // Who is called by nick and by address in one request is there twice all the same.
        if self.rows.iter().any(|row| row.jid == *jid) {
            return Err(StanzaError::bad_request().text("Somebody is there twice."));
        }
        self.rows.push(affiliate::row(state, jid, to, nick, reason));
        Ok(())
    }
}

/// Gives an occupant a role; with [`Role::None`] it is kicked (§8.2). One that has gone meanwhile is nobody's loss.
pub(super) async fn give(
    core: &Core,
    room: &Arc<Room>,
    asker: &Asker,
    nick: &str,
    role: Role,
    reason: Option<String>,
) -> Result<(), StanzaError> {
    let codes = if role.is_present() { Vec::new() } else { vec![status::KICKED] };
    let notes = Notes { codes, actor: asker.nick.clone(), reason: reason.map(Into::into), destroyed: None };
    affiliate::alter(core, room, nick, notes, |occupant| (occupant.affiliation, role)).await
}
