//! Commands about the invitations of all: which are open, page by page, and to take them back.

use super::invite::{hash, id};
use super::listing::{self, Wanted, column};
use super::{Command, Next, Turn};
use crate::env::stamp;
use crate::{limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};
use rookery_store::Invite;

pub(super) const COMMANDS: &[Command] = &[
    Command::admin("https://rookery.im/command/open-invitations", "Invitations of all", |turn| {
        Box::pin(list(turn))
    }),
    Command::admin("https://rookery.im/command/revoke-invitations", "Take invitations back", |turn| {
        Box::pin(revoke(turn))
    }),
];

/// Those that can still be taken up, the one that expires first at the beginning; a page goes on after so many of them.
async fn list(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(listing::asked(Form::untyped().title("Invitations of all")));
    };
    let Wanted { after, max, .. } = listing::read(answers)?;
    let mut open = core.store.invites(None).await.map_err(store_error)?;
    let now = core.env.now();
    open.retain(|invite| invite.uses > 0 && invite.expires > now);
    let from = usize::try_from(after).unwrap_or(usize::MAX).min(open.len());
    let upto = from.saturating_add(max).min(open.len());
    let mut rows = Vec::new();
    for invite in &open[from..upto] {
        rows.push(row(turn, invite).await?);
    }
    let columns = vec![
        column("id", "Id"),
        column("for", "For"),
        column("name", "Name that is kept"),
        column("group", "Group"),
        column("uses", "Uses left"),
        column("by", "By"),
        column("expires", "Expires"),
    ];
    let more = (upto < open.len()).then_some(upto as u64);
    Next::show(listing::more(Form::untyped().title("Invitations of all"), more).table(columns, rows))
}

async fn row(turn: Turn<'_>, invite: &Invite) -> Result<Vec<String>, StanzaError> {
    let by = match invite.created_by {
        Some(uid) => turn.ctx.core.directory.member(uid).await.map_err(store_error)?,
        None => None,
    };
    let offer = &invite.offer;
    let good_for = [(offer.account, "account"), (offer.contact, "contact"), (offer.group.is_some(), "group")];
    let good_for: Vec<_> = good_for.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
    Ok(vec![
        id(invite),
        good_for.join(", "),
        offer.name.clone().unwrap_or_default(),
        offer.group.as_ref().map(ToString::to_string).unwrap_or_default(),
        invite.uses.to_string(),
        by.map(|by| by.address.to_string()).unwrap_or_default(),
        stamp(invite.expires),
    ])
}

async fn revoke(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        return Next::ask(
            Form::untyped()
                .title("Take invitations back")
                .instructions("Nobody can take them up any more. Who has come by them stays.")
                .field(Field::new(Kind::TextMulti, "ids", "Their ids, one a line").required()),
        );
    };
    let mut taken_back = 0;
    for hash in answers.all("ids").iter().filter_map(|text| hash(text.trim())).take(limits::ADMIN_LIST) {
        let revoked = turn.ctx.core.store.revoke_invite(hash, None).await.map_err(store_error)?;
        taken_back += usize::from(revoked);
    }
    tracing::info!(admin = turn.ctx.member.uid.0, taken_back, "invitations taken back");
    Next::done(match taken_back {
        1 => "One invitation is taken back.".to_owned(),
        n => format!("{n} invitations are taken back."),
    })
}
