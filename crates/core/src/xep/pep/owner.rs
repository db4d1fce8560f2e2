//! What the owner does with nodes (XEP-0060 §8): make, configure, delete, purge, and say who has a part in them.

use super::access::Visit;
use super::draft::Known;
use super::{HIDDEN, approval, avatar_node, error, form, named, notify, subscribe};
use crate::answer::{Answer, Reply};
use crate::xep::vcard;
use crate::{address, limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::Answers;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::{Affiliate, AffiliateChange, Affiliation, Node, StoreError, Subscription};

/// Makes a node (§8.1); one without a name gets one.
pub(super) async fn create(visit: &Visit<'_>, pubsub: &Child<'_>, action: &Child<'_>) -> Answer {
    // §8.1.3.
    if !visit.may_create() {
        return Err(StanzaError::forbidden());
    }
    let given = named(action).ok();
    let name = given.clone().unwrap_or_else(|| visit.ctx.core.env.token());
    if name.starts_with(HIDDEN) {
        return Err(StanzaError::not_acceptable());
    }
    let answers = match pubsub.child(ns::PUBSUB, "configure") {
        Some(configure) => form::read(&configure, form::NODE_CONFIG)?.unwrap_or_default(),
        None => Answers::default(),
    };
    let mut node = Known::new(&name, visit.fresh(&name, &answers)?).node;
    let me = visit.ctx.member;
    node.creator = visit.service.map(|_| me.uid);
    let owner = visit.service.map(|_| me.address.clone());
    visit.ctx.store.create_node(visit.owner.uid, node, owner).await.map_err(error::of_store)?;
    if given.is_some() {
        return Ok(Reply::Empty);
    }
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB).open("create").attr("node", &name);
    Ok(Reply::Payload(x.into_vec()))
}

/// The node that an owner names, if it is there.
async fn existing(visit: &Visit<'_>, action: &Child<'_>) -> Result<Known, StanzaError> {
    visit.owned(&named(action)?).await
}

/// The form of a node's configuration (§8.2.1).
pub(super) async fn configuration(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let node = existing(visit, action).await?;
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB_OWNER).open("configure").attr("node", &node.node.name);
    form::write(&mut x, &node.config, visit.service.is_some());
    Ok(Reply::Payload(x.into_vec()))
}

/// The form with what a node is made with (§8.3).
pub(super) fn default(visit: &Visit<'_>) -> Answer {
    let config = visit.fresh("", &Answers::default())?;
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB_OWNER).open("default");
    form::write(&mut x, &config, visit.service.is_some());
    Ok(Reply::Payload(x.into_vec()))
}

/// Another configuration (§8.2.4); fields that are left out stay as they are.
pub(super) async fn configure(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let answers = form::read(action, form::NODE_CONFIG)?;
    let answers = answers.ok_or_else(|| StanzaError::bad_request().text("There is no form."))?;
    if answers.is_canceled() {
        existing(visit, action).await?;
        return Ok(Reply::Empty);
    }
    let node = reconfigured(visit, action, &answers).await?;
    let (core, name) = (visit.ctx.core, &node.node.name);
    if node.config.configs {
        core.notify(visit.owner, name, &node.config, &notify::changed("configuration", name)).await;
    }
    if avatar_node(visit.owner, name) {
        core.avatar_changed(visit.owner).await;
    }
    Ok(Reply::Empty)
}

/// Sets the fields. Another of the owner's clients may be setting others: nothing of it is lost.
async fn reconfigured(
    visit: &Visit<'_>,
    action: &Child<'_>,
    answers: &Answers,
) -> Result<Known, StanzaError> {
    for _ in 0..limits::PUBLISH_TRIES {
        let known = existing(visit, action).await?;
        let config = visit.configured(known.config.clone(), answers)?;
        let node = Known {
            node: Node { kept: config.kept(), config: config.encode(), ..known.node.clone() },
            config,
        };
        let set = visit.ctx.store.configure_node(visit.owner.uid, known.node, node.node.clone()).await;
        match set {
            Ok(()) => return Ok(node),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error::of_store(error)),
        }
    }
    Err(StanzaError::conflict().text("The node is being changed. Try again."))
}

/// Removes a node (§8.4). Who was to hear of it hears of that.
pub(super) async fn delete(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let node = existing(visit, action).await?;
    let (core, name) = (visit.ctx.core, &node.node.name);
    vcard::before_removal(visit, name).await?;
    // The subscribers go with the node, so they are read before.
    let told = match node.config.deletes {
        true => Some(core.listeners(visit.owner, name, &node.config).await?),
        false => None,
    };
    visit.ctx.store.delete_node(visit.owner.uid, name).await.map_err(error::of_store)?;
    for session in told.unwrap_or_default() {
        core.push_event(visit.owner, &session, &notify::changed("delete", name));
    }
    if avatar_node(visit.owner, name) {
        core.avatar_changed(visit.owner).await;
    }
    Ok(Reply::Empty)
}

/// Removes all items of a node (§8.5).
pub(super) async fn purge(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let node = existing(visit, action).await?;
    let (core, name) = (visit.ctx.core, &node.node.name);
    vcard::before_removal(visit, name).await?;
    visit.ctx.store.purge_node(visit.owner.uid, name).await.map_err(error::of_store)?;
    if node.config.retracts {
        core.notify(visit.owner, name, &node.config, &notify::changed("purge", name)).await;
    }
    if avatar_node(visit.owner, name) {
        core.avatar_changed(visit.owner).await;
    }
    Ok(Reply::Empty)
}

/// Who is what to a node (§8.9.1).
pub(super) async fn affiliations(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let node = existing(visit, action).await?;
    let all = parts(visit, &node).await?;
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB_OWNER);
    // At the service the owners are on the list.
    let owner = visit.service.is_none().then_some(&visit.owner.address);
    write_affiliations(&mut x, &node.node.name, owner, &all);
    Ok(Reply::Payload(x.into_vec()))
}

/// `<affiliations/>` of a node, first the owner that is not among the others.
pub(crate) fn write_affiliations(x: &mut Xml, node: &str, owner: Option<&BareJid>, parts: &[Affiliate]) {
    x.open("affiliations").attr("node", node);
    if let Some(owner) = owner {
        x.open("affiliation").attr("jid", owner.as_str()).attr("affiliation", "owner").close();
    }
    for part in parts.iter().filter(|part| part.affiliation != Affiliation::None) {
        x.open("affiliation").attr("jid", part.jid.as_str()).attr("affiliation", name_of(part.affiliation));
        x.close();
    }
    x.close();
}

/// Says who is what (§8.9.2). The account stays the owner of its nodes, and who made a node at the service stays one of its
/// owners.
pub(super) async fn set_affiliations(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let node = existing(visit, action).await?;
    let keeper = visit.keeper(&node).await?;
    let before = parts(visit, &node).await?;
    let mut changes = Vec::new();
    for item in action.children().filter(|c| c.name() == "affiliation") {
        let jid = named_jid(visit, &item).await?;
        let affiliation = item.attr("affiliation").unwrap_or_default();
        if jid == keeper {
            if affiliation != "owner" {
                return Err(StanzaError::not_acceptable().text("A node keeps its owner."));
            }
            continue;
        }
        let affiliation = match &*affiliation {
            "none" => Affiliation::None,
            "member" => Affiliation::Member,
            "publisher" => Affiliation::Publisher,
            "publish-only" => Affiliation::PublishOnly,
            "outcast" => Affiliation::Outcast,
            "owner" if visit.service.is_some() => Affiliation::Owner,
            _ => return Err(StanzaError::not_acceptable().text("There is no such affiliation here.")),
        };
        let waits = before.iter().any(|part| part.jid == jid && part.subscription == Subscription::Pending);
        let subscription = match affiliation {
            // §4.1: neither may subscribe.
            Affiliation::Outcast | Affiliation::PublishOnly => Some(Subscription::None),
            Affiliation::None => None,
            // §8.7: who may read needs no approval any more.
            _ => waits.then_some(Subscription::Subscribed),
        };
        changes.push(AffiliateChange { jid, affiliation: Some(affiliation), subscription, deliver: None });
    }
    change(visit, &node, before, changes).await
}

/// Who has subscribed, and who waits to be (§8.8.1).
pub(super) async fn subscriptions(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let node = existing(visit, action).await?;
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB_OWNER).open("subscriptions").attr("node", &node.node.name);
    for part in parts(visit, &node).await?.iter().filter(|part| part.subscription != Subscription::None) {
        x.open("subscription").attr("jid", part.jid.as_str());
        x.attr("subscription", subscribe::name_of(part.subscription)).close();
    }
    Ok(Reply::Payload(x.into_vec()))
}

/// Unsubscribes others, and lets those in who wait (§8.8.2). Nobody is subscribed who has not asked: that would be a way to
/// write to strangers.
pub(super) async fn set_subscriptions(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let node = existing(visit, action).await?;
    let before = parts(visit, &node).await?;
    let mut changes = Vec::new();
    for item in action.children().filter(|c| c.name() == "subscription") {
        let subscription = match item.attr("subscription").as_deref() {
            Some("subscribed") => Subscription::Subscribed,
            Some("none") => Subscription::None,
            _ => return Err(StanzaError::not_acceptable().text("One is subscribed or is not.")),
        };
        let jid = named_jid(visit, &item).await?;
        let asked = before.iter().any(|part| part.subscription != Subscription::None && part.jid == jid);
        if subscription == Subscription::Subscribed && !asked {
            return Err(
                StanzaError::not_allowed().text("Whoever wants to hear of the node subscribes to it.")
            );
        }
        changes.push(AffiliateChange::subscription(jid, subscription));
    }
    change(visit, &node, before, changes).await
}

/// Everybody who has a part in a node.
async fn parts(visit: &Visit<'_>, node: &Known) -> Result<Vec<Affiliate>, StanzaError> {
    visit.ctx.core.store.affiliates(visit.owner.uid, &node.node.name).await.map_err(store_error)
}

/// Changes parts, and at the service tells those whose subscription is another now (§12.13).
async fn change(
    visit: &Visit<'_>,
    node: &Known,
    before: Vec<Affiliate>,
    changes: Vec<AffiliateChange>,
) -> Answer {
    let (uid, name) = (visit.owner.uid, &node.node.name);
    visit.ctx.store.change_affiliates(uid, name, changes.clone()).await.map_err(error::of_store)?;
    for AffiliateChange { jid, subscription, .. } in changes {
        let was = before.iter().find(|part| part.jid == jid).map_or(Subscription::None, |p| p.subscription);
        if let Some(subscription) = subscription.filter(|is| *is != was && visit.service.is_some()) {
            approval::tell(visit, node, &jid, subscription).await;
        }
    }
    Ok(Reply::Empty)
}

/// Whom an item is about, by its primary address.
async fn named_jid(visit: &Visit<'_>, item: &Child<'_>) -> Result<BareJid, StanzaError> {
    let jid = item.attr("jid").ok_or_else(|| StanzaError::bad_request().text("An item has no address."))?;
    visit.ctx.resolved(address::parse(&jid)?.to_bare()).await
}

/// The standard's name (§4.1).
pub(super) fn name_of(affiliation: Affiliation) -> &'static str {
    match affiliation {
        Affiliation::None => "none",
        Affiliation::Member => "member",
        Affiliation::Publisher => "publisher",
        Affiliation::Outcast => "outcast",
        Affiliation::Owner => "owner",
        Affiliation::PublishOnly => "publish-only",
    }
}
