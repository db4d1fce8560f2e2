//! What waits for an account, a piece at a time.

use super::words::{Sentence, goes_on, unread};
use super::{Caller, Gateway, Language};
use crate::mail::address::unescape;
use crate::sms::limits;
use crate::sms::text::Parts;
use rookery_core::store_error;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_store::limits::{DESK_LISTED, PAGE};
use rookery_store::{
    Desk, DeskItem, Direction, Displayed, Entry, Flags, InboxQuery, PageQuery, Upto, Window,
};

impl Gateway {
    /// `M`: how many messages are unread, and the newest conversations that have some.
    pub(super) async fn list(&self, caller: &Caller<'_>) -> Result<(), StanzaError> {
        let query = InboxQuery {
            own: caller.member.address.clone(),
            unread_only: true,
            messages: false,
            groups: Vec::new(),
            window: Window::First,
            max: DESK_LISTED,
        };
        let uid = caller.member.uid;
        let inbox = self.core.store.inbox(uid, query).await.map_err(store_error)?;
        if inbox.conversations.is_empty() {
            return self.say(caller, Sentence::NothingNew).await;
        }
        let listed = inbox
            .conversations
            .into_iter()
            .map(|it| DeskItem { peer: it.peer, last: it.last, unread: it.unread })
            .collect();
        let desk = Desk { uid, listed, item: 0, place: 0, at: self.core.env.now() };
        self.show(caller, desk, &unread(caller.language, inbox.all_unread)).await
    }

    /// The next conversations of a list, with what was said last in each.
    async fn show(&self, caller: &Caller<'_>, mut desk: Desk, head: &str) -> Result<(), StanzaError> {
        let mut lines: Vec<String> = (!head.is_empty()).then(|| head.to_owned()).into_iter().collect();
        let from = desk.place as usize;
        for (at, listed) in desk.listed.iter().enumerate().skip(from).take(limits::DESK_SHOWN) {
            let name = shortened(&self.name(desk.uid, &listed.peer).await?, limits::DESK_NAME);
            let said = self.unread_of(desk.uid, listed).await?.pop().unwrap_or_default();
            lines.push(format!("{} {name}: {}", at + 1, shortened(&said, limits::DESK_LINE)));
        }
        let shown = (from + limits::DESK_SHOWN).min(desk.listed.len());
        if shown <= from {
            return self.say(caller, Sentence::NothingMore).await;
        }
        if shown < desk.listed.len() {
            lines.push(goes_on(caller.language).to_owned());
        }
        desk.place = shown as u32;
        let text = self.fitting(&lines.join("\n"), caller.language);
        self.answer(caller, text, Some(desk), None).await
    }

    /// `R 2`: what is unread in a conversation of the list.
    pub(super) async fn read(&self, caller: &Caller<'_>, number: u8) -> Result<(), StanzaError> {
        let desk = self.desk_of(caller).await?;
        match desk.filter(|desk| (1..=desk.listed.len()).contains(&usize::from(number))) {
            Some(desk) => self.piece(caller, Desk { item: number, place: 0, ..desk }).await,
            None => self.say(caller, Sentence::NoNumber).await,
        }
    }

    /// `MORE`: what comes next of what was shown.
    pub(super) async fn more(&self, caller: &Caller<'_>, desk: Desk) -> Result<(), StanzaError> {
        match desk.item {
            0 => self.show(caller, Desk { at: self.core.env.now(), ..desk }, "").await,
            _ => self.piece(caller, desk).await,
        }
    }

    /// The next piece of a conversation; with the last of it, all of it is read.
    async fn piece(&self, caller: &Caller<'_>, desk: Desk) -> Result<(), StanzaError> {
        let at = usize::from(desk.item).checked_sub(1);
        let Some(listed) = at.and_then(|at| desk.listed.get(at)).cloned() else {
            return self.say(caller, Sentence::NothingMore).await;
        };
        let said = self.unread_of(desk.uid, &listed).await?;
        if said.is_empty() {
            return self.say(caller, Sentence::Gone).await;
        }
        let name = self.name(desk.uid, &listed.peer).await?;
        let mut text = format!("{name}: {}", said.join("\n"));
        text.truncate(text.floor_char_boundary(limits::DESK_READ));
        let from = text.ceil_char_boundary(desk.place as usize);
        let rest = &text[from..];
        if rest.trim().is_empty() {
            return self.say(caller, Sentence::NothingMore).await;
        }
        let end = goes_on(caller.language);
        let size = Parts::beginning(rest, end, self.settings.parts);
        let (place, at) = ((from + size) as u32, self.core.env.now());
        let desk = Desk { place, at, ..desk };
        if size < rest.len() {
            let piece = format!("{}{end}", &rest[..size]);
            return self.answer(caller, piece, Some(desk), None).await;
        }
        let DeskItem { peer, last, .. } = listed;
        let displayed = Displayed { uid: desk.uid, peer, upto: Upto::Entry(last) };
        self.answer(caller, rest.to_owned(), Some(desk), Some(displayed)).await
    }

    /// What is unread in a conversation as it was listed, the newest last; at least what was said last.
    async fn unread_of(&self, uid: Uid, listed: &DeskItem) -> Result<Vec<String>, StanzaError> {
        let query = PageQuery {
            with: Some(listed.peer.clone()),
            window: Window::Last,
            max: PAGE,
            ..PageQuery::default()
        };
        let page = self.core.store.page(uid, query).await.map_err(store_error)?;
        let entries = page.map(|page| page.entries).unwrap_or_default();
        let mut said: Vec<String> = entries
            .iter()
            // What came since was not listed.
            .filter(|entry| entry.useq <= listed.last && entry.direction == Direction::In)
            .filter(|entry| !entry.flags.has(Flags::RETRACTED))
            .filter_map(said)
            .collect();
        let unread = (listed.unread.max(1) as usize).min(said.len());
        Ok(said.split_off(said.len() - unread))
    }

    /// What an account calls somebody.
    pub(super) async fn name(&self, uid: Uid, peer: &BareJid) -> Result<String, StanzaError> {
        let item = self.core.store.roster_item(uid, peer).await.map_err(store_error)?;
        let name = item.and_then(|item| item.name).filter(|name| !name.is_empty());
        let local = || peer.node().map_or_else(|| peer.to_string(), |local| unescape(local.as_str()));
        Ok(name.unwrap_or_else(local))
    }

    /// As much of a text as an answer has room for.
    pub(super) fn fitting(&self, text: &str, language: Language) -> String {
        let end = match language {
            Language::English => "...",
            Language::Chinese => "…",
        };
        let size = Parts::beginning(text, end, self.settings.parts);
        if size < text.len() { format!("{}{end}", &text[..size]) } else { text.to_owned() }
    }
}

/// What a message says, with the subject that a mail has.
fn said(entry: &Entry) -> Option<String> {
    if entry.flags.has(Flags::ENCRYPTED) {
        return Some("(encrypted)".to_owned());
    }
    let stanza = Stanza::parse(&entry.stanza).ok()?;
    let part = |name| stanza.child(ns::CLIENT, name).map(|child| child.text().trim().to_owned());
    let parts: Vec<String> =
        [part("subject"), part("body")].into_iter().flatten().filter(|it| !it.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

/// The beginning of a text in one line.
fn shortened(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", line[..end].trim_end()),
        None => line,
    }
}
