//! XEP-0045 §5: affiliations and roles, what each may do, and who may change whom to what. Pure tables: what a room's
//! configuration decides comes in as an argument.

use rookery_proto::error::StanzaError;
use serde::{Deserialize, Serialize};

/// A lasting relation to a room (§5.2), from the lowest to the highest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Affiliation {
    /// Banned.
    Outcast,
    /// None.
    #[default]
    None,
    /// May enter a members-only room.
    Member,
    /// Keeps order, and decides about members and moderators.
    Admin,
    /// Decides about everything.
    Owner,
}

/// A position that lasts as long as a visit (§5.1), from the lowest to the highest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Not in the room.
    #[default]
    None,
    /// In the room without voice.
    Visitor,
    /// In the room with voice.
    Participant,
    /// Keeps order among the occupants.
    Moderator,
}

impl Affiliation {
    /// All of them, from the lowest to the highest.
    pub const ALL: [Affiliation; 5] = [
        Affiliation::Outcast,
        Affiliation::None,
        Affiliation::Member,
        Affiliation::Admin,
        Affiliation::Owner,
    ];

    /// The standard's name.
    pub fn name(self) -> &'static str {
        match self {
            Affiliation::Outcast => "outcast",
            Affiliation::None => "none",
            Affiliation::Member => "member",
            Affiliation::Admin => "admin",
            Affiliation::Owner => "owner",
        }
    }

    /// The affiliation of that name.
    pub fn from_name(name: &str) -> Option<Affiliation> {
        Affiliation::ALL.into_iter().find(|affiliation| affiliation.name() == name)
    }

    /// Whether it is anything that a list keeps.
    pub fn is_listed(self) -> bool {
        self != Affiliation::None
    }

    /// Whether it may enter (§7.2.7, §7.2.6): outcasts never, strangers unless the room is for members.
    pub fn may_enter(self, members_only: bool) -> bool {
        self >= if members_only { Affiliation::Member } else { Affiliation::None }
    }

    /// The role of who enters (§5.1.2): nobody's for outcasts.
    pub fn default_role(self, moderated: bool) -> Role {
        match self {
            Affiliation::Outcast => Role::None,
            Affiliation::None if moderated => Role::Visitor,
            Affiliation::None | Affiliation::Member => Role::Participant,
            Affiliation::Admin | Affiliation::Owner => Role::Moderator,
        }
    }

    /// The role of an occupant whose affiliation becomes this one (§5.2.2, §9, §10): none where the occupant has to leave.
    /// Rising never takes a role away; falling takes what the higher affiliation brought.
    pub fn role_after(self, before: Affiliation, role: Role, members_only: bool, moderated: bool) -> Role {
        if !self.may_enter(members_only) {
            return Role::None;
        }
        let default = self.default_role(moderated);
        if self == before {
            return role;
        }
        if self > before || self >= Affiliation::Admin {
            return role.max(default);
        }
        // §9.4, §10.7: what is lost with the affiliation is what came with it.
        if role <= before.default_role(moderated) { role.min(default) } else { role }
    }
}

impl Role {
    /// All of them, from the lowest to the highest.
    pub const ALL: [Role; 4] = [Role::None, Role::Visitor, Role::Participant, Role::Moderator];

    /// The standard's name.
    pub fn name(self) -> &'static str {
        match self {
            Role::None => "none",
            Role::Visitor => "visitor",
            Role::Participant => "participant",
            Role::Moderator => "moderator",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether its holder is in the room.
    pub fn is_present(self) -> bool {
        self > Role::None
    }

    /// Whether its holder may speak to the whole room (§5.1.1).
    pub fn has_voice(self) -> bool {
        self >= Role::Participant
    }

    /// Whether it may set the subject (§8.1); `participants`: whether the room lets those with voice.
    pub fn may_change_subject(self, participants: bool) -> bool {
        self >= if participants { Role::Participant } else { Role::Moderator }
    }
}

/// Who acts, or is acted upon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The lasting relation to the room.
    pub affiliation: Affiliation,
    /// The position in this visit.
    pub role: Role,
}

impl Standing {
    /// Whether it may do what moderators do. Admins and owners are moderators by right (§5.1.2), also when they act from
    /// outside of the room.
    pub fn moderates(self) -> bool {
        self.role == Role::Moderator || self.affiliation >= Affiliation::Admin
    }
}

/// Why a change is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The actor lacks the privilege altogether.
    Forbidden,
    /// The actor has it, but not over this one.
    NotAllowed,
    /// The change would harm the actor or leave the room without an owner.
    Conflict,
}

impl From<Refusal> for StanzaError {
    fn from(refusal: Refusal) -> StanzaError {
        match refusal {
            Refusal::Forbidden => StanzaError::forbidden(),
            Refusal::NotAllowed => StanzaError::not_allowed(),
            Refusal::Conflict => StanzaError::conflict(),
        }
    }
}

/// Whether `actor` may give `target` the role `to` (§8.2 to §8.5, §9.6, §9.7).
pub fn may_set_role(actor: Standing, target: Standing, to: Role) -> Result<(), Refusal> {
    if !actor.moderates() {
        return Err(Refusal::Forbidden);
    }
    if to == target.role {
        return Ok(());
    }
    let protected = target.affiliation >= Affiliation::Admin;
    match (target.role, to) {
        // §8.2: nobody is kicked by somebody of a lower affiliation.
        (_, Role::None) if actor.affiliation < target.affiliation => Err(Refusal::NotAllowed),
        (_, Role::None) => Ok(()),
        // §9.6: admins and owners make moderators.
        (_, Role::Moderator) if actor.affiliation < Affiliation::Admin => Err(Refusal::Forbidden),
        // §9.7: of those whose affiliation makes them moderators nobody takes it; §8.4: nor their voice.
        (_, Role::Visitor | Role::Participant) if protected => Err(Refusal::NotAllowed),
        (Role::Moderator, _) if actor.affiliation < Affiliation::Admin => Err(Refusal::Forbidden),
        // §8.4: voice is not taken from those at the moderator's own level; who has no affiliation is at nobody's.
        (_, Role::Visitor) if is_peer(actor, target) => Err(Refusal::NotAllowed),
        _ => Ok(()),
    }
}

fn is_peer(actor: Standing, target: Standing) -> bool {
    target.affiliation > Affiliation::None && target.affiliation >= actor.affiliation
}

/// Whether `actor` may make `target`, who may be the actor itself (`own`), an `to` (§5.2.2, §9, §10). That an owner remains
/// ([`Refusal::Conflict`], §10.6) is for who sees the whole list.
pub fn may_set_affiliation(
    actor: Affiliation,
    target: Affiliation,
    to: Affiliation,
    own: bool,
) -> Result<(), Refusal> {
    match actor {
        // §9.1: nobody bans himself.
        _ if own && to == Affiliation::Outcast && actor >= Affiliation::Admin => Err(Refusal::Conflict),
        Affiliation::Owner => Ok(()),
        // Everybody may step down, which is how a member leaves a room for good.
        Affiliation::Admin | Affiliation::Member if own && to >= Affiliation::None && to <= actor => Ok(()),
        // §10.3, §10.5: owners make admins and owners.
        Affiliation::Admin if to >= Affiliation::Admin => Err(Refusal::Forbidden),
        // §9.1: nobody is banned by an equal or a lesser; §10.4, §10.6: nor loses an affiliation by them.
        Affiliation::Admin if target >= Affiliation::Admin => Err(Refusal::NotAllowed),
        Affiliation::Admin => Ok(()),
        _ => Err(Refusal::Forbidden),
    }
}

/// Whether `asker` may read the list of those with this affiliation (§9.2, §9.5, §10.5, §10.8). `roles` are those that the
/// room lets read its lists of members (`muc#roomconfig_getmemberlist`), `anonymous` is a room that hides addresses.
pub fn may_read_affiliations(asker: Standing, list: Affiliation, roles: &[Role], anonymous: bool) -> bool {
    if asker.affiliation >= Affiliation::Admin {
        return true;
    }
    // §9.2: who is banned is for those to know who ban.
    if !list.is_listed() || list == Affiliation::Outcast {
        return false;
    }
    // The lists have addresses in them: they are not for those who do not see addresses (§4.2).
    let sees = asker.role == Role::Moderator || !anonymous;
    let role =
        asker.role.max(if asker.affiliation >= Affiliation::Member { Role::Participant } else { Role::None });
    sees && roles.contains(&role)
}

/// Whether `asker` may read the list of those with this role (§8.5, §9.8).
pub fn may_read_roles(asker: Standing, list: Role) -> bool {
    match list {
        Role::Moderator => asker.affiliation >= Affiliation::Admin,
        _ => asker.moderates(),
    }
}

#[cfg(test)]
mod tests;
