//! The operator's own front server brings mail by LMTP (RFC 2033): what SMTP says once of a mail, this says of each recipient. Where
//! mail is from, that server has found out; who is here it may ask as often as it wants.

use super::session::{Said, Session};
use crate::mail::incoming::{Incoming, Refusal};

impl Session {
    /// A session of the front server's.
    pub(super) fn at_front(mut self) -> Session {
        self.front = true;
        self
    }

    /// The content is whole: what became of it, for each recipient in the order in which they were named (§4.2).
    pub(super) async fn finish_each(
        &mut self,
        envelope: &Incoming,
        named: &[usize],
        content: Vec<u8>,
    ) -> Said {
        let received = self.gateway.receive_each(envelope, content).await;
        for place in named {
            let outcome = match &received {
                Ok((id, outcomes)) => match outcomes.get(*place) {
                    Some(Ok(())) => Ok(id),
                    Some(Err(why)) => Err(why),
                    None => Err(&Refusal::LATER),
                },
                Err(why) => Err(why),
            };
            self.on(&match outcome {
                Ok(id) => format!("250 2.0.0 Stored as {id}"),
                Err(why) => why.reply(),
            })?;
        }
        Ok(super::session::Next::On)
    }
}
