//! Commands about the second factor of administrators: to have one, to prove it, to be without.

use super::{Command, Next, Turn};
use crate::second_factor::Refusal;
use crate::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};
use rookery_proto::ns;

/// The command by which a session proves that it has the second factor.
const CONFIRM: &str = "https://rookery.im/command/confirm";

/// The command by which an administrator gets a second factor, or goes without.
const FACTOR: &str = "https://rookery.im/command/second-factor";

pub(super) const COMMANDS: &[Command] = &[
    Command::admin(CONFIRM, "Confirm that it is you", |turn| Box::pin(confirm(turn))),
    Command::admin(FACTOR, "My second factor", |turn| Box::pin(factor(turn))),
];

/// Refuses what administers to a session that has not proven the second factor of its account.
pub(super) async fn admit(turn: Turn<'_>, node: &str) -> Result<(), StanzaError> {
    if node == CONFIRM || node == FACTOR {
        return Ok(());
    }
    let error = match turn.ctx.core.is_confirmed(turn.ctx.session).await.map_err(store_error)? {
        Some(true) => return Ok(()),
        Some(false) => StanzaError::not_authorized()
            .app(ns::SECOND_FACTOR, "confirm")
            .text("Confirm first that it is you: run the command with this name."),
        None => StanzaError::not_authorized().app(ns::SECOND_FACTOR, "begin").text(
            "Administrators of this server need a second factor: run the command \"My second factor\".",
        ),
    };
    Err(error)
}

fn code_field() -> Field {
    Field::new(Kind::TextSingle, "code", "The six digits that your application shows now").required()
}

/// The digits, however they were typed.
fn code(turn: Turn<'_>, stage: usize) -> String {
    let typed = turn.answers.get(stage).and_then(|answers| answers.text("code")).unwrap_or_default();
    typed.chars().filter(|char| !char.is_whitespace()).collect()
}

fn refused(refusal: Refusal) -> StanzaError {
    match refusal {
        Refusal::Wrong => {
            StanzaError::not_acceptable().text("This is not the code of now, or it was used before.")
        }
        Refusal::TooMany => {
            StanzaError::policy_violation().text("Too many wrong codes. Wait a quarter of an hour.")
        }
        Refusal::None => StanzaError::item_not_found().text("Your account has no second factor."),
    }
}

async fn confirm(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let ctx = turn.ctx;
    if turn.answers.is_empty() {
        return Next::ask(Form::untyped().title("Confirm that it is you").field(code_field()));
    }
    ctx.core.confirm(ctx.session, &code(turn, 0)).await.map_err(store_error)?.map_err(refused)?;
    tracing::info!(admin = ctx.member.uid.0, "second factor confirmed");
    Next::done("This session administers for a quarter of an hour.")
}

/// Shows a new key and takes the first code; for who has a factor, takes a code and removes it.
async fn factor(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (ctx, core) = (turn.ctx, turn.ctx.core);
    let uid = ctx.member.uid;
    if core.store.factor(uid).await.map_err(store_error)?.is_some() {
        if turn.answers.is_empty() {
            return Next::ask(
                Form::untyped()
                    .title("Go without a second factor")
                    .instructions("Your password alone will do to administer the server.")
                    .field(code_field()),
            );
        }
        core.confirm(ctx.session, &code(turn, 0)).await.map_err(store_error)?.map_err(refused)?;
        core.store.remove_factor(uid).await.map_err(store_error)?;
        tracing::warn!(admin = uid.0, "second factor removed");
        return Next::done("Your account has no second factor any more.");
    }
    let Some(answers) = turn.answers.first() else {
        let seed = core.env.bytes::<16>();
        let key = core.factor_key(uid, &seed).text();
        let address = ctx.member.address.as_str();
        let domain = &core.policy.domain;
        let link = format!("otpauth://totp/{domain}:{address}?secret={key}&issuer={domain}");
        return Next::ask(
            Form::untyped()
                .title("A second factor")
                .instructions(
                    "Add the key to an application that makes codes. From then on administering the server takes a code of \
                     it. If you lose it, whoever runs the server can take it away: rookery account second-factor.",
                )
                .field(Field::new(Kind::Fixed, "key", "The key").value(key))
                .field(Field::new(Kind::Fixed, "link", "The same as a link").value(link))
                .field(Field::new(Kind::Hidden, "seed", "").value(data_encoding::HEXLOWER.encode(&seed)))
                .field(code_field()),
        );
    };
    let seed = data_encoding::HEXLOWER.decode(answers.text("seed").unwrap_or_default().as_bytes()).ok();
    let seed = seed.and_then(|seed| <[u8; 16]>::try_from(seed).ok());
    let seed = seed.ok_or_else(|| StanzaError::bad_request().text("Begin anew."))?;
    core.begin_factor(ctx.session, seed, &code(turn, 0)).await.map_err(store_error)?.map_err(refused)?;
    tracing::info!(admin = uid.0, "second factor set");
    Next::done("From now on administering the server takes a code.")
}
