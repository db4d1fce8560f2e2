//! The bytes of mails: where they are kept whole, and where they are made of a message.

use super::{Server, limits, mime, own};
use rookery_core::member::Member;
use rookery_store::{Filed, StoreError};
use std::io;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A mail as it is, with the place among large ones that it takes.
pub(super) struct Whole {
    pub(super) bytes: Arc<Vec<u8>>,
    _place: Option<OwnedSemaphorePermit>,
}

/// Why a mail cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("the store: {0}")]
    Store(#[from] StoreError),
    #[error("the files: {0}")]
    Files(#[from] io::Error),
}

impl Server {
    /// A whole mail; `None`: it is gone.
    pub(super) async fn whole(&self, member: &Member, mail: &Filed) -> Result<Option<Whole>, Trouble> {
        let mut place = None;
        if mail.size > limits::LARGE {
            place = self.large.clone().acquire_owned().await.ok();
        }
        let kept = match mail.raw {
            Some(raw) => (self.ways.fetch)(raw, 0, mail.size).await?,
            None => None,
        };
        let bytes = match kept {
            Some(bytes) => Some(bytes),
            None => self.made(member, mail).await?,
        };
        Ok(bytes.map(|bytes| Whole { bytes: Arc::new(bytes), _place: place }))
    }

    async fn made(&self, member: &Member, mail: &Filed) -> Result<Option<Vec<u8>>, Trouble> {
        let Some(message) = mail.message else { return Ok(None) };
        let source = self.core.store.mail_of(member.uid, message).await?;
        Ok(source.map(|(mail, entry)| own::write(&mail, &entry, member.address.as_str())))
    }

    /// A mail's header with the empty line that ends it.
    pub(super) async fn header(&self, member: &Member, mail: &Filed) -> Result<Option<Vec<u8>>, Trouble> {
        if let Some(raw) = mail.raw
            && mail.size > limits::HEADER
            && let Some(mut begin) = (self.ways.fetch)(raw, 0, limits::HEADER).await?
        {
            let end = mime::header_end(&begin);
            if end < begin.len() {
                begin.truncate(end);
                return Ok(Some(begin));
            }
        }
        let whole = self.whole(member, mail).await?;
        Ok(whole.map(|whole| whole.bytes[..mime::header_end(&whole.bytes)].to_vec()))
    }

    /// A piece of a mail that is kept whole; `None`: it is not.
    pub(super) async fn piece(
        &self,
        mail: &Filed,
        from: u32,
        count: u32,
    ) -> Result<Option<Vec<u8>>, Trouble> {
        let Some(raw) = mail.raw else { return Ok(None) };
        let from = u64::from(from).min(mail.size);
        let count = u64::from(count).min(mail.size - from);
        if count > limits::LARGE {
            return Ok(None);
        }
        Ok((self.ways.fetch)(raw, from, count).await?)
    }
}
