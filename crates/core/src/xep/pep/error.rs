//! XEP-0060's conditions of errors (§14, schema `pubsub#errors`), with the stanza errors that they come with.

use crate::store_error;
use rookery_proto::error::{ErrorType, StanzaError};
use rookery_proto::ns;
use rookery_store::StoreError;

fn bad_request(condition: &'static str, text: &str) -> StanzaError {
    StanzaError::bad_request().app(ns::PUBSUB_ERRORS, condition).text(text)
}

/// §7.1.3.3 and others: no node is named.
pub(super) fn node_required() -> StanzaError {
    bad_request("nodeid-required", "No node is named.")
}

/// §7.2.3.5: no item is named.
pub(super) fn item_required() -> StanzaError {
    bad_request("item-required", "No item is named.")
}

/// §7.1.3.6: there is nothing in the item.
pub(super) fn payload_required() -> StanzaError {
    bad_request("payload-required", "The item has no payload.")
}

/// §7.1.3.6: there is more than one element in it, or one without a namespace of its own.
pub(super) fn invalid_payload() -> StanzaError {
    bad_request("invalid-payload", "A payload is one element with a namespace of its own.")
}

/// §7.1.3.5: it is too large.
pub(super) fn payload_too_big() -> StanzaError {
    StanzaError::not_acceptable().app(ns::PUBSUB_ERRORS, "payload-too-big").text("The item is too large.")
}

/// §6.1.3.1: somebody is to be subscribed who did not ask.
pub(super) fn invalid_jid() -> StanzaError {
    bad_request("invalid-jid", "You can subscribe yourself only.")
}

/// §6.3.4.6, §8.2.5.4: values that a field cannot have.
pub(super) fn invalid_options(text: String) -> StanzaError {
    StanzaError::not_acceptable().app(ns::PUBSUB_ERRORS, "invalid-options").text(text)
}

/// §7.1.5: the node is not as the publisher demands.
pub(super) fn precondition_not_met() -> StanzaError {
    StanzaError::conflict()
        .app(ns::PUBSUB_ERRORS, "precondition-not-met")
        .text("The node is configured otherwise.")
}

/// §6.5.9.4: presence is needed.
pub(super) fn presence_required() -> StanzaError {
    StanzaError::not_authorized()
        .app(ns::PUBSUB_ERRORS, "presence-subscription-required")
        .text("This is for contacts only.")
}

/// §6.5.9.5: the right group is needed.
pub(super) fn not_in_group() -> StanzaError {
    StanzaError::not_authorized()
        .app(ns::PUBSUB_ERRORS, "not-in-roster-group")
        .text("This is for some contacts only.")
}

/// §6.5.9.6: a place on the list is needed.
pub(super) fn closed_node() -> StanzaError {
    StanzaError::not_allowed().app(ns::PUBSUB_ERRORS, "closed-node").text("This is not for you.")
}

/// §6.5.9.3: only who is subscribed may read.
pub(super) fn subscription_required() -> StanzaError {
    StanzaError::not_authorized()
        .app(ns::PUBSUB_ERRORS, "not-subscribed")
        .text("This is for those who were let in.")
}

/// §6.1.3.5: an owner has not decided yet.
pub(super) fn pending() -> StanzaError {
    StanzaError::not_authorized()
        .app(ns::PUBSUB_ERRORS, "pending-subscription")
        .text("An owner has still to decide about you.")
}

/// §6.2.3.2: who is not subscribed cannot unsubscribe.
pub(super) fn not_subscribed() -> StanzaError {
    StanzaError::unexpected_request()
        .kind(ErrorType::Cancel)
        .app(ns::PUBSUB_ERRORS, "not-subscribed")
        .text("You are not subscribed.")
}

/// A feature of XEP-0060 that is not offered.
pub(super) fn unsupported(feature: &'static str) -> StanzaError {
    StanzaError::feature_not_implemented()
        .app(ns::PUBSUB_ERRORS, "unsupported")
        .app_attr("feature", feature)
        .text("This is not supported.")
}

/// A failed store, in the words of XEP-0060 where it has any.
pub(super) fn of_store(error: StoreError) -> StanzaError {
    match &error {
        // §8.1.3.
        StoreError::Limit("nodes") => store_error(error).app(ns::PUBSUB_ERRORS, "max-nodes-exceeded"),
        StoreError::Limit("bytes in one item") => payload_too_big(),
        _ => store_error(error),
    }
}
