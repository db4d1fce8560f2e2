//! Taking up an invitation with the account that one has: whom and what it is from, then to become a contact, or a member of the
//! group that it leads to.

use super::{Command, Next, Turn, Who};
use crate::accounts::invite_hash;
use crate::muc::Room;
use crate::presence::subscription;
use crate::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};
use rookery_store::Invite;
use std::sync::Arc;

pub(super) const COMMANDS: &[Command] = &[Command {
    node: "https://rookery.im/command/take-up-invitation",
    name: "Take up an invitation",
    who: Who::Oneself,
    step: |turn| Box::pin(take_up(turn)),
}];

async fn take_up(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        let token = Field::new(Kind::TextSingle, "token", "What stands at the end of the link").required();
        return Next::ask_first(Form::untyped().title("Take up an invitation").field(token));
    };
    let token = answers.text("token").unwrap_or_default();
    let invite = valid(turn, token).await?;
    let room = group(turn, &invite).await?;
    match turn.answers.get(1) {
        None => Next::ask(about(turn, &invite, room.as_deref()).await?),
        Some(_) => accept(turn, token, &invite, room.as_ref()).await,
    }
}

/// The invitation, if it is good for somebody who has an account.
async fn valid(turn: Turn<'_>, token: &str) -> Result<Invite, StanzaError> {
    let core = turn.ctx.core;
    let found = core.store.invite(invite_hash(token)).await.map_err(store_error)?;
    let now = core.env.now();
    let found = found.filter(|invite| invite.uses > 0 && invite.expires > now);
    let invite = found.ok_or_else(|| StanzaError::item_not_found().text("This invitation is not valid."))?;
    if invite.created_by == Some(turn.ctx.member.uid) {
        return Err(StanzaError::not_allowed().text("This is your own invitation."));
    }
    if !invite.offer.contact && invite.offer.group.is_none() {
        let text = "This invitation is for making an account, and you have one.";
        return Err(StanzaError::not_acceptable().text(text));
    }
    Ok(invite)
}

/// The group that it leads to, if there still is one.
async fn group(turn: Turn<'_>, invite: &Invite) -> Result<Option<Arc<Room>>, StanzaError> {
    let groups = &turn.ctx.core.policy.groups;
    let address = invite.offer.group.as_ref().filter(|group| group.domain().as_str() == groups);
    match address.and_then(|address| address.node()) {
        Some(local) => turn.ctx.core.room(local.as_str()).await,
        None => Ok(None),
    }
}

async fn about(turn: Turn<'_>, invite: &Invite, room: Option<&Room>) -> Result<Form, StanzaError> {
    let core = turn.ctx.core;
    let fixed = |var, label, value: String| Field::new(Kind::Fixed, var, label).value(value);
    let mut form = Form::untyped().title("Take up an invitation");
    if let Some(uid) = invite.created_by
        && let Some(inviter) = core.store.account(uid).await.map_err(store_error)?
    {
        form = form.field(fixed("inviter", "From", core.accounts.address(&inviter).to_string()));
        if let Some(nick) = inviter.nick {
            form = form.field(fixed("nick", "Who is called", nick));
        }
    }
    if invite.offer.contact {
        form = form.field(fixed("contact", "You become contacts", "true".to_owned()));
    }
    if let Some(room) = room {
        let name = room.state().config.name.clone();
        form = form.field(fixed("group", "You become a member of", room.place.address.to_string()));
        form = form.field(fixed("group-name", "Which is called", name));
    }
    Ok(form)
}

async fn accept(
    turn: Turn<'_>,
    token: &str,
    invite: &Invite,
    room: Option<&Arc<Room>>,
) -> Result<Next, StanzaError> {
    let (ctx, core) = (turn.ctx, turn.ctx.core);
    if let (true, Some(uid)) = (invite.offer.contact, invite.created_by) {
        let inviter = core.member_of(uid).await?;
        // With a group it is entered too.
        if subscription::take_up(ctx, &inviter, token).await? {
            return Next::done(format!("You and {} are contacts.", inviter.address));
        }
    }
    let Some(room) = room else {
        return Next::done("You are contacts already, or cannot become so by this invitation.");
    };
    if !core.accept_membership(room, invite, &ctx.member.address).await? {
        return Next::done("Nothing has changed: you are a member already, or may not become one.");
    }
    Next::done(format!("You are a member of {}.", room.place.address))
}
