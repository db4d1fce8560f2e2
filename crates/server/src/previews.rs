//! Link previews: pages that people name are fetched, read, and remembered for a while.
//!
//! Whoever names a page must gain nothing by it: only the public network is reached ([`Reach`](crate::http::client::Reach)), at each step
//! of a redirection anew; only so much is read, for so long, of so many at a time; and the picture that is shown is one that
//! we have drawn ourselves.

mod fetch;
mod page;

use crate::files::thumbnail;
use crate::http::client::Client;
use bytes::Bytes;
use fetch::{Content, Fetched};
use page::Said;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rookery_core::env::Env;
use rookery_core::xep::preview::{Image, Looking, NoPreview, Preview, Previewer};
use rookery_store::Timestamp;
use sha2::{Digest, Sha256};
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

/// Where the pictures are.
pub const PATH: &str = "/preview/";

/// Pages that are looked at at a time: what a busy server needs, and few beside its other connections.
const AT_ONCE: usize = 16;

/// How long a page waits for its turn.
const TURN: Duration = Duration::from_secs(5);

/// Pages that are remembered: a few hundred bytes each, a few thousand if somebody is at pains.
const KNOWN: usize = 4_000;

/// How long a page is remembered: it may say something else then.
const FRESH_MS: i64 = 6 * 3_600_000;

/// How long it is remembered that there is nothing to show: the page may have been down for a moment.
const NOTHING_MS: i64 = 10 * 60_000;

/// Bytes of pictures that are remembered: some thousand of them. Who was shown one longest ago has it fetched again.
const PICTURES: u64 = 32 << 20;

/// Pictures that are expected among them, some ten kilobytes each.
const PICTURES_ABOUT: usize = 3_000;

/// Characters of a picture's name: 128 bits of its hash.
const NAME: usize = 32;

/// Looks at pages.
pub struct Previews {
    client: Client,
    env: Env,
    /// By the address as it was asked for.
    known: Cache<String, Known>,
    /// By the hash of their content.
    pictures: Cache<String, Bytes, Size>,
    turns: Semaphore,
    /// One picture is drawn at a time: it takes a hundred megabytes.
    drawing: Semaphore,
}

/// What came of looking at a page.
#[derive(Clone)]
struct Known {
    outcome: Result<Arc<Preview>, NoPreview>,
    until: Timestamp,
}

/// A picture weighs what it takes.
#[derive(Clone)]
struct Size;

impl Weighter<String, Bytes> for Size {
    fn weight(&self, name: &String, picture: &Bytes) -> u64 {
        (name.len() + picture.len()) as u64
    }
}

impl Previews {
    /// Fetches through `client`, which reaches no further than it may.
    pub fn new(client: Client, env: Env) -> Arc<Previews> {
        Arc::new(Previews {
            client,
            env,
            known: Cache::new(KNOWN),
            pictures: Cache::with_weighter(PICTURES_ABOUT, PICTURES, Size),
            turns: Semaphore::new(AT_ONCE),
            drawing: Semaphore::new(1),
        })
    }

    /// The same for core; `base` is what the addresses of pictures begin with.
    pub fn previewer(self: &Arc<Previews>, base: String) -> Previewer {
        let previews = self.clone();
        let look = move |url: String| -> Looking {
            let previews = previews.clone();
            Box::pin(async move { previews.look(&url).await })
        };
        Previewer { look: Arc::new(look), base }
    }

    /// A picture by its name.
    pub fn picture(&self, name: &str) -> Option<Bytes> {
        self.pictures.get(name)
    }

    async fn look(&self, text: &str) -> Result<Arc<Preview>, NoPreview> {
        let url = fetch::checked(Url::parse(text).map_err(|_| NoPreview::Address)?)?;
        let key = url.as_str();
        if self.known.get(key).is_some_and(|known| !self.is_good(&known)) {
            self.known.remove(key);
        }
        // A group is told of one link at once: it is fetched once.
        let known = self.known.get_or_insert_async(key, self.first_look(url.clone()));
        known.await?.outcome
    }

    /// Whether what is known of a page can still be told. A picture may have made room for others.
    fn is_good(&self, known: &Known) -> bool {
        let image = known.outcome.as_ref().ok().and_then(|preview| preview.image.as_ref());
        let there = image.is_none_or(|image| {
            image.path.strip_prefix(PATH).is_some_and(|name| self.pictures.peek(name).is_some())
        });
        there && known.until > self.env.now()
    }

    /// Only what was looked at is remembered, not that there was no time for it.
    async fn first_look(&self, url: Url) -> Result<Known, NoPreview> {
        let turn = timeout(TURN, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(NoPreview::Busy) };
        let outcome = self.fetched(url).await.map(Arc::new);
        let good_for = if outcome.is_ok() { FRESH_MS } else { NOTHING_MS };
        Ok(Known { outcome, until: Timestamp(self.env.now().0 + good_for) })
    }

    async fn fetched(&self, url: Url) -> Result<Preview, NoPreview> {
        let Fetched { url, content } = fetch::page(&self.client, url).await?;
        let said = match content {
            // The link leads to a picture itself.
            Content::Picture(bytes) => {
                let image = self.drawn(bytes).await.ok_or(NoPreview::Nothing)?;
                return Ok(Preview { site: site(&url), image: Some(image), ..Preview::default() });
            }
            Content::Page { bytes, charset } => {
                let read = tokio::task::spawn_blocking(move || page::read(&bytes, charset.as_deref()));
                read.await.map_err(|_| NoPreview::Nothing)?
            }
        };
        let image = match said.image.as_deref().and_then(|image| url.join(image).ok()) {
            Some(image) => self.picture_at(image).await,
            None => None,
        };
        let Said { title, description, site: named, .. } = said;
        if title.is_empty() && description.is_empty() && image.is_none() {
            return Err(NoPreview::Nothing);
        }
        let site = if named.is_empty() { site(&url) } else { named };
        Ok(Preview { title, description, site, image })
    }

    /// A page without its picture is better than none.
    async fn picture_at(&self, url: Url) -> Option<Image> {
        let bytes = fetch::picture(&self.client, fetch::checked(url).ok()?).await.ok()?;
        self.drawn(bytes).await
    }

    /// Draws a small copy, and keeps it.
    async fn drawn(&self, bytes: Bytes) -> Option<Image> {
        let _turn = self.drawing.acquire().await.ok()?;
        let draw = move || {
            let small = Bytes::from(thumbnail::thumbnail(Cursor::new(bytes))?);
            let size = thumbnail::dimensions(Cursor::new(small.clone()))?;
            Some((small, size))
        };
        let (picture, (width, height)) = tokio::task::spawn_blocking(draw).await.ok()??;
        let mut name = data_encoding::HEXLOWER.encode(&Sha256::digest(&picture));
        name.truncate(NAME);
        let path = format!("{PATH}{name}");
        self.pictures.insert(name, picture);
        Some(Image { path, width, height })
    }
}

/// The site's name where it says none.
fn site(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_start_matches("www.").to_owned()
}

#[cfg(test)]
mod tests;
