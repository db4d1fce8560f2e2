//! What a request of the namespace `muc#admin` asks for (XEP-0045 §9, §10), read and checked before anything is looked up.

use super::privilege::{Affiliation, Role};
use crate::{address, limits};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;

/// Whom a change is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// The occupant of this nick.
    Nick(String),
    /// Whoever has this address, in the room or not.
    Jid(BareJid),
}

/// What somebody is to become.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum To {
    /// For this visit.
    Role(Role),
    /// For good.
    Affiliation {
        /// The relation.
        affiliation: Affiliation,
        /// The nick that is kept for this one (§9.3, example 124); `None`: as before.
        nick: Option<String>,
    },
}

/// One item of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Whom it is about.
    pub who: Who,
    /// What that one is to become.
    pub to: To,
    /// Why, in words.
    pub reason: Option<String>,
}

/// A list that is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum List {
    /// Those with this affiliation.
    Affiliation(Affiliation),
    /// The occupants with this role.
    Role(Role),
}

/// Reads what is to be changed: all items, or an error for all of them.
///
/// # Errors
/// `bad-request` for what makes no sense, `jid-malformed` for what is no address, `policy-violation` for more than
/// [`limits::ROOM_CHANGES`] items.
pub fn read(query: &Child<'_>) -> Result<Vec<Change>, StanzaError> {
    let mut changes: Vec<Change> = Vec::new();
    for item in items(query) {
        if changes.len() == limits::ROOM_CHANGES {
            let text = format!("At most {} changes at once.", limits::ROOM_CHANGES);
            return Err(StanzaError::policy_violation().text(text));
        }
        let change = change(&item)?;
        // Which of the two would count? Neither.
        if changes.iter().any(|known| known.who == change.who) {
            return Err(bad("Somebody is there twice."));
        }
        changes.push(change);
    }
    if changes.is_empty() { Err(bad("This changes nothing.")) } else { Ok(changes) }
}

/// Reads which list is asked for (§8.5, §9.2, §9.5, §9.8, §10.5, §10.8): one.
pub fn read_list(query: &Child<'_>) -> Result<List, StanzaError> {
    let mut items = items(query);
    let (Some(item), None) = (items.next(), items.next()) else {
        return Err(bad("A request for a list names one."));
    };
    match (affiliation(&item)?, role(&item)?) {
        (Some(affiliation), None) => Ok(List::Affiliation(affiliation)),
        (None, Some(role)) => Ok(List::Role(role)),
        _ => Err(bad("A list is one of a role or of an affiliation.")),
    }
}

fn items<'a>(query: &Child<'a>) -> impl Iterator<Item = Child<'a>> {
    query.children().filter(|child| child.is(ns::MUC_ADMIN, "item"))
}

fn change(item: &Child<'_>) -> Result<Change, StanzaError> {
    let nick = item.attr("nick").filter(|nick| !nick.is_empty()).map(|nick| nick.into_owned());
    let jid = item.attr("jid").map(|jid| address::parse(&jid)).transpose()?;
    let (who, kept) = match (jid, nick) {
        // A full address stands for its account: who is banned is banned with all devices (§9.1).
        (Some(jid), nick) => (Who::Jid(jid.to_bare()), nick),
        (None, Some(nick)) => (Who::Nick(nick), None),
        (None, None) => return Err(bad("An item says who.")),
    };
    let to = match (affiliation(item)?, role(item)?) {
        (Some(affiliation), None) => To::Affiliation { affiliation, nick: kept },
        (None, Some(role)) => To::Role(role),
        _ => return Err(bad("An item changes either the role or the affiliation.")),
    };
    let reason = item.child(ns::MUC_ADMIN, "reason").map(|reason| reason.text().into_owned());
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    if reason.as_ref().is_some_and(|reason| reason.len() > limits::ROOM_TEXT) {
        return Err(StanzaError::policy_violation().text("The reason is too long."));
    }
    Ok(Change { who, to, reason })
}

fn affiliation(item: &Child<'_>) -> Result<Option<Affiliation>, StanzaError> {
    let read = |name: &str| Affiliation::from_name(name).ok_or_else(|| bad("There is no such affiliation."));
    item.attr("affiliation").map(|name| read(&name)).transpose()
}

fn role(item: &Child<'_>) -> Result<Option<Role>, StanzaError> {
    let read = |name: &str| Role::from_name(name).ok_or_else(|| bad("There is no such role."));
    item.attr("role").map(|name| read(&name)).transpose()
}

fn bad(text: &str) -> StanzaError {
    StanzaError::bad_request().text(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_proto::stanza::Stanza;

    fn with<T>(items: &str, read: impl Fn(&Child<'_>) -> T) -> T {
        let xml = format!("<iq><query xmlns='{}'>{items}</query></iq>", ns::MUC_ADMIN);
        let stanza = Stanza::parse(xml.as_bytes()).unwrap();
        read(&stanza.child(ns::MUC_ADMIN, "query").unwrap())
    }

    fn condition(items: &str) -> &'static str {
        with(items, read).unwrap_err().condition
    }

    #[test]
    fn what_is_to_be_changed() {
        let xml = "<item nick='pistol' role='none'><reason>Avaunt!</reason></item>\
            <item jid='hag66@localhost/pda' affiliation='member' nick='thirdwitch'/>\
            <item nick='puck' affiliation='outcast'><reason> </reason></item>";
        let changes = with(xml, read).unwrap();
        let hag = Who::Jid(BareJid::new("hag66@localhost").unwrap());
        let member = To::Affiliation { affiliation: Affiliation::Member, nick: Some("thirdwitch".into()) };
        let banned = To::Affiliation { affiliation: Affiliation::Outcast, nick: None };
        let pistol = Who::Nick("pistol".into());
        let expected = [
            Change { who: pistol, to: To::Role(Role::None), reason: Some("Avaunt!".into()) },
            Change { who: hag, to: member, reason: None },
            Change { who: Who::Nick("puck".into()), to: banned, reason: None },
        ];
        assert_eq!(changes, expected);
    }

    #[test]
    fn what_makes_no_sense() {
        for xml in [
            "",
            "<item/>",
            "<item nick='a'/>",
            "<item nick='' role='none'/>",
            "<item role='none'/>",
            "<item nick='a' role='none' affiliation='member'/>",
            "<item nick='a' role='king'/>",
            "<item nick='a' affiliation='Owner'/>",
            "<item nick='a' role='none'/><item nick='a' role='visitor'/>",
            "<item jid='a@b/1' affiliation='none'/><item jid='A@B/2' affiliation='member'/>",
        ] {
            assert_eq!(condition(xml), "bad-request", "{xml}");
        }
        assert_eq!(condition("<item jid='@' affiliation='member'/>"), "jid-malformed");
        let long = "x".repeat(limits::ROOM_TEXT + 1);
        let xml = format!("<item nick='a' role='none'><reason>{long}</reason></item>");
        assert_eq!(condition(&xml), "policy-violation");
    }

    #[test]
    fn no_more_than_can_be_done_at_once() {
        let many = |n: usize| -> String {
            (0..n).map(|n| format!("<item jid='u{n}@localhost' affiliation='member'/>")).collect()
        };
        assert_eq!(with(&many(limits::ROOM_CHANGES), read).unwrap().len(), limits::ROOM_CHANGES);
        assert_eq!(condition(&many(limits::ROOM_CHANGES + 1)), "policy-violation");
    }

    #[test]
    fn which_list() {
        let list = |xml: &str| with(xml, read_list);
        assert_eq!(list("<item affiliation='outcast'/>"), Ok(List::Affiliation(Affiliation::Outcast)));
        assert_eq!(list("<item role='moderator'/>"), Ok(List::Role(Role::Moderator)));
        for xml in [
            "",
            "<item/>",
            "<item role='x'/>",
            "<item role='none' affiliation='none'/>",
            "<item role='none'/><item role='none'/>",
        ] {
            assert_eq!(list(xml).unwrap_err().condition, "bad-request", "{xml}");
        }
    }
}
