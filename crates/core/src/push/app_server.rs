//! Notifications to app servers (XEP-0357 §7): published as the account, and answered to it.

use super::{Outcome, Sending};
use crate::{Core, store_error};
use rookery_proto::Uid;
use rookery_proto::error::{ErrorType, StanzaError};
use rookery_proto::jid::Jid;
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Stanza};
use rookery_proto::xml::Xml;
use rookery_store::{PushFilter, PushId, PushTarget};

impl Core {
    /// Publishes a notification; the answer comes to [`Core::push_answered`].
    pub(super) async fn publish(&self, sending: &Sending) {
        let PushTarget::AppServer { jid, node, options } = &sending.push.target else { return };
        let Some(component) =
            Jid::new(jid).ok().and_then(|jid| self.components.of(jid.domain().as_str()).cloned())
        else {
            // The operator does not let the component in any more.
            return self.pushed(sending, Outcome::Refused).await;
        };
        if component.send(publication(sending, jid, node, options)).is_err() {
            self.pushed(sending, Outcome::Later(None)).await;
        }
    }

    /// An answer to an account, which itself asks nothing.
    pub(crate) async fn push_answered(&self, from: &Jid, answer: &Stanza) {
        let Some((push, number)) = answer.id().as_deref().and_then(numbers) else { return };
        let sending = self.pushes.lanes.lock().under_way(push).cloned();
        let Some(sending) = sending.filter(|sending| sending.id == number) else { return };
        if !matches!(&sending.push.target, PushTarget::AppServer { jid, .. } if jid == from.as_str()) {
            return;
        }
        self.pushed(&sending, outcome(answer)).await;
    }

    /// §8: an app server says that it takes no more of an account; false if it is not about that.
    pub(crate) async fn push_ended(
        &self,
        uid: Uid,
        from: &Jid,
        notice: &Stanza,
    ) -> Result<bool, StanzaError> {
        let Some(pubsub) = notice.child(ns::PUBSUB, "pubsub") else { return Ok(false) };
        let ended = pubsub.children().any(|child| {
            child.name() == "affiliation" && child.attr("affiliation").is_some_and(|now| now == "none")
        });
        if !ended {
            return Ok(false);
        }
        let node = pubsub.attr("node").map(|node| node.into_owned());
        let filter = PushFilter::AppServer { jid: from.to_string(), node };
        let gone = self.store.remove_pushes(uid, filter).await.map_err(store_error)?;
        self.pushes.forget(&gone);
        Ok(!gone.is_empty())
    }
}

/// The id of a publication names the registration and the sending.
fn numbers(id: &str) -> Option<(PushId, u64)> {
    let (push, number) = id.strip_prefix("push-")?.split_once('-')?;
    Some((PushId(push.parse().ok()?), number.parse().ok()?))
}

/// §7.1: an error is counted, but for one that says it will pass.
fn outcome(answer: &Stanza) -> Outcome {
    match answer.type_().as_deref() {
        Some("result") => Outcome::Sent,
        _ => {
            let error = answer.child(ns::CLIENT, "error");
            let passes = |error: &Child<'_>| error.attr("type").as_deref() == Some(ErrorType::Wait.name());
            if error.is_some_and(|error| passes(&error)) { Outcome::Later(None) } else { Outcome::Refused }
        }
    }
}

fn publication(sending: &Sending, to: &str, node: &str, options: &[u8]) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("iq").attr("type", "set").attr("from", sending.address.as_str()).attr("to", to);
    x.attr("id", &format!("push-{}-{}", sending.push.id.0, sending.id));
    x.open_ns("pubsub", ns::PUBSUB).open("publish");
    if !node.is_empty() {
        x.attr("node", node);
    }
    x.open("item").open_ns("notification", ns::PUSH);
    summary(&mut x, sending);
    x.close().close().close();
    if !options.is_empty() {
        x.open("publish-options").raw(options).close();
    }
    x.close().close();
    x.into_vec()
}

/// The form of §11.3.
fn summary(x: &mut Xml, sending: &Sending) {
    let notice = &sending.notice;
    x.open_ns("x", ns::DATA_FORMS).attr("type", "submit");
    let mut field = |name: &str, value: &str| {
        x.open("field").attr("var", name);
        if name == "FORM_TYPE" {
            x.attr("type", "hidden");
        }
        x.text_element("value", value).close();
    };
    field("FORM_TYPE", ns::PUSH_SUMMARY);
    field("message-count", &notice.count.to_string());
    if let Some(sender) = &notice.sender {
        field("last-message-sender", sender);
    }
    if let Some(body) = &notice.body {
        field("last-message-body", body);
    }
    x.close();
}
