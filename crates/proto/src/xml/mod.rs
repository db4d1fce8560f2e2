//! XML as XMPP speaks it (RFC 6120 §11): the scanner of streams, and the writer.

mod canonical;
mod chars;
mod error;
mod escape;
mod header;
mod limits;
mod namespaces;
mod scanner;
mod tag;
mod walker;
mod writer;

pub use error::{Excess, ScanError};
pub use header::StreamHeader;
pub use limits::Limits;
pub use scanner::{Item, Scanner, frame};
pub use writer::Xml;

pub(crate) use chars::check_name;
pub(crate) use escape::{escape_value, unescape_text, unescape_value};
pub(crate) use namespaces::Context;
pub(crate) use scanner::element;
pub(crate) use tag::{Attr, Span, StartTag};
pub(crate) use walker::{ChildShape, Shape, walk_checked};
