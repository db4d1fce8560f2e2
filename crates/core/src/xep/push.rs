//! XEP-0357: Push Notifications: where a client asks for them. Who is told, and what, is in [`crate::push`].

use super::Xep;
use crate::address::{self, Target};
use crate::answer::{Answer, Reply};
use crate::{Ctx, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::Answers;
use rookery_proto::jid::Jid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_store::{PushFilter, PushTarget, Registrant};

/// XEP-0357.
pub const INFO: Xep = Xep {
    number: "XEP-0357",
    name: "Push Notifications",
    version: "0.4.1",
    server: &[],
    account: &[ns::PUSH],
    note: "To app servers that are components here, other domains being out of reach; the summary says what its owner allows. \
           Failures pause, refusals end a registration.",
};

/// Enables notifications (§5).
pub async fn enable(ctx: &Ctx<'_>, enable: &Child<'_>) -> Answer {
    let jid = service(enable)?;
    match ctx.core.target(&jid).await? {
        Target::Component(_) => {}
        Target::Elsewhere => {
            let text =
                "This server cannot reach other domains yet: the push service must be one of its components.";
            return Err(StanzaError::remote_server_not_found().text(text));
        }
        _ => return Err(StanzaError::not_acceptable().text("This is no push service.")),
    }
    let options = match enable.child(ns::DATA_FORMS, "x") {
        Some(form) => {
            let answers = Answers::read(&form).map_err(|_| StanzaError::bad_request())?;
            if answers.form_type() != Some(ns::PUBSUB_PUBLISH_OPTIONS) {
                return Err(StanzaError::bad_request().text("The form has publish options."));
            }
            form.xml().to_vec()
        }
        None => Vec::new(),
    };
    let node = enable.attr("node").unwrap_or_default().into_owned();
    register(ctx, PushTarget::AppServer { jid: jid.to_string(), node, options }).await
}

/// Disables them (§6): of one node, or all of a service.
pub async fn disable(ctx: &Ctx<'_>, disable: &Child<'_>) -> Answer {
    let jid = service(disable)?.to_string();
    let node = disable.attr("node").map(|node| node.into_owned());
    unregister(ctx, PushFilter::AppServer { jid, node }).await
}

fn service(element: &Child<'_>) -> Result<Jid, StanzaError> {
    let jid = element.attr("jid").filter(|jid| !jid.is_empty());
    let jid = jid.ok_or_else(|| StanzaError::bad_request().text("Which push service?"))?;
    address::parse(&jid)
}

/// Registers for the session that asks, and for its device.
pub(super) async fn register(ctx: &Ctx<'_>, target: PushTarget) -> Answer {
    let device = ctx.session.installation.as_ref().map(|installation| installation.device);
    let by = Registrant { resource: ctx.session.resource().to_owned(), device };
    ctx.store.set_push(ctx.member.uid, by, target, ctx.core.env.now()).await.map_err(store_error)?;
    ctx.core.pushes.registered(ctx.member.uid);
    Ok(Reply::Empty)
}

/// Removes registrations; what waits for them is forgotten.
pub(super) async fn unregister(ctx: &Ctx<'_>, filter: PushFilter) -> Answer {
    let gone = ctx.store.remove_pushes(ctx.member.uid, filter).await.map_err(store_error)?;
    ctx.core.pushes.forget(&gone);
    Ok(Reply::Empty)
}
