//! Commands of a group beside its hats: a link that brings people into it, and who asks to be let in.

use super::asker::Asker;
use super::hats::room;
use super::mediate::may_invite;
use super::privilege::Affiliation;
use super::registration::Registration;
use super::requests;
use crate::env::stamp;
use crate::invitation::shown;
use crate::xep::adhoc::{Command, Next, Turn, Who};
use crate::{limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};
use rookery_store::ItemWindow;

pub(crate) const COMMANDS: &[Command] = &[
    Command {
        node: "https://rookery.im/command/invite-to-group",
        name: "Invite by a link",
        who: Who::Group(Affiliation::None),
        step: |turn| Box::pin(invite(turn)),
    },
    Command {
        node: "https://rookery.im/command/membership-requests",
        name: "Who asks to become a member",
        who: Who::Group(Affiliation::Admin),
        step: |turn| Box::pin(waiting(turn)),
    },
];

/// As XEP-0401 §4.1, for a group: who opens the link makes an account where that is allowed, or has one, and is a member.
async fn invite(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (room, member) = (room(&turn)?, turn.ctx.member);
    may_invite(room, &Asker::of(turn.ctx, room))?;
    if member.waits {
        return Err(StanzaError::forbidden().text("Your account waits for an administrator."));
    }
    let Some(answers) = turn.answers.first() else {
        let uses = Field::new(Kind::TextSingle, "uses", "For how many people").value("1");
        return Next::ask(
            Form::untyped()
                .title("Invite by a link")
                .instructions(
                    "Who opens the link becomes a member, and makes an account first where that is needed.",
                )
                .field(uses.whole(1..=limits::INVITE_USES_OF_GROUP)),
        );
    };
    let uses = answers.text("uses").and_then(|text| text.trim().parse().ok()).unwrap_or(1);
    let made = turn.ctx.core.invite_to_group(member, room.place.address.clone(), uses).await;
    tracing::info!(uid = member.uid.0, group = room.place.uid.0, uses, "invited to a group");
    shown(made?)
}

/// Requests that wait (§7.10). They are answered as the messages about them are (§9.9).
async fn waiting(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let room = room(&turn)?;
    let (store, node) = (&turn.ctx.core.store, requests::node());
    let page = store.items(room.place.uid, &node.name, ItemWindow::First, limits::ROOM_REQUESTS).await;
    let items = page.map_err(store_error)?.map(|page| page.items).unwrap_or_default();
    let rows = items.into_iter().filter_map(|item| {
        let Registration { nick, about } = Registration::from_xml(&item.payload)?;
        Some(vec![item.id, nick, about.unwrap_or_default(), stamp(item.at)])
    });
    let column = |kind, var, label| Field::new(kind, var, label);
    let columns = vec![
        column(Kind::JidSingle, "muc#jid", "Address"),
        column(Kind::TextSingle, "muc#register_roomnick", "Nick"),
        column(Kind::TextSingle, "muc#register_faqentry", "About"),
        column(Kind::TextSingle, "at", "Since"),
    ];
    Next::show(Form::untyped().title("Who asks to become a member").table(columns, rows.collect()))
}
