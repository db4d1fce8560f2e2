//! Log entries as they go over the wire: with their id, their time, and as carbon copy or archive result.

use crate::address::compose;
use crate::env::stamp;
use crate::muc::room::Place;
use crate::presence::broadcast::addressed;
use crate::session::{Form, Said, Session, Turn};
use crate::{flags, muc};
use rookery_proto::Useq;
use rookery_proto::jid::{BareJid, FullJid};
use rookery_proto::ns;
use rookery_proto::stanza::{self, Edit, Stanza};
use rookery_proto::xml::{ScanError, Xml};
use rookery_store::{Conversation, Direction, Entry, Flags, Timestamp};

/// The id of an entry in its owner's archive: the position, and the account's salt, so that an account made anew
/// under the same name never seems to repeat an older one's ids.
pub fn archive_id(useq: Useq, epoch: u32) -> String {
    format!("{useq}-{epoch:08x}")
}

/// Reads what [`archive_id`] wrote for the same account; `None` for anything else.
pub fn parse_archive_id(text: &str, epoch: u32) -> Option<Useq> {
    let (useq, salt) = text.split_once('-')?;
    let plain = !useq.is_empty() && useq.bytes().all(|b| b.is_ascii_digit());
    (plain && salt == format!("{epoch:08x}")).then(|| useq.parse().ok().map(Useq)).flatten()
}

/// Bytes around a message that is forwarded, and in its id: room for them is asked for once.
const WRAPPING: usize = 640;

/// Bytes of a stanza's id, and of the time it was sent.
const EXTRA: usize = 224;

/// Who gets an entry written out.
pub struct Reader<'a> {
    /// The session, of the account whose log the entry is in.
    pub session: &'a Session,
    /// The server's domain, which stamps delays.
    pub domain: &'a str,
}

impl Reader<'_> {
    /// An entry as `form` wants it: always exactly one stanza, so that the client's count and ours agree.
    pub fn entry(&self, entry: &Entry, form: Form, turn: Turn, out: &mut Vec<u8>) {
        let start = out.len();
        let written = match form {
            Form::Direct => {
                let mut extra = self.stanza_id(entry);
                if turn != Turn::Live {
                    delay(&mut extra, self.domain, entry.at);
                }
                stanza::write_with(&entry.stanza, false, &extra.into_vec(), out)
            }
            Form::Received => self.carbon("received", entry, out),
            Form::Sent => self.carbon("sent", entry, out),
        };
        if let Err(error) = written {
            tracing::error!(
                uid = self.session.uid.0,
                useq = entry.useq.0,
                ?error,
                "a stored message cannot be read"
            );
            out.truncate(start);
            out.extend_from_slice(b"<message/>");
        }
    }

    /// Something that was said in a room.
    pub fn said(&self, said: &Said, out: &mut Vec<u8>) {
        out.extend_from_slice(&addressed(&said.stanza, self.session.jid.as_str()));
    }

    /// A carbon copy (XEP-0280 §7, §8): from the account to its own resource.
    fn carbon(&self, name: &str, entry: &Entry, out: &mut Vec<u8>) -> Result<(), ScanError> {
        let kind = match entry.flags.has(Flags::CHAT) {
            true => Some("chat".into()),
            false => Stanza::parse(&entry.stanza).ok().and_then(|s| s.type_().map(|t| t.into_owned())),
        };
        let mut x = Xml::with_capacity(entry.stanza.len() + WRAPPING);
        x.open("message").attr("from", self.session.address.as_str()).attr("to", self.session.jid.as_str());
        x.opt("type", kind);
        x.open_ns(name, ns::CARBONS).open_ns("forwarded", ns::FORWARD);
        delay_into(&mut x, None, entry.at);
        self.forwarded(&mut x, entry)?;
        x.close().close().close();
        out.extend_from_slice(&x.into_vec());
        Ok(())
    }

    /// An archive result (XEP-0313 §4.2): the original with its id and the time it was taken.
    pub fn result(&self, entry: &Entry, query: Option<&str>) -> Result<Vec<u8>, ScanError> {
        let mut x = Xml::new();
        x.open("message").attr("from", self.session.address.as_str()).attr("to", self.session.jid.as_str());
        self.result_into(&mut x, entry, query)?;
        x.close();
        Ok(x.into_vec())
    }

    /// A conversation of the inbox (XEP-0430 §3.1), and its latest message as a result of the archive that it is in: the
    /// account's own, or that of `group`.
    pub(crate) fn conversation(
        &self,
        one: &Conversation,
        group: Option<&Place>,
        query: Option<&str>,
    ) -> Result<Vec<u8>, ScanError> {
        let epoch = group.map_or(self.session.epoch, |group| group.epoch);
        let mut x = Xml::new();
        x.open("message").attr("from", self.session.address.as_str()).attr("to", self.session.jid.as_str());
        x.open_ns("entry", ns::INBOX).attr("jid", one.peer.as_str());
        x.attr("unread", &one.unread.to_string());
        x.attr("id", &archive_id(one.last, epoch)).close();
        match (&one.message, group) {
            (Some(message), Some(group)) => muc::archive::result_into(&mut x, group, message, query, false)?,
            (Some(message), None) => self.result_into(&mut x, message, query)?,
            (None, _) => {}
        }
        x.close();
        Ok(x.into_vec())
    }

    fn result_into(&self, x: &mut Xml, entry: &Entry, query: Option<&str>) -> Result<(), ScanError> {
        x.open_ns("result", ns::MAM).opt("queryid", query);
        x.attr("id", &archive_id(entry.useq, self.session.epoch));
        x.open_ns("forwarded", ns::FORWARD);
        delay_into(x, None, entry.at);
        self.forwarded(x, entry)?;
        x.close().close();
        Ok(())
    }

    /// A message that waited, as its client asked for it by the name `node` (XEP-0013 §2.4).
    pub fn offline(&self, entry: &Entry, node: &str) -> Result<Vec<u8>, ScanError> {
        let mut extra = self.stanza_id(entry);
        delay(&mut extra, self.domain, entry.at);
        extra.open_ns("offline", ns::FLEXIBLE_OFFLINE).open("item").attr("node", node).close().close();
        let mut out = Vec::with_capacity(entry.stanza.len() + 512);
        stanza::write_with(&entry.stanza, false, &extra.into_vec(), &mut out)?;
        Ok(out)
    }

    fn forwarded(&self, x: &mut Xml, entry: &Entry) -> Result<(), ScanError> {
        let mut inner = Vec::with_capacity(entry.stanza.len() + EXTRA);
        let id = self.stanza_id(entry).into_vec();
        if entry.flags.has(flags::WHISPER) {
            inner = self.whispered(entry, &id)?;
        } else {
            stanza::write_with(&entry.stanza, true, &id, &mut inner)?;
        }
        x.raw(&inner);
        Ok(())
    }

    /// A private message in a group is kept as the room has it, from one occupant to the other; to its owner it is from the
    /// owner's own address, or to it.
    fn whispered(&self, entry: &Entry, append: &[u8]) -> Result<Vec<u8>, ScanError> {
        let own = compose(&self.session.address, entry.resource.as_deref());
        let other = compose(&entry.peer, entry.peer_resource.as_deref());
        let (from, to) = match entry.direction {
            Direction::In => (other, own),
            Direction::Out => (own, other),
        };
        let set = [("from", from.as_str()), ("to", to.as_str())];
        let stanza = Stanza::parse(&entry.stanza)?;
        Ok(stanza.render(&Edit { set: &set, append, xmlns: true, ..Edit::default() }))
    }

    /// `<stanza-id/>` (XEP-0359) of a logged entry; nothing for what is in no log.
    fn stanza_id(&self, entry: &Entry) -> Xml {
        let mut x = Xml::with_capacity(EXTRA);
        if entry.useq != Useq(0) {
            let id = archive_id(entry.useq, self.session.epoch);
            x.open_ns("stanza-id", ns::SID).attr("by", self.session.address.as_str()).attr("id", &id).close();
        }
        x
    }
}

fn delay(x: &mut Xml, from: &str, at: Timestamp) {
    delay_into(x, Some(from), at);
}

/// `<delay/>` (XEP-0203).
pub fn delay_into(x: &mut Xml, from: Option<&str>, at: Timestamp) {
    x.open_ns("delay", ns::DELAY).opt("from", from).attr("stamp", &stamp(at)).close();
}

/// The tombstone of a retracted message (XEP-0424 §5): who and when stay, what was said is gone.
pub fn tombstone(retraction: &Stanza, from: &FullJid, to: &BareJid, id: &str, at: Timestamp) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("message").attr("from", from.as_str()).attr("to", to.as_str());
    x.opt("type", retraction.type_().as_deref()).attr("id", id);
    x.open_ns("retracted", ns::RETRACT)
        .attr("stamp", &stamp(at))
        .opt("id", retraction.id().as_deref())
        .close();
    x.close();
    x.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archive_ids_belong_to_one_account() {
        let id = archive_id(Useq(57), 0xdead_beef);
        assert_eq!(id, "57-deadbeef");
        assert_eq!(parse_archive_id(&id, 0xdead_beef), Some(Useq(57)));
        assert_eq!(parse_archive_id(&id, 1), None);
        for bad in ["", "-", "57", "x-deadbeef", "+5-deadbeef", "99999999999999999999999-deadbeef"] {
            assert_eq!(parse_archive_id(bad, 0xdead_beef), None, "{bad}");
        }
    }
}
