//! Signing in another device from one that is signed in: what waits is looked at, approved or refused. In a way of our own, which
//! docs/extensions.md describes:
//!
//! ```xml
//! <iq type='get'><pairing xmlns='https://rookery.im/protocol/pairing' code='482 915 307'/></iq>
//! <iq type='set'><approve xmlns='https://rookery.im/protocol/pairing' id='…'/></iq>
//! ```
//!
//! What waits has asked over HTTP. What is kept of it, and who may decide, is in [`crate::pairing`].

use super::Xep;
use crate::Ctx;
use crate::answer::{Answer, Reply};
use crate::env::stamp;
use crate::pairing::Named;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;

/// A protocol of our own.
pub const INFO: Xep = Xep {
    number: "our own",
    name: "Signing in by another device",
    version: "0",
    server: &[],
    account: &[ns::PAIRING],
    note: "By a QR code or digits, approved from a device that is signed in: [extensions](extensions.md#signing-in-by-another-device).",
};

/// What waits under an id or a code.
pub fn look(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let (id, code) = (payload.attr("id"), payload.attr("code"));
    let named = match (&id, &code) {
        (Some(id), None) => Named::Id(id),
        (None, Some(code)) => {
            // Digits are few enough to be guessed; ids are not.
            ctx.core.pace.code(ctx.member, ctx.core.env.now())?;
            Named::Code(code)
        }
        _ => return Err(StanzaError::bad_request().text("An id or a code says which.")),
    };
    let seen = ctx.core.look_at_pairing(ctx.session, named)?;
    let mut x = Xml::new();
    x.open_ns("pairing", ns::PAIRING).attr("id", &seen.id).attr("code", &seen.code);
    x.attr("expires", &stamp(seen.expires));
    x.text_element("software", &seen.newcomer.software).text_element("device", &seen.newcomer.device);
    x.text_element("address", &seen.newcomer.from.to_canonical().to_string());
    if seen.newcomer.public {
        x.leaf("public");
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// Lets it in.
pub async fn approve(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    ctx.core.approve_pairing(ctx.session, &id(payload)?).await?;
    Ok(Reply::Empty)
}

/// Sends it away.
pub fn refuse(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    ctx.core.refuse_pairing(ctx.session, &id(payload)?)?;
    Ok(Reply::Empty)
}

fn id(payload: &Child<'_>) -> Result<String, StanzaError> {
    let id = payload.attr("id").ok_or_else(|| StanzaError::bad_request().text("Which one?"))?;
    Ok(id.into_owned())
}
