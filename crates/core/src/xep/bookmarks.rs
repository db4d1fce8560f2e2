//! XEP-0402: PEP Native Bookmarks, and the older ones of XEP-0048 in private storage, which are the same bookmarks seen
//! another way (§5.3).

use super::Xep;
use super::pep::{Config, Draft, Known};
use crate::muc::inbox;
use crate::{Ctx, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Edit, Stanza};
use rookery_proto::xml::Xml;
use rookery_store::{Item, ItemChange, ItemWindow, Timestamp};
use std::collections::HashMap;

/// XEP-0402.
pub const INFO: Xep = Xep {
    number: "XEP-0402",
    name: "PEP Native Bookmarks",
    version: "1.2.0",
    server: &[],
    account: &["urn:xmpp:bookmarks:1#compat"],
    note: "A node of PEP, one with the bookmarks in private storage. Those of XEP-0048 in PEP are not converted.",
};

/// XEP-0048.
pub const OLD: Xep = Xep::of(
    "XEP-0048",
    "Bookmarks",
    "1.2",
    "In private storage, converted from and to XEP-0402; what that cannot say is kept beside it.",
);

/// What both kinds say of a room.
#[derive(PartialEq, Eq, Default)]
struct Bookmark {
    name: Option<String>,
    autojoin: bool,
    nick: Option<String>,
    password: Option<String>,
}

impl Bookmark {
    /// Reads a `<conference/>` of either kind.
    fn read(conference: &Child<'_>) -> Bookmark {
        let text = |name| conference.child(conference.ns(), name).map(|c| c.text().into_owned());
        Bookmark {
            name: conference.attr("name").map(|name| name.into_owned()),
            autojoin: conference.attr("autojoin").is_some_and(|join| matches!(&*join, "1" | "true")),
            nick: text("nick"),
            password: text("password"),
        }
    }

    /// Writes what stands in the element that was just opened.
    fn write(&self, x: &mut Xml) {
        x.opt("name", self.name.as_deref());
        if self.autojoin {
            x.attr("autojoin", "true");
        }
        for (name, value) in [("nick", &self.nick), ("password", &self.password)] {
            if let Some(value) = value {
                x.text_element(name, value);
            }
        }
    }
}

/// What makes the clients of an account enter a group: a bookmark that says so.
pub(crate) fn entering(group: &BareJid, name: String, at: Timestamp, publisher: &BareJid) -> ItemChange {
    let bookmark = Bookmark { name: Some(name), autojoin: true, ..Bookmark::default() };
    let mut x = Xml::new();
    x.open_ns("conference", ns::BOOKMARKS);
    bookmark.write(&mut x);
    x.close();
    let (id, publisher) = (group.to_string(), publisher.to_string());
    let node = Known::new(ns::BOOKMARKS, Config::of(ns::BOOKMARKS)).node;
    ItemChange::Publish(node, Item { id, at, publisher, payload: x.into_vec().into() })
}

/// All items of the account's bookmarks.
async fn items(ctx: &Ctx<'_>) -> Result<Vec<Item>, StanzaError> {
    let (store, uid) = (&ctx.core.store, ctx.member.uid);
    let (mut all, mut window) = (Vec::new(), ItemWindow::First);
    loop {
        let page = store.items(uid, ns::BOOKMARKS, window, usize::MAX).await.map_err(store_error)?;
        let Some(last) = page.as_ref().and_then(|page| page.items.last()) else { return Ok(all) };
        window = ItemWindow::After(last.id.clone());
        all.extend(page.unwrap_or_default().items);
    }
}

/// The addresses of the rooms that are bookmarked, as they are written there.
pub(crate) async fn rooms(ctx: &Ctx<'_>) -> Result<Vec<String>, StanzaError> {
    Ok(items(ctx).await?.into_iter().map(|item| item.id).collect())
}

/// A stored payload as a child, so that both kinds are read alike.
pub(super) fn with_conference<T>(payload: &[u8], read: impl FnOnce(&Child<'_>) -> T) -> Option<T> {
    let mut x = Xml::new();
    x.open("item").raw(payload).close();
    let item = Stanza::parse(&x.into_vec()).ok()?;
    item.child(ns::BOOKMARKS, "conference").map(|conference| read(&conference))
}

/// `<storage/>` of XEP-0048: the bookmarks, and what was kept beside them.
pub async fn storage(ctx: &Ctx<'_>, beside: Option<&[u8]>) -> Result<Vec<u8>, StanzaError> {
    let mut x = Xml::new();
    for item in items(ctx).await? {
        let Some(bookmark) = with_conference(&item.payload, Bookmark::read) else { continue };
        x.open("conference").attr("jid", &item.id);
        bookmark.write(&mut x);
        x.close();
    }
    let rooms = x.into_vec();
    if let Some(beside) = beside.and_then(|beside| Stanza::parse(beside).ok()) {
        return Ok(beside.render(&Edit { append: &rooms, ..Edit::default() }));
    }
    let mut x = Xml::new();
    x.open_ns("storage", ns::BOOKMARKS_OLD).raw(&rooms).close();
    Ok(x.into_vec())
}

/// Makes the bookmarks those of a `<storage/>`; gives what is to be kept beside them.
pub async fn replace(ctx: &Ctx<'_>, draft: &mut Draft, storage: &Child<'_>) -> Result<Vec<u8>, StanzaError> {
    let known = ctx.core.known_node(ctx.member, ns::BOOKMARKS).await?;
    let node = known.unwrap_or_else(|| Known::new(ns::BOOKMARKS, Config::of(ns::BOOKMARKS)));
    let mut before: HashMap<String, Item> =
        items(ctx).await?.into_iter().map(|item| (item.id.clone(), item)).collect();
    for conference in storage.children().filter(is_room) {
        let id = conference.attr("jid").unwrap_or_default().into_owned();
        let bookmark = Bookmark::read(&conference);
        let old = before.remove(&id);
        let old = old.as_ref().and_then(|item| {
            with_conference(&item.payload, |old| {
                let extensions = old.child(ns::BOOKMARKS, "extensions").map(|e| e.xml().to_vec());
                (Bookmark::read(old), extensions.unwrap_or_default())
            })
        });
        let extensions = match old {
            Some((old, _)) if old == bookmark => continue,
            Some((_, extensions)) => extensions,
            None => Vec::new(),
        };
        let mut x = Xml::new();
        x.open_ns("conference", ns::BOOKMARKS);
        bookmark.write(&mut x);
        x.raw(&extensions).close();
        if let Some(displayed) = inbox::of_bookmark(ctx, &id).await? {
            draft.quietly(ItemChange::Displayed(displayed));
        }
        let (at, publisher) = (ctx.core.env.now(), ctx.member.address.to_string());
        draft.publish(node.clone(), Item { id, at, publisher, payload: x.into_vec().into() });
    }
    for id in before.keys() {
        draft.retract(node.clone(), id, true);
    }
    let storage = Stanza::parse(storage.xml()).map_err(|_| StanzaError::bad_request())?;
    Ok(storage.render(&Edit { drop: Some(&is_room), ..Edit::default() }))
}

/// A room that has an address; anything else is kept as it is.
fn is_room(child: &Child<'_>) -> bool {
    child.is(ns::BOOKMARKS_OLD, "conference") && child.attr("jid").is_some_and(|jid| !jid.is_empty())
}
