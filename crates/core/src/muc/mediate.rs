//! What is asked of a room by a message to it (XEP-0045 §7.8, §7.13, §8.6, §9.9): to pass on invitations and the answers to
//! them, to ask for voice, and to decide about those who ask.

use super::asker::Asker;
use super::invitation::{self, Invitation, Word};
use super::privilege::{self, Affiliation, Role, Standing};
use super::room::Room;
use super::{admin, affiliate, letter, registration, requests, voice};
use crate::pipeline::Step;
use crate::{Ctx, limits};
use rookery_proto::error::{ErrorType, StanzaError};
use rookery_proto::form::{Answers, Form, Purpose};
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::xml::Xml;
use rookery_store::Timestamp;
use std::sync::Arc;

/// Handles a message to the room that is not for everybody in it.
pub(super) async fn message(ctx: &Ctx<'_>, room: &Arc<Room>) -> Result<Step, StanzaError> {
    if let Some(x) = ctx.stanza.child(ns::MUC_USER, "x") {
        let invitations = invitation::read(&x)?;
        if !invitations.is_empty() {
            return invitations_of(ctx, room, invitations).await;
        }
    }
    if let Some(form) = ctx.stanza.child(ns::DATA_FORMS, "x") {
        let answers = Answers::read(&form)?;
        // §8.6: whoever gives a form up decides nothing.
        if answers.is_canceled() {
            return Ok(Step::Done);
        }
        if let Some(request) = voice::read(&answers)? {
            return asked_for_voice(ctx, room, request).await;
        }
        if let Some(decision) = registration::decision(&answers)? {
            return requests::decide(ctx, room, decision).await;
        }
    }
    Err(StanzaError::service_unavailable().text("A room takes messages of the type groupchat."))
}

/// Passes them on, as far as that goes: the first invitation that cannot be is the error. Who is banned is not invited.
async fn invitations_of(
    ctx: &Ctx<'_>,
    room: &Arc<Room>,
    invitations: Vec<Invitation>,
) -> Result<Step, StanzaError> {
    let asker = Asker::of(ctx, room);
    if invitations.iter().any(|invitation| invitation.word == Word::Invite) {
        // Before anybody is looked up: who may not invite does not learn whom there is.
        may_invite(room, &asker)?;
    }
    let mut invited = Vec::new();
    for invitation in &invitations {
        // A room is no way around the limit of strangers that one writes to.
        let target = ctx.core.target(&invitation.to).await?;
        ctx.core.approach(ctx.member, Some(&invitation.to), &target).await?;
        if invitation.word == Word::Invite {
            let who = admin::known(ctx, &invitation.to.to_bare()).await?;
            if room.state().affiliation(&who) == Affiliation::Outcast {
                return Err(StanzaError::not_allowed().text(format!("{who} is banned from this room.")));
            }
            invited.push(who);
        }
    }
    admit(ctx, room, &invited).await?;
    let mut outcome = Ok(Step::Done);
    for invitation in &invitations {
        let passed = match invitation.word {
            Word::Invite => letter::pass_on(ctx.core, &ctx.store, room, &asker.jid, invitation).await,
            Word::Decline => {
                decline(ctx, room, &asker, invitation).await;
                Ok(())
            }
        };
        if let (Err(error), Ok(_)) = (passed, &outcome) {
            outcome = Err(error);
        }
    }
    outcome
}

/// §7.8.2: who is in the room, if it lets them; admins in any case.
pub(super) fn may_invite(room: &Room, asker: &Asker) -> Result<(), StanzaError> {
    let staff = asker.standing.affiliation >= Affiliation::Admin;
    if !staff && asker.nick.is_none() {
        return Err(StanzaError::not_acceptable().text("You are not in this room."));
    }
    if !staff && !room.state().config.invites_by_members {
        return Err(StanzaError::forbidden().text("Admins of this room invite others."));
    }
    Ok(())
}

/// §7.8.2: only those are told of a refusal who can have invited; a room carries no other mail. Who refuses does not learn
/// whether it arrived, and so neither who is in the room or its lists, nor whom there is.
async fn decline(ctx: &Ctx<'_>, room: &Room, asker: &Asker, refusal: &Invitation) {
    let Ok(who) = admin::known(ctx, &refusal.to.to_bare()).await else { return };
    let asked = Asker::among(&room.state(), &who);
    if asked.nick.is_none() && asked.standing.affiliation < Affiliation::Member {
        return;
    }
    if let Err(error) = letter::pass_on(ctx.core, &ctx.store, room, &asker.jid, refusal).await {
        tracing::debug!(uid = room.place.uid.0, ?error, "a refusal was not passed on");
    }
}

/// §9.5: who is invited to a room that only members enter becomes one.
async fn admit(ctx: &Ctx<'_>, room: &Arc<Room>, invited: &[BareJid]) -> Result<(), StanzaError> {
    let _changing = room.changing.lock().await;
    let rows: Vec<_> = {
        let state = room.state();
        let strangers = invited.iter().filter(|who| state.affiliation(who) == Affiliation::None);
        let strangers = strangers.filter(|_| state.config.members_only);
        strangers.map(|who| affiliate::row(&state, who, Affiliation::Member, None, None)).collect()
    };
    affiliate::apply(ctx.core, &ctx.store, room, None, rows).await
}

/// Somebody asks for voice, or is given it.
async fn asked_for_voice(
    ctx: &Ctx<'_>,
    room: &Arc<Room>,
    request: voice::Request,
) -> Result<Step, StanzaError> {
    match request {
        voice::Request::Ask => ask(ctx, room),
        voice::Request::Decide { allow: false, .. } => Ok(Step::Done),
        voice::Request::Decide { nick, allow: true } => {
            let asker = Asker::of(ctx, room);
            let role = {
                let state = room.state();
                let occupant = state.occupant(&nick).ok_or_else(StanzaError::item_not_found)?;
                let target = Standing { affiliation: occupant.affiliation, role: occupant.role };
                privilege::may_set_role(asker.standing, target, Role::Participant)?;
                target.role
            };
            // Somebody else may have decided before, or have done more.
            if role < Role::Participant {
                admin::give(ctx.core, room, &asker, &nick, Role::Participant, None).await?;
            }
            Ok(Step::Done)
        }
    }
}

/// §7.13: the moderators who are here are asked.
fn ask(ctx: &Ctx<'_>, room: &Room) -> Result<Step, StanzaError> {
    let occupant = super::message::speaker(ctx, room)?;
    if occupant.role.has_voice() {
        return Ok(Step::Done);
    }
    let now = ctx.core.env.now();
    let moderators: Vec<_> = {
        let mut state = room.state();
        if !state.config.voice_requests {
            return Err(StanzaError::forbidden().text("Nobody is asked for voice in this room."));
        }
        let until = Timestamp(now.0 + limits::ROOM_ASK_AGAIN_MS);
        if !state.takes_turn(occupant.uid, now, until) {
            return Err(StanzaError::policy_violation().kind(ErrorType::Wait).text("You have just asked."));
        }
        let moderators = state.occupants().filter(|other| other.role == Role::Moderator);
        moderators.flat_map(|other| &other.seats).map(|seat| seat.session.clone()).collect()
    };
    let form = voice::approval(ctx.session.jid.as_str(), &occupant.nick);
    for session in moderators {
        session.push(with_form(room, session.jid.as_str(), &ctx.core.env.token(), None, &form).into());
    }
    Ok(Step::Done)
}

/// A message of the room with a form in it.
pub(super) fn with_form(room: &Room, to: &str, id: &str, body: Option<&str>, form: &Form) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("message").attr("from", room.place.address.as_str()).attr("to", to).attr("id", id);
    if let Some(body) = body {
        x.text_element("body", body);
    }
    form.write(Purpose::Form, &mut x);
    x.close();
    x.into_vec()
}
