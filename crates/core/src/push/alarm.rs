//! What a device is told of a message, and whether it is worth being told.

use rookery_proto::jid::BareJid;
use rookery_proto::stanza::Stanza;
use rookery_proto::{Uid, Useq, ns};
use rookery_store::{Entry, Flags, PushContent, Timestamp};

use crate::limits;

/// What a device is told: of one conversation, the newest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// The conversation.
    pub peer: BareJid,
    /// Who wrote, if the owner lets that be told: an address, or an occupant's.
    pub sender: Option<String>,
    /// What was written, if the owner lets that be told.
    pub body: Option<String>,
    /// How many messages this stands for.
    pub count: u32,
    /// How soon it should arrive.
    pub urgency: Urgency,
    /// The message's place in the log.
    pub useq: Useq,
    /// By what a session has taken it.
    pub(super) taken: Taken,
    /// When it is told, if the device has not taken the message by then.
    pub due: Timestamp,
    /// When the message came.
    pub at: Timestamp,
}

/// By what a session has taken a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// It has its place in the account's log.
    Log,
    /// It was said in a group: the session is in this room, and has its log up to there.
    Room(Uid, Useq),
    /// It was said in a group where no session of the account was.
    Nowhere,
}

/// RFC 8030 §5.3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Urgency {
    /// A message.
    Normal,
    /// A call, or one that names the owner.
    High,
}

impl Notice {
    /// Takes an older one of the same conversation into this.
    pub(super) fn replace(&mut self, older: &Notice) {
        self.count = self.count.saturating_add(older.count);
        self.urgency = self.urgency.max(older.urgency);
        self.due = self.due.min(older.due);
    }
}

/// Whether a person would want to be called for it: a text, a file, a call, an invitation, something encrypted that has a
/// content. Not for receipts, markers, reactions and keys.
pub(super) fn is_worth_telling(entry: &Entry, stanza: &Stanza) -> bool {
    let keys_only = |encrypted: &rookery_proto::stanza::Child<'_>| {
        let omemo = matches!(encrypted.ns(), ns::OMEMO | ns::OMEMO_AXOLOTL);
        omemo && encrypted.child(encrypted.ns(), "payload").is_none()
    };
    if entry.flags.has(Flags::ENCRYPTED) {
        return !stanza.children().any(|child| keys_only(&child));
    }
    stanza.children().any(|child| match (child.ns(), child.name()) {
        (ns::CLIENT, "body") => !child.text().is_empty(),
        (ns::JINGLE_MESSAGE, "propose") => true,
        (ns::MUC_USER, _) => child.child(ns::MUC_USER, "invite").is_some(),
        (ns::OOB | ns::MUC_DIRECT | ns::ATTENTION, _) => true,
        _ => false,
    })
}

/// What is told of an entry.
pub(super) fn notice(
    entry: &Entry,
    stanza: &Stanza,
    content: PushContent,
    (due, taken): (Timestamp, Taken),
    mentioned: bool,
) -> Notice {
    let sender = || match &entry.peer_resource {
        Some(resource) => format!("{}/{resource}", entry.peer),
        None => entry.peer.to_string(),
    };
    // The body beside an encrypted content is for those who cannot read it, and says nothing.
    let readable = content == PushContent::Full && !entry.flags.has(Flags::ENCRYPTED);
    let body =
        stanza.child(ns::CLIENT, "body").filter(|_| readable).map(|body| cut(body.text().into_owned()));
    let calls =
        stanza.has_child(ns::JINGLE_MESSAGE, "propose") || stanza.has_child(ns::ATTENTION, "attention");
    Notice {
        peer: entry.peer.clone(),
        sender: (content >= PushContent::Sender).then(sender),
        body: body.filter(|body| !body.is_empty()),
        count: 1,
        urgency: if calls || mentioned { Urgency::High } else { Urgency::Normal },
        useq: entry.useq,
        taken,
        due,
        at: entry.at,
    }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(limits::PUSH_BODY));
    text
}
