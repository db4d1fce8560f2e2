//! XEP-0401: Ad-hoc Account Invitation Generation, and the list of one's own invitations.

use super::{Command, Next, Turn, Who};
use crate::accounts::AccountError;
use crate::env::stamp;
use crate::invitation::{refused, shown};
use crate::{limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};
use rookery_proto::name::Name;
use rookery_proto::ns;
use rookery_store::{Invite, InviteHash, Offer};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        node: ns::INVITE,
        name: "Invite somebody",
        who: Who::Oneself,
        step: |turn| Box::pin(invite(turn)),
    },
    Command {
        node: "https://rookery.im/command/invitations",
        name: "My invitations",
        who: Who::Oneself,
        step: |turn| Box::pin(invitations(turn)),
    },
    Command::admin(ns::INVITE_CREATE_ACCOUNT, "Invite somebody to make an account", |turn| {
        Box::pin(create_account(turn))
    }),
];

/// XEP-0401 §4.1: at once, and for one person.
async fn invite(turn: Turn<'_>) -> Result<Next, StanzaError> {
    if turn.ctx.member.waits {
        return Err(StanzaError::forbidden().text("Your account waits for an administrator."));
    }
    let made = turn.ctx.core.invite_contact(turn.ctx.member).await.map_err(refused)?;
    tracing::info!(uid = turn.ctx.member.uid.0, "invited somebody");
    shown(made)
}

/// XEP-0401 §4.4
async fn create_account(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (core, member) = (turn.ctx.core, turn.ctx.member);
    let Some(answers) = turn.answers.first() else {
        let number =
            |var, label, value: u32| Field::new(Kind::TextSingle, var, label).value(value.to_string());
        return Next::ask(
            Form::untyped()
                .title("Invite somebody to make an account")
                .instructions(
                    "A name is kept for whom you invite, and for one person. Without one they choose.",
                )
                .field(Field::new(Kind::TextSingle, "username", "Name in the address (may be left out)"))
                .field(Field::new(Kind::Boolean, "roster-subscription", "Become contacts").ticked(false))
                .field(number("uses", "For how many accounts", 1))
                .field(number("days", "Valid for so many days", limits::INVITE_DAYS)),
        );
    };
    let name = answers.text("username").map(Name::new).transpose().map_err(AccountError::from)?;
    let named = name.is_some();
    let offer = Offer {
        account: true,
        contact: answers.flag("roster-subscription").unwrap_or(false),
        name: name.map(Name::into_string),
        group: None,
    };
    let days = number(answers, "days", limits::INVITE_DAYS, limits::INVITE_DAYS_MOST)?;
    let uses = if named { 1 } else { number(answers, "uses", 1, limits::INVITE_USES_MOST)? };
    let made = core.invite(member, uses, days, offer, rookery_store::limits::INVITES).await?;
    tracing::info!(admin = member.uid.0, "invited somebody to make an account");
    shown(made)
}

fn number(answers: &Answers, var: &str, default: u32, most: u32) -> Result<u32, StanzaError> {
    let Some(text) = answers.text(var) else { return Ok(default) };
    let number = text.trim().parse().ok().filter(|number| (1..=most).contains(number));
    number
        .ok_or_else(|| StanzaError::bad_request().text(format!("This is a number from 1 to {most}: {var}.")))
}

/// Shows what the account has made, and takes back what is chosen.
async fn invitations(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (store, uid, now) = (&turn.ctx.store, turn.ctx.member.uid, turn.ctx.core.env.now());
    let Some(answers) = turn.answers.first() else {
        let mut open = store.invites(Some(uid)).await.map_err(store_error)?;
        open.retain(|invite| invite.uses > 0 && invite.expires > now);
        if open.is_empty() {
            return Next::done("None of your invitations is open.");
        }
        let mut field = Field::new(Kind::ListMulti, "invitations", "Take these back").required();
        for invite in open.iter().take(limits::ADMIN_LIST) {
            field = field.option(described(invite), id(invite));
        }
        return Next::ask(Form::untyped().title("My invitations").field(field));
    };
    let mut taken_back = 0;
    for text in answers.all("invitations").iter().filter(|text| !text.is_empty()) {
        if let Some(hash) = hash(text) {
            taken_back += usize::from(store.revoke_invite(hash, Some(uid)).await.map_err(store_error)?);
        }
    }
    Next::done(match taken_back {
        1 => "One invitation is taken back.".to_owned(),
        n => format!("{n} invitations are taken back."),
    })
}

fn described(invite: &Invite) -> String {
    let what = match (&invite.offer.name, invite.offer.contact) {
        (Some(name), _) => format!("to sign up as {name}"),
        (None, true) => "to become a contact".to_owned(),
        (None, false) => "to sign up".to_owned(),
    };
    let left = if invite.uses > 1 { format!(", {} times", invite.uses) } else { String::new() };
    format!("{what}{left}, until {}", stamp(invite.expires))
}

/// What names an invitation in forms: its hash, which is no secret to who made it nor to administrators.
pub(super) fn id(invite: &Invite) -> String {
    data_encoding::HEXLOWER.encode(&invite.hash.0)
}

/// The hash of what [`id`] wrote.
pub(super) fn hash(text: &str) -> Option<InviteHash> {
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok().map(InviteHash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::invite_hash;

    #[test]
    fn an_invitation_is_named_by_its_hash() {
        let token = invite_hash("token");
        assert_eq!(hash(&data_encoding::HEXLOWER.encode(&token.0)), Some(token));
        assert_eq!(hash("ff"), None);
        assert_eq!(hash("not hexadecimal"), None);
    }
}
