//! XEP-0084: User Avatar, and its hash in presence for clients that look there (XEP-0153, XEP-0398).
//!
//! The picture is in one place, the two nodes of XEP-0084. A vCard shows it where who asks may read them.

use super::Xep;
use super::pep::{Access, Config, Draft, Known};
use crate::member::Member;
use crate::session::Session;
use crate::{Core, store_error};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::stanza::{Child, Edit, Stanza};
use rookery_proto::xml::Xml;
use rookery_proto::{Uid, ns};
use rookery_store::{Item, ItemWindow};
use sha1::{Digest, Sha1};
use std::sync::Arc;

/// XEP-0084.
pub const INFO: Xep = Xep::of(
    "XEP-0084",
    "User Avatar",
    "1.1.4",
    "Nodes of PEP; also shown in the vCard and announced in presence.",
);

/// XEP-0153.
pub const IN_PRESENCE: Xep = Xep::of(
    "XEP-0153",
    "vCard-Based Avatars",
    "1.1.1",
    "The server writes the hash into presence; a new picture is announced at once.",
);

/// XEP-0398.
pub const CONVERSION: Xep = Xep {
    number: "XEP-0398",
    name: "User Avatar to vCard-Based Avatars Conversion",
    version: "1.0.0",
    server: &[],
    account: &[ns::PEP_VCARD_CONVERSION],
    note: "Both ways. Who may not read the avatar's node does not see it in the vCard either; the hash is announced where \
           the node is open or for contacts.",
};

/// A picture.
pub struct Photo {
    /// Its media type.
    pub kind: String,
    /// In base64, without spaces.
    pub base64: String,
    /// SHA-1 of its bytes, in hexadecimal: its id (XEP-0084 §4.1).
    pub id: String,
    /// How many bytes it has.
    pub bytes: usize,
}

impl Photo {
    /// A picture in base64, with spaces and line ends as people write it; `None` if it is none.
    pub fn new(kind: &str, base64: &str) -> Option<Photo> {
        let base64: String = base64.split_ascii_whitespace().collect();
        let data = BASE64_STANDARD.decode(&base64).ok().filter(|data| !data.is_empty())?;
        let kind = if kind.trim().is_empty() { "image/png" } else { kind.trim() };
        let id = data_encoding::HEXLOWER.encode(&Sha1::digest(&data));
        Some(Photo { kind: kind.to_owned(), base64, id, bytes: data.len() })
    }
}

/// Id and type of the picture that metadata describe: of the one that is here, not at some address (XEP-0398 §3.1).
fn described(metadata: &[u8]) -> Option<(String, String)> {
    let metadata = Stanza::parse(metadata).ok()?;
    let info = metadata.children().find(|c| c.name() == "info" && c.attr("url").is_none())?;
    let id = info.attr("id")?.to_ascii_lowercase();
    let sha1 = id.len() == 40 && id.bytes().all(|b| b.is_ascii_hexdigit());
    sha1.then(|| (id, info.attr("type").unwrap_or_default().into_owned()))
}

impl Core {
    /// Id and type of an account's picture.
    async fn described_avatar(&self, uid: Uid) -> Result<Option<(String, String)>, StanzaError> {
        let last =
            self.store.items(uid, ns::AVATAR_METADATA, ItemWindow::Last, 1).await.map_err(store_error)?;
        Ok(last.unwrap_or_default().items.first().and_then(|item| described(&item.payload)))
    }

    /// An account's picture, as `who` may see it (`None`: its owner).
    pub async fn avatar(&self, owner: &Member, who: Option<&BareJid>) -> Result<Option<Photo>, StanzaError> {
        let Some((id, kind)) = self.described_avatar(owner.uid).await? else { return Ok(None) };
        let Some(node) = self.known_node(owner, ns::AVATAR_DATA).await? else { return Ok(None) };
        if let Some(who) = who {
            let part =
                self.store.node_affiliate(owner.uid, ns::AVATAR_DATA, who).await.map_err(store_error)?;
            if self.may_read(owner, &node.config, &part).await.is_err() {
                return Ok(None);
            }
        }
        let items = self.store.items_by_id(owner.uid, ns::AVATAR_DATA, vec![id.clone()]).await;
        let items = items.map_err(store_error)?;
        let data = items.first().and_then(|item| Stanza::parse(&item.payload).ok());
        // XEP-0398 §3.1: only what its id belongs to.
        Ok(data.and_then(|data| Photo::new(&kind, &data.text())).filter(|photo| photo.id == id))
    }

    /// Puts another picture, or none, in place of an account's: the data first, then what describes them (XEP-0398 §3.2).
    pub async fn draft_avatar(
        &self,
        draft: &mut Draft,
        owner: &Member,
        photo: Option<Photo>,
    ) -> Result<(), StanzaError> {
        let now = self.described_avatar(owner.uid).await?.map(|(id, _)| id);
        if now == photo.as_ref().map(|photo| photo.id.clone()) {
            return Ok(());
        }
        let mut metadata = Xml::new();
        metadata.open_ns("metadata", ns::AVATAR_METADATA);
        let id = photo.as_ref().map_or("current".into(), |photo| photo.id.clone());
        let item = |payload: Xml| Item {
            id: id.clone(),
            at: self.env.now(),
            publisher: owner.address.to_string(),
            payload: payload.into_vec().into(),
        };
        if let Some(photo) = &photo {
            let mut data = Xml::new();
            data.open_ns("data", ns::AVATAR_DATA).text(&photo.base64);
            draft.publish(self.public_node(owner, ns::AVATAR_DATA).await?, item(data));
            metadata.open("info").attr("id", &photo.id).attr("type", &photo.kind);
            metadata.attr("bytes", &photo.bytes.to_string()).close();
        }
        draft.publish(self.public_node(owner, ns::AVATAR_METADATA).await?, item(metadata));
        Ok(())
    }

    /// A node as it is, or one for everybody: what comes by way of a vCard is public (XEP-0054 §6).
    pub async fn public_node(&self, owner: &Member, name: &str) -> Result<Known, StanzaError> {
        let known = self.known_node(owner, name).await?;
        Ok(known.unwrap_or_else(|| Known::new(name, Config { access: Access::Open, ..Config::of(name) })))
    }

    /// A presence with the picture's hash in it, or without any where there is no picture (XEP-0398 §4).
    pub async fn with_avatar(&self, uid: Uid, presence: Bytes) -> Result<Bytes, StanzaError> {
        let Ok(stanza) = Stanza::parse(&presence) else { return Ok(presence) };
        let update = stanza.child(ns::VCARD_UPDATE, "x");
        let photo = update.and_then(|update| update.child(ns::VCARD_UPDATE, "photo"));
        if photo.is_some_and(|photo| photo.text().trim().is_empty()) {
            return Ok(presence); // The client wants none to be shown.
        }
        match self.announced_avatar(uid).await? {
            Some(hash) => Ok(announcing(&stanza, &hash)),
            None if update.is_none() => Ok(presence),
            None => {
                let drop = |child: &Child<'_>| child.is(ns::VCARD_UPDATE, "x");
                Ok(stanza.render(&Edit { drop: Some(&drop), ..Edit::default() }).into())
            }
        }
    }

    /// The hash to announce: not of a picture that only some may see.
    pub(crate) async fn announced_avatar(&self, uid: Uid) -> Result<Option<String>, StanzaError> {
        let Some((id, _)) = self.described_avatar(uid).await? else { return Ok(None) };
        let node = self.store.node(uid, ns::AVATAR_METADATA).await.map_err(store_error)?.map(Known::from);
        let shown = node.is_some_and(|node| matches!(node.config.access, Access::Open | Access::Presence));
        Ok(shown.then_some(id))
    }

    /// An account has another picture: its presence says so (XEP-0398 §4).
    pub async fn avatar_changed(&self, owner: &Member) {
        if rookery_store::is_group(owner.uid) {
            if let Err(error) = self.group_avatar_changed(owner.uid).await {
                tracing::warn!(uid = owner.uid.0, ?error, "a group's new picture was not announced");
            }
            return;
        }
        for session in self.router.sessions(owner.uid) {
            if let Err(error) = self.announce_avatar(&session).await {
                tracing::warn!(uid = owner.uid.0, ?error, "a new avatar was not announced");
            }
        }
    }

    async fn announce_avatar(&self, session: &Arc<Session>) -> Result<(), StanzaError> {
        let before = session.state().available.as_ref().map(|a| a.stanza.clone());
        let Some(before) = before else { return Ok(()) };
        let now = self.with_avatar(session.uid, before.clone()).await?;
        if now == before {
            return Ok(());
        }
        match &mut session.state().available {
            Some(available) if available.stanza == before => available.stanza = now.clone(),
            // The client has said something else meanwhile, with the new hash in it.
            _ => return Ok(()),
        }
        self.journal.snapshot(session);
        // XEP-0153 §3.2: that there is none any more is said once, by an empty photo.
        let told = Stanza::parse(&now).ok().filter(|now| !now.has_child(ns::VCARD_UPDATE, "x"));
        let told = told.map_or(now, |now| announcing(&now, ""));
        self.announce(session, &told).await
    }
}

/// A presence with this hash in place of any that it has.
fn announcing(presence: &Stanza, hash: &str) -> Bytes {
    let mut x = Xml::new();
    x.open_ns("x", ns::VCARD_UPDATE).text_element("photo", hash).close();
    let drop = |child: &Child<'_>| child.is(ns::VCARD_UPDATE, "x");
    presence.render(&Edit { drop: Some(&drop), append: &x.into_vec(), ..Edit::default() }).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_hash() {
        let photo = Photo::new("", "Y291Y291\r\n IGNvdWNvdQ==").expect("base64");
        assert_eq!((photo.bytes, photo.kind.as_str()), (13, "image/png"));
        assert_eq!(photo.base64, "Y291Y291IGNvdWNvdQ==");
        assert_eq!(photo.id.len(), 40);
        for bad in ["", " ", "*", "Y291Y291="] {
            assert!(Photo::new("image/png", bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn only_a_picture_that_is_here_is_described() {
        let id = "0123456789abcdef0123456789ABCDEF01234567";
        let metadata = |info: &str| format!("<metadata xmlns='{}'>{info}</metadata>", ns::AVATAR_METADATA);
        let read = |info: &str| described(metadata(info).as_bytes()).map(|(id, _)| id);
        assert_eq!(read(&format!("<info id='{id}' type='image/png'/>")), Some(id.to_lowercase()));
        assert_eq!(read(&format!("<info id='{id}' url='https://a.example/'/>")), None);
        assert_eq!(read("<info id='&lt;photo/>'/>"), None);
        assert_eq!(read(""), None);
    }
}
