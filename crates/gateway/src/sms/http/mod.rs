//! Providers that speak HTTP, an application on a phone among them: a message is a request that a template makes, and what they bring is
//! posted to us.
//!
//! Read along in this order: [`template`] is a message as a request, [`answer`] what its answer means, [`post`] sends it; [`hook`] says
//! who may post what, and what it says.

pub mod answer;
pub mod hook;
pub mod post;
pub mod template;

pub use hook::{Call, Fields, Heard, Hook, Signature, Turn};
pub use post::Post;
pub use template::{Kind, Method, Template};

use answer::Reads;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// How a provider is spoken with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// How a message is a request.
    pub template: Template,
    /// How its answer is read.
    pub reads: Reads,
    /// The sender that phones see, for the template; and which of our numbers a message is for that does not say so.
    pub sender: String,
    /// Requests at a time.
    pub window: usize,
    /// How it brings something; `None`: it does not.
    pub hook: Option<Hook>,
}

/// A request to a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// As it is.
    pub method: Method,
    /// Where to; it may have secrets in it.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Empty: there is none.
    pub body: String,
}

/// Its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// RFC 9110 §15.
    pub status: u16,
    /// `Retry-After`, if it is a number of seconds.
    pub retry_after: Option<Duration>,
    /// At most [`super::limits::HTTP_ANSWER`] bytes.
    pub body: Vec<u8>,
}

/// Why there is none, in a sentence without secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoAnswer {
    /// The provider certainly has not seen the request.
    Unsent(String),
    /// It may have.
    Lost(String),
}

/// Makes a request, within [`super::limits::HTTP_TIME`].
pub type Ask = dyn Fn(Request) -> Asking + Send + Sync;

/// A request under way.
pub type Asking = Pin<Box<dyn Future<Output = Result<Answered, NoAnswer>> + Send>>;

#[cfg(test)]
mod tests;
