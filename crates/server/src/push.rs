//! Web Push (RFC 8030): what core gives out is encrypted for the browser, signed, and posted to its push service.

mod ece;
mod vapid;

pub use vapid::Vapid;

use crate::http::client::{Client, DialError, Error, WAIT};
use anyhow::Result;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rookery_core::push::{Notice, Outcome, Sending, Urgency};
use rookery_core::{Core, Policy, limits};
use rookery_store::PushTarget;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// For one post, to the head of its answer: with the wait for its turn, below what core waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
const _: () = assert!(PATIENCE.as_secs() + WAIT.as_secs() < limits::PUSH_ANSWER.as_secs());

/// Seconds for which a push service keeps a message for a browser that is away (RFC 8030 §5.2): as long as a message is news.
const TTL: &str = "86400";

/// What is asked of push services, and in whose name.
pub struct Poster {
    client: Client,
    vapid: Vapid,
    subject: String,
}

/// The text of a notification. Fields that its owner does not allow are left out.
#[derive(Serialize)]
struct Text<'a> {
    /// The account that is told.
    account: &'a str,
    /// The conversation, where the sender may be named.
    conversation: Option<&'a str>,
    sender: Option<&'a str>,
    body: Option<&'a str>,
    /// How many messages it stands for.
    count: u32,
    urgent: bool,
    /// When the newest of them came, in milliseconds since 1970.
    at: i64,
}

impl Poster {
    /// Posts through `client`, with the key in the data directory.
    pub fn open(data: &Path, client: Client, policy: &Policy) -> Result<Poster> {
        let contacts = policy.contacts.iter().filter(|(field, _)| *field == "admin-addresses");
        let mut addresses = contacts.flat_map(|(_, addresses)| addresses);
        // RFC 8292 §2.1: whom the push service can turn to.
        let reachable = addresses.find(|uri| uri.starts_with("mailto:") || uri.starts_with("https:"));
        let subject = reachable.cloned().unwrap_or_else(|| format!("https://{}", policy.domain));
        Ok(Poster { client, vapid: Vapid::open(data)?, subject })
    }

    /// Posts one notification (RFC 8030 §5).
    async fn post(&self, core: &Core, sending: &Sending) -> Outcome {
        let PushTarget::Web { endpoint, key, auth } = &sending.push.target else { return Outcome::Gone };
        let text = serde_json::to_vec(&text(sending)).expect("plain data");
        // A key that is on no curve will not be on one later either.
        let Ok(sealed) = ece::encrypt(&text, key, auth) else { return Outcome::Gone };
        let topic = core.secret.derive("topic", &[sending.notice.peer.as_str().as_bytes()]);
        let request = Request::post(endpoint)
            .header("ttl", TTL)
            .header("urgency", if sending.notice.urgency == Urgency::High { "high" } else { "normal" })
            // RFC 8030 §5.4: a newer one replaces what the browser has not seen yet. It tells nothing of the conversation.
            .header("topic", BASE64_URL_SAFE_NO_PAD.encode(&topic[..24]))
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, sealed.len());
        let signed = request.uri_ref().and_then(|uri| self.vapid.sign(uri, &self.subject, core.env.now()));
        let Some(signed) = signed else { return Outcome::Gone };
        let request = request.header(header::AUTHORIZATION, signed).body(Body::from(sealed));
        let Ok(request) = request else { return Outcome::Gone };
        match self.client.open(request, PATIENCE).await {
            Ok(response) => outcome(&response),
            // It was an inside address, and will be.
            Err(Error::Dial(DialError::Internal | DialError::Address)) => Outcome::Refused,
            Err(error) => {
                tracing::debug!(uid = sending.uid.0, %error, "a browser could not be told");
                Outcome::Later(None)
            }
        }
    }
}

fn text(sending: &Sending) -> Text<'_> {
    let Notice { peer, sender, body, count, urgency, at, .. } = &sending.notice;
    Text {
        account: sending.address.as_str(),
        conversation: sender.as_ref().map(|_| peer.as_str()),
        sender: sender.as_deref(),
        body: body.as_deref(),
        count: *count,
        urgent: *urgency == Urgency::High,
        at: at.0,
    }
}

/// What a push service's answer means (RFC 8030 §5, §7.3, §8.4).
fn outcome<B>(response: &Response<B>) -> Outcome {
    match response.status() {
        status if status.is_success() => Outcome::Sent,
        StatusCode::NOT_FOUND | StatusCode::GONE => Outcome::Gone,
        status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
            Outcome::Later(retry_after(response.headers()))
        }
        _ => Outcome::Refused,
    }
}

/// RFC 9110 §10.2.3, in seconds; who gives a date is asked again after the usual pause.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Tells devices, for as long as it is polled. Each post runs by itself: a slow push service keeps no other waiting. There is
/// one under way at most for each registration.
pub async fn run(core: Arc<Core>, poster: Arc<Poster>) {
    core.pick_up_pushes().await;
    let mut under_way = JoinSet::new();
    loop {
        let sending = core.next_push().await;
        while under_way.try_join_next().is_some() {}
        let (core, poster) = (core.clone(), poster.clone());
        under_way.spawn(async move {
            let outcome = poster.post(&core, &sending).await;
            core.pushed(&sending, outcome).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry: Option<&str>) -> Outcome {
        let mut response = Response::builder().status(status);
        if let Some(retry) = retry {
            response = response.header(header::RETRY_AFTER, retry);
        }
        outcome(&response.body(()).unwrap())
    }

    #[test]
    fn what_an_answer_means() {
        for status in [200, 201, 202, 204] {
            assert_eq!(answer(status, None), Outcome::Sent);
        }
        assert_eq!(answer(404, None), Outcome::Gone);
        assert_eq!(answer(410, None), Outcome::Gone);
        assert_eq!(answer(429, Some("120")), Outcome::Later(Some(Duration::from_secs(120))));
        assert_eq!(answer(503, Some("Fri, 31 Dec 1999 23:59:59 GMT")), Outcome::Later(None));
        assert_eq!(answer(500, None), Outcome::Later(None));
        for status in [301, 400, 401, 403, 413] {
            assert_eq!(answer(status, None), Outcome::Refused, "{status}");
        }
    }
}
