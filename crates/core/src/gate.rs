//! The operator's own judgement: a program that is asked about messages before they are stored (the content-policy hook).
//!
//! The question goes out while the message is prepared, and messages of one session are prepared one after the other: whatever
//! the program takes its time for, the order stays. How it is reached is the server's matter; here is what it is asked, and
//! what its verdict does.

use crate::pipeline::{Kind, Letter};
use crate::{Core, limits};
use rookery_proto::error::{ErrorType, StanzaError};
use rookery_proto::jid::Jid;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_store::Flags;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What the program is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// The sender's full address.
    pub from: String,
    /// The recipient's bare address.
    pub to: String,
    /// The message's type.
    pub kind: &'static str,
    /// Whether the recipient does not know the sender.
    pub stranger: bool,
    /// Whether it is encrypted end to end.
    pub encrypted: bool,
    /// Its text, at most [`limits::QUESTION_BYTES`]: that of all languages, one to a line; what is said beside an encrypted
    /// text, too. `None`: it has none.
    pub body: Option<String>,
}

/// What is to become of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It goes its way.
    Allow,
    /// Its sender is told this; empty: that the server does not take it.
    Refuse(String),
    /// It waits until the recipient lets the sender in.
    SetAside,
}

/// Asks the program. It decides itself how long to wait, and what silence means.
pub type Ask = dyn Fn(Question) -> Pin<Box<dyn Future<Output = Verdict> + Send>> + Send + Sync;

/// A program, and what it is asked about.
#[derive(Clone)]
pub struct Gate {
    /// Asks it.
    pub ask: Arc<Ask>,
    /// About all messages, not only those of strangers.
    pub all: bool,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gate {{ all: {} }}", self.all)
    }
}

impl Core {
    /// Asks about a message that is to be stored, or has a text; whether it is to be set aside.
    pub(crate) async fn screen(
        &self,
        from: &Jid,
        stanza: &Stanza,
        class: Flags,
        letter: &Letter,
    ) -> Result<bool, StanzaError> {
        let Some(gate) = &self.policy.gate else { return Ok(false) };
        let body = text(stanza);
        if body.is_none() && !class.has(Flags::DELIVER) {
            return Ok(false);
        }
        let (to, peer) = (&letter.to, from.to_bare());
        if peer == to.address {
            return Ok(false);
        }
        let stranger = !self.knows(to, &peer).await?;
        if !gate.all && !stranger {
            return Ok(false);
        }
        let encrypted = class.has(Flags::ENCRYPTED);
        let (from, to) = (from.to_string(), to.address.to_string());
        let kind = match Kind::of(stanza) {
            Kind::Chat => "chat",
            Kind::Headline => "headline",
            Kind::Error => "error",
            Kind::Normal | Kind::Groupchat => "normal",
        };
        match (gate.ask)(Question { from, to, kind, stranger, encrypted, body }).await {
            Verdict::Allow => Ok(false),
            Verdict::SetAside => Ok(true),
            Verdict::Refuse(text) => {
                let text =
                    if text.is_empty() { "This server does not take this message.".into() } else { text };
                Err(StanzaError::policy_violation().kind(ErrorType::Modify).text(text))
            }
        }
    }
}

/// What anybody can read of a message. It may say so in several languages (RFC 6121 §5.2.3), and be encrypted besides.
fn text(stanza: &Stanza) -> Option<String> {
    let mut text: Option<String> = None;
    for body in stanza.children().filter(|child| child.ns() == ns::CLIENT && child.name() == "body") {
        let text = match &mut text {
            Some(text) if text.len() >= limits::QUESTION_BYTES => break,
            Some(text) => {
                text.push('\n');
                text
            }
            None => text.insert(String::new()),
        };
        text.push_str(&body.text());
        text.truncate(text.floor_char_boundary(limits::QUESTION_BYTES));
    }
    text
}
