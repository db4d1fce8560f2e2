//! The writer: what goes in comes out of every parser again.

use proptest::prelude::*;
use rookery_proto::ns;
use rookery_proto::stanza::{Edit, Stanza};
use rookery_proto::xml::Xml;

fn text(x: Xml) -> String {
    String::from_utf8(x.into_vec()).expect("UTF-8")
}

#[test]
fn it_reads_like_the_result() {
    let mut x = Xml::new();
    x.open("iq").attr("type", "result").opt("id", Some("7")).opt("from", None::<&str>);
    x.open_ns("query", ns::DISCO_INFO).open("feature").attr("var", ns::PING).close().leaf("x").close();
    x.text_element("a", "").text_element("b", "<&>").leaf_ns("ping", ns::PING).raw(b"<r/>").close();
    assert_eq!(
        text(x),
        "<iq type='result' id='7'><query xmlns='http://jabber.org/protocol/disco#info'>\
         <feature var='urn:xmpp:ping'/><x/></query><a/><b>&lt;&amp;&gt;</b><ping xmlns='urn:xmpp:ping'/><r/></iq>"
    );
}

#[test]
fn misuse_does_not_make_it_ill_formed() {
    let mut x = Xml::new();
    x.close().attr("a", "1");
    x.open("a")
        .attr("b", "1")
        .attr("b", "2")
        .attr("c d", "3")
        .attr("e:f:g", "4")
        .open("x y")
        .text("t")
        .attr("late", "5")
        .open("");
    assert_eq!(text(x), "<a b='1' _='3'><_>t<_/></_></a>");
}

#[test]
fn trees_keep_their_namespaces() {
    let given = "<message xmlns='jabber:client' xmlns:p='urn:p' p:a='1' xml:lang='en'><p:x>1<y xmlns=''/></p:x></message>";
    let tree: minidom::Element = given.parse().expect("good");
    let mut x = Xml::new();
    x.element(&tree);
    let written = text(x);
    assert_eq!(written.parse::<minidom::Element>().ok(), None, "the root's namespace is understood");
    assert_eq!(Stanza::parse(written.as_bytes()).expect("good").element(), tree);
    // Inside something of another namespace it is said.
    let mut x = Xml::new();
    x.open_ns("forwarded", ns::FORWARD).element(&tree);
    let forwarded: minidom::Element = text(x).parse().expect("good");
    assert_eq!(forwarded.children().next(), Some(&tree));
}

/// What XML cannot carry is replaced.
fn carried(text: &str) -> String {
    let forbidden =
        |c: char| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    text.replace(forbidden, "\u{fffd}")
}

fn any_text() -> impl Strategy<Value = String> {
    let special = prop::sample::select(
        "<>&'\"\t\r\n\0\u{1}\u{7f}\u{85}\u{fffd}\u{fffe}\u{ffff}]\u{1f600} a".chars().collect::<Vec<_>>(),
    );
    prop::collection::vec(prop_oneof![special, any::<char>()], 0..40)
        .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn strings_come_back(value in any_text(), body in any_text(), more in any_text()) {
        let mut x = Xml::new();
        x.open("message").attr("id", &value).text(&more).text_element("body", &body).close();
        let bytes = x.into_vec();

        let stanza = Stanza::parse(&bytes).expect("well-formed");
        prop_assert_eq!(stanza.as_bytes(), &bytes[..], "it is canonical");
        prop_assert_eq!(stanza.id().expect("there"), carried(&value));
        prop_assert_eq!(stanza.text(), carried(&more));
        prop_assert_eq!(stanza.child(ns::CLIENT, "body").expect("there").text(), carried(&body));

        // minidom reads with rxml.
        let tree = stanza.element();
        prop_assert_eq!(tree.attr("id"), Some(&*carried(&value)));
        prop_assert_eq!(tree.text(), carried(&more));
        prop_assert_eq!(tree.get_child("body", ns::CLIENT).expect("there").text(), carried(&body));
    }

    #[test]
    fn no_name_or_value_makes_it_ill_formed(names in prop::collection::vec(any_text(), 1..6), value in any_text()) {
        let mut x = Xml::new();
        for name in &names {
            x.open(name).attr(name, &value).text(&value);
        }
        let bytes = x.into_vec();
        // A name may be taken for one with a prefix that nobody has declared; all else is well-formed.
        if !names.iter().any(|name| name.contains(':')) {
            prop_assert!(Stanza::parse(&bytes).is_ok(), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn set_attributes_come_back(value in any_text()) {
        let stanza = Stanza::parse(b"<iq from='x'/>").expect("good");
        let rendered = stanza.render(&Edit { set: &[("from", &value)], ..Edit::default() });
        let written = Stanza::parse(&rendered).expect("good");
        prop_assert_eq!(written.from().expect("there"), carried(&value));
    }
}
