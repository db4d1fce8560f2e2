//! A client's side of BOSH (XEP-0124, XEP-0206): always one request that waits, and another when there is something to
//! bring. HTTP is written and read by hand, one connection a request.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use minidom::Element;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::{Incoming, Transport, escape};

/// Makes a new connection to the server's HTTP.
pub type Door = Arc<dyn Fn() -> Box<dyn Transport> + Send + Sync>;

/// XEP-0124
const BOSH: &str = "http://jabber.org/protocol/httpbind";

/// XEP-0206
const XBOSH: &str = "urn:xmpp:xbosh";

/// The first request's number. A client chooses it by chance; a test need not.
const FIRST: u64 = 4_000_000;

enum Wish {
    /// From whom, to whom, as attributes.
    Open(String),
    Send(String),
    Close,
}

/// Its task does the requests.
pub(crate) struct Bosh {
    wishes: UnboundedSender<Wish>,
    incoming: UnboundedReceiver<Result<Incoming>>,
}

impl Bosh {
    pub(crate) fn new(door: Door) -> Bosh {
        let (wishes, wished) = unbounded_channel();
        let (arrived, incoming) = unbounded_channel();
        tokio::spawn(async move {
            let mut poster = Poster {
                door,
                sid: None,
                next: FIRST,
                due: FIRST,
                under_way: JoinSet::new(),
                came: BTreeMap::new(),
                opened: Vec::new(),
                over: false,
                arrived: arrived.clone(),
            };
            if let Err(error) = poster.run(wished).await {
                arrived.send(Err(error)).ok();
            }
        });
        Bosh { wishes, incoming }
    }

    /// Does nothing after the end of the session, which reading tells: what came before it is to be read first.
    fn wish(&self, wish: Wish) {
        self.wishes.send(wish).ok();
    }

    pub(crate) fn open(&self, domain: &str, from: &str) {
        self.wish(Wish::Open(format!("{from} to='{}'", escape(domain))));
    }

    pub(crate) fn write(&self, element: String) {
        self.wish(Wish::Send(element));
    }

    pub(crate) fn close(&self) {
        self.wish(Wish::Close);
    }

    pub(crate) async fn read(&mut self) -> Result<Incoming> {
        self.incoming.recv().await.unwrap_or(Ok(Incoming::End))
    }
}

struct Poster {
    door: Door,
    sid: Option<String>,
    /// The number of the next request.
    next: u64,
    /// The number of the request whose answer is looked at next.
    due: u64,
    under_way: JoinSet<Result<(u64, String)>>,
    /// Answers that came before one that is due.
    came: BTreeMap<u64, String>,
    /// Requests that open a stream, or open it anew.
    opened: Vec<u64>,
    over: bool,
    arrived: UnboundedSender<Result<Incoming>>,
}

impl Poster {
    async fn run(&mut self, mut wished: UnboundedReceiver<Wish>) -> Result<()> {
        while !self.over {
            if self.under_way.is_empty() && self.sid.is_some() {
                self.request("", "");
            }
            // Two at a time, and none beside the first, which brings the session.
            let room = self.under_way.len() < 2 && (self.sid.is_some() || self.under_way.is_empty());
            tokio::select! {
                biased;
                wish = wished.recv(), if room => match wish {
                    Some(wish) => self.grant(wish),
                    None => return Ok(()),
                },
                Some(answer) = self.under_way.join_next() => {
                    let (rid, answer) = answer??;
                    self.came.insert(rid, answer);
                    while let Some(answer) = self.came.remove(&self.due) {
                        self.look_at(&answer)?;
                        self.due += 1;
                    }
                }
            }
        }
        Ok(())
    }

    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Open(whom) => {
                self.opened.push(self.next);
                match self.sid {
                    None => {
                        self.request(&format!("{whom} wait='60' hold='1' ver='1.11' xmpp:version='1.0'"), "")
                    }
                    Some(_) => self.request(&format!("{whom} xmpp:restart='true'"), ""),
                }
            }
            Wish::Send(element) => self.request("", &element),
            Wish::Close => self.request(" type='terminate'", ""),
        }
    }

    fn request(&mut self, attributes: &str, payload: &str) {
        let rid = self.next;
        self.next += 1;
        let sid = self.sid.as_ref().map(|sid| format!(" sid='{sid}'")).unwrap_or_default();
        let body = format!(
            "<body xmlns='{BOSH}' xmlns:xmpp='{XBOSH}' rid='{rid}'{sid}{attributes}>{payload}</body>"
        );
        let connection = (self.door)();
        self.under_way.spawn(async move { Ok((rid, post(connection, &body).await?)) });
    }

    fn look_at(&mut self, answer: &str) -> Result<()> {
        let mut body: Element = answer.parse().with_context(|| format!("no answer: {answer}"))?;
        if !body.is("body", BOSH) {
            bail!("no body: {answer}");
        }
        let ended = body.attr("type") == Some("terminate");
        if self.sid.is_none() {
            self.sid = body.attr("sid").map(str::to_owned);
        }
        let elements: Vec<_> = body.children().cloned().collect();
        for element in &elements {
            body.remove_child(element.name(), element.ns().as_str());
        }
        if self.opened.contains(&self.due) {
            self.tell(Incoming::Header(body));
        }
        elements.into_iter().for_each(|element| self.tell(Incoming::Element(element)));
        if ended {
            self.over = true;
            self.tell(Incoming::Footer);
            self.tell(Incoming::End);
        }
        Ok(())
    }

    fn tell(&self, incoming: Incoming) {
        self.arrived.send(Ok(incoming)).ok();
    }
}

/// Post a body over a connection of its own, and return what is answered.
pub async fn post(mut connection: Box<dyn Transport>, body: &str) -> Result<String> {
    let head = format!(
        "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await?;
    // It may be refused before it is read.
    connection.write_all(body.as_bytes()).await.ok();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("no answer: {answer:?}"))?;
    if !head.starts_with("HTTP/1.1 200 ") {
        bail!("{head}");
    }
    Ok(body.to_owned())
}
