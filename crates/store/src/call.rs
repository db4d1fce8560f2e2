//! Calls: pages from outside whose senders ask what became of them.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};

use crate::sqlite::{Kind, calls};
use crate::store::{Pending, Store};
use crate::timeline::{Append, Appended};
use crate::{Result, Timestamp};

/// An answer that can be chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// What it is called; no space and no line break in it.
    pub code: String,
    /// What it says; no line break in it.
    pub text: String,
}

/// A page that asks to be remembered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCall {
    /// What its sender calls it; unpredictable.
    pub tag: u64,
    /// What its sender proves with that it is the sender.
    pub pass: u64,
    /// Who is paged.
    pub uid: Uid,
    /// Whom it is from, as an address inside.
    pub peer: BareJid,
    /// The `id` of the message.
    pub stanza: String,
    /// When it came.
    pub at: Timestamp,
    /// Answers to choose from, at most [`crate::limits::CALL_CHOICES`] and altogether [`crate::limits::CALL_BYTES`].
    pub choices: Vec<Choice>,
    /// An answer is asked for.
    pub reply: bool,
}

/// What was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallAnswer {
    /// When.
    pub at: Timestamp,
    /// The code of the choice, if it is one.
    pub choice: Option<String>,
    /// What was said; kept up to [`crate::limits::CALL_BYTES`].
    pub text: String,
}

/// A page, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// The page.
    pub call: NewCall,
    /// The message in the log of whoever was paged.
    pub useq: Useq,
    /// A device is known to have it. The store learns of that a moment later than core does.
    pub delivered: bool,
    /// It was read.
    pub read: bool,
    /// The answer, once there is one.
    pub answer: Option<CallAnswer>,
}

impl Store {
    /// [`Store::append`] of a page, and what is remembered of it for [`crate::limits::CALL_MILLIS`]; the first pointer is of
    /// whoever is paged. [`crate::StoreError::Limit`]: too many of the account are remembered.
    pub async fn append_call(&self, append: Append, call: NewCall) -> Result<Pending<Appended>> {
        self.enqueue(Kind::Checked, move |tx| calls::append(tx, append, &call)).await
    }

    /// The page of this tag.
    pub async fn call(&self, tag: u64) -> Result<Option<Call>> {
        self.read(move |conn| calls::get(conn, tag)).await
    }

    /// The page of this peer that an account has not answered: the one with this `id`, or the latest.
    pub async fn waiting_call(
        &self,
        uid: Uid,
        peer: BareJid,
        stanza: Option<String>,
    ) -> Result<Option<Call>> {
        self.read(move |conn| calls::waiting(conn, uid, &peer, stanza.as_deref())).await
    }

    /// A page is answered by a message of the gateway's outbox, which is out of it then. An answer that there is stays.
    pub async fn answer_call(&self, tag: u64, outbound: u64, answer: CallAnswer) -> Result<()> {
        self.write(move |tx| calls::answer(tx, tag, outbound, &answer)).await
    }

    /// A page is taken back: its message is out of the log, and nothing of it is remembered.
    pub async fn withdraw_call(&self, tag: u64) -> Result<()> {
        self.write(move |tx| calls::withdraw(tx, tag)).await
    }
}
