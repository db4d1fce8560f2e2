//! Link previews: what a page says of itself. The server fetches it, so that whoever runs the page learns nothing of those who
//! read the link. In a way of our own, which docs/previews.md describes:
//!
//! ```xml
//! <iq type='get' to='example.org'><preview xmlns='https://rookery.im/protocol/preview' url='https://example.net/'/></iq>
//! <iq type='result' …><preview xmlns='https://rookery.im/protocol/preview' url='https://example.net/'><title>…</title>…</preview></iq>
//! ```
//!
//! How pages are fetched is the server's matter; here is who may have it done, and how the answer is written.

use super::Xep;
use crate::answer::{Answer, Reply};
use crate::{Ctx, limits};
use rookery_proto::error::{ErrorType, StanzaError};
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A protocol of our own.
pub const INFO: Xep = Xep {
    number: "our own",
    name: "Link previews",
    version: "0",
    server: &[ns::PREVIEW],
    account: &[],
    note: "Made by the server, with a small copy of the picture: [previews](previews.md).",
};

/// Looks at pages.
#[derive(Clone)]
pub struct Previewer {
    /// Looks at one. It bounds itself in time, and in how much it does at once.
    pub look: Arc<Look>,
    /// What the addresses of pictures begin with, as `https://example.org`.
    pub base: String,
}

/// Looks at the page of an address.
pub type Look = dyn Fn(String) -> Looking + Send + Sync;

/// A page that is being looked at.
pub type Looking = Pin<Box<dyn Future<Output = Result<Arc<Preview>, NoPreview>> + Send>>;

impl std::fmt::Debug for Previewer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Previewer").field("base", &self.base).finish_non_exhaustive()
    }
}

/// What a page says of itself. Texts are empty where it says nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Preview {
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// The site that it is of.
    pub site: String,
    /// A small copy of its picture.
    pub image: Option<Image>,
}

/// A small copy of a picture, which the server has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// Where it is, with a slash before it.
    pub path: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Why there is no preview.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoPreview {
    /// It is no address that is looked at.
    Address,
    /// The page says nothing of itself, or is none, or cannot be had.
    Nothing,
    /// Too much is looked at already.
    Busy,
}

impl From<NoPreview> for StanzaError {
    fn from(why: NoPreview) -> StanzaError {
        match why {
            NoPreview::Address => StanzaError::not_acceptable().text("This is no address of a public page."),
            NoPreview::Nothing => {
                StanzaError::item_not_found().text("There is nothing to show of this page.")
            }
            NoPreview::Busy => StanzaError::resource_constraint().kind(ErrorType::Wait),
        }
    }
}

/// Has a page looked at. It takes its time, in which the session goes on: the answer comes when it is there.
pub fn look(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let Some(previewer) = &ctx.core.policy.previewer else { return Err(StanzaError::service_unavailable()) };
    let url = payload.attr("url").unwrap_or_default().into_owned();
    if url.len() > limits::LINK_BYTES {
        return Err(NoPreview::Address.into());
    }
    ctx.core.pace.preview(ctx.member, ctx.core.env.now())?;
    let looking = (previewer.look)(url.clone());
    let (session, request, base) = (ctx.session.clone(), ctx.stanza.clone(), previewer.base.clone());
    tokio::spawn(async move {
        let me = session.jid.as_str();
        let answer = match looking.await {
            Ok(preview) => {
                let mut x = Xml::new();
                x.open("iq")
                    .attr("type", "result")
                    .opt("id", request.id())
                    .opt("from", request.to())
                    .attr("to", me);
                write(&preview, &url, &base, &mut x);
                x.close();
                Some(x.into_vec())
            }
            Err(why) => StanzaError::from(why).reply(&request, Some(me)),
        };
        answer.into_iter().for_each(|answer| session.push(answer.into()));
    });
    Ok(Reply::Later)
}

fn write(preview: &Preview, url: &str, base: &str, x: &mut Xml) {
    x.open_ns("preview", ns::PREVIEW).attr("url", url);
    for (name, text) in
        [("title", &preview.title), ("description", &preview.description), ("site", &preview.site)]
    {
        if !text.is_empty() {
            x.text_element(name, text);
        }
    }
    if let Some(image) = &preview.image {
        x.open("image").attr("url", &format!("{base}{}", image.path));
        x.attr("width", &image.width.to_string()).attr("height", &image.height.to_string()).close();
    }
    x.close();
}
