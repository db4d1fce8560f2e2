//! What a page says of itself in its head: by the Open Graph protocol (<https://ogp.me>), and else by its title and description.
//!
//! Pages are what people write, so they are read as browsers read them (HTML standard, tokenization): unclosed, misspelt, in
//! any encoding. Nothing is built of them.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use std::cell::{Cell, RefCell};

/// Characters of a title.
const TITLE: usize = 200;

/// Characters of a description: some lines.
const DESCRIPTION: usize = 400;

/// Characters of a site's name.
const SITE: usize = 80;

/// Characters of a picture's address.
const ADDRESS: usize = 4_096;

/// Bytes in which a page names its encoding (HTML standard, prescan a byte stream).
const PRESCAN: usize = 1_024;

/// Bytes that are read at a time.
const PIECE: usize = 2 << 10;

/// Pieces after which something must have ended. The attributes of one tag are compared with each other: a page that is one
/// tag of half a megabyte would take minutes.
const PATIENCE: usize = 16;

/// What a page says of itself; empty where it says nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Said {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) site: String,
    /// The address of its picture, as it stands there.
    pub(super) image: Option<String>,
}

/// Reads a page; `charset` is what its server says of its encoding.
pub(super) fn read(bytes: &[u8], charset: Option<&str>) -> Said {
    let (text, _, _) = encoding(bytes, charset).decode(bytes);
    let tokenizer = Tokenizer::new(Head::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    let mut silent = 0;
    for piece in pieces(&text) {
        let before = tokenizer.sink.ended.get();
        input.push_back(StrTendril::from_slice(piece));
        // It stops in between only where the sink asks it to.
        let _ = tokenizer.feed(&input);
        silent = if tokenizer.sink.ended.get() == before { silent + 1 } else { 0 };
        if tokenizer.sink.done.get() || silent == PATIENCE {
            break;
        }
    }
    tokenizer.sink.said()
}

/// The encoding of a page: what its server says, or it itself (a byte order mark counts more than both).
fn encoding(bytes: &[u8], charset: Option<&str>) -> &'static Encoding {
    let named = charset.and_then(|name| Encoding::for_label(name.as_bytes()));
    let in_page = || {
        let start = &bytes[..bytes.len().min(PRESCAN)];
        let at = memchr::memmem::find(start, b"charset=")? + b"charset=".len();
        let label = &start[at..];
        let label = label.strip_prefix(b"\"").or_else(|| label.strip_prefix(b"'")).unwrap_or(label);
        let end = label.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"-_:.".contains(byte)));
        Encoding::for_label(&label[..end.unwrap_or(label.len())])
    };
    let guess =
        || if std::str::from_utf8(bytes).is_ok_and(|text| !text.is_ascii()) { UTF_8 } else { WINDOWS_1252 };
    named.or_else(in_page).unwrap_or_else(guess)
}

/// A text in pieces of about so many bytes.
fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let end = text.ceil_char_boundary(PIECE.min(text.len()));
        let (piece, rest) = text.split_at(end);
        text = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Collects what the head says.
#[derive(Default)]
struct Head {
    /// Tokens that have ended.
    ended: Cell<usize>,
    /// Whether the head is over.
    done: Cell<bool>,
    /// Whether what comes is the title's text.
    in_title: Cell<bool>,
    title: RefCell<String>,
    /// By what they are called, the first of each.
    named: RefCell<Vec<(&'static str, String)>>,
}

/// The properties and names that count.
const NAMES: [&str; 9] = [
    "og:title",
    "og:description",
    "og:site_name",
    "og:image:secure_url",
    "og:image:url",
    "og:image",
    "twitter:title",
    "twitter:image",
    "description",
];

impl Head {
    fn said(&self) -> Said {
        let named = self.named.borrow();
        let first = |names: &[&str]| {
            let of = |name: &&str| named.iter().find(|(known, _)| known == name);
            names.iter().find_map(of).map(|(_, text)| text.as_str()).unwrap_or_default()
        };
        let title = self.title.borrow();
        let named_title = first(&["og:title", "twitter:title"]);
        let image = first(&["og:image:secure_url", "og:image", "og:image:url", "twitter:image"]).trim();
        Said {
            title: tidy(if named_title.is_empty() { &title } else { named_title }, TITLE),
            description: tidy(first(&["og:description", "description"]), DESCRIPTION),
            site: tidy(first(&["og:site_name"]), SITE),
            image: Some(image).filter(|image| (1..=ADDRESS).contains(&image.len())).map(str::to_owned),
        }
    }

    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        let starts = tag.kind == TagKind::StartTag;
        self.in_title.set(false);
        match (starts, &*tag.name) {
            // Pictures have titles, too (SVG): the first is the page's.
            (true, "title") if self.title.borrow().is_empty() => {
                self.in_title.set(true);
                TokenSinkResult::RawData(RawKind::Rcdata)
            }
            (true, "meta") => {
                self.meta(tag);
                TokenSinkResult::Continue
            }
            // HTML standard, tree construction: what is in these is text.
            (true, "title" | "textarea") => TokenSinkResult::RawData(RawKind::Rcdata),
            (true, "script") => TokenSinkResult::RawData(RawKind::ScriptData),
            (true, "style" | "noframes" | "iframe" | "xmp" | "noembed") => {
                TokenSinkResult::RawData(RawKind::Rawtext)
            }
            (true, "body") | (false, "head" | "html") => {
                self.done.set(true);
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }

    fn meta(&self, tag: &Tag) {
        let attribute =
            |name: &str| tag.attrs.iter().find(|one| &*one.name.local == name).map(|one| &one.value);
        let (Some(name), Some(content)) = (attribute("property").or(attribute("name")), attribute("content"))
        else {
            return;
        };
        let mut named = self.named.borrow_mut();
        let known = NAMES.iter().find(|known| name.trim().eq_ignore_ascii_case(known));
        if let Some(known) = known.filter(|known| named.iter().all(|(there, _)| there != *known))
            && !content.trim().is_empty()
        {
            named.push((known, content.to_string()));
        }
    }
}

impl TokenSink for Head {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        // Mistakes are noted on the way, and are no progress.
        if !matches!(token, Token::ParseError(_)) {
            self.ended.set(self.ended.get() + 1);
        }
        match token {
            _ if self.done.get() => TokenSinkResult::Continue,
            Token::TagToken(tag) => self.tag(&tag),
            Token::CharacterTokens(text) if self.in_title.get() => {
                let mut title = self.title.borrow_mut();
                if title.len() < ADDRESS {
                    title.push_str(&text);
                }
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

/// A text on one line and of bounded length, without what turns the direction of writing or cannot stand in XML.
fn tidy(text: &str, most: usize) -> String {
    let odd = |c: &char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
    };
    let spaced: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !odd(c)).collect();
    let words = spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", words[..end].trim_end()),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(html: &str) -> Said {
        read(html.as_bytes(), Some("utf-8"))
    }

    #[test]
    fn a_page_says_what_it_is() {
        let page = said(
            "<!DOCTYPE html><html><head><meta charset=utf-8><title>Plain &amp; simple</title>\
             <meta property='og:title' content='Penguins &quot;on&quot; ice'><meta property=og:site_name content=Nest>\
             <META NAME='Description' CONTENT='Cold\n  and   wet'><meta property='og:image' content='/a.png'></head>\
             <body><meta property='og:title' content='no'></body>",
        );
        let expected = Said {
            title: "Penguins \"on\" ice".into(),
            description: "Cold and wet".into(),
            site: "Nest".into(),
            image: Some("/a.png".into()),
        };
        assert_eq!(page, expected);
    }

    #[test]
    fn a_title_is_enough() {
        assert_eq!(said("<title>\n One <b> &lt;two&gt;\n</title>").title, "One <b> <two>");
        assert_eq!(said("<script>'<title>no</title>'</script><title>yes").title, "yes");
        assert_eq!(
            said("<style>a::after{content:'<title>no</title>'}</style><title>yes</title>").title,
            "yes"
        );
        assert_eq!(said("<!-- <title>no</title> --><title>yes</title><title>no</title>").title, "yes");
        assert_eq!(said("hello"), Said::default());
        assert_eq!(said(""), Said::default());
    }

    #[test]
    fn the_encoding_is_the_one_that_is_said() {
        let gbk = b"<meta charset=\"gbk\"><title>\xc4\xe3\xba\xc3</title>";
        assert_eq!(read(gbk, None).title, "你好");
        assert_eq!(read(b"<title>\xc4\xe3\xba\xc3</title>", Some("GB2312")).title, "你好");
        assert_eq!(read("<title>你好</title>".as_bytes(), None).title, "你好");
        assert_eq!(read(b"<title>caf\xe9</title>", None).title, "café");
        assert_eq!(read(b"\xef\xbb\xbf<title>\xc3\xa9</title>", Some("latin1")).title, "é");
    }

    #[test]
    fn texts_are_harmless() {
        let page = said("<title>a&#1;b\u{202e}c&#xFFFE;d&#0;</title>");
        assert!(!page.title.contains(['\u{1}', '\u{202e}', '\u{fffe}', '\0']), "{page:?}");
        let long = said(&format!("<title>{}</title>", "word ".repeat(10_000)));
        assert_eq!(long.title.chars().count(), TITLE);
        assert!(long.title.ends_with('…'));
    }

    /// Distinct attributes, each of which is compared with all before it; `>` inside of quotes ends nothing.
    #[test]
    fn one_endless_tag_is_given_up() {
        let attributes: String = (0..60_000).map(|at| format!("a{at:x}='>' ")).collect();
        let page = format!("<title>first</title><p {attributes}><meta property=og:title content=never>");
        assert_eq!(said(&page).title, "first");
    }
}
