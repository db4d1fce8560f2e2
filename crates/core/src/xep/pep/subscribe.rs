//! Explicit subscriptions (XEP-0060 §6.1 to §6.4), and what a visitor has here (§5.6, §5.7). For personal nodes most need
//! none: contacts say what they want by their capabilities.

use super::access::Visit;
use super::config::{Access, SendLast};
use super::draft::Known;
use super::{HIDDEN, approval, error, form, named, owner};
use crate::answer::{Answer, Reply};
use crate::session::Session;
use crate::{address, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind, Purpose};
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::{Affiliate, AffiliateChange, Affiliation, ItemWindow, Subscription};
use std::sync::Arc;

/// Who is to be subscribed: the visitor, under whichever of its addresses; all its resources are told.
async fn subscriber(visit: &Visit<'_>, action: &Child<'_>) -> Result<BareJid, StanzaError> {
    let jid = action.attr("jid").ok_or_else(error::invalid_jid)?;
    let jid = visit.ctx.resolved(address::parse(&jid)?.to_bare()).await?;
    // §6.1.3.1.
    if jid == visit.ctx.member.address { Ok(jid) } else { Err(error::invalid_jid()) }
}

/// Subscribes, and sends the last item where the node does so; or asks the owners to be let in (§6.1.4).
pub(super) async fn subscribe(visit: &Visit<'_>, pubsub: &Child<'_>, action: &Child<'_>) -> Answer {
    let jid = subscriber(visit, action).await?;
    let name = named(action)?;
    let (node, part) = visit.found(&name).await?;
    // §6.3.7: with options at once.
    let deliver = pubsub.child(ns::PUBSUB, "options").map(|options| read(&options)).transpose()?.flatten();
    let stranger = !visit.owns(&part) && part.affiliation == Affiliation::None && !part.is_subscribed();
    let subscription = if node.config.access == Access::Authorize && stranger {
        if part.subscription == Subscription::Pending {
            return Err(error::pending());
        }
        let core = visit.ctx.core;
        // Each request is a message to somebody, as one for presence is.
        core.pace.subscription(visit.ctx.member, core.env.now())?;
        Subscription::Pending
    } else {
        visit.may_read(&node, &part).await?;
        Subscription::Subscribed
    };
    let change = AffiliateChange { deliver, ..AffiliateChange::subscription(jid.clone(), subscription) };
    set(visit, &name, change).await?;
    match subscription {
        Subscription::Pending => approval::ask(visit, &node, &jid).await,
        _ => send_last(visit, &node, std::slice::from_ref(visit.ctx.session)).await?,
    }
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB);
    write(&mut x, &name, &jid, subscription);
    Ok(Reply::Payload(x.into_vec()))
}

/// The last item of a node for a new subscriber, where the node does so (§6.1.7).
pub(super) async fn send_last(
    visit: &Visit<'_>,
    node: &Known,
    sessions: &[Arc<Session>],
) -> Result<(), StanzaError> {
    if node.config.last == SendLast::Never {
        return Ok(());
    }
    let (core, owner) = (visit.ctx.core, visit.owner);
    let last = core.store.items(owner.uid, &node.node.name, ItemWindow::Last, 1).await;
    if let Some(item) = last.map_err(store_error)?.unwrap_or_default().items.first() {
        sessions.iter().for_each(|session| core.push_last(owner, session, node, item));
    }
    Ok(())
}

/// Ends a subscription; that is nobody's to refuse.
pub(super) async fn unsubscribe(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let jid = subscriber(visit, action).await?;
    let name = named(action)?;
    if visit.node(&name).await?.is_none() {
        return Err(StanzaError::item_not_found());
    }
    if visit.part(&name).await?.subscription == Subscription::None {
        return Err(error::not_subscribed());
    }
    set(visit, &name, AffiliateChange::subscription(jid, Subscription::None)).await?;
    Ok(Reply::Empty)
}

async fn set(visit: &Visit<'_>, node: &str, change: AffiliateChange) -> Result<(), StanzaError> {
    let changed = visit.ctx.store.change_affiliates(visit.owner.uid, node, vec![change]).await;
    changed.map_err(error::of_store)
}

fn write(x: &mut Xml, node: &str, jid: &BareJid, subscription: Subscription) {
    x.open("subscription").attr("node", node).attr("jid", jid.as_str());
    x.attr("subscription", name_of(subscription)).close();
}

/// The standard's name (§4.2).
pub(super) fn name_of(subscription: Subscription) -> &'static str {
    match subscription {
        Subscription::None => "none",
        Subscription::Pending => "pending",
        Subscription::Subscribed => "subscribed",
    }
}

/// What a subscription is set to (§6.3.2).
pub(super) async fn options(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let (name, part) = subscribed(visit, action).await?;
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB);
    write_options(&mut x, &name, &part);
    Ok(Reply::Payload(x.into_vec()))
}

fn write_options(x: &mut Xml, node: &str, part: &Affiliate) {
    x.open("options").attr("node", node).attr("jid", part.jid.as_str());
    options_form(part.deliver).write(Purpose::Form, x);
    x.close();
}

/// Sets a subscription otherwise (§6.3.5).
pub(super) async fn set_options(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let (name, part) = subscribed(visit, action).await?;
    if let Some(deliver) = read(action)? {
        let (affiliation, subscription) = (None, None);
        let deliver = Some(deliver);
        set(visit, &name, AffiliateChange { jid: part.jid, affiliation, subscription, deliver }).await?;
    }
    Ok(Reply::Empty)
}

/// What a subscription is made with (§6.4).
pub(super) fn default(visit: &Visit<'_>) -> Answer {
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB).open("default");
    options_form(true).write(Purpose::Form, &mut x);
    answer(visit, x)
}

/// The visitor's own subscription, by the node's name.
async fn subscribed(visit: &Visit<'_>, action: &Child<'_>) -> Result<(String, Affiliate), StanzaError> {
    subscriber(visit, action).await?;
    let name = named(action)?;
    let (_, part) = visit.found(&name).await?;
    if part.subscription == Subscription::None { Err(error::not_subscribed()) } else { Ok((name, part)) }
}

/// The FORM_TYPE of a subscription's options (§16.4.2).
const OPTIONS: &str = "http://jabber.org/protocol/pubsub#subscribe_options";

const DELIVER: &str = "pubsub#deliver";

fn options_form(deliver: bool) -> Form {
    Form::new(OPTIONS).field(Field::new(Kind::Boolean, DELIVER, "Send notifications").ticked(deliver))
}

/// Whether notifications are wanted, if the form says so.
fn read(of: &Child<'_>) -> Result<Option<bool>, StanzaError> {
    let Some(answers) = form::read(of, OPTIONS)?.filter(|answers| !answers.is_canceled()) else {
        return Ok(None);
    };
    options_form(true).check(&answers).map_err(|wrong| error::invalid_options(wrong.0))?;
    Ok(answers.flag(DELIVER))
}

/// The visitor's parts in the owner's nodes, or in the one that is named.
async fn parts(visit: &Visit<'_>, action: &Child<'_>) -> Result<Vec<(String, Affiliate)>, StanzaError> {
    let only = named(action).ok();
    let me = &visit.ctx.member.address;
    let mut parts = visit.ctx.core.store.affiliations(visit.owner.uid, me).await.map_err(store_error)?;
    parts.retain(|(node, _)| only.as_ref().is_none_or(|only| only == node));
    Ok(parts)
}

/// What the visitor has subscribed to here (§5.6).
pub(super) async fn subscriptions(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB).open("subscriptions");
    write_all(&mut x, &parts(visit, action).await?);
    answer(visit, x)
}

fn write_all(x: &mut Xml, parts: &[(String, Affiliate)]) {
    for (node, part) in parts.iter().filter(|(_, part)| part.subscription != Subscription::None) {
        write(x, node, &part.jid, part.subscription);
    }
}

/// `<subscriptions/>` of one account, each with its options where they are not as they are made.
pub(crate) fn write_subscriptions(x: &mut Xml, parts: &[(String, Affiliate)]) {
    x.open("subscriptions");
    write_all(x, parts);
    x.close();
    for (node, part) in parts.iter().filter(|(_, part)| !part.deliver) {
        write_options(x, node, part);
    }
}

/// What the visitor is to nodes here (§5.7): the owner to all of its own.
pub(super) async fn affiliations(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB).open("affiliations");
    if visit.own && visit.service.is_none() {
        let nodes = visit.ctx.core.store.nodes(visit.owner.uid).await.map_err(store_error)?;
        for node in nodes.iter().filter(|node| !node.name.starts_with(HIDDEN)) {
            x.open("affiliation").attr("node", &node.name).attr("affiliation", "owner").close();
        }
    }
    write_affiliations(&mut x, &parts(visit, action).await?);
    answer(visit, x)
}

fn write_affiliations(x: &mut Xml, parts: &[(String, Affiliate)]) {
    for (node, part) in parts.iter().filter(|(_, part)| part.affiliation != Affiliation::None) {
        let affiliation = owner::name_of(part.affiliation);
        x.open("affiliation").attr("node", node).attr("affiliation", affiliation).close();
    }
}

/// `<affiliations/>` of one account.
pub(crate) fn write_parts(x: &mut Xml, parts: &[(String, Affiliate)]) {
    x.open("affiliations");
    write_affiliations(x, parts);
    x.close();
}

/// To a stranger an account without a part for it is like none.
fn answer(visit: &Visit<'_>, x: Xml) -> Answer {
    if !visit.known {
        return Err(StanzaError::service_unavailable());
    }
    Ok(Reply::Payload(x.into_vec()))
}
