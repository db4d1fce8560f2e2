//! Reach me, as far as the way of a message must know of it: whose messages are to reach somebody who is not here, whether
//! somebody is here, and how a sender is told what became of it. Rules, queue and ways out are the gateways'.
//!
//! A message that is to reach its recipient is stored with [`Flags::REACH`]: by that the store opens a case in the same
//! transaction. Of those who are to be reached, what they send has the flag too, and ends the cases of the conversation.

use crate::address::Target;
use crate::env::{parse_stamp, stamp};
use crate::member::Member;
use crate::pipeline::{self, Kind, archived, classify};
use crate::privacy::Strangers;
use crate::session::{Link, Session};
use crate::{Core, limits, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_proto::subscription::State;
use rookery_proto::xml::Xml;
use rookery_store::{
    Append, Caps, Case, CaseState, Direction, Entry, Flags, MayBeUrgent, Origin, Plan, Pointer, Sending,
    SendingState, Telling, Timestamp, Urgency, Way,
};
use smallvec::smallvec;
use std::collections::BTreeSet;

/// What the operator decided about reaching people.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The ways out that there are; none: nobody is reached by any.
    pub ways: Vec<Offer>,
    /// What may be sent in a day.
    pub caps: Caps,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { ways: Vec::new(), caps: Caps { account: 20, server: 1000 } }
    }
}

/// A way out that the operator has configured.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Which one.
    pub way: Way,
    /// The canonical form of an address that somebody has typed; `None`: it is none that this way reaches.
    pub canonical: fn(&str) -> Option<String>,
}

/// Of an account that wants to be reached: about what, and by whom. What the way of a message must know of its plan.
#[derive(Debug)]
pub struct Reachable {
    least: Urgency,
    urgent: MayBeUrgent,
    allowed: BTreeSet<BareJid>,
}

impl Reachable {
    /// `None`: by this plan nobody is reached.
    pub(crate) fn of(plan: Plan) -> Option<Box<Reachable>> {
        let least = plan.rules.iter().map(|rule| rule.least).min()?;
        let (urgent, allowed) = (plan.urgent, plan.allowed.into_iter().collect());
        plan.active.then(|| Box::new(Reachable { least, urgent, allowed }))
    }

    /// How urgent is what one writes who is a contact or not; `None`: it is nothing to be reached about.
    fn urgency(&self, from: &BareJid, contact: bool, claimed: Urgency) -> Option<Urgency> {
        let named = self.allowed.contains(from);
        if !named && !contact {
            return None; // Strangers cause no cost.
        }
        let granted = named || self.urgent == MayBeUrgent::Contacts;
        let urgency = if granted { claimed } else { claimed.min(Urgency::Important) };
        (urgency >= self.least).then_some(urgency)
    }
}

/// How urgent a message says that it is: docs/extensions.md.
pub(crate) fn claimed(stanza: &Stanza) -> Urgency {
    let level = stanza.child(ns::URGENCY, "urgency").and_then(|urgency| urgency.attr("level"));
    level.and_then(|level| Urgency::from_name(&level)).unwrap_or_default()
}

/// The flags of an entry that its reader is to be reached about.
fn flags(urgency: Urgency) -> Flags {
    match urgency {
        Urgency::Normal => Flags::REACH,
        Urgency::Important => Flags::REACH | Flags::IMPORTANT,
        Urgency::Urgent => Flags::REACH | Flags::URGENT,
    }
}

/// How urgent such an entry is.
pub(crate) fn urgency(of: Flags) -> Urgency {
    Urgency::ALL.into_iter().rev().find(|urgency| of.has(flags(*urgency))).unwrap_or_default()
}

/// Whether somebody who is told by other ways may be told of such an entry at all: what people say to one another, and what the
/// archive keeps, as it is there that it is read.
fn is_worth_it(class: Flags) -> bool {
    class.has(Flags::INSTANT | Flags::ARCHIVE)
}

impl Core {
    /// The flags of the recipient's entry: whether it is to be reached about what this sender writes.
    pub(crate) async fn reaches(
        &self,
        to: &Member,
        from: &Member,
        stanza: &Stanza,
        class: Flags,
    ) -> Result<Flags, StanzaError> {
        let Some(reachable) = &to.reach else { return Ok(Flags::default()) };
        if !is_worth_it(class) || to.uid == from.uid {
            return Ok(Flags::default());
        }
        let contacts = self.contacts_of(to.uid).await?;
        let contact = contacts.iter().any(|c| c.jid == from.address && c.state.has(State::FROM));
        Ok(reachable.urgency(&from.address, contact, claimed(stanza)).map_or_else(Flags::default, flags))
    }

    /// The flags of the recipient's entry of what it has itself asked to be told.
    pub(crate) fn reaches_as_wanted(&self, to: &Member, urgency: Urgency) -> Flags {
        let wanted = to.reach.as_ref().is_some_and(|reachable| urgency >= reachable.least);
        if wanted { flags(urgency) } else { Flags::default() }
    }

    /// The flags of the sender's own entry: what one says oneself ends what one is to be reached about.
    pub(crate) fn ends_cases(&self, from: &Member, class: Flags) -> Flags {
        if from.reach.is_some() && is_worth_it(class) { Flags::REACH } else { Flags::default() }
    }

    /// Whether somebody is at a device: a session that is connected and available, neither away nor extended away (RFC 6121
    /// §4.7.2.1), that its client calls active (XEP-0352), and whose user is not idle for [`limits::REACH_IDLE`] (XEP-0319).
    /// Who does not want to be disturbed is here.
    pub fn is_here(&self, uid: Uid) -> bool {
        let now = self.env.now();
        self.router.sessions(uid).iter().any(|session| is_attended(session, now))
    }

    /// Changes how an account wants to be reached: stored when this returns.
    pub async fn set_reach_plan(&self, uid: Uid, plan: Plan) -> Result<(), StanzaError> {
        self.store.set_reach_plan(uid, plan, self.env.now()).await.map_err(store_error)?;
        self.directory.changed(uid);
        self.reaching.notify_one();
        Ok(())
    }

    /// Who is to be told what becomes of a case, and of which messages; `None`: nobody is left to tell.
    pub async fn informant(&self, case: &Case, about: &[Entry]) -> Result<Option<Informant>, StanzaError> {
        let Some(recipient) = self.directory.member(case.uid).await.map_err(store_error)? else {
            return Ok(None);
        };
        let Target::Account { member: sender, .. } = self.target(&Jid::from(case.peer.clone())).await? else {
            return Ok(None);
        };
        if sender.blocks(&Jid::from(recipient.address.clone())) {
            return Ok(None);
        }
        let stanzas: Vec<Stanza> = about.iter().filter_map(|it| Stanza::parse(&it.stanza).ok()).collect();
        let ids = stanzas.iter().filter_map(|it| it.id()).map(|id| id.into_owned()).collect();
        let receipt = stanzas.iter().rev().find(|it| it.has_child(ns::RECEIPTS, "request"));
        let receipt = receipt.and_then(|it| it.id()).map(|id| id.into_owned());
        let kept = archived(self, &sender, &recipient.address, Flags::ARCHIVE).await?;
        let (from, to) = (recipient.address.clone(), sender.address.clone());
        let (uid, id, at) = (sender.uid, self.env.token(), self.env.now());
        Ok(Some(Informant { uid, from, to, ids, receipt, kept, id, at }))
    }
}

fn is_attended(session: &Session, now: Timestamp) -> bool {
    let state = session.state();
    let Some(available) = &state.available else { return false };
    if *state.link() != Link::Attached || state.is_inactive() {
        return false;
    }
    let Ok(presence) = Stanza::parse(&available.stanza) else { return false };
    let away =
        presence.child(ns::CLIENT, "show").is_some_and(|show| matches!(show.text().trim(), "away" | "xa"));
    let idle = presence.child(ns::IDLE, "idle").and_then(|idle| parse_stamp(&idle.attr("since")?));
    let idle = idle.is_some_and(|since| now.0 - since.0 >= limits::REACH_IDLE.as_millis() as i64);
    !away && !idle
}

/// Tells a sender what becomes of its messages: docs/extensions.md.
pub struct Informant {
    uid: Uid,
    from: BareJid,
    to: BareJid,
    /// The messages, as their sender calls them.
    ids: Vec<String>,
    /// Of the latest that asks for a receipt.
    receipt: Option<String>,
    kept: Flags,
    id: String,
    at: Timestamp,
}

impl Informant {
    /// Tells of each step of a sending. That it waits is told once, when its carrier was not ready: else the carrier has it
    /// within moments, or it was not needed any more.
    pub fn of_sending(self) -> Telling {
        Box::new(move |sending| {
            let waits = sending.state == SendingState::Queued && sending.attempts != 1;
            (!waits).then(|| self.sending(sending))
        })
    }

    fn sending(self, sending: &Sending) -> Append {
        // XEP-0184 §5.5: a person has it, whichever way it came.
        let seen = matches!(sending.state, SendingState::Acknowledged | SendingState::Read);
        let (way, state, at) = (sending.what.way.name(), sending.state.name(), stamp(sending.changed));
        let number = sending.id.0.to_string();
        self.tell(seen, |x| {
            x.open("attempt")
                .attr("id", &number)
                .attr("way", way)
                .attr("state", state)
                .attr("at", &at)
                .close();
        })
    }

    /// Tells how it ended.
    pub fn end(self, state: CaseState) -> Append {
        let at = stamp(self.at);
        self.tell(false, |x| {
            x.open("end").attr("state", state.name()).attr("at", &at).close();
        })
    }

    fn tell(self, seen: bool, what: impl FnOnce(&mut Xml)) -> Append {
        let mut x = Xml::new();
        x.open("message").attr("from", self.from.as_str()).attr("to", self.to.as_str());
        x.attr("type", "chat").attr("id", &self.id);
        x.open_ns("reach", ns::REACH);
        for id in &self.ids {
            x.open("for").attr("id", id).close();
        }
        what(&mut x);
        x.close();
        if let Some(receipt) = self.receipt.filter(|_| seen) {
            x.open_ns("received", ns::RECEIPTS).attr("id", &receipt).close();
        }
        x.leaf_ns("store", ns::HINTS).close();
        let stanza = x.into_vec();
        let pointer = Pointer {
            uid: self.uid,
            peer: self.from,
            peer_resource: None,
            direction: Direction::In,
            resource: None,
            flags: Flags::DELIVER | self.kept,
        };
        let flags = Flags::COPY | Flags::CHAT;
        Append { stanza: stanza.into(), at: self.at, flags, pointers: smallvec![pointer], origin: None }
    }
}

/// A message in the name of an account, as if one of its devices had sent it: what it answered by another way.
pub struct Answer<'a> {
    /// Who answers.
    pub member: &'a Member,
    /// Whom.
    pub peer: &'a BareJid,
    /// What.
    pub text: &'a str,
    /// Names it: what was stored under this name is not stored again.
    pub id: &'a str,
}

impl Core {
    /// Stores what somebody answered by another way in both logs; it ends what the account is to be reached about there. It meets what
    /// any message of the account meets. False: there is nobody to say it to.
    pub async fn answer_for(&self, answer: Answer<'_>) -> Result<bool, StanzaError> {
        let Answer { member, peer, text, id } = answer;
        let Target::Account { member: to, .. } = self.target(&Jid::from(peer.clone())).await? else {
            return Ok(false);
        };
        let me = Jid::from(member.address.clone());
        if member.disabled || member.waits || to.disabled || to.blocks(&me) {
            return Ok(false);
        }
        self.pace.message(member, self.env.now())?;
        let reception = self.reception(&to, &member.address).await?;
        if reception == Strangers::Refuse {
            return Ok(false);
        }
        let mut x = Xml::new();
        x.open("message").attr("from", member.address.as_str()).attr("to", to.address.as_str());
        x.attr("type", "chat").attr("id", id).text_element("body", text).close();
        let stanza = x.into_vec();
        let read = Stanza::parse(&stanza).map_err(|_| StanzaError::internal_server_error())?;
        let class = classify(&read, Kind::Chat);
        let Some(letter) = pipeline::route(self, Kind::Chat, to.clone(), None)? else { return Ok(false) };
        let aside = self.screen(&me, &read, class, &letter).await? || reception == Strangers::SetAside;
        let pointer = |uid, peer: &BareJid, direction, flags| Pointer {
            uid,
            peer: peer.clone(),
            peer_resource: None,
            direction,
            resource: None,
            flags,
        };
        let theirs = match aside {
            true => Flags::REQUEST | Flags::ARCHIVE,
            false => Flags::DELIVER | archived(self, &to, &member.address, class).await?,
        };
        let mine = Flags::DELIVER | archived(self, member, &to.address, class).await? | Flags::REACH;
        let append = Append {
            stanza: stanza.into(),
            at: self.env.now(),
            flags: Flags(class.0 & !(Flags::ARCHIVE | Flags::DELIVER).0),
            pointers: smallvec![
                pointer(to.uid, &member.address, Direction::In, theirs),
                pointer(member.uid, &to.address, Direction::Out, mine)
            ],
            origin: Some(Origin { sender: member.uid, peer: to.address.clone(), id: id.into(), dedup: true }),
        };
        // What was stored before is there.
        self.store.append(append).await.map_err(store_error)?.await.map_err(store_error)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_be_urgent_and_who_is_nobody() {
        let address = |text: &str| BareJid::new(text).expect("an address");
        let (doctor, stranger) = (address("doctor@localhost"), address("stranger@localhost"));
        let mut reachable = Reachable {
            least: Urgency::Important,
            urgent: MayBeUrgent::Named,
            allowed: [doctor.clone()].into(),
        };
        // Who, whether a contact, what it claims, and what comes of it.
        let (important, urgent) = (Some(Urgency::Important), Some(Urgency::Urgent));
        assert_eq!(reachable.urgency(&stranger, false, Urgency::Urgent), None, "strangers cause no cost");
        assert_eq!(reachable.urgency(&stranger, true, Urgency::Urgent), important);
        assert_eq!(reachable.urgency(&stranger, true, Urgency::Normal), None);
        assert_eq!(reachable.urgency(&doctor, false, Urgency::Urgent), urgent);
        reachable.urgent = MayBeUrgent::Contacts;
        assert_eq!(reachable.urgency(&stranger, true, Urgency::Urgent), urgent);
        assert_eq!(reachable.urgency(&stranger, false, Urgency::Urgent), None);
    }
}
