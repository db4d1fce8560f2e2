//! XEP-0292: vCard4 Over XMPP, a node of PEP; and its conversion from and to vcard-temp, as far as both can say it.

use super::Xep;
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Stanza};
use rookery_proto::xml::Xml;

/// XEP-0292.
pub const INFO: Xep = Xep::of(
    "XEP-0292",
    "vCard4 Over XMPP",
    "0.12.0",
    "A node of PEP, converted from and to vcard-temp: names, nickname, addresses, numbers, dates, links, notes, work.",
);

/// The namespace of the node that cards are published to (§3).
pub const NODE: &str = "urn:xmpp:vcard4";

/// A property with one value.
struct Simple {
    /// Its element in vcard-temp, and that of the value inside; empty: its text is the value.
    temp: (&'static str, &'static str),
    /// Its element in vCard 4, and that of the value inside.
    four: (&'static str, &'static str),
}

const fn simple(temp: &'static str, inner: &'static str, four: &'static str, value: &'static str) -> Simple {
    Simple { temp: (temp, inner), four: (four, value) }
}

const SIMPLE: &[Simple] = &[
    simple("FN", "", "fn", "text"),
    simple("NICKNAME", "", "nickname", "text"),
    simple("BDAY", "", "bday", "date"),
    simple("EMAIL", "USERID", "email", "text"),
    simple("TEL", "NUMBER", "tel", "text"),
    simple("URL", "", "url", "uri"),
    simple("TITLE", "", "title", "text"),
    simple("ROLE", "", "role", "text"),
    simple("ORG", "ORGNAME", "org", "text"),
    simple("DESC", "", "note", "text"),
];

/// A property of several parts: its elements, and those of its parts.
struct Structured {
    temp: &'static str,
    four: &'static str,
    parts: &'static [(&'static str, &'static str)],
}

const STRUCTURED: &[Structured] = &[
    Structured {
        temp: "N",
        four: "n",
        parts: &[
            ("FAMILY", "surname"),
            ("GIVEN", "given"),
            ("MIDDLE", "additional"),
            ("PREFIX", "prefix"),
            ("SUFFIX", "suffix"),
        ],
    },
    Structured {
        temp: "ADR",
        four: "adr",
        parts: &[
            ("POBOX", "pobox"),
            ("EXTADD", "ext"),
            ("STREET", "street"),
            ("LOCALITY", "locality"),
            ("REGION", "region"),
            ("PCODE", "code"),
            ("CTRY", "country"),
        ],
    },
];

/// The text of a child, if there is any.
fn text(of: &Child<'_>, name: &str) -> Option<String> {
    let child = of.children().find(|c| c.name() == name)?;
    Some(child.text().trim().to_owned()).filter(|text| !text.is_empty())
}

/// The vCard 4 of a vcard-temp.
pub fn from_temp(card: &Stanza) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("vcard", ns::VCARD4);
    for child in card.children().filter(|c| c.ns() == ns::VCARD) {
        if let Some(kind) = SIMPLE.iter().find(|kind| kind.temp.0 == child.name()) {
            let value = match kind.temp.1 {
                "" => Some(child.text().trim().to_owned()).filter(|text| !text.is_empty()),
                // Some clients write the address into the element itself.
                inner => text(&child, inner).or_else(|| Some(child.text().trim().to_owned())),
            };
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                x.open(kind.four.0).text_element(kind.four.1, &value).close();
            }
        } else if let Some(kind) = STRUCTURED.iter().find(|kind| kind.temp == child.name()) {
            x.open(kind.four);
            for (temp, four) in kind.parts {
                if let Some(value) = text(&child, temp) {
                    x.text_element(four, &value);
                }
            }
            x.close();
        }
    }
    x.close();
    x.into_vec()
}

/// The vcard-temp of a vCard 4; an empty one for what is none.
pub fn to_temp(payload: &[u8]) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("vCard", ns::VCARD);
    if let Ok(card) = Stanza::parse(payload) {
        card.children().filter(|c| c.ns() == ns::VCARD4).for_each(|child| property(&mut x, &child));
    }
    x.close();
    x.into_vec()
}

fn property(x: &mut Xml, child: &Child<'_>) {
    if let Some(kind) = SIMPLE.iter().find(|kind| kind.four.0 == child.name()) {
        // A number may be a text or a `tel:` link (RFC 6350 §6.4.1), a birthday a date or a text.
        let value = child.children().find(|c| c.name() != "parameters");
        let value = value.map(|value| value.text().trim().to_owned()).unwrap_or_default();
        let value = value.strip_prefix("tel:").unwrap_or(&value);
        if value.is_empty() {
            return;
        }
        x.open(kind.temp.0);
        match kind.temp.1 {
            "" => x.text(value),
            inner => x.text_element(inner, value),
        };
        x.close();
    } else if let Some(kind) = STRUCTURED.iter().find(|kind| kind.four == child.name()) {
        x.open(kind.temp);
        for (temp, four) in kind.parts {
            if let Some(value) = text(child, four) {
                x.text_element(temp, &value);
            }
        }
        x.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_goes_both_ways() {
        let temp = "<vCard xmlns='vcard-temp'><FN>Juliet Capulet</FN><N><FAMILY>Capulet</FAMILY><GIVEN>Juliet</GIVEN></N>\
                    <EMAIL><USERID>juliet@a.example</USERID></EMAIL><TEL><NUMBER>+39 1</NUMBER></TEL>\
                    <ORG><ORGNAME>Capulet &amp; Co</ORGNAME></ORG><BDAY>1580-01-01</BDAY></vCard>";
        let four = from_temp(&Stanza::parse(temp.as_bytes()).unwrap());
        let expected = "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Juliet Capulet</text></fn>\
                        <n><surname>Capulet</surname><given>Juliet</given></n>\
                        <email><text>juliet@a.example</text></email><tel><text>+39 1</text></tel>\
                        <org><text>Capulet &amp; Co</text></org><bday><date>1580-01-01</date></bday></vcard>";
        assert_eq!(String::from_utf8(four.clone()).unwrap(), expected);
        assert_eq!(String::from_utf8(to_temp(&four)).unwrap(), temp);
    }

    #[test]
    fn what_is_no_card_becomes_an_empty_one() {
        for odd in ["<vcard xmlns='other'><fn><text>x</text></fn></vcard>", "<x/>", "", "<broken"] {
            assert_eq!(to_temp(odd.as_bytes()), b"<vCard xmlns='vcard-temp'/>", "{odd}");
        }
    }
}
