//! IQ: who handles what (RFC 6120 §8.2.3), as one match on type, namespace and name.

use crate::address::Target;
use crate::answer::{Answer, Reply};
use crate::component::Component;
use crate::member::Member;
use crate::xep::adhoc::At;
use crate::{Ctx, muc, review, xep};
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use std::sync::Arc;

/// Handles an IQ of a client: answers it, or hands it on to the resource it is for.
pub async fn iq(ctx: &Ctx<'_>) -> Result<(), StanzaError> {
    if ctx.member.waits {
        Box::pin(review::admit(ctx)).await?;
    }
    let kind = ctx.stanza.type_().unwrap_or_default().into_owned();
    if ctx.stanza.id().is_none() {
        return Err(StanzaError::bad_request().text("An IQ has an id."));
    }
    let named = ctx.named()?;
    ctx.core.permits(named.as_ref())?;
    let target = ctx.target_of(named.as_ref()).await?;
    if let Target::Account { member, resource: Some(resource) } = &target {
        return hand_on(ctx, member, resource, &kind);
    }
    if let Target::Group { local, nick } = &target {
        return muc::iq::iq(ctx, local, nick.as_deref(), &kind).await;
    }
    if let Target::Component(component) = &target {
        return hand_out(ctx, component, &kind);
    }
    if matches!(target, Target::Nobody) && ctx.named()?.is_some_and(|to| to.resource().is_some()) {
        return nobody(ctx, &kind);
    }
    let set = match kind.as_str() {
        "get" => false,
        "set" => true,
        // Answers to what the server asked (pushes, pings, capabilities); anything else has nobody waiting for it.
        "result" | "error" => return xep::caps::answered(ctx).await,
        _ => return Err(StanzaError::bad_request().text("There is no IQ of this type.")),
    };
    let payload = sole_child(ctx)?;
    let answer = match &target {
        Target::Account { member, .. } if member.uid == ctx.member.uid => own(ctx, set, &payload).await?,
        Target::Server => server(ctx, set, &payload).await?,
        Target::Groups => muc::iq::of_service(ctx, set, &payload).await?,
        Target::Pubsub => xep::pep::service::iq(ctx, set, &payload).await?,
        Target::Account { member, .. } => account(ctx, member, set, &payload).await?,
        Target::Nobody if ctx.blocks_named()? => return Err(StanzaError::blocked()),
        Target::Nobody => return Err(unanswered(&payload)),
        Target::Elsewhere | Target::Component(_) | Target::Group { .. } => {
            return Err(StanzaError::remote_server_not_found());
        }
    };
    if matches!(answer, Reply::Later) {
        return Ok(());
    }
    let ends = matches!(answer, Reply::Farewell(_));
    result(ctx, answer);
    if ends {
        ctx.core.account_changed(ctx.member.uid, true).await;
    }
    Ok(())
}

/// What a request is about (RFC 6120 §8.2.3).
pub(crate) fn sole_child<'a>(ctx: &Ctx<'a>) -> Result<Child<'a>, StanzaError> {
    let mut children = ctx.stanza.children().filter(|c| !(c.ns() == ns::CLIENT && c.name() == "error"));
    match (children.next(), children.next()) {
        (Some(payload), None) => Ok(payload),
        _ => Err(StanzaError::bad_request().text("A request has exactly one child.")),
    }
}

/// What a client asks of its own account (`to` absent or its bare address).
async fn own(ctx: &Ctx<'_>, set: bool, payload: &Child<'_>) -> Answer {
    match (set, payload.ns(), payload.name()) {
        (false, ns::ROSTER, "query") => xep::roster::get(ctx, payload).await,
        (true, ns::ROSTER, "query") => xep::roster::set(ctx, payload).await,
        (false, ns::BLOCKING, "blocklist") => xep::blocking::get(ctx).await,
        (true, ns::BLOCKING, "block") => xep::blocking::block(ctx, payload).await,
        (true, ns::BLOCKING, "unblock") => xep::blocking::unblock(ctx, payload).await,
        (true, ns::CARBONS, "enable") => xep::carbons::enable(ctx, true),
        (true, ns::CARBONS, "disable") => xep::carbons::enable(ctx, false),
        (false, ns::MAM, "query") => xep::mam::form(ctx),
        (true, ns::MAM, "query") => xep::mam::query(ctx, payload).await,
        (false, ns::MAM, "prefs") => xep::mam::prefs(ctx),
        (true, ns::MAM, "prefs") => xep::mam::set_prefs(ctx, payload).await,
        (false, ns::MAM, "metadata") => xep::mam::metadata(ctx).await,
        (false, ns::INBOX, "inbox") => xep::inbox::get(ctx, payload).await,
        (_, ns::PUBSUB | ns::PUBSUB_OWNER, "pubsub") => xep::pep::iq(ctx, ctx.member, set, payload).await,
        (false, ns::VCARD, "vCard") => xep::vcard::get(ctx, ctx.member).await,
        (true, ns::VCARD, "vCard") => xep::vcard::set(ctx, ctx.member, payload).await,
        (false, ns::PRIVATE, "query") => xep::private::get(ctx, payload).await,
        (true, ns::PRIVATE, "query") => xep::private::set(ctx, payload).await,
        (false, ns::CAM, "list") => xep::cam::list(ctx).await,
        (true, ns::CAM, "revoke") => xep::cam::revoke(ctx, payload).await,
        (false, ns::PAIRING, "pairing") => xep::pairing::look(ctx, payload),
        (true, ns::PAIRING, "approve") => xep::pairing::approve(ctx, payload).await,
        (true, ns::PAIRING, "refuse") => xep::pairing::refuse(ctx, payload),
        (false, ns::REACH, "settings") => xep::reach::settings(ctx).await,
        (true, ns::REACH, "settings") => xep::reach::set_settings(ctx, payload).await,
        (true, ns::REACH, "address") => xep::reach::add_address(ctx, payload).await,
        (true, ns::REACH, "prove") => xep::reach::prove(ctx, payload).await,
        (true, ns::REACH, "remove") => xep::reach::remove(ctx, payload).await,
        (true, ns::REACH, "test") => xep::reach::test(ctx, payload).await,
        (false, ns::REACH, "sendings") => xep::reach::sendings(ctx).await,
        (true, ns::PUSH, "enable") => xep::push::enable(ctx, payload).await,
        (true, ns::PUSH, "disable") => xep::push::disable(ctx, payload).await,
        (false, ns::WEB_PUSH, "key") => xep::webpush::key(ctx),
        (true, ns::WEB_PUSH, "subscribe") => xep::webpush::subscribe(ctx, payload).await,
        (true, ns::WEB_PUSH, "unsubscribe") => xep::webpush::unsubscribe(ctx, payload).await,
        (true, ns::INVISIBLE, "invisible") => xep::invisible::hide(ctx, payload).await,
        (true, ns::INVISIBLE, "visible") => xep::invisible::show(ctx),
        (true, ns::SESSION, "session") => Ok(Reply::Empty),
        (_, ns::FLEXIBLE_OFFLINE, "offline") => xep::offline::request(ctx, set, payload).await,
        (false, ns::DISCO_INFO, "query") if xep::offline::is_meant(payload) => xep::offline::info(ctx).await,
        (false, ns::DISCO_ITEMS, "query") if xep::offline::is_meant(payload) => {
            xep::offline::headers(ctx, payload).await
        }
        (true, ns::COMMANDS, "command") => xep::adhoc::execute(ctx, payload, At::Account).await,
        (false, ns::DISCO_INFO, "query") if xep::adhoc::is_meant(payload) => {
            xep::adhoc::info(ctx, payload, At::Account)
        }
        (false, ns::DISCO_ITEMS, "query") if xep::adhoc::is_meant(payload) => {
            xep::adhoc::items(ctx, payload, At::Account)
        }
        (false, ns::DISCO_INFO, "query") if ctx.stanza.to().is_some() => {
            xep::disco::account_info(ctx, ctx.member, payload).await
        }
        (false, ns::DISCO_ITEMS, "query") if ctx.stanza.to().is_some() => {
            xep::pep::disco::items(ctx, ctx.member, payload).await
        }
        (false, ns::LAST, "query") if ctx.stanza.to().is_some() => {
            xep::last::of_account(ctx, ctx.member).await
        }
        _ => server(ctx, set, payload).await,
    }
}

/// What a client asks of the server.
async fn server(ctx: &Ctx<'_>, set: bool, payload: &Child<'_>) -> Answer {
    match (set, payload.ns(), payload.name()) {
        (false, ns::PING, "ping") => Ok(Reply::Empty),
        (true, ns::COMMANDS, "command") => xep::adhoc::execute(ctx, payload, At::Server).await,
        (false, ns::DISCO_INFO, "query") if xep::adhoc::is_meant(payload) => {
            xep::adhoc::info(ctx, payload, At::Server)
        }
        (false, ns::DISCO_ITEMS, "query") if xep::adhoc::is_meant(payload) => {
            xep::adhoc::items(ctx, payload, At::Server)
        }
        (false, ns::DISCO_INFO, "query") if xep::search::is_meant(payload) => xep::search::info(),
        (false, ns::DISCO_INFO, "query") => xep::disco::server_info(ctx.core, payload),
        (false, ns::DISCO_ITEMS, "query") => xep::disco::server_items(ctx.core, payload),
        (false, ns::VERSION, "query") => xep::version::get(),
        (false, ns::TIME, "time") => xep::time::get(ctx.core),
        (false, ns::LAST, "query") => xep::last::of_server(ctx.core),
        (false, ns::SEARCH, "query") => xep::search::form(),
        (true, ns::SEARCH, "query") => xep::search::search(ctx, payload).await,
        (false, ns::REGISTER, "query") => xep::register::state(ctx),
        (false, ns::EXT_DISCO, "services") => xep::extdisco::services(ctx, payload),
        (false, ns::EXT_DISCO, "credentials") => xep::extdisco::credentials(ctx, payload),
        (true, ns::REGISTER, "query") => xep::register::change(ctx, payload).await,
        (false, ns::PREVIEW, "preview") => xep::preview::look(ctx, payload),
        (false, ns::FILE_INFO, "info") => xep::file_info::info(ctx, payload).await,
        (false, ns::HTTP_UPLOAD, "request") => xep::upload::request(ctx, payload).await,
        (true, ns::SESSION, "session") => Ok(Reply::Empty),
        _ => Err(StanzaError::service_unavailable()),
    }
}

/// What a client asks of another account: the server answers for it, or says that nobody does, whether the
/// account exists or not (RFC 6121 §8.5.1).
async fn account(ctx: &Ctx<'_>, member: &Arc<Member>, set: bool, payload: &Child<'_>) -> Answer {
    let me = &ctx.session.jid;
    if ctx.member.blocks(&member.address) {
        return Err(StanzaError::blocked());
    }
    if xep::offline::is_meant(payload) {
        return Err(unanswered(payload));
    }
    // Each node says itself who may see it.
    if !member.blocks(me) {
        match (set, payload.ns(), payload.name()) {
            (_, ns::PUBSUB | ns::PUBSUB_OWNER, "pubsub") => {
                return xep::pep::iq(ctx, member, set, payload).await;
            }
            (false, ns::VCARD, "vCard") => return xep::vcard::get(ctx, member).await,
            _ => {}
        }
    }
    let sight = ctx.core.sight(member.uid, me).await?;
    if !(if payload.ns() == ns::LAST { sight.last } else { sight.presence }) {
        return Err(unanswered(payload));
    }
    match (set, payload.ns(), payload.name()) {
        (false, ns::DISCO_INFO, "query") => xep::disco::account_info(ctx, member, payload).await,
        (false, ns::DISCO_ITEMS, "query") => xep::pep::disco::items(ctx, member, payload).await,
        (false, ns::LAST, "query") => xep::last::of_account(ctx, member).await,
        _ => Err(StanzaError::service_unavailable()),
    }
}

/// The answer where nobody answers: the same for an account that does not exist, one that blocks, and one that does
/// not share its presence.
fn unanswered(payload: &Child<'_>) -> StanzaError {
    match payload.ns() {
        // XEP-0012 §4: not for those who may not see presence.
        ns::LAST => StanzaError::forbidden(),
        // XEP-0013 §2.3: what waits is for nobody else.
        _ if xep::offline::is_meant(payload) => StanzaError::forbidden(),
        _ => StanzaError::service_unavailable(),
    }
}

/// An IQ for one resource goes to it as it is; an answer for one that has gone is dropped (RFC 6121 §8.5.3.1, §8.5.3.2.3).
///
/// §8.5.3.1 would rather have requests of strangers refused, lest they guess a resource and learn that it is there.
/// Clients count on what all servers do: who knows the full address may ask (files, calls, capabilities).
fn hand_on(ctx: &Ctx<'_>, member: &Member, resource: &str, kind: &str) -> Result<(), StanzaError> {
    let me = &ctx.session.jid;
    let request = matches!(kind, "get" | "set");
    if !request && !matches!(kind, "result" | "error") {
        return Err(StanzaError::bad_request().text("There is no IQ of this type."));
    }
    if ctx.member.blocks(&member.address) {
        return Err(StanzaError::blocked());
    }
    match ctx.core.router.session(member.uid, resource) {
        Some(session) if !member.blocks(me) => {
            let stanza = ctx.sent_on(ctx.session.jid.as_str(), Some(session.jid.as_str()), None);
            session.push(stanza.into());
            Ok(())
        }
        _ if request => Err(StanzaError::service_unavailable()),
        _ => Ok(()),
    }
}

/// An IQ for a resource of nobody ends like one for a resource that has gone: it does not tell which it was.
fn nobody(ctx: &Ctx<'_>, kind: &str) -> Result<(), StanzaError> {
    match kind {
        _ if ctx.blocks_named()? => Err(StanzaError::blocked()),
        "get" | "set" => Err(StanzaError::service_unavailable()),
        "result" | "error" => Ok(()),
        _ => Err(StanzaError::bad_request().text("There is no IQ of this type.")),
    }
}

/// An IQ for an address at a component goes to it as it is.
fn hand_out(ctx: &Ctx<'_>, component: &Component, kind: &str) -> Result<(), StanzaError> {
    if !matches!(kind, "get" | "set" | "result" | "error") {
        return Err(StanzaError::bad_request().text("There is no IQ of this type."));
    }
    let Some(to) = ctx.named()? else { return Ok(()) };
    if ctx.member.blocks(&to) {
        return Err(StanzaError::blocked());
    }
    component.send(ctx.sent_on(ctx.session.jid.as_str(), Some(to.as_str()), None))
}

/// The result of a request, to the client that asked.
pub(crate) fn result(ctx: &Ctx<'_>, reply: Reply) {
    let mut x = Xml::new();
    x.open("iq").attr("type", "result").opt("id", ctx.stanza.id().as_deref());
    x.opt("from", ctx.stanza.to().as_deref()).attr("to", ctx.session.jid.as_str());
    if let Reply::Payload(payload) | Reply::Farewell(payload) = &reply {
        x.raw(payload);
    }
    x.close();
    ctx.session.push(x.into_vec().into());
    if let Reply::Then(stanzas) = reply {
        stanzas.into_iter().for_each(|stanza| ctx.session.push(stanza));
    }
}
