//! What who enters is shown of what was said before (XEP-0045 §7.2.13 to §7.2.15), and messages of a room's log as its
//! occupants get them.

use super::config::RoomConfig;
use super::room::Place;
use crate::env::{parse_stamp, stamp};
use crate::render::{archive_id, delay_into};
use crate::session::{Again, Said, Session};
use crate::{Core, flags, limits};
use bytes::Bytes;
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Stanza, write_with};
use rookery_proto::xml::{ScanError, Xml};
use rookery_proto::{Uid, Useq};
use rookery_store::{Entry, Flags, GroupSubject, PageQuery, Timestamp, Window};
use std::collections::HashMap;
use std::sync::Arc;

/// What a client wants of what was said before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// So many messages at most.
    pub stanzas: usize,
    /// So many bytes of stanzas at most: as near to characters of the stream as matters.
    pub chars: usize,
    /// Nothing from before this.
    pub since: Option<Timestamp>,
}

impl Wanted {
    /// Nothing at all.
    pub const NOTHING: Wanted = Wanted { stanzas: 0, chars: 0, since: None };

    /// Reads `<history/>` of who enters (§7.2.14) within what the room is set to. What cannot be read is not there.
    pub fn read(x: Option<&Child<'_>>, config: &RoomConfig, now: Timestamp) -> Wanted {
        let history = x.and_then(|x| x.child(ns::MUC, "history"));
        let attr = |name| history.as_ref().and_then(|history| history.attr(name));
        let number = |name| attr(name).and_then(|value| value.trim().parse::<u32>().ok());
        let most = config.history.min(limits::ROOM_HISTORY) as usize;
        let ago = number("seconds").map(|seconds| Timestamp(now.0 - i64::from(seconds) * 1_000));
        let since = attr("since").and_then(|since| parse_stamp(&since));
        Wanted {
            stanzas: number("maxstanzas").map_or(most, |wanted| most.min(wanted as usize)),
            chars: number("maxchars").map_or(usize::MAX, |wanted| wanted as usize),
            since: since.max(ago),
        }
    }
}

/// The messages that `wanted` describes, up to `last` of the room's log, oldest first and without `to`. Where the log cannot
/// be read there are none: the archive will have them.
pub(super) async fn read(core: &Core, place: &Place, wanted: &Wanted, last: Useq) -> Vec<Bytes> {
    if wanted.stanzas == 0 || wanted.chars == 0 || last == Useq(0) {
        return Vec::new();
    }
    let query =
        PageQuery { start: wanted.since, window: Window::Last, max: wanted.stanzas, ..PageQuery::default() };
    let page = match core.store.page(place.uid, query).await {
        Ok(page) => page,
        Err(error) => {
            tracing::warn!(uid = place.uid.0, %error, "a room's history could not be read");
            None
        }
    };
    let (mut said, mut room) = (Vec::new(), wanted.chars);
    for entry in page.iter().flat_map(|page| page.entries.iter().rev()) {
        // What came after it will be handed out.
        let later = entry.useq > last;
        if later || entry.flags.has(flags::SUBJECT) || entry.flags.has(Flags::RETRACTED) {
            continue;
        }
        let Ok(stanza) = recalled(place, entry) else { continue };
        let Some(left) = room.checked_sub(stanza.len()) else { break };
        room = left;
        said.push(stanza);
    }
    said.reverse();
    said
}

/// An entry of the log as the occupants get it straight from its commit, with its id there (XEP-0359).
pub(super) fn said(place: &Place, entry: &Entry) -> Result<Said, ScanError> {
    let stanza = with(entry, stanza_id(place, entry))?;
    Ok(Said { room: place.uid, useq: entry.useq, stanza })
}

/// The same for who gets it later: with the time at which it was said. Nothing if there is nothing to be read any more.
fn said_before(place: &Place, entry: &Entry) -> Option<Said> {
    if entry.flags.has(Flags::RETRACTED) {
        return None;
    }
    let stanza = recalled(place, entry).ok()?;
    Some(Said { room: place.uid, useq: entry.useq, stanza })
}

impl Core {
    /// Reads on in the log of a room in which a session is behind.
    pub(crate) async fn catch_up_in_rooms(&self, session: &Session) -> rookery_store::Result<()> {
        let Some(behind) = session.state().must_catch_up_in() else { return Ok(()) };
        let page = self.store.events_after(behind.place.uid, behind.last, limits::CATCH_UP).await?;
        let upto = page.last().map(|entry| entry.useq);
        let said = page.iter().filter_map(|entry| said_before(&behind.place, entry)).collect();
        session.state().catch_up_in(&behind, said, upto);
        Ok(())
    }

    /// Entries of rooms' logs that were written to a client and not acknowledged, as far as they are still there.
    pub(crate) async fn said_again(&self, wanted: HashMap<Uid, Vec<Useq>>) -> rookery_store::Result<Again> {
        let mut again = Again::new();
        for (uid, useqs) in wanted {
            let Some(group) = self.store.group(uid).await? else { continue };
            let place = self.place_of(&group);
            let entries = self.entries(uid, useqs).await?;
            let said = entries.values().filter_map(|entry| said_before(&place, entry));
            again.extend(said.map(|said| ((uid, said.useq), Arc::new(said))));
        }
        Ok(again)
    }
}

/// A message of the log with its id there, and when it was said (§7.2.13); without `to`.
fn recalled(place: &Place, entry: &Entry) -> Result<Bytes, ScanError> {
    let mut x = stanza_id(place, entry);
    delay_into(&mut x, Some(place.address.as_str()), entry.at);
    with(entry, x)
}

fn with(entry: &Entry, extra: Xml) -> Result<Bytes, ScanError> {
    let mut out = Vec::with_capacity(entry.stanza.len() + 256);
    write_with(&entry.stanza, false, &extra.into_vec(), &mut out)?;
    Ok(out.into())
}

pub(super) fn stanza_id(place: &Place, entry: &Entry) -> Xml {
    let mut x = Xml::new();
    let id = archive_id(entry.useq, place.epoch);
    x.open_ns("stanza-id", ns::SID).attr("by", place.address.as_str()).attr("id", &id).close();
    x
}

/// What the room is about, also where nothing was said of it (§7.2.15). Without `to`.
pub(super) fn subject(place: &Place) -> Bytes {
    let subject = place.subject();
    let mut x = Xml::new();
    let from = match &subject {
        Some(subject) => place.address_of(&subject.by),
        None => place.address.to_string(),
    };
    x.open("message").attr("from", &from).attr("type", "groupchat");
    x.text_element("subject", subject.as_ref().map_or("", |subject| &subject.text));
    if let Some(subject) = &subject {
        let at = stamp(subject.at);
        x.open_ns("delay", ns::DELAY).attr("from", place.address.as_str()).attr("stamp", &at).close();
    }
    x.close();
    x.into_vec().into()
}

/// What an entry that sets the subject says.
pub(super) fn subject_of(entry: &Entry) -> Option<GroupSubject> {
    let stanza = Stanza::parse(&entry.stanza).ok()?;
    let text = stanza.child(ns::CLIENT, "subject")?.text().into_owned();
    let by = entry.peer_resource.as_deref().unwrap_or_default().to_owned();
    Some(GroupSubject { text, by, at: entry.at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(history: &str, most: u32) -> Wanted {
        let xml = format!("<presence><x xmlns='http://jabber.org/protocol/muc'>{history}</x></presence>");
        let stanza = Stanza::parse(xml.as_bytes()).expect("well-formed");
        let config = RoomConfig { history: most, ..RoomConfig::default() };
        Wanted::read(stanza.child(ns::MUC, "x").as_ref(), &config, Timestamp(1_000_000))
    }

    #[test]
    fn a_client_says_how_much_it_wants() {
        let all = Wanted { stanzas: 20, chars: usize::MAX, since: None };
        assert_eq!(wanted("", 20), all);
        assert_eq!(wanted("<history maxstanzas='5'/>", 20), Wanted { stanzas: 5, ..all });
        assert_eq!(wanted("<history maxstanzas='50'/>", 20), all);
        assert_eq!(wanted("<history maxstanzas='-1' maxchars='x'/>", 20), all);
        assert_eq!(wanted("<history maxchars='0'/>", 20), Wanted { chars: 0, ..all });
        let since = |at| Wanted { since: Some(Timestamp(at)), ..all };
        assert_eq!(wanted("<history seconds='10'/>", 20), since(990_000));
        assert_eq!(wanted("<history since='1970-01-01T00:00:05Z'/>", 20), since(5_000));
        assert_eq!(wanted("<history since='1970-01-01T00:00:05Z' seconds='10'/>", 20), since(990_000));
        assert_eq!(wanted("", 1_000).stanzas, limits::ROOM_HISTORY as usize);
    }
}
