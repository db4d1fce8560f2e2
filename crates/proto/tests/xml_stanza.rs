//! The shallow stanza: what it shows, and how it is written with changes.

use rookery_proto::ns;
use rookery_proto::stanza::{Child, Edit, Kind, Stanza, write_with};

const MESSAGE: &str = "<message from=\"10001@example.org/a'b\" to='10002@example.org' type='chat' id='a&amp;&#x31;' xml:lang='de'>\
    <body>Fish &amp; chips\r\n</body> and <x xmlns='urn:x' a='1'><y/><z xmlns='urn:z'>2</z>t</x><x/></message>";

fn parse(text: &str) -> Stanza {
    Stanza::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn render(stanza: &Stanza, edit: &Edit<'_>) -> String {
    String::from_utf8(stanza.render(edit)).expect("UTF-8")
}

#[test]
fn attributes_and_kind() {
    let stanza = parse(MESSAGE);
    assert_eq!((stanza.kind(), stanza.name(), stanza.ns()), (Kind::Message, "message", ns::CLIENT));
    assert_eq!(stanza.id().as_deref(), Some("a&1"));
    assert_eq!(stanza.from().as_deref(), Some("10001@example.org/a'b"));
    assert_eq!(stanza.to().as_deref(), Some("10002@example.org"));
    assert_eq!(stanza.type_().as_deref(), Some("chat"));
    assert_eq!(stanza.attr("xml:lang").as_deref(), Some("de"));
    assert_eq!(stanza.attr("lang"), None);
    assert_eq!(stanza.attr("xmlns"), None);
    assert_eq!(parse("<a b='1\t2\n3\r\n4&#10;5'/>").attr("b").as_deref(), Some("1 2 3 4\n5"));
}

#[test]
fn kinds_need_the_namespace() {
    assert_eq!(parse("<presence/>").kind(), Kind::Presence);
    assert_eq!(parse("<iq xmlns='jabber:client'/>").kind(), Kind::Iq);
    assert_eq!(parse("<iq xmlns='jabber:server'/>").kind(), Kind::Other);
    assert_eq!(parse("<iq xmlns=''/>").kind(), Kind::Other);
    assert_eq!(parse("<iqs/>").kind(), Kind::Other);
    let r = parse("<r xmlns='urn:xmpp:sm:3'/>");
    assert_eq!((r.kind(), r.is(ns::SM, "r"), r.is(ns::CLIENT, "r")), (Kind::Other, true, false));
}

#[test]
fn children_know_their_namespaces() {
    let stanza = parse(MESSAGE);
    let seen: Vec<_> = stanza.children().map(|child| (child.ns(), child.name())).collect();
    assert_eq!(seen, [(ns::CLIENT, "body"), ("urn:x", "x"), (ns::CLIENT, "x")]);
    let x = stanza.child("urn:x", "x").expect("there");
    assert_eq!(x.xml(), b"<x xmlns='urn:x' a='1'><y/><z xmlns='urn:z'>2</z>t</x>");
    assert_eq!((x.attr("a").as_deref(), x.attr("b"), &*x.text()), (Some("1"), None, "t"));
    let below: Vec<_> = x.children().map(|child| (child.ns(), child.name())).collect();
    assert_eq!(below, [("urn:x", "y"), ("urn:z", "z")]);
    assert_eq!(x.child("urn:z", "z").expect("there").text(), "2");
    assert!(x.child("urn:x", "y").expect("there").element().is("y", "urn:x"));
    assert!(stanza.has_child(ns::CLIENT, "x") && !stanza.has_child("urn:x", "body"));
    // Inside a nonza, children inherit its namespace.
    let nonza = parse("<a xmlns='urn:a'><b/></a>");
    assert!(nonza.child("urn:a", "b").expect("there").element().is("b", "urn:a"));
}

#[test]
fn text_is_what_stands_directly_inside() {
    let stanza = parse(MESSAGE);
    assert_eq!(stanza.text(), " and ");
    assert_eq!(stanza.child(ns::CLIENT, "body").expect("there").text(), "Fish & chips\n");
    assert_eq!(parse("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AGE&#x3d;</auth>").text(), "AGE=");
    assert_eq!(parse("<a/>").text(), "");
    assert_eq!(parse("<a>1<b>x</b>2<b/>3</a>").text(), "123");
}

#[test]
fn unchanged_is_the_same_with_its_quotes() {
    let canonical = "<message a=\"it's\" b='2'><body/>x</message>";
    assert_eq!(render(&parse(canonical), &Edit::default()), canonical);
    assert_eq!(render(&parse("<message\n a = '1' ></message >"), &Edit::default()), "<message a='1'/>");
    assert_eq!(render(&parse("<a xmlns='urn:a' b='1'/>"), &Edit::default()), "<a xmlns='urn:a' b='1'/>");
}

#[test]
fn edits() {
    let stanza =
        parse("<message to='b' from='evil' id='1'><body>x</body><y xmlns='u'/> <y xmlns='v'/></message>");
    let drop = |child: &Child<'_>| child.is("u", "y");
    let edit = Edit {
        set: &[("from", "a@b/<'\">")],
        unset: &["id"],
        drop: Some(&drop),
        append: b"<z/>",
        xmlns: true,
    };
    assert_eq!(
        render(&stanza, &edit),
        "<message xmlns='jabber:client' to='b' from='a@b/&lt;&apos;&quot;&gt;'><body>x</body> <y xmlns='v'/><z/></message>"
    );
    let empty = parse("<presence/>");
    assert_eq!(render(&empty, &Edit { append: b"<c/>", ..Edit::default() }), "<presence><c/></presence>");
    let one = parse("<presence><c/></presence>");
    assert_eq!(render(&one, &Edit { drop: Some(&|_| true), ..Edit::default() }), "<presence/>");
    // Another namespace is kept, and not doubled.
    let nonza = parse("<r xmlns='urn:xmpp:sm:3'/>");
    assert_eq!(render(&nonza, &Edit { xmlns: true, ..Edit::default() }), "<r xmlns='urn:xmpp:sm:3'/>");
}

#[test]
fn stored_bytes_are_forwarded_with_their_namespace() {
    let forward = |canonical: &str, append: &str| {
        let mut out = b"<forwarded>".to_vec();
        write_with(canonical.as_bytes(), true, append.as_bytes(), &mut out).expect("canonical");
        String::from_utf8(out).expect("UTF-8").split_off("<forwarded>".len())
    };
    assert_eq!(forward("<m/>", ""), "<m xmlns='jabber:client'/>");
    assert_eq!(forward("<m/>", "<x/>"), "<m xmlns='jabber:client'><x/></m>");
    assert_eq!(forward("<m a='/>'/>", "<x/>"), "<m xmlns='jabber:client' a='/>'><x/></m>");
    assert_eq!(
        forward("<m a='>'><m>&lt;</m></m>", "<x/>"),
        "<m xmlns='jabber:client' a='>'><m>&lt;</m><x/></m>"
    );
    assert_eq!(forward("<m xmlns='urn:m'/>", ""), "<m xmlns='urn:m'/>");
    assert!(write_with(b"no element", true, b"", &mut Vec::new()).is_err());
    assert!(write_with(b"", true, b"", &mut Vec::new()).is_err());
}

#[test]
fn only_one_element_is_a_stanza() {
    for text in [
        "",
        "x",
        " <a/>",
        "<a/> ",
        "<a/><b/>",
        "<a>",
        "</a>",
        "<a></b>",
        "<![CDATA[x]]>",
        "<!---->",
        "<",
        "<a",
    ] {
        assert!(Stanza::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn the_tree_inherits_the_namespace() {
    let tree = parse(MESSAGE).element();
    assert!(tree.is("message", ns::CLIENT));
    assert!(tree.has_child("body", ns::CLIENT));
    assert!(tree.get_child("x", "urn:x").expect("there").has_child("y", "urn:x"));
}
