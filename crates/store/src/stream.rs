//! Resumable streams (XEP-0198 §5): how far each has been handled.

use rookery_proto::Uid;

use crate::Result;
use crate::sqlite::streams;
use crate::store::Store;

/// A resumable stream's secret id (the `id` of `<enabled/>`, decoded).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub [u8; 16]);

impl std::fmt::Debug for StreamId {
    // Who knows the id can try to resume: it is not for the log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StreamId({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

impl Store {
    /// Notes a new stream of `uid` with nothing handled. Beyond [`crate::limits::STREAMS`] the account's oldest goes.
    pub async fn open_stream(&self, stream: StreamId, uid: Uid) -> Result<()> {
        self.write(move |tx| streams::open(tx, stream, uid)).await
    }

    /// Notes the count of handled stanzas (modulo 2^32). Nothing happens if the stream is not open.
    pub async fn set_handled(&self, stream: StreamId, handled: u32) -> Result<()> {
        self.write(move |tx| {
            tx.set_handled(stream, handled);
            Ok(())
        })
        .await
    }

    /// Whose stream it is and how many stanzas were handled; `None` if it is not open.
    pub async fn stream(&self, stream: StreamId) -> Result<Option<(Uid, u32)>> {
        self.look_up(move |conn| streams::get(conn, stream)).await
    }

    /// Forgets the stream.
    pub async fn close_stream(&self, stream: StreamId) -> Result<()> {
        self.write(move |tx| streams::close(tx, stream)).await
    }
}
