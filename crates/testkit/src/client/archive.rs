//! Reading an archive (XEP-0313) from one end to the other, page by page.

use anyhow::{Context, Result};
use minidom::Element;

use super::{Client, Incoming, escape};
use crate::ns;

/// How many messages are asked for at a time.
const PAGE: usize = 50;

/// One message out of an archive.
#[derive(Clone, Debug)]
pub struct Archived {
    /// The archive's id for it.
    pub id: String,
    /// When it was stored, as the archive says it (XEP-0082).
    pub stamp: String,
    /// The message.
    pub message: Element,
}

impl Client {
    /// The account's whole archive after the message with the id `after`, oldest first. What else arrives
    /// meanwhile stays to be read, in its order.
    pub async fn archive(&mut self, after: Option<&str>) -> Result<Vec<Archived>> {
        self.archive_of(None, after).await
    }

    /// The same of a room's archive.
    pub async fn archive_of(&mut self, room: Option<&str>, after: Option<&str>) -> Result<Vec<Archived>> {
        let mut collected = Vec::new();
        let mut after = after.map(str::to_owned);
        loop {
            let (page, complete) = self.archive_page(room, after.as_deref()).await?;
            after = page.last().map(|last| last.id.clone()).or(after);
            let empty = page.is_empty();
            collected.extend(page);
            if complete || empty {
                return Ok(collected);
            }
        }
    }

    /// What is unread in each conversation (XEP-0430), at most 250 of them. What else arrives meanwhile stays to be read.
    pub async fn unread(&mut self) -> Result<Vec<(String, u64)>> {
        let query = format!(
            "<inbox xmlns='{}' messages='false'><set xmlns='{}'><max>250</max></set></inbox>",
            ns::INBOX,
            ns::RSM
        );
        self.iq("get", None, &query).await.context("querying the inbox")?;
        let mut unread = Vec::new();
        for incoming in std::mem::take(&mut self.inbox) {
            match conversation(&incoming) {
                Some(conversation) => unread.push(conversation),
                None => self.inbox.push_back(incoming),
            }
        }
        Ok(unread)
    }

    async fn archive_page(
        &mut self,
        room: Option<&str>,
        after: Option<&str>,
    ) -> Result<(Vec<Archived>, bool)> {
        let query_id = self.fresh_id();
        let after = after.map(|id| format!("<after>{}</after>", escape(id))).unwrap_or_default();
        let query = format!(
            "<query xmlns='{}' queryid='{query_id}'><set xmlns='{}'><max>{PAGE}</max>{after}</set></query>",
            ns::MAM,
            ns::RSM
        );
        let answer = self.iq("set", room, &query).await.context("querying the archive")?;
        let mut page = Vec::new();
        for incoming in std::mem::take(&mut self.inbox) {
            match archived(&incoming, &query_id)? {
                Some(found) => page.push(found),
                None => self.inbox.push_back(incoming),
            }
        }
        let fin = answer.get_child("fin", ns::MAM).context("an archive's answer without <fin/>")?;
        Ok((page, fin.attr("complete") == Some("true")))
    }
}

/// Address and unread messages of an inbox's entry.
fn conversation(incoming: &Incoming) -> Option<(String, u64)> {
    let Incoming::Element(carrier) = incoming else { return None };
    let entry = carrier.get_child("entry", ns::INBOX)?;
    Some((entry.attr("jid")?.to_owned(), entry.attr("unread")?.parse().ok()?))
}

fn archived(incoming: &Incoming, query_id: &str) -> Result<Option<Archived>> {
    let Incoming::Element(carrier) = incoming else { return Ok(None) };
    let Some(result) = carrier.get_child("result", ns::MAM) else { return Ok(None) };
    if result.attr("queryid") != Some(query_id) {
        return Ok(None);
    }
    let read = || {
        let forwarded = result.get_child("forwarded", ns::FORWARD)?;
        Some(Archived {
            id: result.attr("id")?.to_owned(),
            stamp: forwarded.get_child("delay", ns::DELAY)?.attr("stamp")?.to_owned(),
            message: forwarded.get_child("message", ns::CLIENT)?.clone(),
        })
    };
    read().map(Some).with_context(|| format!("an incomplete archive result: {}", String::from(carrier)))
}
