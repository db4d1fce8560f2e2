//! What a filter of the operator's thinks of a mail: a program beside this one, which is asked before the mail is taken.

use super::Gateway;
use super::incoming::{Incoming, Refusal, plain};
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

/// What a filter is told.
pub struct Question<'a> {
    /// Where the mail comes from.
    pub peer: IpAddr,
    /// What that server calls itself.
    pub helo: &'a str,
    /// The reverse path; empty: none.
    pub from: &'a str,
    /// Whom it is for.
    pub to: Vec<&'a str>,
    /// How it is called in the log.
    pub id: &'a str,
    /// The mail as it came.
    pub mail: &'a [u8],
}

/// What it thinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// Nothing against it.
    Let,
    /// It is junk.
    Junk,
    /// It is not to be taken now.
    Later,
    /// It is not to be taken, for this reason; empty: it says none.
    Refuse(String),
}

/// What a filter says, or in words why it says nothing.
pub type Opined<'a> = Pin<Box<dyn Future<Output = Result<Opinion, String>> + Send + 'a>>;

/// Asks a filter.
pub type Ask = dyn for<'a> Fn(Question<'a>) -> Opined<'a> + Send + Sync;

impl Gateway {
    /// Whether a mail is junk for all that its recipients have not said otherwise.
    pub(super) async fn suspected(
        &self,
        envelope: &Incoming,
        id: &str,
        mail: &[u8],
    ) -> Result<bool, Refusal> {
        // What people here write to each other is not a stranger's.
        let Some(ask) = self.settings.filter.as_ref().filter(|_| envelope.author.is_none()) else {
            return Ok(false);
        };
        let to = envelope.to.iter().map(|member| member.address.as_str()).collect();
        let (peer, helo, from) = (envelope.peer, envelope.helo.as_str(), envelope.from.as_str());
        match ask(Question { peer, helo, from, to, id, mail }).await {
            Ok(Opinion::Let) => Ok(false),
            Ok(Opinion::Junk) => Ok(true),
            Ok(Opinion::Later) => Err(Refusal::Later("4.7.1 Come again in some minutes")),
            Ok(Opinion::Refuse(why)) => {
                tracing::info!(id, %peer, why, "the filter refuses a mail");
                let why = plain(&why);
                let why = if why.is_empty() { "This server does not take this mail" } else { &why };
                Err(Refusal::Never(format!("5.7.1 {why}")))
            }
            Err(error) => {
                let taken = self.settings.unfiltered;
                tracing::warn!(id, error, taken, "the filter of mails does not answer");
                if taken { Ok(false) } else { Err(Refusal::LATER) }
            }
        }
    }
}
