//! Subscriptions: both sides' rows move in one transaction by the tables of `rookery_proto::subscription`.

use bytes::Bytes;
use rookery_proto::subscription::{Kind, State, inbound, outbound};

use super::Tx;
use super::roster::{Row, Status, bound, load, save};
use crate::roster::{Party, Removal, RosterChange, SubscriptionOutcome};
use crate::{Result, StoreError, limits};

pub(crate) fn subscription(
    tx: &mut Tx<'_>,
    actor: &Party,
    contact: &Party,
    kind: Kind,
    request: Option<Bytes>,
) -> Result<SubscriptionOutcome> {
    check(actor, contact)?;
    let mut outcome = SubscriptionOutcome { route: true, ..SubscriptionOutcome::default() };
    let before = match actor.uid {
        Some(uid) => load(tx.conn, uid, &contact.jid)?,
        None => Row::default(),
    };
    // A remote actor's own server has done its part already.
    let mut state = before.state;
    if actor.uid.is_some() {
        let step = outbound(state, kind);
        (state, outcome.route) = (step.state, step.route);
    }
    if outcome.route && contact.uid.is_some() {
        receive(tx, contact, actor, kind, request, &mut outcome)?;
    }
    if let (Some(_), Some(reply)) = (actor.uid, outcome.reply) {
        // The contact's server answered at once; the actor sees it only if it was an answer.
        let step = inbound(state, reply);
        state = step.state;
        outcome.reply = step.deliver.then_some(reply);
    }
    if let Some(uid) = actor.uid {
        outcome.actor_change = save(tx, uid, &contact.jid, &before, &before.moved(state))?;
    }
    Ok(outcome)
}

/// The recipient's part.
fn receive(
    tx: &Tx<'_>,
    user: &Party,
    from: &Party,
    kind: Kind,
    request: Option<Bytes>,
    outcome: &mut SubscriptionOutcome,
) -> Result<()> {
    let Some(uid) = user.uid else { return Ok(()) };
    let before = load(tx.conn, uid, &from.jid)?;
    let step = inbound(before.state, kind);
    let mut after = before.moved(step.state);
    if after.state.has(State::PENDING_IN) && !before.state.has(State::PENDING_IN) {
        bound(tx, uid, "state & 8", limits::ROSTER_REQUESTS, "subscription requests")?;
        if request.as_ref().is_some_and(|request| request.len() > limits::REQUEST_BYTES) {
            return Err(StoreError::Invalid("subscription request"));
        }
        after.request = request;
    }
    outcome.contact_change = save(tx, uid, &from.jid, &before, &after)?;
    outcome.deliver = step.deliver;
    outcome.reply = step.reply;
    Ok(())
}

pub(crate) fn remove(tx: &mut Tx<'_>, actor: &Party, contact: &Party) -> Result<Removal> {
    check(actor, contact)?;
    let uid = actor.uid.ok_or(StoreError::Invalid("actor"))?;
    let before = load(tx.conn, uid, &contact.jid)?;
    if before.status != Status::Shown {
        return Ok(Removal::default());
    }
    let mut removal = Removal::default();
    let mut theirs = match contact.uid {
        Some(uid) => load(tx.conn, uid, &actor.jid)?,
        None => Row::default(),
    };
    let kept = theirs.clone();
    for kind in before.state.farewell() {
        let mut told = true;
        if contact.uid.is_some() {
            let step = inbound(theirs.state, kind);
            theirs = theirs.moved(step.state);
            told = step.deliver;
        }
        match kind {
            Kind::Unsubscribe => removal.unsubscribe = told,
            _ => removal.unsubscribed = told,
        }
    }
    if let Some(uid) = contact.uid {
        removal.contact_change = save(tx, uid, &actor.jid, &kept, &theirs)?;
    }
    // A request of the contact is not part of the item and stays unanswered.
    let asked = before.state.has(State::PENDING_IN);
    let state = if asked { State::PENDING_IN } else { State::NONE };
    let after = Row { status: Status::Removed, state, request: before.request.clone(), ..Row::default() };
    removal.actor_change = save(tx, uid, &contact.jid, &before, &after)?;
    Ok(removal)
}

/// Gives `user` a subscription both ways with `other`, without the asking.
pub(super) fn befriend(tx: &Tx<'_>, user: &Party, other: &Party) -> Result<Option<RosterChange>> {
    check(user, other)?;
    let uid = user.uid.ok_or(StoreError::Invalid("contact"))?;
    let before = load(tx.conn, uid, &other.jid)?;
    save(tx, uid, &other.jid, &before, &before.moved(State::TO.with(State::FROM)))
}

/// Two different parties, of which one is an account.
fn check(actor: &Party, contact: &Party) -> Result<()> {
    if actor.jid == contact.jid || (actor.uid.is_some() && actor.uid == contact.uid) {
        return Err(StoreError::Invalid("contact"));
    }
    Ok(())
}
