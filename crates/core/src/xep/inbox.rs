//! XEP-0430: Inbox: the conversations of an account with what is unread in them, in one answer.
//!
//! The inbox is a view of archives, as `store/inbox.rs` says. A small group is a conversation like any other, for its messages
//! stand in its members' logs; other groups are read in archives of their own (`muc/inbox.rs`). No message is read twice for it:
//! a group is shown by the latest of its entries.
//!
//! What an account has read is known from three sources, and only the furthest counts: what it answered, markers that its
//! clients sent (XEP-0333), and what they published for one another (XEP-0490).

use super::{Xep, mam};
use crate::address::Target;
use crate::answer::{Answer, Reply};
use crate::member::Member;
use crate::muc::room;
use crate::render::{Reader, archive_id, parse_archive_id};
use crate::xep::pep::Draft;
use crate::{Core, Ctx, address, limits, muc, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Stanza};
use rookery_proto::xml::Xml;
use rookery_proto::{Uid, Useq};
use rookery_store::{Displayed, Inbox, InboxQuery, Item, Place, StoreError, Timestamp, Upto, Window};

/// XEP-0430.
pub const INFO: Xep = Xep {
    number: "XEP-0430",
    name: "Inbox",
    version: "0.2.0",
    server: &[],
    account: &[ns::INBOX],
    note: "Whole, paged by XEP-0059 from the latest on. A view of the archive, and of those of the groups that one is a member of, is in or has bookmarked: up to 256. Up to 1,000 unread are counted in a conversation.",
};

/// The inbox (§3.1): a message for each conversation, then the counts.
pub async fn get(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let part = match payload.child(ns::RSM, "set") {
        Some(set) => mam::window(&set, |id| parse_place(id).ok_or_else(StanzaError::item_not_found))?,
        None => mam::Part { window: Window::First, max: None },
    };
    let groups = muc::inbox::groups(ctx).await?;
    let query = InboxQuery {
        own: ctx.member.address.clone(),
        unread_only: flag(payload, "unread-only", false)?,
        messages: flag(payload, "messages", true)?,
        groups: groups.values().map(|(group, _)| group.clone()).collect(),
        window: part.window,
        max: part.max.unwrap_or(limits::ARCHIVE_PAGE_DEFAULT as usize),
    };
    let inbox = ctx.core.store.inbox(ctx.member.uid, query).await.map_err(store_error)?;
    let reader = Reader { session: ctx.session, domain: &ctx.core.policy.domain };
    let id = ctx.stanza.id();
    for one in &inbox.conversations {
        let group = groups.get(&one.active.log).map(|(_, place)| place);
        match reader.conversation(one, group, id.as_deref()) {
            Ok(conversation) => ctx.session.push(conversation.into()),
            Err(error) => {
                tracing::error!(useq = one.active.useq.0, ?error, "a stored message cannot be read")
            }
        }
    }
    Ok(Reply::Payload(fin(&inbox)))
}

/// A boolean attribute (XML Schema §3.2.2).
fn flag(payload: &Child<'_>, name: &str, default: bool) -> Result<bool, StanzaError> {
    match payload.attr(name).as_deref() {
        None => Ok(default),
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        Some(_) => Err(StanzaError::bad_request().text(format!("{name} is true or false."))),
    }
}

/// How a place in the list is called (XEP-0059 §2.2): by the latest message there, as the list may change between two pages, and
/// what was shown is not shown again.
fn place_name(place: Place) -> String {
    format!("{}-{}-{}", place.at.0, place.log, place.useq)
}

/// Reads what [`place_name`] wrote.
fn parse_place(text: &str) -> Option<Place> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let mut part = || parts.next().flatten();
    Some(Place { at: Timestamp(part()?.try_into().ok()?), log: Uid(part()?), useq: Useq(part()?) })
}

/// `<fin/>` (§3.1).
fn fin(inbox: &Inbox) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("fin", ns::INBOX).attr("total", &inbox.total.to_string());
    x.attr("unread", &inbox.unread.to_string()).attr("all-unread", &inbox.all_unread.to_string());
    x.open_ns("set", ns::RSM);
    if let (Some(first), Some(last)) = (inbox.conversations.first(), inbox.conversations.last()) {
        x.open("first").attr("index", &inbox.first_index.to_string());
        x.text(&place_name(first.active)).close();
        x.text_element("last", &place_name(last.active));
    }
    x.text_element("count", &inbox.count.to_string());
    x.close().close();
    x.into_vec()
}

/// Whether it is an instant message, which is unread until it is read (§4): a text, a file, an invitation, an encrypted
/// payload. What is said about another message is not.
pub(crate) fn is_instant(stanza: &Stanza) -> bool {
    let about = |child: Child<'_>| match child.ns() {
        ns::REACTIONS | ns::RETRACT => true,
        ns::CORRECT => child.name() == "replace",
        _ => false,
    };
    let says = |child: Child<'_>| match child.ns() {
        ns::CLIENT => child.name() == "body",
        ns::OOB | ns::MUC_DIRECT | ns::ATTENTION | ns::OPENPGP | ns::PGP_ENCRYPTED => true,
        ns::MUC_USER => child.child(ns::MUC_USER, "invite").is_some(),
        // XEP-0384 §4.6: without a payload it only moves keys.
        ns::OMEMO | ns::OMEMO_AXOLOTL => child.child(child.ns(), "payload").is_some(),
        _ => false,
    };
    stanza.children().any(says) && !stanza.children().any(about)
}

/// What the sender of a marker has read (XEP-0333 §4.2).
pub(crate) fn of_marker(ctx: &Ctx<'_>, peer: &BareJid) -> Option<Displayed> {
    let id = displayed_id(ctx.stanza)?;
    // A client that was given nothing else names the id under which the message stands in the archive.
    let upto = match parse_archive_id(&id, ctx.member.epoch) {
        Some(useq) => Upto::Entry(useq),
        None => Upto::Named { to: ctx.member.address.clone(), id: id.into() },
    };
    Some(Displayed { uid: ctx.member.uid, peer: peer.clone(), upto })
}

/// What the sender of a marker has read in a group, which names the group's own id of the message (XEP-0333 §4.4).
pub(crate) fn of_group_marker(ctx: &Ctx<'_>, group: &room::Place) -> Option<Displayed> {
    let useq = parse_archive_id(&displayed_id(ctx.stanza)?, group.epoch)?;
    let upto = Upto::Shared(group.uid, useq);
    Some(Displayed { uid: ctx.member.uid, peer: group.address.clone(), upto })
}

/// Which message a marker names; `acknowledged` is of that standard's older versions.
fn displayed_id(stanza: &Stanza) -> Option<String> {
    let is_marker =
        |child: &Child<'_>| child.ns() == ns::MARKERS && matches!(child.name(), "displayed" | "acknowledged");
    stanza.children().find(is_marker)?.attr("id").map(|id| id.into_owned())
}

/// What the owner of an item of the node [`ns::MDS`] has read (XEP-0490 §3): the item's id is the conversation's address.
/// An item that says something else is none of ours.
pub(crate) async fn of_item(ctx: &Ctx<'_>, item: &Item) -> Result<Option<Displayed>, StanzaError> {
    let Ok(jid) = address::parse(&item.id) else { return Ok(None) };
    let Ok(payload) = Stanza::parse(&item.payload) else { return Ok(None) };
    let Some(id) = payload.child(ns::SID, "stanza-id").filter(|_| payload.is(ns::MDS, "displayed")) else {
        return Ok(None);
    };
    let (Some(by), Some(id)) = (id.attr("by"), id.attr("id")) else { return Ok(None) };
    let Ok(by) = address::parse(&by) else { return Ok(None) };
    if jid.resource().is_some() {
        return Ok(None);
    }
    let (uid, own) = (ctx.member.uid, &ctx.member.address);
    let (peer, group) = match ctx.core.target(&jid).await? {
        Target::Group { local, .. } => match ctx.core.room(&local).await? {
            Some(room) => (room.place.address.clone(), Some(room)),
            None => return Ok(None),
        },
        _ => (ctx.core.canonical(jid.to_bare()).await?, None),
    };
    // The id is that of the own archive, or of the group's (§3).
    let upto = match &group {
        _ if ctx.core.canonical(by.to_bare()).await? == *own => {
            parse_archive_id(&id, ctx.member.epoch).map(Upto::Entry)
        }
        Some(room) if by.to_bare() == jid.to_bare() => {
            parse_archive_id(&id, room.place.epoch).map(|useq| Upto::Shared(room.place.uid, useq))
        }
        _ => None,
    };
    Ok(upto.map(|upto| Displayed { uid, peer, upto }))
}

impl Core {
    /// Tells the account's devices that it has read a conversation up to a place of its own log, where they keep such places
    /// (XEP-0490 §3). The store knows it already.
    pub async fn tell_displayed(
        &self,
        member: &Member,
        peer: &BareJid,
        upto: Useq,
    ) -> Result<(), StoreError> {
        let Some(node) = self.store.node(member.uid, ns::MDS).await? else { return Ok(()) };
        let mut x = Xml::new();
        x.open_ns("displayed", ns::MDS).open_ns("stanza-id", ns::SID);
        x.attr("by", member.address.as_str()).attr("id", &archive_id(upto, member.epoch)).close().close();
        let (id, publisher) = (peer.to_string(), member.address.to_string());
        let mut draft = Draft::default();
        draft.add(node.into(), Item { id, at: self.env.now(), publisher, payload: x.into_vec().into() });
        match draft.commit(self, &self.store, member).await {
            // It was deleted, or is another now: nobody waits for this there.
            Err(StoreError::Conflict) => Ok(()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_instant() {
        let instant = |children: &str| {
            let xml = format!("<message type='chat'>{children}</message>");
            is_instant(&Stanza::parse(xml.as_bytes()).expect("well-formed"))
        };
        for children in [
            "<body>hi</body>",
            "<x xmlns='jabber:x:oob'><url>https://example.org/</url></x>",
            "<x xmlns='jabber:x:conference' jid='room@example.org'/>",
            "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@example.org'/></x>",
            "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/><payload>x</payload></encrypted>",
            "<body>hi</body><markable xmlns='urn:xmpp:chat-markers:0'/>",
        ] {
            assert!(instant(children), "{children}");
        }
        for children in [
            "<received xmlns='urn:xmpp:receipts' id='1'/>",
            "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>",
            "<body>hi</body><replace xmlns='urn:xmpp:message-correct:0' id='1'/>",
            "<body>fallback</body><reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>x</reaction></reactions>",
            "<body>fallback</body><retract xmlns='urn:xmpp:message-retract:1' id='1'/>",
            "<x xmlns='http://jabber.org/protocol/muc#user'/>",
            "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted>",
            "<subject>not said, but set</subject>",
        ] {
            assert!(!instant(children), "{children}");
        }
    }
}
