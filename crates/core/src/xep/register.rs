//! XEP-0077: In-Band Registration, for somebody who is signed in: what is registered, another password, the end.
//! Signing up comes before authentication and is in the server's negotiation.

use super::Xep;
use crate::answer::{Answer, Reply};
use crate::{Ctx, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;

/// XEP-0077.
pub const INFO: Xep = Xep {
    number: "XEP-0077",
    name: "In-Band Registration",
    version: "2.4",
    server: &[ns::REGISTER],
    account: &[],
    note: "Sign up (closed, with invitation, with review, open), change of password, cancellation; by fields or form.",
};

/// What is registered (§3.1).
pub fn state(ctx: &Ctx<'_>) -> Answer {
    let mut x = Xml::new();
    x.open_ns("query", ns::REGISTER).leaf("registered");
    x.text_element("username", local(ctx)).leaf("password").close();
    Ok(Reply::Payload(x.into_vec()))
}

fn local<'a>(ctx: &'a Ctx<'_>) -> &'a str {
    ctx.member.address.node().map_or("", |node| node.as_str())
}

/// Another password (§3.3), or the end of the account (§3.2).
pub async fn change(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    if payload.child(ns::REGISTER, "remove").is_some() {
        ctx.core.remove_account(ctx.member.uid).await?;
        tracing::info!(uid = ctx.member.uid.0, "account deleted by its owner");
        return Ok(Reply::Farewell(Vec::new()));
    }
    let field = |name| payload.child(ns::REGISTER, name).map(|c| c.text().into_owned());
    let (Some(user), Some(password)) = (field("username"), field("password")) else {
        return Err(
            StanzaError::bad_request().text("A change of password names the user and the new password.")
        );
    };
    let named = ctx.core.directory.find(&user.to_lowercase()).await.map_err(store_error)?;
    if named.is_none_or(|member| member.uid != ctx.member.uid) {
        return Err(StanzaError::not_allowed().text("You can change your own password only."));
    }
    ctx.core.set_password(ctx.member.uid, password).await?;
    tracing::info!(uid = ctx.member.uid.0, "password changed");
    Ok(Reply::Empty)
}
