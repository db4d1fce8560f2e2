//! `FETCH` (RFC 9051 §6.4.5): mail by mail, and no further than the reader follows.

use super::answer::{flags, literal};
use super::limits;
use super::load::{Trouble, Whole};
use super::mime::{self, Part};
use super::parse::{FetchItem, Section, SectionText, written_date};
use super::selected::{Selected, uids_at};
use super::session::{Answer, Handled, Session};
use super::wire::Broken;
use rookery_core::member::Member;
use rookery_store::{Filed, FlagsChange, FlagsHow, MailFlags, StoreError};
use std::ops::Range;
use std::sync::Arc;

/// What of a mail must be read to answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Need {
    /// What stands in its folder.
    Row,
    Header,
    Whole,
}

/// A mail as far as it is read.
struct Read {
    header: Option<Vec<u8>>,
    whole: Option<Whole>,
    part: Option<Part>,
}

impl Session {
    pub(super) async fn fetch(
        &mut self,
        selected: &mut Selected,
        member: &Member,
        places: &[Range<usize>],
        items: &[FetchItem],
        changed_since: Option<u64>,
    ) -> Handled {
        self.condstore |= changed_since.is_some() || items.contains(&FetchItem::Modseq);
        let reads = !selected.read_only && items.iter().any(reads);
        let store = self.server.core.store.clone();
        let (mut gone, mut unknown) = (false, false);
        for uids in uids_at(&selected.uids, places).chunks(limits::PAGE) {
            let mut mails = match store.filed(selected.id, uids.to_vec()).await {
                Ok(mails) => mails,
                Err(error) => return Answer::trouble(&error),
            };
            gone |= mails.len() < uids.len();
            mails.retain(|mail| changed_since.is_none_or(|since| mail.modseq > since));
            let newly = match reads {
                true => self.mark_seen(selected, member, &mut mails).await,
                false => Ok(Vec::new()),
            };
            let newly = match newly {
                Ok(newly) => newly,
                Err(error) => return Answer::trouble(&error),
            };
            for mail in &mails {
                let Some(number) = selected.number(mail.n) else { continue };
                let read = match self.read(member, mail, items).await {
                    Ok(Some(read)) => read,
                    Ok(None) => {
                        gone = true;
                        continue;
                    }
                    Err(error) => {
                        tracing::warn!(uid = member.uid.0, %error, "a mail cannot be read");
                        return Answer::no("[SERVERBUG] A mail cannot be read at the moment");
                    }
                };
                let seen = newly.contains(&mail.n);
                unknown |= self.tell(number, mail, &read, items, seen).await?;
            }
        }
        match (gone, unknown) {
            (true, _) => Answer::no("[EXPUNGEISSUED] Some of these are gone"),
            (_, true) => Answer::no("[UNKNOWN-CTE] Some parts are in an encoding that nobody knows"),
            _ => Answer::ok("Fetched"),
        }
    }

    /// Marks mails as seen; which were not.
    async fn mark_seen(
        &self,
        selected: &mut Selected,
        member: &Member,
        mails: &mut [Filed],
    ) -> Result<Vec<u32>, StoreError> {
        let unseen: Vec<u32> =
            mails.iter().filter(|mail| !mail.flags.has(MailFlags::SEEN)).map(|mail| mail.n).collect();
        if unseen.is_empty() {
            return Ok(unseen);
        }
        let change = FlagsChange {
            how: FlagsHow::Add,
            flags: MailFlags::SEEN,
            keywords: Vec::new(),
            unchanged_since: None,
        };
        let store = &self.server.core.store;
        let done = store.change_flags(member.uid, selected.id, unseen.clone(), change).await?;
        self.tell_messenger(member, &done.read).await;
        for now in done.mails {
            selected.told.insert(now.n, now.modseq);
            if let Some(mail) = mails.iter_mut().find(|mail| mail.n == now.n) {
                *mail = now;
            }
        }
        Ok(unseen)
    }

    /// Reads what is needed; `None`: the mail is gone.
    async fn read(
        &self,
        member: &Member,
        mail: &Filed,
        items: &[FetchItem],
    ) -> Result<Option<Read>, Trouble> {
        let need = items.iter().map(|item| need(item, mail)).max().unwrap_or(Need::Row);
        let mut read = Read { header: None, whole: None, part: None };
        match need {
            Need::Row => {}
            Need::Header => {
                let Some(header) = self.server.header(member, mail).await? else { return Ok(None) };
                read.header = Some(header);
            }
            Need::Whole => {
                let Some(whole) = self.server.whole(member, mail).await? else { return Ok(None) };
                if items.iter().any(needs_parts) {
                    let bytes = Arc::clone(&whole.bytes);
                    // A large mail takes some milliseconds.
                    let part = tokio::task::spawn_blocking(move || mime::read(&bytes)).await;
                    read.part = Some(part.map_err(std::io::Error::other)?);
                }
                read.whole = Some(whole);
            }
        }
        Ok(Some(read))
    }

    /// Tells all items of a mail; whether a part's encoding is not known.
    async fn tell(
        &mut self,
        number: usize,
        mail: &Filed,
        read: &Read,
        items: &[FetchItem],
        newly_seen: bool,
    ) -> Result<bool, Broken> {
        let mut unknown = false;
        self.wire.put(format!("* {number} FETCH (").as_bytes());
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.wire.put(b" ");
            }
            unknown |= self.tell_item(mail, read, item).await?;
        }
        // §6.4.5: that it is read now is told along with it.
        if newly_seen && !items.contains(&FetchItem::Flags) {
            self.wire.put(format!(" FLAGS {}", flags(mail)).as_bytes());
        }
        if newly_seen && self.condstore && !items.contains(&FetchItem::Modseq) {
            self.wire.put(format!(" MODSEQ ({})", mail.modseq).as_bytes());
        }
        self.wire.say(")");
        self.wire.relieve().await?;
        Ok(unknown)
    }

    async fn tell_item(&mut self, mail: &Filed, read: &Read, item: &FetchItem) -> Result<bool, Broken> {
        let bytes: &[u8] = read.whole.as_ref().map_or(&[], |whole| &whole.bytes);
        let mut out = Vec::new();
        match item {
            FetchItem::Uid => self.wire.put(format!("UID {}", mail.n).as_bytes()),
            FetchItem::Flags => self.wire.put(format!("FLAGS {}", flags(mail)).as_bytes()),
            FetchItem::InternalDate => {
                self.wire.put(format!("INTERNALDATE \"{}\"", written_date(mail.at.0)).as_bytes());
            }
            FetchItem::Size => {
                let size = if mail.raw.is_some() { mail.size } else { bytes.len() as u64 };
                self.wire.put(format!("RFC822.SIZE {size}").as_bytes());
            }
            FetchItem::Modseq => self.wire.put(format!("MODSEQ ({})", mail.modseq).as_bytes()),
            FetchItem::Envelope => {
                out.extend_from_slice(b"ENVELOPE ");
                mime::envelope(&mut out, read.header());
                self.wire.put(&out);
            }
            FetchItem::Structure(extended) => {
                let name: &[u8] = if *extended { b"BODYSTRUCTURE " } else { b"BODY " };
                out.extend_from_slice(name);
                if let Some(part) = &read.part {
                    mime::structure(&mut out, bytes, part, *extended);
                }
                self.wire.put(&out);
            }
            FetchItem::Body { section, partial, old, .. } => {
                let name = match old {
                    Some(name) => (*name).to_owned(),
                    None => format!("BODY[{}]", section.written()),
                };
                self.tell_section(mail, read, &name, section, *partial).await?;
            }
            FetchItem::Binary { part, partial, .. } => {
                let Some(decoded) = read.part.as_ref().and_then(|it| it.decoded(bytes, part)) else {
                    self.wire.put(format!("BINARY[{}] NIL", numbers(part)).as_bytes());
                    return Ok(false);
                };
                let Ok(decoded) = decoded else {
                    self.wire.put(format!("BINARY[{}] NIL", numbers(part)).as_bytes());
                    return Ok(true);
                };
                let sent = cut(&decoded, *partial);
                // A NUL is in no ordinary literal (RFC 9051 §9, `literal8`).
                let sign = if sent.contains(&0) { "~" } else { "" };
                let head =
                    format!("BINARY[{}]{} {sign}{{{}}}\r\n", numbers(part), origin(*partial), sent.len());
                self.wire.put(head.as_bytes());
                self.wire.stream(sent).await?;
            }
            FetchItem::BinarySize { part } => {
                let decoded = read.part.as_ref().and_then(|it| it.decoded(bytes, part));
                let unknown = matches!(decoded, Some(Err(_)));
                let size = decoded.and_then(Result::ok).map_or(0, |it| it.len());
                self.wire.put(format!("BINARY.SIZE[{}] {size}", numbers(part)).as_bytes());
                return Ok(unknown);
            }
        }
        Ok(false)
    }

    async fn tell_section(
        &mut self,
        mail: &Filed,
        read: &Read,
        name: &str,
        section: &Section,
        partial: Option<(u32, u32)>,
    ) -> Result<(), Broken> {
        let head = format!("{name}{} ", origin(partial));
        self.wire.put(head.as_bytes());
        let found = match (&read.whole, partial) {
            // A piece of a large mail is read alone.
            (None, Some((from, count))) if is_all(section) => {
                let piece = self.server.piece(mail, from, count).await;
                let piece = piece.ok().flatten().unwrap_or_default();
                self.wire.put(format!("{{{}}}\r\n", piece.len()).as_bytes());
                return self.wire.stream(&piece).await;
            }
            (None, _) => of_header(read.header(), section).map(std::borrow::Cow::Owned),
            (Some(whole), _) if is_all(section) => Some(whole.bytes.as_slice().into()),
            (Some(whole), _) => read.part.as_ref().and_then(|part| part.section(&whole.bytes, section)),
        };
        match found {
            Some(bytes) => {
                let sent = cut(&bytes, partial);
                if sent.len() < limits::WRITE {
                    let mut out = Vec::with_capacity(sent.len() + 16);
                    literal(&mut out, sent);
                    self.wire.put(&out);
                    return self.wire.relieve().await;
                }
                self.wire.put(format!("{{{}}}\r\n", sent.len()).as_bytes());
                self.wire.stream(sent).await
            }
            None => {
                self.wire.put(b"NIL");
                Ok(())
            }
        }
    }
}

impl Read {
    fn header(&self) -> &[u8] {
        match (&self.header, &self.whole) {
            (Some(header), _) => header,
            (None, Some(whole)) => &whole.bytes[..mime::header_end(&whole.bytes)],
            (None, None) => &[],
        }
    }
}

/// Whether fetching it is reading.
fn reads(item: &FetchItem) -> bool {
    matches!(item, FetchItem::Body { peek: false, .. } | FetchItem::Binary { peek: false, .. })
}

fn is_all(section: &Section) -> bool {
    section.part.is_empty() && section.text == SectionText::All
}

fn need(item: &FetchItem, mail: &Filed) -> Need {
    match item {
        FetchItem::Uid | FetchItem::Flags | FetchItem::InternalDate | FetchItem::Modseq => Need::Row,
        FetchItem::Size if mail.raw.is_some() => Need::Row,
        FetchItem::Envelope => Need::Header,
        FetchItem::Body { section, partial, .. } => match (&section.text, partial) {
            (SectionText::Header | SectionText::Fields(..), _) if section.part.is_empty() => Need::Header,
            (SectionText::All, Some((_, count)))
                if section.part.is_empty() && mail.raw.is_some() && u64::from(*count) <= limits::LARGE =>
            {
                Need::Row
            }
            _ => Need::Whole,
        },
        _ => Need::Whole,
    }
}

/// Whether it is of a part, or of all of them.
fn needs_parts(item: &FetchItem) -> bool {
    match item {
        FetchItem::Structure(_) | FetchItem::Binary { .. } | FetchItem::BinarySize { .. } => true,
        FetchItem::Body { section, .. } => !is_all(section),
        _ => false,
    }
}

/// A section of a header alone.
fn of_header(header: &[u8], section: &Section) -> Option<Vec<u8>> {
    match &section.text {
        SectionText::Header => Some(header.to_vec()),
        SectionText::Fields(names, not) => Some(mime::chosen(header, names, *not)),
        _ => None,
    }
}

fn origin(partial: Option<(u32, u32)>) -> String {
    partial.map_or_else(String::new, |(from, _)| format!("<{from}>"))
}

fn cut(bytes: &[u8], partial: Option<(u32, u32)>) -> &[u8] {
    let Some((from, count)) = partial else { return bytes };
    let from = (from as usize).min(bytes.len());
    &bytes[from..from.saturating_add(count as usize).min(bytes.len())]
}

fn numbers(part: &[u32]) -> String {
    part.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}
