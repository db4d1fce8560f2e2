//! XEP-0013: Flexible Offline Message Retrieval: what waits for an account, one by one instead of all at once.
//!
//! What waits are the entries of the one timeline that are marked as owed: a client's first request has everything marked
//! that nobody has taken (`core/delivered.rs`), and removing a message takes its mark away. A message in the middle is as
//! easily removed as the first, and what is not removed is there for the next session, whatever its client speaks. The
//! archive is not touched.

use super::Xep;
use crate::address::compose;
use crate::answer::{Answer, Reply};
use crate::render::Reader;
use crate::{Ctx, limits, store_error};
use rookery_proto::Useq;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind, Purpose};
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::{Entry, Flags};

/// XEP-0013.
pub const INFO: Xep = Xep {
    number: "XEP-0013",
    name: "Flexible Offline Message Retrieval",
    version: "1.3",
    server: &[ns::FLEXIBLE_OFFLINE],
    account: &[],
    note: "A view of the one timeline. Headers come a thousand at a time, with XEP-0059 for the next; what is more than a megabyte is viewed in parts.",
};

/// Whether a request is about what waits.
pub fn is_meant(payload: &Child<'_>) -> bool {
    match payload.ns() {
        ns::FLEXIBLE_OFFLINE => true,
        ns::DISCO_INFO | ns::DISCO_ITEMS => {
            payload.attr("node").is_some_and(|node| node == ns::FLEXIBLE_OFFLINE)
        }
        _ => false,
    }
}

/// How many wait (§2.2).
pub async fn info(ctx: &Ctx<'_>) -> Answer {
    choose(ctx).await?;
    let count = ctx.core.store.owed_count(ctx.member.uid).await.map_err(store_error)?;
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_INFO).attr("node", ns::FLEXIBLE_OFFLINE);
    x.open("identity").attr("category", "automation").attr("type", "message-list").close();
    x.open("feature").attr("var", ns::FLEXIBLE_OFFLINE).close();
    Form::new(ns::FLEXIBLE_OFFLINE)
        .field(Field::new(Kind::TextSingle, "number_of_messages", "").value(count.to_string()))
        .write(Purpose::Result, &mut x);
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// Who sent them, and by which name each is asked for (§2.3), the oldest first.
pub async fn headers(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let set = payload.child(ns::RSM, "set");
    let (mut after, mut room) = window(ctx, set.as_ref())?;
    choose(ctx).await?;
    let (store, uid, epoch) = (&ctx.core.store, ctx.member.uid, ctx.member.epoch);
    let count = store.owed_count(uid).await.map_err(store_error)?;
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_ITEMS).attr("node", ns::FLEXIBLE_OFFLINE);
    let mut shown: Vec<Useq> = Vec::new();
    while room > 0 {
        let page = store.owed(uid, after, room).await.map_err(store_error)?;
        let Some(last) = page.last() else { break };
        after = last.useq;
        for entry in page.iter().filter(|entry| is_whole(entry)) {
            let from = compose(&entry.peer, entry.peer_resource.as_deref());
            x.open("item").attr("jid", ctx.member.address.as_str());
            x.attr("node", &node(entry.useq, epoch)).attr("name", &from).close();
            shown.push(entry.useq);
            room -= 1;
        }
    }
    if set.is_some() || count > shown.len() as u64 {
        x.open_ns("set", ns::RSM);
        for (name, useq) in [("first", shown.first()), ("last", shown.last())] {
            if let Some(useq) = useq {
                x.text_element(name, &node(*useq, epoch));
            }
        }
        x.text_element("count", &count.to_string()).close();
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// After which message, and how many at most (XEP-0059 §2.1, §2.2).
fn window(ctx: &Ctx<'_>, set: Option<&Child<'_>>) -> Result<(Useq, usize), StanzaError> {
    let (mut after, mut room) = (Useq(0), limits::OFFLINE_HEADERS);
    for child in set.iter().flat_map(|set| set.children()) {
        let text = child.text();
        match child.name() {
            "after" if text.is_empty() => {}
            "after" => after = position(ctx, &text)?,
            "max" => {
                let max: usize = text
                    .trim()
                    .parse()
                    .map_err(|_| StanzaError::bad_request().text("This is not a number."))?;
                room = room.min(max);
            }
            // Backwards and by number: this list is read from its beginning.
            _ => return Err(StanzaError::feature_not_implemented()),
        }
    }
    Ok((after, room))
}

/// `<offline/>`: all that wait or some of them are viewed (§2.4, §2.6) or removed (§2.5, §2.7).
pub async fn request(ctx: &Ctx<'_>, set: bool, payload: &Child<'_>) -> Answer {
    let wanted = read(ctx, set, payload)?;
    choose(ctx).await?;
    match (wanted, set) {
        (Wanted::All, false) => fetch(ctx).await,
        (Wanted::All, true) => purge(ctx).await,
        (Wanted::These(useqs), false) => view(ctx, &useqs).await,
        (Wanted::These(useqs), true) => remove(ctx, useqs).await,
    }
}

/// Which messages a request is about.
enum Wanted {
    All,
    These(Vec<Useq>),
}

fn read(ctx: &Ctx<'_>, set: bool, payload: &Child<'_>) -> Result<Wanted, StanzaError> {
    let (all, action) = if set { ("purge", "remove") } else { ("fetch", "view") };
    let children: Vec<_> = payload.children().take(limits::OWED + 1).collect();
    if let [child] = children.as_slice()
        && child.is(ns::FLEXIBLE_OFFLINE, all)
    {
        return Ok(Wanted::All);
    }
    if children.len() > limits::OWED {
        return Err(too_much());
    }
    let mut useqs = Vec::new();
    for child in &children {
        let fits = child.is(ns::FLEXIBLE_OFFLINE, "item") && child.attr("action").as_deref() == Some(action);
        let named = child.attr("node").filter(|_| fits);
        let name = named.ok_or_else(|| {
            StanzaError::bad_request().text(format!("This asks for {all}, or for items with {action}."))
        })?;
        useqs.push(position(ctx, &name)?);
    }
    if useqs.is_empty() {
        return Err(StanzaError::bad_request().text("This asks for no message."));
    }
    // Each once, the oldest first.
    useqs.sort_unstable();
    useqs.dedup();
    Ok(Wanted::These(useqs))
}

async fn view(ctx: &Ctx<'_>, useqs: &[Useq]) -> Answer {
    let mut parcel = Parcel::default();
    for useq in useqs {
        parcel.add(ctx, &find(ctx, *useq).await?)?;
    }
    parcel.send(ctx)
}

async fn fetch(ctx: &Ctx<'_>) -> Answer {
    let (mut parcel, mut after) = (Parcel::default(), Useq(0));
    loop {
        let page = ctx.core.store.owed(ctx.member.uid, after, limits::CATCH_UP).await.map_err(store_error)?;
        let Some(last) = page.last() else { break };
        after = last.useq;
        for entry in page.iter().filter(|entry| is_whole(entry)) {
            parcel.add(ctx, entry)?;
        }
    }
    parcel.send(ctx)
}

/// What is not in the archive goes with the sweeper, as all that was delivered.
async fn remove(ctx: &Ctx<'_>, useqs: Vec<Useq>) -> Answer {
    // All of them or none (§2.5).
    for useq in &useqs {
        find(ctx, *useq).await?;
    }
    ctx.store.settle(ctx.member.uid, useqs).await.map_err(store_error)?;
    Ok(Reply::Empty)
}

async fn purge(ctx: &Ctx<'_>) -> Answer {
    let (uid, mut after) = (ctx.member.uid, Useq(0));
    loop {
        let page = ctx.core.store.owed(uid, after, limits::CATCH_UP).await.map_err(store_error)?;
        let Some(last) = page.last() else { return Ok(Reply::Empty) };
        after = last.useq;
        let useqs = page.iter().map(|entry| entry.useq).collect();
        ctx.store.settle(uid, useqs).await.map_err(store_error)?;
    }
}

/// Who asks before it takes messages has chosen to retrieve what waits (§2.2). What another session has just taken does not
/// wait any more.
async fn choose(ctx: &Ctx<'_>) -> Result<(), StanzaError> {
    ctx.core.retrieve(ctx.session).await.map_err(store_error)?;
    for session in ctx.core.router.sessions(ctx.member.uid) {
        ctx.core.settle(&session).await;
    }
    Ok(())
}

/// Messages on their way to the client, all or none.
#[derive(Default)]
struct Parcel {
    stanzas: Vec<Vec<u8>>,
    bytes: usize,
}

impl Parcel {
    fn add(&mut self, ctx: &Ctx<'_>, entry: &Entry) -> Result<(), StanzaError> {
        let reader = Reader { session: ctx.session, domain: &ctx.core.policy.domain };
        let stanza = reader.offline(entry, &node(entry.useq, ctx.member.epoch)).map_err(|error| {
            tracing::error!(useq = entry.useq.0, ?error, "a stored message cannot be read");
            StanzaError::internal_server_error()
        })?;
        self.bytes += stanza.len();
        if self.bytes > limits::ARCHIVE_PAGE_BYTES && !self.stanzas.is_empty() {
            return Err(too_much());
        }
        self.stanzas.push(stanza);
        Ok(())
    }

    /// The messages go first, then the answer (§2.4).
    fn send(self, ctx: &Ctx<'_>) -> Answer {
        self.stanzas.into_iter().for_each(|stanza| ctx.session.push(stanza.into()));
        Ok(Reply::Empty)
    }
}

fn too_much() -> StanzaError {
    StanzaError::policy_violation().text("This is too much at once. Ask for the headers, and go by parts.")
}

/// A message that waits.
async fn find(ctx: &Ctx<'_>, useq: Useq) -> Result<Entry, StanzaError> {
    let before = Useq(useq.0.saturating_sub(1));
    let mut found = ctx.core.store.owed(ctx.member.uid, before, 1).await.map_err(store_error)?;
    found.pop().filter(|entry| entry.useq == useq && is_whole(entry)).ok_or_else(StanzaError::item_not_found)
}

/// Whether there is still something to be read.
fn is_whole(entry: &Entry) -> bool {
    !entry.flags.has(Flags::RETRACTED)
}

/// The name of a message that waits: its place in the log, so that names are in the order of the messages (§2.3), and the
/// account's salt.
fn node(useq: Useq, epoch: u32) -> String {
    format!("{:016x}-{epoch:08x}", useq.0)
}

/// The place that [`node`] names; any other name is of nothing here.
fn position(ctx: &Ctx<'_>, name: &str) -> Result<Useq, StanzaError> {
    parse_node(name, ctx.member.epoch).ok_or_else(StanzaError::item_not_found)
}

fn parse_node(name: &str, epoch: u32) -> Option<Useq> {
    let useq = Useq(u64::from_str_radix(name.get(..16)?, 16).ok()?);
    // The store counts with a sign.
    (useq.0 <= i64::MAX as u64 && node(useq, epoch) == name).then_some(useq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_belong_to_one_account() {
        let name = node(Useq(57), 0xdead_beef);
        assert_eq!(name, "0000000000000039-deadbeef");
        assert_eq!(parse_node(&name, 0xdead_beef), Some(Useq(57)));
        assert_eq!(parse_node(&name, 1), None);
        assert!(node(Useq(9), 1) < node(Useq(10), 1) && node(Useq(255), 1) < node(Useq(256), 1));
        for bad in [
            "",
            "57-deadbeef",
            "+000000000000039-deadbeef",
            "000000000000003A-deadbeef",
            "ffffffffffffffff-deadbeef",
            "ééééééééé-deadbeef",
        ] {
            assert_eq!(parse_node(bad, 0xdead_beef), None, "{bad}");
        }
    }
}
