//! What the scanner makes of a stream, compared with what `rxml` makes of it: for the mutation test and the
//! fuzz target.
//!
//! Accepted by the scanner must mean accepted by rxml, with the same content, both as received and as handed out
//! (design invariant: the scanner is at least as strict as any parser behind it). The other direction holds but
//! for what [`stricter_on_purpose`] lists.

use std::collections::BTreeMap;

use minidom::Element;
use rookery_proto::ns;
use rookery_proto::stanza::{Edit, Stanza, write_with};
use rookery_proto::xml::{Item, Limits, ScanError, Scanner, Xml, frame};
use rxml::{Event, Parse, error::EndOrError};

/// An element as every parser should see it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Tree {
    ns: String,
    name: String,
    attrs: BTreeMap<(String, String), String>,
    content: Vec<Node>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Node {
    Text(String),
    Element(Tree),
}

/// What came out of the scanner.
#[derive(Default, Debug)]
struct Ours {
    content_ns: Option<String>,
    stanzas: Vec<Stanza>,
    closed: bool,
    error: Option<ScanError>,
}

/// What came out of rxml: the elements below the root, and whether the root ended.
#[derive(Default, Debug)]
struct Theirs {
    opened: bool,
    stanzas: Vec<Tree>,
    closed: bool,
    failed: bool,
}

/// Panics if the scanner and rxml disagree about the stream in a way that is not on purpose.
pub(crate) fn check(stream: &[u8]) {
    let ours = scan(std::iter::once(stream));
    let again = scan(stream.chunks(1 + stream.len() % 7));
    assert_eq!(format!("{ours:?}"), format!("{again:?}"), "the result depends on the portions");

    let theirs = parse(without_leading_space(stream), true);
    assert!(theirs.opened || ours.content_ns.is_none(), "only we saw a header");
    assert!(theirs.closed || !ours.closed, "only we saw the end");
    for (at, stanza) in ours.stanzas.iter().enumerate() {
        let content_ns = ours.content_ns.as_deref().expect("a stanza follows a header");
        let received = theirs.stanzas.get(at).unwrap_or_else(|| panic!("rxml refuses {stanza:?}"));
        check_stanza(stanza, &received.clone().with_content_ns(content_ns), fold_line_ends(stream));
    }
    if theirs.stanzas.len() > ours.stanzas.len() || (theirs.closed && !ours.closed) {
        let error = ours.error.expect("the scanner saw less without an error");
        assert!(stricter_on_purpose(error, stream), "only we refuse this: {error:?}");
    }
}

fn check_stanza(stanza: &Stanza, received: &Tree, fold: bool) {
    let received = if fold { received.clone().with_folded_line_ends() } else { received.clone() };
    let handed_out = reparse(stanza.as_bytes());
    let folded = if fold { handed_out.clone().with_folded_line_ends() } else { handed_out.clone() };
    assert_eq!(folded, received, "{}", String::from_utf8_lossy(stanza.as_bytes()));
    check_shallow(stanza, &handed_out);

    // Canonical form is final, and the writers keep what they are given.
    let parsed = Stanza::parse(stanza.as_bytes()).expect("canonical form is accepted");
    assert_eq!(parsed.as_bytes(), stanza.as_bytes());
    let rendered = stanza.render(&Edit { xmlns: true, ..Edit::default() });
    assert_eq!(reparse(&rendered), handed_out);
    if !handed_out.ns.is_empty() {
        let framed = frame(&rendered, &Limits::stored()).expect("canonical form is accepted");
        assert_eq!(reparse(framed.as_bytes()), handed_out);
        assert_eq!((framed.kind(), framed.ns()), (stanza.kind(), stanza.ns()));
    }
    let mut forwarded = Vec::new();
    write_with(stanza.as_bytes(), true, b"<x/>", &mut forwarded).expect("canonical form is accepted");
    assert_eq!(reparse(&forwarded).content.len(), handed_out.content.len() + 1);
    let mut xml = Xml::new();
    xml.element(&stanza.element());
    assert_eq!(reparse(&xml.into_vec()), handed_out);
}

/// The shallow view must show what the tree shows.
fn check_shallow(stanza: &Stanza, tree: &Tree) {
    assert_eq!(Tree::of(&stanza.element()), *tree);
    assert_eq!(stanza.name(), tree.name);
    assert_eq!(unescaped(stanza.ns()), tree.ns);
    assert_eq!(stanza.text(), tree.text());
    for ((namespace, name), value) in &tree.attrs {
        if namespace.is_empty() {
            assert_eq!(stanza.attr(name).as_deref(), Some(value.as_str()));
        }
    }
    let children: Vec<&Tree> = tree.elements().collect();
    assert_eq!(stanza.children().count(), children.len());
    for (child, tree) in stanza.children().zip(children) {
        assert_eq!(child.name(), tree.name);
        assert_eq!(unescaped(child.ns()), tree.ns);
        assert_eq!(child.text(), tree.text());
        assert_eq!(Tree::of(&child.element()), *tree);
        let below: Vec<_> = child.children().map(|c| (unescaped(c.ns()), c.name().to_owned())).collect();
        let expected: Vec<_> = tree.elements().map(|t| (t.ns.clone(), t.name.clone())).collect();
        assert_eq!(below, expected);
    }
}

/// Where we refuse what rxml takes. Each case names what in the stream allows it.
fn stricter_on_purpose(error: ScanError, stream: &[u8]) -> bool {
    let has = |needle: &str| memchr::memmem::find(stream, needle.as_bytes()).is_some();
    match error {
        // Limits, and what a stream (not a document) may hold at its own level.
        ScanError::Policy(_) | ScanError::BadFormat => true,
        ScanError::InvalidNamespace | ScanError::BadNamespacePrefix => true,
        ScanError::NotWellFormed => {
            // rxml lets the second of two default namespaces win.
            stream.split(|&b| b == b'<').any(declares_default_namespace_twice)
                // rxml lets anybody bind the namespace of declarations.
                || has(ns::XMLNS)
                // minidom fails on elements with this prefix.
                || has("<xml:")
                // rxml drops or merges a bare CR in an attribute's value.
                || stream.contains(&b'\r')
                // rxml takes one digit more.
                || has("&#0") || has("&#x0")
        }
        ScanError::UnsupportedEncoding => stream.contains(&b'\r'),
        // rxml takes `Yes` for `yes`.
        ScanError::RestrictedXml => has("standalone"),
        ScanError::InvalidUtf8 => false,
    }
}

/// White space may precede the root (XML 1.0 §2.8), as it does where a keepalive meets a restart; rxml takes none.
fn without_leading_space(stream: &[u8]) -> &[u8] {
    let root = stream.trim_ascii_start();
    if root.starts_with(b"<?") || stream.contains(&b'\x0c') { stream } else { root }
}

/// Looks at what lies between two `<`.
fn declares_default_namespace_twice(tag: &[u8]) -> bool {
    let declarations = memchr::memmem::find_iter(tag, "xmlns").filter(|at| {
        let after = tag[at + "xmlns".len()..].trim_ascii_start();
        tag[..*at].last().is_some_and(u8::is_ascii_whitespace) && after.starts_with(b"=")
    });
    declarations.count() > 1
}

/// rxml leaves a CR that follows `]` in CDATA as it is, so how many line ends there are is left open.
fn fold_line_ends(stream: &[u8]) -> bool {
    stream.contains(&b'\r') && memchr::memmem::find(stream, b"<![CDATA[").is_some()
}

fn scan<'a>(portions: impl Iterator<Item = &'a [u8]>) -> Ours {
    let mut scanner = Scanner::new(Limits::authenticated());
    let mut ours = Ours::default();
    for mut input in portions {
        loop {
            match scanner.feed(&mut input) {
                Ok(Some(Item::Header(header))) => {
                    let content = header.default_ns.filter(|ns| ns != ns::STREAM);
                    ours.content_ns = Some(content.unwrap_or(ns::CLIENT.into()));
                }
                Ok(Some(Item::Stanza(stanza))) => ours.stanzas.push(stanza),
                Ok(Some(Item::Close)) => ours.closed = true,
                Ok(None) => break,
                Err(error) => {
                    ours.error = Some(error);
                    return ours;
                }
            }
        }
    }
    ours
}

/// Lets rxml read a stream; `partial` says that more may follow.
fn parse(mut bytes: &[u8], partial: bool) -> Theirs {
    let mut parser = rxml::Parser::default();
    let mut theirs = Theirs::default();
    let mut open: Vec<Tree> = Vec::new();
    loop {
        match parser.parse(&mut bytes, !partial) {
            Ok(Some(Event::XmlDeclaration(..))) => {}
            Ok(Some(Event::StartElement(_, (namespace, name), attrs))) => {
                let attrs =
                    attrs.into_iter().map(|((ns, name), value)| ((ns.to_string(), name.to_string()), value));
                let tree = Tree {
                    ns: namespace.to_string(),
                    name: name.to_string(),
                    attrs: attrs.collect(),
                    content: Vec::new(),
                };
                theirs.opened = true;
                open.push(tree);
            }
            Ok(Some(Event::EndElement(_))) => {
                let tree = open.pop().expect("rxml balances elements");
                match open.len() {
                    0 => theirs.closed = true,
                    1 => theirs.stanzas.push(tree),
                    _ => open.last_mut().expect("not the root").content.push(Node::Element(tree)),
                }
            }
            Ok(Some(Event::Text(_, text))) => {
                if let [_, .., parent] = &mut open[..] {
                    parent.push_text(&text);
                }
            }
            Ok(None) | Err(EndOrError::NeedMoreData) => return theirs,
            Err(EndOrError::Error(_)) => {
                theirs.failed = true;
                return theirs;
            }
        }
    }
}

/// What rxml reads from bytes that stand where `jabber:client` is the default namespace.
fn reparse(bytes: &[u8]) -> Tree {
    let document = [b"<root xmlns='jabber:client'>", bytes, b"</root>"].concat();
    let mut theirs = parse(&document, false);
    let shown = String::from_utf8_lossy(bytes);
    assert!(!theirs.failed && theirs.closed, "rxml refuses what we wrote: {shown}");
    assert_eq!(theirs.stanzas.len(), 1, "rxml sees more than one element: {shown}");
    theirs.stanzas.remove(0)
}

/// The shallow view shows namespaces as written.
fn unescaped(namespace: &str) -> String {
    namespace
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&apos;", "'")
        .replace("&quot;", "\"")
        .replace("&#9;", "\t")
        .replace("&#10;", "\n")
        .replace("&#13;", "\r")
        .replace("&amp;", "&")
}

impl Tree {
    fn of(element: &Element) -> Tree {
        let attrs = element.attrs().iter();
        let mut tree = Tree {
            ns: element.ns(),
            name: element.name().to_owned(),
            attrs: attrs
                .map(|((ns, name), value)| ((ns.to_string(), name.to_string()), value.clone()))
                .collect(),
            content: Vec::new(),
        };
        for node in element.nodes() {
            match (node.as_element(), node.as_text()) {
                (Some(child), _) => tree.content.push(Node::Element(Tree::of(child))),
                (_, text) => tree.push_text(text.unwrap_or_default()),
            }
        }
        tree
    }

    /// rxml may report one text in several pieces.
    fn push_text(&mut self, text: &str) {
        match self.content.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ if text.is_empty() => {}
            _ => self.content.push(Node::Text(text.to_owned())),
        }
    }

    fn elements(&self) -> impl Iterator<Item = &Tree> {
        self.content.iter().filter_map(|node| match node {
            Node::Element(tree) => Some(tree),
            Node::Text(_) => None,
        })
    }

    fn text(&self) -> String {
        self.content
            .iter()
            .filter_map(|node| if let Node::Text(t) = node { Some(t.as_str()) } else { None })
            .collect()
    }

    /// As the scanner hands it out: the content namespace is called `jabber:client`.
    fn with_content_ns(self, content: &str) -> Tree {
        self.map(&|tree| {
            if tree.ns == content {
                tree.ns = ns::CLIENT.to_owned();
            }
        })
    }

    fn with_folded_line_ends(self) -> Tree {
        self.map(&|tree| {
            for node in &mut tree.content {
                if let Node::Text(text) = node {
                    let lines = text.split(['\r', '\n']).filter(|line| !line.is_empty());
                    *text = lines.collect::<Vec<_>>().join("\n");
                }
            }
        })
    }

    fn map(mut self, change: &dyn Fn(&mut Tree)) -> Tree {
        change(&mut self);
        let content = self.content.into_iter().map(|node| match node {
            Node::Element(tree) => Node::Element(tree.map(change)),
            text => text,
        });
        self.content = content.collect();
        self
    }
}
