//! What a group or a service writes to an account: into its log, as any message.

use crate::address::Target;
use crate::member::Member;
use crate::pipeline::{self, Kind, archived};
use crate::{Core, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::stanza::Stanza;
use rookery_store::{Append, Direction, Flags, Pointer, Store};
use smallvec::smallvec;
use std::sync::Arc;

/// Writes to an account, whoever may write to it otherwise. It is stored when this returns; an account that is no more is
/// passed over.
pub(crate) async fn send(
    core: &Core,
    store: &Store,
    from: &BareJid,
    to: &BareJid,
    write: impl FnOnce(&str) -> Vec<u8>,
) -> Result<(), StanzaError> {
    let Target::Account { member, .. } = core.target(&to.clone().into()).await? else { return Ok(()) };
    keep(core, store, from, &member, write(to.as_str()), None, false).await
}

/// Into the log of one account; with `aside` among what strangers have sent.
pub(crate) async fn keep(
    core: &Core,
    store: &Store,
    from: &BareJid,
    to: &Arc<Member>,
    stanza: Vec<u8>,
    resource: Option<Box<str>>,
    aside: bool,
) -> Result<(), StanzaError> {
    let read = Stanza::parse(&stanza).map_err(|_| StanzaError::internal_server_error())?;
    let class = pipeline::classify(&read, Kind::Normal);
    let flags = match aside {
        true => Flags::REQUEST | Flags::ARCHIVE,
        false => Flags::DELIVER | archived(core, to, from, class).await?,
    };
    let append = Append {
        stanza: stanza.into(),
        at: core.env.now(),
        flags: Flags(class.0 & !(Flags::ARCHIVE | Flags::DELIVER).0),
        pointers: smallvec![Pointer {
            uid: to.uid,
            peer: from.clone(),
            peer_resource: None,
            direction: Direction::In,
            resource: resource.filter(|_| !aside),
            flags,
        }],
        origin: None,
    };
    let stored = store.append(append).await.map_err(store_error)?;
    stored.await.map_err(store_error)?;
    Ok(())
}
