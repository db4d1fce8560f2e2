//! Full-text search (XEP-0431): an index beside the store, in a file of its own.
//!
//! The index follows the store: [`Store::index`] takes what was said since, in its order. So it is always behind, by
//! moments; a search first takes what is missing, as far as that is little. Nothing is lost with the file: it is made again
//! from the store, also when it is damaged. And nothing is believed of it: each message that it names is looked at in the
//! store, so that what was retracted, deleted or moved away is not found, whatever the index still says.

pub(crate) mod words;

use rookery_proto::Uid;

use crate::Result;
use crate::sqlite::{page, search};
use crate::store::Store;
use crate::timeline::{Page, PageQuery};
use words::Wanted;

/// How far the index has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Indexed {
    /// The last message that is in it.
    pub done: u64,
    /// The last message that there is.
    pub total: u64,
    /// Whether there is more to do: further messages, or some to be removed.
    pub more: bool,
}

impl Store {
    /// Takes the next slice into the index, of at most [`crate::limits::INDEX_BATCH`] messages, and removes from it what was
    /// removed from the store. A damaged index is made anew from its beginning.
    pub async fn index(&self) -> Result<Indexed> {
        let index = self.search_index();
        let step = self.read(move |conn| search::follow(&index, conn)).await?;
        if let Some(upto) = step.removed {
            self.write(move |tx| search::forget_removed(tx, upto)).await?;
        }
        Ok(step.indexed)
    }

    /// Throws the index away; [`Store::index`] makes it again.
    pub async fn drop_index(&self) -> Result<()> {
        let index = self.search_index();
        self.read(move |_| index.discard()).await
    }

    /// How many messages were not in the index when somebody last looked: about, as numbers of messages that are gone count.
    pub fn index_lag(&self) -> u64 {
        self.search_index().lag()
    }

    /// A page of what a search finds; `None` as for [`Store::page`].
    pub(crate) async fn found(&self, uid: Uid, query: PageQuery, text: &str) -> Result<Option<Page>> {
        let wanted = Wanted::read(text)?;
        for _ in 0..crate::limits::SEARCH_CATCH_UP {
            // What cannot be indexed now is found later.
            if !self.index().await.is_ok_and(|indexed| indexed.more) {
                break;
            }
        }
        let index = self.search_index();
        self.read(move |conn| page::search(conn, &index, uid, &query, &wanted)).await
    }
}
