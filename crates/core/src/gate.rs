//! The operator's own judgement: a program that is asked about messages before they are stored (the content-policy hook).
//!
//! The question goes out while the message is prepared, and messages of one session are prepared one after the other: whatever
//! the program takes its time for, the order stays. How it is reached is the server's matter; here is what it is asked, and
//! what its verdict does.

use crate::pipeline::{Kind, Letter, has_content, is_encrypted};
use crate::{Core, Ctx, limits};
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
    /// The recipient's bare address; a group's, or that of an occupant to whom somebody speaks in private.
    pub to: String,
    /// The message's type.
    pub kind: &'static str,
    /// Whether the recipient does not know the sender; in a group, whether the sender is no member of it.
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
        let body = text(stanza, "body");
        if body.is_none() && !class.has(Flags::DELIVER) {
            return Ok(false);
        }
        let (to, peer) = (&letter.to, from.to_bare());
        if peer == to.address {
            return Ok(false);
        }
        let stranger = !self.knows(to, &peer).await?;
        let kind = match Kind::of(stanza) {
            Kind::Chat => "chat",
            Kind::Headline => "headline",
            Kind::Error => "error",
            Kind::Normal | Kind::Groupchat => "normal",
        };
        let (from, to) = (from.to_string(), to.address.to_string());
        let encrypted = class.has(Flags::ENCRYPTED);
        gate.judge(Question { from, to, kind, stranger, encrypted, body }).await
    }
}

impl Ctx<'_> {
    /// Asks about what its sender says in a group: to all of it (`to` is its address), or to one occupant there. What is to be
    /// set aside is refused: nobody in a group lets in what waits.
    pub(crate) async fn screen_in_group(&self, to: &str, stranger: bool) -> Result<(), StanzaError> {
        let Some(gate) = &self.core.policy.gate else { return Ok(()) };
        let stanza = self.stanza;
        // What a group is about is read by all who enter it.
        let body = text(stanza, "body").or_else(|| text(stanza, "subject"));
        if body.is_none() && !has_content(stanza) {
            return Ok(());
        }
        let kind = match Kind::of(stanza) {
            Kind::Groupchat => "groupchat",
            Kind::Chat => "chat",
            Kind::Normal | Kind::Headline | Kind::Error => "normal",
        };
        let (from, to, encrypted) = (self.session.jid.to_string(), to.to_owned(), is_encrypted(stanza));
        match gate.judge(Question { from, to, kind, stranger, encrypted, body }).await? {
            false => Ok(()),
            true => Err(refusal(String::new())),
        }
    }
}

impl Gate {
    /// Asks, if this is to be asked about; whether it is to be set aside.
    async fn judge(&self, question: Question) -> Result<bool, StanzaError> {
        if !self.all && !question.stranger {
            return Ok(false);
        }
        match (self.ask)(question).await {
            Verdict::Allow => Ok(false),
            Verdict::SetAside => Ok(true),
            Verdict::Refuse(text) => Err(refusal(text)),
        }
    }
}

fn refusal(text: String) -> StanzaError {
    let text = if text.is_empty() { "This server does not take this message.".into() } else { text };
    StanzaError::policy_violation().kind(ErrorType::Modify).text(text)
}

/// What anybody can read of a message, in elements of this name. It may say so in several languages (RFC 6121 §5.2.3), and be
/// encrypted besides.
fn text(stanza: &Stanza, name: &str) -> Option<String> {
    let mut text: Option<String> = None;
    for body in stanza.children().filter(|child| child.ns() == ns::CLIENT && child.name() == name) {
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
