//! Walks one element, token by token, and can stop at any byte.
//!
//! The bytes of the element lie in one piece, which only grows at its end between two calls. Only the position of
//! the current token and how far its end was looked for are kept, so nothing is looked at twice.

use memchr::{memchr, memchr2, memmem};
use smallvec::SmallVec;

use super::chars::is_space;
use super::namespaces::{Context, Scope};
use super::tag::{Attrs, Span, StartTag};
use super::{Excess, Limits, ScanError, escape};
use crate::ns;

/// What is known about an element after one walk. Ranges count from the element's start.
#[derive(Clone, Default, Debug)]
pub(crate) struct Shape {
    pub(crate) name: Span,
    /// The root's own default namespace; an empty range at 0 if it declares none.
    pub(crate) ns: Span,
    /// The root's attributes without its default namespace.
    pub(crate) attrs: Attrs,
    pub(crate) children: SmallVec<[ChildShape; 4]>,
    /// Where the root's start tag ends.
    pub(crate) head_end: u32,
    /// Where the root's end tag starts; `head_end` if the root is an empty-element tag.
    pub(crate) content_end: u32,
    /// Where the element ends.
    pub(crate) end: u32,
    /// Whether it must be rewritten to be canonical: prefixes or CDATA are used, or a namespace is not plain.
    pub(crate) unusual: bool,
    /// Whether the root declares what it would inherit.
    pub(crate) redundant_ns: bool,
}

/// An element directly below the root.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct ChildShape {
    pub(crate) name: Span,
    /// Its default namespace: its own or the root's; an empty range at 0 for `jabber:client`.
    pub(crate) ns: Span,
    pub(crate) xml: Span,
}

/// The token that is being looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token {
    /// Character data, up to the next `<`.
    Text,
    /// `<` was seen.
    Markup,
    /// A start tag; in a quoted value if the quote is not 0.
    Start { quote: u8 },
    /// An end tag.
    End,
    /// `<!` and what should become `<![CDATA[`.
    Cdata,
    /// `<?`: an XML declaration, or what a stream must not hold.
    Instruction,
}

const CDATA_START: &[u8] = b"<![CDATA[";
const CDATA_END: &[u8] = b"]]>";

/// Walks one element; see the module.
#[derive(Debug)]
pub(crate) struct Walker {
    token: Token,
    /// Where the current token starts.
    mark: usize,
    /// Up to where the current token's end has been looked for.
    seen: usize,
    /// The names of the open elements, for their end tags.
    open: SmallVec<[Span; 8]>,
    scope: Scope,
    shape: Shape,
}

impl Walker {
    pub(crate) fn new() -> Walker {
        Walker {
            token: Token::Markup,
            mark: 0,
            seen: 0,
            open: SmallVec::new(),
            scope: Scope::default(),
            shape: Shape::default(),
        }
    }

    /// Goes on with the element that starts at `bytes[0]`, a `<`. Returns its shape once the element is complete; the
    /// walker is then new again. Encoding and control characters are left to the caller, who sees the whole.
    pub(crate) fn walk(
        &mut self,
        bytes: &[u8],
        context: &Context,
        limits: &Limits,
    ) -> Result<Option<Box<Shape>>, ScanError> {
        loop {
            let end = match self.token {
                Token::Start { .. } => self.start_tag(bytes, context, limits)?,
                _ => self.token_end(bytes)?,
            };
            let Some(end) = end else { return Ok(None) };
            match self.token {
                Token::Start { .. } => {}
                Token::Text => escape::check_character_data(&bytes[self.mark..end])?,
                Token::Markup => {
                    self.token = classify(bytes[self.mark + 1])?;
                    if self.token == Token::Instruction {
                        return Err(ScanError::RestrictedXml);
                    }
                    continue;
                }
                Token::Instruction => return Err(ScanError::RestrictedXml),
                Token::End => self.end_tag(bytes, end)?,
                Token::Cdata if self.open.is_empty() => return Err(ScanError::BadFormat),
                Token::Cdata => self.shape.unusual = true,
            }
            if self.open.is_empty() {
                self.shape.end = end as u32;
                let shape = Box::new(std::mem::take(&mut self.shape));
                self.reset();
                return Ok(Some(shape));
            }
            self.token = if self.token == Token::Text { Token::Markup } else { Token::Text };
            self.mark = end;
            self.seen = end;
        }
    }

    /// Back to the beginning of an element; whatever was allocated for a deep one is freed. The shape is fresh
    /// already.
    pub(crate) fn reset(&mut self) {
        self.token = Token::Markup;
        self.mark = 0;
        self.seen = 0;
        self.open = SmallVec::new();
        self.scope = Scope::default();
    }

    /// Goes on with the markup that starts at `bytes[0]`, a `<`, and tells where it ends, looking no deeper:
    /// for what makes up the stream itself.
    pub(crate) fn markup_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, ScanError> {
        let Some(end) = self.token_end(bytes)? else { return Ok(None) };
        if self.token != Token::Markup {
            return Ok(Some(end));
        }
        self.token = classify(bytes[self.mark + 1])?;
        self.token_end(bytes)
    }

    /// Where the current token ends, if that is known yet. For [`Token::Markup`] it means that the byte after
    /// `<` is there.
    fn token_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, ScanError> {
        match self.token {
            Token::Text => {
                let found = memchr(b'<', &bytes[self.seen..]).map(|at| self.seen + at);
                self.seen = bytes.len();
                Ok(found)
            }
            Token::Markup => {
                self.seen = self.mark + 1;
                Ok((bytes.len() > self.seen).then_some(self.seen))
            }
            Token::Start { quote } => self.start_tag_end(bytes, quote),
            Token::End | Token::Instruction => match memchr2(b'>', b'<', &bytes[self.seen..]) {
                Some(at) if bytes[self.seen + at] == b'<' => Err(ScanError::NotWellFormed),
                Some(at) => Ok(Some(self.seen + at + 1)),
                None => {
                    self.seen = bytes.len();
                    Ok(None)
                }
            },
            Token::Cdata => self.cdata_end(bytes),
        }
    }

    /// Finds the `>` outside quotes. A `<` can stand nowhere in a tag.
    fn start_tag_end(&mut self, bytes: &[u8], mut quote: u8) -> Result<Option<usize>, ScanError> {
        let mut at = self.seen;
        while at < bytes.len() {
            if quote != 0 {
                let Some(found) = memchr2(quote, b'<', &bytes[at..]) else { break };
                at += found;
                if bytes[at] == b'<' {
                    return Err(ScanError::NotWellFormed);
                }
                quote = 0;
            } else {
                match bytes[at] {
                    b'>' => return Ok(Some(at + 1)),
                    b'<' => return Err(ScanError::NotWellFormed),
                    b @ (b'"' | b'\'') => quote = b,
                    _ => {}
                }
            }
            at += 1;
        }
        self.token = Token::Start { quote };
        self.seen = bytes.len();
        Ok(None)
    }

    fn cdata_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, ScanError> {
        let here = &bytes[self.mark..];
        let opening = here.len().min(CDATA_START.len());
        if here[..opening] != CDATA_START[..opening] {
            // RFC 6120 §11.1: comments and document types are restricted.
            let restricted = matches!(here[2], b'-' | b'D');
            return Err(if restricted { ScanError::RestrictedXml } else { ScanError::NotWellFormed });
        }
        if here.len() < CDATA_START.len() {
            return Ok(None);
        }
        let from = self.seen.max(self.mark + CDATA_START.len());
        match memmem::find(&bytes[from..], CDATA_END) {
            Some(at) => Ok(Some(from + at + CDATA_END.len())),
            None => {
                // The end may be cut in two.
                self.seen = bytes.len() - (CDATA_END.len() - 1);
                Ok(None)
            }
        }
    }

    /// Takes a start tag, once it is there whole, and returns where it ends.
    fn start_tag(
        &mut self,
        bytes: &[u8],
        context: &Context,
        limits: &Limits,
    ) -> Result<Option<usize>, ScanError> {
        let mut tag = StartTag::default();
        // Mostly it is there whole. If not, or if it is bad, its end is looked for first: so the portions in
        // which the bytes came do not decide which error is found.
        let at_once = self.seen == self.mark + 1;
        let end = match at_once.then(|| tag.parse(bytes, self.mark, limits)) {
            Some(Ok(end)) => end,
            _ if self.token_end(bytes)?.is_none() => return Ok(None),
            _ => tag.parse(bytes, self.mark, limits)?,
        };
        self.open_element(&tag, end, bytes, context, limits)?;
        Ok(Some(end))
    }

    fn open_element(
        &mut self,
        tag: &StartTag,
        end: usize,
        bytes: &[u8],
        context: &Context,
        limits: &Limits,
    ) -> Result<(), ScanError> {
        let depth = self.open.len() + 1;
        if depth > limits.depth {
            return Err(ScanError::Policy(Excess::Depth));
        }
        let plain = self.scope.open(tag, depth, bytes, context)?;
        let own_ns = tag.default_ns.map(|ns| ns.of(bytes));
        self.shape.unusual |= !plain || must_rewrite(own_ns, depth, context);
        match depth {
            1 => {
                self.root(tag, end);
                self.shape.redundant_ns =
                    own_ns.is_some_and(|own| own == ns::CLIENT.as_bytes() || is_content(own, context));
            }
            2 => {
                let ns = tag.default_ns.unwrap_or(self.shape.ns);
                let xml = Span::new(self.mark, end);
                self.shape.children.push(ChildShape { name: tag.name, ns, xml });
            }
            _ => {}
        }
        if tag.empty {
            self.scope.close(depth);
        } else {
            self.open.push(tag.name);
        }
        Ok(())
    }

    fn root(&mut self, tag: &StartTag, end: usize) {
        self.shape.name = tag.name;
        self.shape.ns = tag.default_ns.unwrap_or_default();
        self.shape.attrs.extend(tag.attrs.iter().filter(|a| Some(a.value) != tag.default_ns).copied());
        self.shape.head_end = end as u32;
        // Of an empty-element tag; else the end tag will tell.
        self.shape.content_end = end as u32;
    }

    fn end_tag(&mut self, bytes: &[u8], end: usize) -> Result<(), ScanError> {
        let depth = self.open.len();
        let name = self.open.pop().ok_or(ScanError::NotWellFormed)?;
        check_end_tag(&bytes[self.mark..end], name.of(bytes))?;
        self.scope.close(depth);
        match depth {
            1 => self.shape.content_end = self.mark as u32,
            2 => {
                let child = self.shape.children.last_mut().expect("opened at this depth");
                child.xml.end = end as u32;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Walks an element again that a scanner has handed out.
pub(crate) fn walk_checked(bytes: &[u8]) -> Box<Shape> {
    let shape = Walker::new().walk(bytes, &Context::CLIENT, &Limits::stored());
    shape.ok().flatten().expect("the scanner has checked the element")
}

/// Checks a complete end tag: the name it must have, and only white space after it (XML 1.0 §3.1 \[42\]).
pub(crate) fn check_end_tag(tag: &[u8], name: &[u8]) -> Result<(), ScanError> {
    match tag[2..tag.len() - 1].strip_prefix(name) {
        Some(rest) if rest.iter().all(|&b| is_space(b)) => Ok(()),
        _ => Err(ScanError::NotWellFormed),
    }
}

/// What the byte after `<` begins.
fn classify(b: u8) -> Result<Token, ScanError> {
    match b {
        b'/' => Ok(Token::End),
        b'!' => Ok(Token::Cdata),
        b'?' => Ok(Token::Instruction),
        b if b >= 0x80 || b.is_ascii_alphabetic() || b == b'_' => Ok(Token::Start { quote: 0 }),
        _ => Err(ScanError::NotWellFormed),
    }
}

/// Whether an element's default namespace (`None`: inherited) keeps it from being canonical as it stands.
fn must_rewrite(own: Option<&[u8]>, depth: usize, context: &Context) -> bool {
    match own {
        // The root inherits jabber:client or says what else it is.
        None => depth == 1 && context.default != context.content,
        // The content namespace of a component or a server is handed out as jabber:client.
        Some(own) => depth > 1 && is_content(own, context) && context.content != ns::CLIENT,
    }
}

fn is_content(namespace: &[u8], context: &Context) -> bool {
    namespace == context.content.as_bytes()
}
