//! Asks rspamd what it thinks of a mail: its HTTP protocol, `/checkv2` (rspamd's documentation, "Protocol").

use crate::http::client::{Bounds, Client};
use axum::body::Body;
use axum::http::{Method, Request, Uri};
use rookery_gateway::mail::filter::{Ask, Opined, Opinion, Question};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// What rspamd may take: it asks the DNS.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(30), body: 1 << 20 };

/// Asks rspamd at this address, such as `http://127.0.0.1:11333`.
pub(super) fn ask(client: Client, base: &str) -> Result<Arc<Ask>, String> {
    let address: Uri =
        format!("{}/checkv2", base.trim_end_matches('/')).parse().map_err(|error| format!("{error}"))?;
    Ok(Arc::new(move |question: Question<'_>| -> Opined<'_> {
        let (client, request) = (client.clone(), request(&address, &question));
        Box::pin(async move {
            let response = client.send(request?, BOUNDS).await.map_err(|error| error.to_string())?;
            if !response.status().is_success() {
                return Err(format!("it answers {}", response.status()));
            }
            opinion(response.body())
        })
    }))
}

fn request(address: &Uri, question: &Question<'_>) -> Result<Request<Body>, String> {
    let Question { peer, helo, from, to, id, mail } = question;
    let mut request = Request::builder().method(Method::POST).uri(address);
    request = request.header("IP", peer.to_string()).header("Helo", *helo).header("From", *from);
    request = request.header("Queue-Id", *id);
    for to in to {
        request = request.header("Rcpt", *to);
    }
    request.body(Body::from(mail.to_vec())).map_err(|error| error.to_string())
}

/// What an answer means.
fn opinion(answer: &[u8]) -> Result<Opinion, String> {
    let answer: Value = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let said = || answer["messages"]["smtp_message"].as_str().unwrap_or_default().to_owned();
    match answer["action"].as_str() {
        Some("no action") => Ok(Opinion::Let),
        Some("add header" | "rewrite subject" | "quarantine") => Ok(Opinion::Junk),
        Some("greylist" | "soft reject") => Ok(Opinion::Later),
        Some("reject") => Ok(Opinion::Refuse(said())),
        Some("discard") => Ok(Opinion::Refuse(String::new())),
        other => Err(format!("it wants {other:?}, and nobody knows what that is")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::client::Line;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Asks a peer that answers so; with what it was asked.
    async fn asked(answer: &'static str) -> (Result<Opinion, String>, String) {
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let client = Client::through(Arc::new(move |_: &Uri| {
            let (ours, mut theirs) = tokio::io::duplex(64 << 10);
            let told = told.clone();
            tokio::spawn(async move {
                let mut all = Vec::new();
                while !all.ends_with(b"Hello\r\n") {
                    let mut bytes = [0; 4096];
                    let count = theirs.read(&mut bytes).await.expect("a request");
                    all.extend_from_slice(&bytes[..count]);
                }
                told.send(String::from_utf8_lossy(&all).into_owned()).expect("the test hears");
                let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
                theirs.write_all(response.as_bytes()).await.expect("it is read");
            });
            Box::pin(async move { Ok(Line::new(ours)) })
        }));
        let ask = ask(client, "http://127.0.0.1:11333/").expect("an address");
        let question = Question {
            peer: "192.0.2.1".parse().expect("an address"),
            helo: "mx.b.org",
            from: "a@b.org",
            to: vec!["romeo@here.org", "juliet@here.org"],
            id: "mail-1",
            mail: b"From: a@b.org\r\n\r\nHello\r\n",
        };
        let opinion = ask(question).await;
        (opinion, heard.recv().await.expect("it was asked"))
    }

    #[tokio::test]
    async fn rspamd_is_asked_and_understood() {
        let (opinion, heard) = asked(r#"{"action":"reject","messages":{"smtp_message":"Gtube"}}"#).await;
        assert_eq!(opinion, Ok(Opinion::Refuse("Gtube".into())));
        let heard = heard.to_ascii_lowercase();
        for part in [
            "post /checkv2 http/1.1\r\n",
            "ip: 192.0.2.1\r\n",
            "rcpt: juliet@here.org\r\n",
            "from: a@b.org\r\n\r\nhello",
        ] {
            assert!(heard.contains(part), "{part:?} in {heard}");
        }
        for (answer, means) in [
            (r#"{"action":"no action","score":1.5}"#, Opinion::Let),
            (r#"{"action":"add header"}"#, Opinion::Junk),
            (r#"{"action":"greylist"}"#, Opinion::Later),
        ] {
            assert_eq!(asked(answer).await.0, Ok(means), "{answer}");
        }
        for answer in ["{}", "x", r#"{"action":"dance"}"#] {
            assert!(asked(answer).await.0.is_err(), "{answer}");
        }
    }
}
