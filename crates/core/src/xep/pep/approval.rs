//! Subscribers whom an owner lets in (XEP-0060 §8.6): who wants to subscribe waits, the owners are written to, and what one of
//! them answers is told to who waits (§12.13). All of it is kept for those who are away.

use super::access::Visit;
use super::draft::Known;
use super::{error, notify, subscribe};
use crate::pipeline::{Kind, Step, unreachable};
use crate::session::Session;
use crate::{Ctx, address, letter, limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Purpose};
use rookery_proto::jid::BareJid;
use rookery_proto::xml::Xml;
use rookery_proto::{form, ns};
use rookery_store::{AffiliateChange, Affiliation, Subscription};
use std::sync::Arc;

/// The FORM_TYPE of a request and its answer (§16.4.1).
const FORM: &str = "http://jabber.org/protocol/pubsub#subscribe_authorization";

const NODE: &str = "pubsub#node";
const SUBSCRIBER: &str = "pubsub#subscriber_jid";
const ALLOW: &str = "pubsub#allow";

/// Writes to the owners of a node that somebody waits. That it waits is stored: an owner who could not be written to finds it
/// in the list of subscriptions.
pub(super) async fn ask(visit: &Visit<'_>, node: &Known, who: &BareJid) {
    if let Err(error) = try_ask(visit, node, who).await {
        tracing::warn!(?error, "some owners of a node were not told that somebody waits");
    }
}

async fn try_ask(visit: &Visit<'_>, node: &Known, who: &BareJid) -> Result<(), StanzaError> {
    let (core, name) = (visit.ctx.core, &node.node.name);
    let parts = core.store.affiliates(visit.owner.uid, name).await.map_err(store_error)?;
    let owners = parts.iter().filter(|part| part.affiliation == Affiliation::Owner);
    for owner in owners.take(limits::OWNERS_ASKED) {
        let write = |to: &str| {
            let mut x = Xml::new();
            x.open("message").attr("from", visit.owner.address.as_str()).attr("to", to);
            x.attr("id", &core.env.token());
            x.text_element("body", &format!("{who} wants to subscribe to {name}."));
            request(name, who).write(Purpose::Form, &mut x);
            x.into_vec()
        };
        letter::send(core, &core.store, &visit.owner.address, &owner.jid, write).await?;
    }
    Ok(())
}

/// The form that owners get.
fn request(node: &str, who: &BareJid) -> Form {
    Form::new(FORM)
        .title("Somebody wants to subscribe")
        .instructions("Tick the box to let this one in.")
        .field(Field::new(form::Kind::TextSingle, NODE, "Node").value(node))
        .field(Field::new(form::Kind::JidSingle, SUBSCRIBER, "Address").value(who.as_str()))
        .field(Field::new(form::Kind::Boolean, ALLOW, "Let in").ticked(false))
}

/// A message to the service: the answer of an owner, or nothing that it understands.
pub(crate) async fn answer(ctx: &Ctx<'_>, kind: Kind) -> Result<Step, StanzaError> {
    let form = ctx.stanza.child(ns::DATA_FORMS, "x").filter(|_| matches!(kind, Kind::Normal | Kind::Chat));
    let (Some(form), Some(service)) = (form, ctx.core.service()) else { return unreachable(kind) };
    let answers = Answers::read(&form)?;
    if answers.form_type() != Some(FORM) {
        return unreachable(kind);
    }
    // Who has not decided leaves it to later.
    if answers.is_canceled() {
        return Ok(Step::Done);
    }
    let (Some(name), Some(who), Some(allow)) =
        (answers.text(NODE), answers.text(SUBSCRIBER), answers.flag(ALLOW))
    else {
        return Err(StanzaError::bad_request().text("This does not say who is to be let in."));
    };
    let who = address::parse(who)?.to_bare();
    let visit = Visit::new(ctx, &service).await?;
    let node = visit.owned(name).await?;
    let part = ctx.core.store.node_affiliate(service.uid, name, &who).await.map_err(store_error)?;
    // Who has decided first has decided.
    if part.subscription != Subscription::Pending {
        return Err(StanzaError::item_not_found().text("Nobody of this address waits."));
    }
    let subscription = if allow { Subscription::Subscribed } else { Subscription::None };
    let change = AffiliateChange::subscription(who.clone(), subscription);
    ctx.store.change_affiliates(service.uid, name, vec![change]).await.map_err(error::of_store)?;
    tell(&visit, &node, &who, subscription).await;
    Ok(Step::Done)
}

/// Tells somebody that it is subscribed now, with the last item where the node does so, or that it is not.
pub(super) async fn tell(visit: &Visit<'_>, node: &Known, who: &BareJid, subscription: Subscription) {
    if let Err(error) = try_tell(visit, node, who, subscription).await {
        tracing::warn!(?error, "somebody was not told of a subscription");
    }
}

async fn try_tell(
    visit: &Visit<'_>,
    node: &Known,
    who: &BareJid,
    subscription: Subscription,
) -> Result<(), StanzaError> {
    let core = visit.ctx.core;
    let event = notify::event(|x| {
        x.open("subscription").attr("node", &node.node.name).attr("jid", who.as_str());
        x.attr("subscription", subscribe::name_of(subscription));
    });
    let write = |to: &str| {
        let mut x = Xml::new();
        x.open("message").attr("from", visit.owner.address.as_str()).attr("to", to);
        x.attr("id", &core.env.token()).raw(&event);
        x.into_vec()
    };
    letter::send(core, &core.store, &visit.owner.address, who, write).await?;
    if subscription != Subscription::Subscribed {
        return Ok(());
    }
    let Some(member) =
        core.directory.find(who.node().map_or("", |node| node.as_str())).await.map_err(store_error)?
    else {
        return Ok(());
    };
    let sessions = core.router.sessions(member.uid).into_iter().filter(|session| session.is_available());
    subscribe::send_last(visit, node, &sessions.collect::<Vec<Arc<Session>>>()).await
}
