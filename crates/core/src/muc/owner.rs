//! Configuring a room and ending it (XEP-0045 §10.1, §10.2, §10.9): requests of the namespace `muc#owner`.

use super::asker::Asker;
use super::config::RoomConfig;
use super::fan::Notes;
use super::privilege::{Affiliation, Role};
use super::room::Room;
use super::rooms::stored;
use super::{affiliate, status};
use crate::answer::{Answer, Reply};
use crate::{Core, Ctx, address, limits, store_error};
use bytes::Bytes;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Purpose};
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::Store;
use std::sync::Arc;

/// The form of the configuration as it is (§10.1.3, §10.2).
pub(super) fn get(ctx: &Ctx<'_>, room: &Room) -> Answer {
    Asker::of(ctx, room).must_be(Affiliation::Owner)?;
    let form = room.state().config.form();
    let mut x = Xml::new();
    x.open_ns("query", ns::MUC_OWNER);
    form.write(Purpose::Form, &mut x);
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// A form that is filled in or given up, or the end of the room.
pub(super) async fn set(ctx: &Ctx<'_>, room: &Arc<Room>, query: &Child<'_>) -> Answer {
    Asker::of(ctx, room).must_be(Affiliation::Owner)?;
    if let Some(destroy) = query.child(ns::MUC_OWNER, "destroy") {
        let end = end(&destroy)?;
        return destroyed(ctx, room, end, false).await;
    }
    let form = query.child(ns::DATA_FORMS, "x");
    let form = form.ok_or_else(|| StanzaError::bad_request().text("There is no form."))?;
    let answers = Answers::read(&form)?;
    if !answers.is_canceled() {
        configure(ctx, room, &answers).await?;
        return Ok(Reply::Empty);
    }
    // §10.1.3: a room that its maker does not want after all.
    destroyed(ctx, room, Bytes::from_static(b"<destroy/>"), true).await
}

/// Another configuration; the first one opens the room for the others (§10.1.2, §10.1.3).
async fn configure(ctx: &Ctx<'_>, room: &Arc<Room>, answers: &Answers) -> Result<(), StanzaError> {
    let changing = room.changing.lock().await;
    // An affiliation may have changed while this waited.
    let asker = Asker::of(ctx, room);
    asker.must_be(Affiliation::Owner)?;
    ctx.core.reconfigure(&ctx.store, room, answers, asker.nick).await?;
    drop(changing);
    // One that does not last any more may be empty.
    ctx.core.vacated(room).await;
    Ok(())
}

impl Core {
    /// An administrator of the server configures a group in its owner's place.
    pub(crate) async fn configure_group(
        &self,
        room: &Arc<Room>,
        answers: &Answers,
    ) -> Result<(), StanzaError> {
        let changing = room.changing.lock().await;
        if room.state().has_ended() {
            return Err(StanzaError::item_not_found());
        }
        self.reconfigure(&self.store, room, answers, None).await?;
        drop(changing);
        self.vacated(room).await;
        Ok(())
    }

    /// Stores another configuration, then does what follows from it; `by`: the nick of who does it. The caller holds
    /// [`Room::changing`].
    async fn reconfigure(
        &self,
        store: &Store,
        room: &Arc<Room>,
        answers: &Answers,
        by: Option<Box<str>>,
    ) -> Result<(), StanzaError> {
        let before = room.state().config.clone();
        let after = RoomConfig { locked: false, ..(*before).clone().with(answers)? };
        if let Some(most) = self.policy.group_days()
            && after.retention_days > most
            && after.retention_days != before.retention_days
        {
            let text = format!("This server keeps what is said in groups for {most} days at most.");
            return Err(StanzaError::not_acceptable().text(text));
        }
        store.configure_group(room.place.uid, stored(&after)).await.map_err(store_error)?;
        let after = Arc::new(after);
        room.state().config = after.clone();
        if !before.locked {
            announce(self, room, &before.changes(&after)).await;
        }
        if after.members_only && !before.members_only {
            leave_to_members(self, room, by).await?;
        }
        Ok(())
    }
}

/// §10.2.1: the occupants learn what kind of change there was.
pub(super) async fn announce(core: &Core, room: &Room, codes: &[u16]) {
    if codes.is_empty() {
        return;
    }
    let mut x = Xml::new();
    x.open("message").attr("from", room.place.address.as_str()).attr("type", "groupchat");
    x.attr("id", &core.env.token()).open_ns("x", ns::MUC_USER);
    for code in codes {
        x.open("status").attr("code", &code.to_string()).close();
    }
    room.tell(x.into_vec().into()).await;
}

/// §10.2.1: the room is for members only from now on, and the others go.
async fn leave_to_members(core: &Core, room: &Arc<Room>, by: Option<Box<str>>) -> Result<(), StanzaError> {
    let others: Vec<Box<str>> = {
        let state = room.state();
        let others = state.occupants().filter(|occupant| !occupant.affiliation.may_enter(true));
        others.map(|occupant| occupant.nick.clone()).collect()
    };
    for nick in others {
        let notes = Notes { codes: vec![status::MEMBERS_ONLY], actor: by.clone(), ..Notes::default() };
        affiliate::alter(core, room, &nick, notes, |occupant| (occupant.affiliation, Role::None)).await?;
    }
    Ok(())
}

/// `<destroy/>` as the occupants get it: where they may go instead, and why (§10.9).
fn end(destroy: &Child<'_>) -> Result<Bytes, StanzaError> {
    let instead = destroy.attr("jid").map(|jid| address::parse(&jid)).transpose()?;
    let mut x = Xml::new();
    x.open("destroy").opt("jid", instead.map(|jid| jid.to_string()));
    for name in ["password", "reason"] {
        if let Some(text) = destroy.child(ns::MUC_OWNER, name) {
            let text = text.text();
            if text.len() > limits::ROOM_TEXT {
                return Err(StanzaError::policy_violation().text(format!("The {name} is too long.")));
            }
            x.text_element(name, &text);
        }
    }
    x.close();
    Ok(x.into_vec().into())
}

/// Ends a room for good: out of the store first, then everybody in it is told and let go. `locked`: only one that was never
/// opened; another stays as it is.
async fn destroyed(ctx: &Ctx<'_>, room: &Arc<Room>, end: Bytes, locked: bool) -> Answer {
    let _changing = room.changing.lock().await;
    // Both may have changed while this waited.
    Asker::of(ctx, room).must_be(Affiliation::Owner)?;
    if !locked || room.state().config.locked {
        ctx.core.destroy_room(room, end).await?;
    }
    Ok(Reply::Empty)
}
