//! A provider of short messages, by HTTP and in memory: it answers as it was told to, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use data_encoding::HEXLOWER;
use parking_lot::Mutex;
use ring::hmac;
use rookery::http::client::{Client, Dial, Line};
use rookery::sms::ask;
use rookery_gateway::sms::http::answer::{Place, Reads};
use rookery_gateway::sms::http::{Fields, Hook, Kind, Method, Post, Settings, Signature, Template};
use rookery_gateway::sms::{Carrier, Fresh, Way};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::Notify;

/// What both sides sign with.
const SECRET: &str = "secret";

/// How it answers from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With this status, and this text.
    Status(u16, String),
    /// Not at all: it takes all and ends the connection.
    Breaks,
}

/// The provider; clones share it.
#[derive(Clone, Default)]
pub struct Provider(Arc<State>);

struct State {
    answer: Mutex<Answer>,
    /// What nobody has looked at yet.
    asked: Mutex<VecDeque<String>>,
    rings: Notify,
}

impl Default for State {
    fn default() -> State {
        let answer = Mutex::new(Answer::Status(200, "{\"id\":\"first\"}".to_owned()));
        State { answer, asked: Mutex::default(), rings: Notify::new() }
    }
}

impl Provider {
    /// How it answers from now on.
    pub fn set_answer(&self, answer: Answer) {
        *self.0.answer.lock() = answer;
    }

    /// The next that it is asked: the body of the request.
    pub async fn next(&self) -> String {
        loop {
            let rings = self.0.rings.notified();
            let next = self.0.asked.lock().pop_front();
            match next {
                Some(asked) => return asked,
                None => rings.await,
            }
        }
    }

    /// It was asked nothing that was not looked at.
    pub fn expect_nothing(&self) -> Result<()> {
        let waiting = self.0.asked.lock().len();
        ensure!(waiting == 0, "it was asked {waiting} times");
        Ok(())
    }

    /// A request that it signs, to our server: of these bytes, at this second.
    pub fn signed(&self, body: &str, at: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signature = HEXLOWER.encode(hmac::sign(&key, format!("{body}{at}").as_bytes()).as_ref());
        let (head, length) =
            ("POST /sms/provider HTTP/1.1\r\nHost: localhost\r\nConnection: close", body.len());
        format!(
            "{head}\r\nX-Signature: {signature}\r\nX-Timestamp: {at}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    }

    /// As a carrier of our server, before all others.
    pub fn carrier(&self, fresh: Arc<Fresh>) -> Carrier {
        let pointers = |pointer: &str| vec![pointer.to_owned()];
        let signature = Signature {
            secret: SECRET.to_owned(),
            header: "x-signature".to_owned(),
            timestamp: "x-timestamp".to_owned(),
            signed: "{body}{timestamp}".to_owned(),
        };
        let fields = Fields {
            from: pointers("/from"),
            to: pointers("/to"),
            text: pointers("/text"),
            id: pointers("/id"),
            receipt: pointers("/about"),
            state: pointers("/state"),
            why: pointers("/why"),
        };
        let settings = Settings {
            template: Template {
                method: Method::Post,
                url: "https://provider.example/send".to_owned(),
                headers: Vec::new(),
                body: "{\"to\":\"{to}\",\"text\":\"{text}\"}".to_owned(),
                kind: Kind::Json,
            },
            reads: Reads { id: Place::new("/id"), error: Place::new("/error") },
            sender: "4711".to_owned(),
            window: 10,
            hook: Some(Hook { token: None, signature: Some(signature), fields }),
        };
        let ask = ask::through(Client::through(self.dial()));
        let way = Way::Http(Post::new("provider", settings, ask, fresh));
        Carrier { name: "provider".to_owned(), prefixes: Vec::new(), priority: 0, way }
    }

    fn dial(&self) -> Dial {
        let provider = self.clone();
        Arc::new(move |_| {
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            let provider = provider.clone();
            tokio::spawn(async move { provider.serve(theirs).await.ok() });
            Box::pin(async { Ok(Line::new(ours)) })
        })
    }

    async fn serve(self, mut line: DuplexStream) -> Result<()> {
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(line.read_u8().await?);
            }
            let head = String::from_utf8(head)?.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            let mut body = vec![0; length.parse()?];
            line.read_exact(&mut body).await?;
            let answer = self.0.answer.lock().clone();
            self.0.asked.lock().push_back(String::from_utf8(body)?);
            self.0.rings.notify_one();
            let Answer::Status(status, said) = answer else { return Ok(()) };
            let length = said.len();
            line.write_all(
                format!("HTTP/1.1 {status} So\r\nContent-Length: {length}\r\n\r\n{said}").as_bytes(),
            )
            .await?;
        }
    }
}

/// The status of the answer to a request.
pub async fn status(mut line: DuplexStream, request: &str) -> Result<u16> {
    line.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    line.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).context("the server answers nothing")?;
    Ok(status.parse()?)
}
