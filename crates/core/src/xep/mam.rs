//! XEP-0313: Message Archive Management, over the account's one timeline, paged by XEP-0059.

use super::Xep;
use crate::answer::{Answer, Reply};
use crate::env::{parse_stamp, stamp};
use crate::member::Member;
use crate::render::{Reader, archive_id, parse_archive_id};
use crate::{Core, Ctx, address, limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind, Purpose};
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::{ScanError, Xml};
use rookery_proto::{Uid, Useq};
use rookery_store::{ArchiveDefault, ArchivePrefs, Entry, Page, PageQuery, Timestamp, Window};

/// XEP-0313.
pub const INFO: Xep = Xep {
    number: "XEP-0313",
    name: "Message Archive Management",
    version: "1.1.3",
    // Clients such as Profanity look for the archive at the domain only.
    server: &[ns::MAM],
    account: &[ns::MAM, ns::MAM_EXTENDED, ns::MAM_GROUPCHAT, ns::MAM_GROUPCHAT_KEPT, ns::SID],
    note: "Whole: preferences, all form fields, flipped pages, metadata.",
};

/// XEP-0431.
pub const SEARCH: Xep = Xep {
    number: "XEP-0431",
    name: "Full Text Search in MAM",
    version: "0.2.0",
    server: &[],
    account: &[ns::FULL_TEXT],
    note: "Words in any order, by their beginnings; phrases in quotes. Chinese, Japanese, Korean and Thai by their characters, so that every word is found. What is encrypted is not looked into.",
};

/// The field of a query that is searched for (XEP-0431 §3.1).
const FULL_TEXT: &str = "{urn:xmpp:fulltext:0}fulltext";

/// The form of a query (§4.1.5).
fn query_form() -> Form {
    Form::new(ns::MAM)
        .field(Field::new(Kind::JidSingle, "with", ""))
        .field(Field::new(Kind::TextSingle, "start", ""))
        .field(Field::new(Kind::TextSingle, "end", ""))
        .field(Field::new(Kind::TextSingle, "before-id", ""))
        .field(Field::new(Kind::TextSingle, "after-id", ""))
        // Any id may be named, not only one of a list.
        .field(Field::new(Kind::ListMulti, "ids", "").open())
        .field(Field::new(Kind::Boolean, "include-groupchat", ""))
        .field(Field::new(Kind::TextSingle, FULL_TEXT, ""))
}

/// What may be asked for (§4.1.5).
pub fn form(_ctx: &Ctx<'_>) -> Answer {
    let mut x = Xml::new();
    x.open_ns("query", ns::MAM);
    query_form().write(Purpose::Form, &mut x);
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// An archive that is read, and how its entries are shown.
pub(crate) struct Archive<'a> {
    /// Whose it is.
    pub(crate) uid: Uid,
    /// The salt of its ids.
    pub(crate) epoch: u32,
    /// What the filter `with` is about.
    pub(crate) with: With<'a>,
    /// Writes an entry as a result of the query that has this id.
    pub(crate) result: &'a Show<'a>,
}

/// Writes an entry as a result of the query that has this id.
type Show<'a> = dyn Fn(&Entry, Option<&str>) -> Result<Vec<u8>, ScanError> + Sync + 'a;

/// What the filter `with` is about (§4.1.1).
#[derive(Clone, Copy)]
pub(crate) enum With<'a> {
    /// The account's correspondents.
    Peers,
    /// Who spoke in a room.
    Room {
        /// The room's address: everybody.
        address: &'a BareJid,
        /// Who asks may ask by the address of an account.
        by_address: bool,
    },
}

/// A page of the account's own archive.
pub async fn query(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let reader = Reader { session: ctx.session, domain: &ctx.core.policy.domain };
    let result = |entry: &Entry, id: Option<&str>| reader.result(entry, id);
    let (uid, epoch) = (ctx.member.uid, ctx.member.epoch);
    page(ctx, &Archive { uid, epoch, with: With::Peers, result: &result }, payload).await
}

/// A page of an archive (§4): the results, then the end in the IQ's answer.
pub(crate) async fn page(ctx: &Ctx<'_>, archive: &Archive<'_>, payload: &Child<'_>) -> Answer {
    if payload.attr("node").is_some() {
        return Err(StanzaError::item_not_found());
    }
    let query = read(ctx, archive, payload).await?;
    let wanted = query.max;
    let forward = !matches!(query.window, Window::Last | Window::Before(_));
    let page = ctx.core.store.page(archive.uid, query).await.map_err(store_error)?;
    let mut page = page.ok_or_else(StanzaError::item_not_found)?;
    fit(&mut page, forward, limits::ARCHIVE_PAGE_BYTES);
    let id = payload.attr("queryid");
    let send = |entry: &Entry| match (archive.result)(entry, id.as_deref()) {
        Ok(result) => ctx.session.push(result.into()),
        Err(error) => tracing::error!(useq = entry.useq.0, ?error, "a stored message cannot be read"),
    };
    if wanted == 0 {
        // XEP-0059 §2.7: only the count was asked for.
    } else if payload.children().any(|c| c.name() == "flip-page") {
        page.entries.iter().rev().for_each(send);
    } else {
        page.entries.iter().for_each(send);
    }
    // XEP-0059 §2.6: the index is optional; slixmpp takes one as the end when it pages backwards.
    let index = page.first_index.filter(|_| forward);
    Ok(Reply::Payload(fin(&page, index, archive.epoch, wanted)))
}

/// Keeps of a page what goes into `room` bytes, one message at least; the rest is for the next page in that direction.
fn fit(page: &mut Page, forward: bool, mut room: usize) {
    let mut fits = |entry: &&Entry| {
        let left = room.checked_sub(entry.stanza.len());
        room = left.unwrap_or(0);
        left.is_some()
    };
    let all = page.entries.len();
    let kept = match forward {
        true => page.entries.iter().take_while(&mut fits).count(),
        false => page.entries.iter().rev().take_while(&mut fits).count(),
    };
    let kept = kept.max(1);
    if kept < all {
        page.complete = false;
        let rest = if forward { kept..all } else { 0..all - kept };
        page.entries.drain(rest);
    }
}

/// What a query asks for: the form's filters and the part that is wanted.
async fn read(ctx: &Ctx<'_>, archive: &Archive<'_>, payload: &Child<'_>) -> Result<PageQuery, StanzaError> {
    let mut query = PageQuery { max: limits::ARCHIVE_PAGE_DEFAULT as usize, ..PageQuery::default() };
    for child in payload.children() {
        match (child.ns(), child.name()) {
            (ns::DATA_FORMS, "x") => filters(ctx, archive, &child, &mut query).await?,
            (ns::RSM, "set") => {
                let part = window(&child, |id| position(archive.epoch, id))?;
                query.window = part.window;
                query.max = part.max.unwrap_or(query.max);
            }
            _ => {}
        }
    }
    Ok(query)
}

async fn filters(
    ctx: &Ctx<'_>,
    archive: &Archive<'_>,
    form: &Child<'_>,
    query: &mut PageQuery,
) -> Result<(), StanzaError> {
    let epoch = archive.epoch;
    let answers = Answers::read(form)?;
    if answers.form_type().is_some_and(|form_type| form_type != ns::MAM) {
        return Err(StanzaError::bad_request().text("This is not an archive query's form."));
    }
    for (var, values) in answers.iter() {
        let Some(value) = values.first() else { continue };
        match var {
            "FORM_TYPE" => {}
            "with" => with(ctx, archive, &address::parse(value)?, query).await?,
            "start" => query.start = Some(moment(value)?),
            "end" => query.end = Some(moment(value)?),
            "before-id" => query.before_id = Some(position(epoch, value)?),
            "after-id" => query.after_id = Some(position(epoch, value)?),
            "ids" if values.len() > limits::ARCHIVE_PAGE as usize => {
                return Err(StanzaError::policy_violation().text("These are too many ids for one query."));
            }
            "ids" => query.ids = values.iter().map(|id| position(epoch, id)).collect::<Result<_, _>>()?,
            "include-groupchat" => query.groups = answers.flag(var).unwrap_or_default(),
            // XEP-0431 §3.1: an empty text is no condition.
            FULL_TEXT => query.text = Some(value.trim()).filter(|text| !text.is_empty()).map(Into::into),
            // §4.1.5: the client relies on a filter that is not there.
            _ => {
                return Err(StanzaError::feature_not_implemented().text(format!("There is no filter {var}.")));
            }
        }
    }
    Ok(())
}

async fn with(
    ctx: &Ctx<'_>,
    archive: &Archive<'_>,
    jid: &Jid,
    query: &mut PageQuery,
) -> Result<(), StanzaError> {
    let bare = jid.to_bare();
    match archive.with {
        With::Room { address, .. } if bare == *address && jid.resource().is_none() => return Ok(()),
        // The store knows who spoke by their accounts, and a nick is anybody's.
        With::Room { address, .. } if bare == *address => {
            return Err(StanzaError::feature_not_implemented().text("There is no filter by nick."));
        }
        With::Room { by_address: false, .. } => return Err(StanzaError::forbidden()),
        With::Room { .. } => {}
        With::Peers => query.with_resource = jid.resource().map(|r| r.as_str().into()),
    }
    query.with = Some(ctx.core.canonical(bare).await?);
    Ok(())
}

/// A part of a result as it is asked for.
pub(super) struct Part<Id> {
    /// From where.
    pub(super) window: Window<Id>,
    /// How many, if that is said; at most [`limits::ARCHIVE_PAGE`].
    pub(super) max: Option<usize>,
}

/// XEP-0059 §2: how many, and from where; `id` reads what names a place.
pub(super) fn window<Id>(
    set: &Child<'_>,
    id: impl Fn(&str) -> Result<Id, StanzaError>,
) -> Result<Part<Id>, StanzaError> {
    let mut part = Part { window: Window::First, max: None };
    for child in set.children() {
        let text = child.text();
        let text = text.trim();
        let number =
            || text.parse::<u64>().map_err(|_| StanzaError::bad_request().text("This is not a number."));
        match child.name() {
            "max" => part.max = Some(number()?.min(u64::from(limits::ARCHIVE_PAGE)) as usize),
            "before" if text.is_empty() => part.window = Window::Last,
            "before" => part.window = Window::Before(id(text)?),
            "after" if text.is_empty() => part.window = Window::First,
            "after" => part.window = Window::After(id(text)?),
            "index" => part.window = Window::Index(number()?),
            _ => {}
        }
    }
    Ok(part)
}

fn moment(text: &str) -> Result<Timestamp, StanzaError> {
    parse_stamp(text).ok_or_else(|| StanzaError::bad_request().text(format!("This is not a time: {text}")))
}

/// An id of this archive; any other is not found (§4.3).
fn position(epoch: u32, id: &str) -> Result<Useq, StanzaError> {
    parse_archive_id(id, epoch).ok_or_else(StanzaError::item_not_found)
}

/// `<fin/>` (§4.4): whether that was all, and where the page began and ended in the order of time.
fn fin(page: &Page, index: Option<u64>, epoch: u32, wanted: usize) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("fin", ns::MAM);
    if page.complete {
        x.attr("complete", "true");
    }
    x.open_ns("set", ns::RSM);
    if wanted > 0
        && let (Some(first), Some(last)) = (page.entries.first(), page.entries.last())
    {
        x.open("first");
        if let Some(index) = index {
            x.attr("index", &index.to_string());
        }
        x.text(&archive_id(first.useq, epoch)).close();
        x.text_element("last", &archive_id(last.useq, epoch));
    }
    if let Some(count) = page.count {
        x.text_element("count", &count.to_string());
    }
    x.close().close();
    x.into_vec()
}

/// The archive's ends (§5).
pub async fn metadata(ctx: &Ctx<'_>) -> Answer {
    metadata_of(ctx.core, ctx.member).await.map(Reply::Payload)
}

/// The same, for who has no session yet (XEP-0386 §3.2).
pub async fn metadata_of(core: &Core, member: &Member) -> Result<Vec<u8>, StanzaError> {
    ends(core, member.uid, member.epoch).await
}

/// The ends of an archive.
pub(crate) async fn ends(core: &Core, uid: Uid, epoch: u32) -> Result<Vec<u8>, StanzaError> {
    let bounds = core.store.archive_bounds(uid).await.map_err(store_error)?;
    let mut x = Xml::new();
    x.open_ns("metadata", ns::MAM);
    if let Some(bounds) = bounds {
        for (name, (useq, at)) in [("start", bounds.first), ("end", bounds.last)] {
            let id = archive_id(useq, epoch);
            x.open(name).attr("id", &id).attr("timestamp", &stamp(at)).close();
        }
    }
    x.close();
    Ok(x.into_vec())
}

/// What the account wants archived (§7).
pub fn prefs(ctx: &Ctx<'_>) -> Answer {
    Ok(Reply::Payload(write_prefs(&ctx.member.prefs)))
}

/// Changes what is archived (§7): stored, then in force.
pub async fn set_prefs(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let default = match payload.attr("default").as_deref() {
        Some("always") => ArchiveDefault::Always,
        Some("never") => ArchiveDefault::Never,
        Some("roster") => ArchiveDefault::Roster,
        _ => return Err(StanzaError::bad_request().text("The default is always, never or roster.")),
    };
    let mut prefs = ArchivePrefs { default, always: Vec::new(), never: Vec::new() };
    for list in payload.children() {
        let into = match list.name() {
            "always" => &mut prefs.always,
            "never" => &mut prefs.never,
            _ => continue,
        };
        for item in list.children().filter(|c| c.name() == "jid") {
            let jid: BareJid = address::parse(&item.text())?.to_bare();
            into.push(ctx.resolved(jid).await?);
        }
    }
    ctx.store.set_archive_prefs(ctx.member.uid, prefs.clone()).await.map_err(store_error)?;
    ctx.core.directory.changed(ctx.member.uid);
    Ok(Reply::Payload(write_prefs(&prefs)))
}

fn write_prefs(prefs: &ArchivePrefs) -> Vec<u8> {
    let default = match prefs.default {
        ArchiveDefault::Always => "always",
        ArchiveDefault::Never => "never",
        ArchiveDefault::Roster => "roster",
    };
    let mut x = Xml::new();
    x.open_ns("prefs", ns::MAM).attr("default", default);
    for (name, jids) in [("always", &prefs.always), ("never", &prefs.never)] {
        x.open(name);
        for jid in jids {
            x.text_element("jid", jid.as_str());
        }
        x.close();
    }
    x.close();
    x.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_store::{Direction, Flags, MessageId};

    fn page(sizes: &[usize]) -> Page {
        let entry = |(n, size): (u64, &usize)| Entry {
            useq: Useq(n),
            message: MessageId(n),
            peer: BareJid::new("juliet@localhost").expect("an address"),
            peer_resource: None,
            direction: Direction::In,
            resource: None,
            at: Timestamp(0),
            flags: Flags::ARCHIVE,
            stanza: vec![b'x'; *size].into(),
        };
        let entries = (1..).zip(sizes).map(entry).collect();
        Page { entries, complete: true, first_index: None, count: None }
    }

    #[test]
    fn a_page_of_large_messages_is_cut_at_its_far_end() {
        let kept = |sizes: &[usize], forward| {
            let mut page = page(sizes);
            fit(&mut page, forward, 10);
            (page.entries.iter().map(|e| e.useq.0).collect::<Vec<_>>(), page.complete)
        };
        assert_eq!(kept(&[4, 4, 2], true), (vec![1, 2, 3], true));
        assert_eq!(kept(&[4, 4, 4], true), (vec![1, 2], false));
        assert_eq!(kept(&[4, 4, 4], false), (vec![2, 3], false));
        assert_eq!(kept(&[90, 4], true), (vec![1], false), "one at least, or paging would never end");
        assert_eq!(kept(&[], true), (vec![], true));
    }
}
