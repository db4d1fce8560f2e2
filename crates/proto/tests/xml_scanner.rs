//! The scanner: what a stream is cut into, what is refused, and where it stops.

use proptest::prelude::*;
use rookery_proto::ns;
use rookery_proto::stanza::Kind;
use rookery_proto::xml::{Excess, Item, Limits, ScanError, Scanner, StreamHeader, frame};

const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0' xml:lang='en'>";

/// A stream's items in short, the error last if there is one.
fn scan_portions<'a>(portions: impl Iterator<Item = &'a [u8]>, limits: Limits) -> Vec<String> {
    let mut scanner = Scanner::new(limits);
    let mut seen = Vec::new();
    for mut input in portions {
        loop {
            match scanner.feed(&mut input) {
                Ok(Some(Item::Header(header))) => seen.push(format!("{header:?}")),
                Ok(Some(Item::Stanza(stanza))) => {
                    seen.push(String::from_utf8(stanza.into_vec()).expect("UTF-8"));
                    assert_eq!(scanner.held(), 0);
                }
                Ok(Some(Item::Close)) => seen.push("close".into()),
                Ok(None) => break assert!(input.is_empty()),
                Err(error) => {
                    assert_eq!(scanner.feed(&mut &b" "[..]).err(), Some(error), "errors are final");
                    seen.push(format!("error {error:?}"));
                    return seen;
                }
            }
        }
    }
    seen
}

/// Scans in one piece, and makes sure that single bytes give the same.
fn scan_with(text: &[u8], limits: Limits) -> Vec<String> {
    let whole = scan_portions(std::iter::once(text), limits);
    assert_eq!(scan_portions(text.chunks(1), limits), whole, "{}", String::from_utf8_lossy(text));
    whole
}

/// What comes after the usual header.
fn scan(body: impl AsRef<[u8]>) -> Vec<String> {
    let text = [HEADER.as_bytes(), body.as_ref()].concat();
    scan_with(&text, Limits::authenticated()).split_off(1)
}

#[test]
fn a_stream_is_cut_into_header_stanzas_and_close() {
    let header = StreamHeader {
        to: Some("example.org".into()),
        version: Some("1.0".into()),
        lang: Some("en".into()),
        default_ns: Some(ns::CLIENT.into()),
        ..StreamHeader::default()
    };
    let text =
        format!("{HEADER} \n<presence/><message to='a'><body>&lt;</body></message>\t</stream:stream >\n");
    assert_eq!(
        scan_with(text.as_bytes(), Limits::unauthenticated()),
        [
            format!("{header:?}"),
            "<presence/>".into(),
            "<message to='a'><body>&lt;</body></message>".into(),
            "close".into()
        ]
    );
}

#[test]
fn unusual_stanzas_become_canonical() {
    let cases = [
        ("<message xmlns='jabber:client'/>", "<message/>"),
        (
            "<c:message xmlns:c='jabber:client' c:x='1' y=\"'\"/>",
            "<message xmlns:ns0='jabber:client' ns0:x='1' y='&apos;'/>",
        ),
        (
            "<stream:features><a xmlns='urn:a'><stream:b/><c/></a></stream:features>",
            "<features xmlns='http://etherx.jabber.org/streams'><a xmlns='urn:a'>\
             <b xmlns='http://etherx.jabber.org/streams'/><c/></a></features>",
        ),
        (
            "<message><body><![CDATA[<&\r\n]]]]>&gt;</body></message>",
            "<message><body>&lt;&amp;\n]]&gt;</body></message>",
        ),
        ("<message xmlns='jabber&#58;client'><a xmlns=''/></message>", "<message><a xmlns=''/></message>"),
    ];
    for (given, expected) in cases {
        assert_eq!(scan(given), [expected]);
    }
}

#[test]
fn what_is_refused_and_how() {
    use ScanError::*;
    let cases: &[(&str, ScanError)] = &[
        ("<message></iq>", NotWellFormed),
        ("<message><body></message>", NotWellFormed),
        ("<message a='1' a='2'/>", NotWellFormed),
        ("<message xmlns:a='urn:x' xmlns:b='urn:x' a:c='1' b:c='2'/>", NotWellFormed),
        ("<message><a:b/></message>", NotWellFormed),
        ("<message a=1/>", NotWellFormed),
        ("<message a='<'/>", NotWellFormed),
        ("<message><body>]]></body></message>", NotWellFormed),
        ("<message><body>&#0;</body></message>", NotWellFormed),
        ("<message><body>&amp</body></message>", NotWellFormed),
        ("<message><body>\u{b}</body></message>", NotWellFormed),
        ("<message><body>\u{ffff}</body></message>", NotWellFormed),
        ("<1/>", NotWellFormed),
        ("<a:b:c/>", NotWellFormed),
        ("</stream:streams>", NotWellFormed),
        ("<message><body>&nbsp;</body></message>", RestrictedXml),
        ("<message><!-- --></message>", RestrictedXml),
        ("<!DOCTYPE a>", RestrictedXml),
        ("<?xml version='1.0'?>", RestrictedXml),
        ("<message><?a ?></message>", RestrictedXml),
        ("hello", BadFormat),
        ("<![CDATA[hello]]>", BadFormat),
        ("</stream:stream><presence/>", BadFormat),
    ];
    for (body, error) in cases {
        assert_eq!(scan(body).last(), Some(&format!("error {error:?}")), "{body}");
    }
}

#[test]
fn an_error_comes_as_soon_as_the_token_is_complete() {
    let mut scanner = Scanner::new(Limits::unauthenticated());
    scanner.feed(&mut HEADER.as_bytes()).expect("a good header");
    let error = scanner.feed(&mut &b"<message><body></message>"[..]);
    assert_eq!(error.err().map(|e| e.condition()), Some("not-well-formed"));
}

#[test]
fn headers_are_checked() {
    use ScanError::*;
    let stream = ns::STREAM;
    let cases = [
        (format!("<stream:stream xmlns='jabber:client' xmlns:stream='{stream}x'>"), InvalidNamespace),
        (format!("<stream:stream xmlns='jabber:clients' xmlns:stream='{stream}'>"), InvalidNamespace),
        ("<stream xmlns='jabber:client'>".into(), BadNamespacePrefix),
        (format!("<stream:streams xmlns='jabber:client' xmlns:stream='{stream}'>"), BadFormat),
        (format!("<stream:stream xmlns='jabber:client' xmlns:stream='{stream}'/>"), BadFormat),
        ("<stream:stream xmlns='jabber:client'>".into(), NotWellFormed),
        ("<?xml version='1.0' encoding='utf-16'?>".into(), UnsupportedEncoding),
        ("<?xml version='1.1'?>".into(), UnsupportedEncoding),
        ("<?xml?>".into(), RestrictedXml),
        ("<?>".into(), NotWellFormed),
        ("<?pi version='1.0'?>".into(), RestrictedXml),
        (" <?xml version='1.0'?>".into(), RestrictedXml),
        ("<!DOCTYPE stream>".into(), RestrictedXml),
        ("</stream:stream>".into(), NotWellFormed),
        ("\u{feff}<stream:stream>".into(), NotWellFormed),
        ("GET / HTTP/1.1\r\n\r\n".into(), NotWellFormed),
        ("\u{16}\u{3}\u{1}".into(), NotWellFormed),
    ];
    for (text, error) in cases {
        let seen = scan_with(text.as_bytes(), Limits::unauthenticated());
        assert_eq!(seen, [format!("error {error:?}")], "{text}");
    }
}

#[test]
fn limits_hold_to_the_byte() {
    use Excess::*;
    let limits = Limits {
        stanza_bytes: 1000,
        header_bytes: 300,
        depth: 4,
        attributes: 5,
        name_bytes: 13,
        value_bytes: 200,
    };
    let run = |body: &str| {
        let text = [HEADER, body].concat();
        let mut seen = scan_with(text.as_bytes(), limits).split_off(1);
        seen.pop().expect("something was seen")
    };
    let error = |excess| format!("error {:?}", ScanError::Policy(excess));

    let sized =
        |bytes: usize| format!("<message>{}</message>", "x".repeat(bytes - "<message></message>".len()));
    assert_eq!(run(&sized(1000)), sized(1000));
    assert_eq!(run(&sized(1001)), error(Stanza));
    assert_eq!(run("<a><a><a><a/></a></a></a>"), "<a><a><a><a/></a></a></a>");
    assert_eq!(run("<a><a><a><a><a/></a></a></a></a>"), error(Depth));
    assert_eq!(run("<a b='' c='' d='' e='' f=''/>"), "<a b='' c='' d='' e='' f=''/>");
    assert_eq!(run("<a b='' c='' d='' e='' f='' g=''/>"), error(Attributes));
    assert_eq!(run("<a123456789012/>"), "<a123456789012/>");
    assert_eq!(run("<a1234567890123/>"), error(Name));
    assert_eq!(run(&format!("<a b='{}'/>", "x".repeat(201))), error(Value));
    // Without end, each in another state of the scanner.
    for endless in ["<a", "<a b", "<a b='", "<a>", "<a><![CDATA[", "<a></a"] {
        assert_eq!(run(&format!("{endless}{}", "x".repeat(1000))), error(Stanza), "{endless}");
    }
    let endless_header = format!("<stream:stream to='{}", "x".repeat(1000));
    assert_eq!(scan_with(endless_header.as_bytes(), limits), [error(Header)]);
    let endless_declaration = format!("<?xml {}", " ".repeat(1000));
    assert_eq!(scan_with(endless_declaration.as_bytes(), limits), [error(Header)]);
}

#[test]
fn a_long_namespace_is_not_multiplied() {
    // 3 KB for a prefix, 8 bytes for each use: 200 KB would become 70 MB.
    let uses = "<p:a/>".repeat(20_000);
    let body = format!("<message xmlns:p='urn:{}'>{uses}</message>", "x".repeat(3000));
    assert_eq!(scan(body), [format!("error {:?}", ScanError::Policy(Excess::Stanza))]);
}

#[test]
fn invalid_utf8_is_found_wherever_it_is_cut() {
    let cases: [&[u8]; 5] = [b"\xff", b"\xc0\xbc", b"\xed\xa0\x80", b"\xe2\x82", b"\xf0\x9f\x98"];
    for bytes in cases {
        let body = [b"<message><body>", bytes, b"</body></message>"].concat();
        assert_eq!(scan(body), ["error InvalidUtf8"]);
    }
    assert_eq!(
        scan("<message><body>\u{1f600}\u{4e2d}</body></message>"),
        ["<message><body>\u{1f600}\u{4e2d}</body></message>"]
    );
}

#[test]
fn components_and_servers_speak_jabber_client_too() {
    for content in [ns::COMPONENT, ns::SERVER] {
        let header = format!("<stream:stream xmlns='{content}' xmlns:stream='{}'>", ns::STREAM);
        let text = format!(
            "{header}<message><body>1</body></message><message><x><y xmlns='{content}'/></x></message>"
        );
        let seen = scan_with(text.as_bytes(), Limits::authenticated());
        assert_eq!(seen[1..], ["<message><body>1</body></message>", "<message><x><y/></x></message>"]);
    }
    // What says jabber:client itself is the same.
    let header = format!("<stream:stream xmlns='{}' xmlns:stream='{}'>", ns::COMPONENT, ns::STREAM);
    let text = format!("{header}<message xmlns='jabber:client'/>");
    assert_eq!(scan_with(text.as_bytes(), Limits::authenticated())[1..], ["<message/>"]);
    // RFC 6120 §4.8.2: the stream's namespace is the default one.
    let text = format!(
        "<stream xmlns='{}'><features/><message xmlns='jabber:client'><body/></message></stream>",
        ns::STREAM
    );
    let seen = scan_with(text.as_bytes(), Limits::authenticated());
    assert_eq!(
        seen[1..],
        ["<features xmlns='http://etherx.jabber.org/streams'/>", "<message><body/></message>", "close"]
    );
}

#[test]
fn a_restart_forgets_the_old_stream() {
    let mut scanner = Scanner::new(Limits::unauthenticated());
    scanner.feed(&mut HEADER.as_bytes()).expect("a good header");
    scanner.feed(&mut &b"<message><bo"[..]).expect("a good start");
    assert_eq!(scanner.held(), "<message><bo".len());
    scanner.restart();
    assert_eq!(scanner.held(), 0);
    assert!(matches!(scanner.feed(&mut HEADER.as_bytes()), Ok(Some(Item::Header(_)))));
    assert!(matches!(scanner.feed(&mut &b"<iq/>"[..]), Ok(Some(Item::Stanza(_)))));
}

#[test]
fn frames_hold_one_element_with_its_own_namespace() {
    let limits = Limits::authenticated();
    let stanza =
        frame(b"<message xmlns='jabber:client' to='a'><body>1</body></message>", &limits).expect("good");
    assert_eq!(
        (stanza.kind(), stanza.as_bytes()),
        (Kind::Message, &b"<message to='a'><body>1</body></message>"[..])
    );
    let open = frame(b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a'/>", &limits).expect("good");
    assert!(open.is(ns::FRAMING, "open"));
    let features =
        b"<s:features xmlns:s='http://etherx.jabber.org/streams'><bind xmlns='urn:b'/></s:features>";
    assert!(frame(features, &limits).expect("good").is(ns::STREAM, "features"));

    let refused: [(&[u8], ScanError); 9] = [
        (b"<message/>", ScanError::InvalidNamespace),
        (b"<message xmlns=''/>", ScanError::InvalidNamespace),
        (b"", ScanError::NotWellFormed),
        (b" <a xmlns='b'/>", ScanError::NotWellFormed),
        (b"<a xmlns='b'/> ", ScanError::NotWellFormed),
        (b"<a xmlns='b'/><a xmlns='b'/>", ScanError::NotWellFormed),
        (b"<a xmlns='b'>", ScanError::NotWellFormed),
        (b"</a>", ScanError::NotWellFormed),
        (b"<?xml version='1.0'?><a xmlns='b'/>", ScanError::RestrictedXml),
    ];
    for (bytes, error) in refused {
        assert_eq!(frame(bytes, &limits).err(), Some(error), "{}", bytes.escape_ascii());
    }
    let long = format!("<a xmlns='b'>{}</a>", "x".repeat(limits.stanza_bytes));
    assert_eq!(frame(long.as_bytes(), &limits).err(), Some(ScanError::Policy(Excess::Stanza)));
}

proptest! {
    /// However the bytes are cut, the items are the same.
    #[test]
    fn portions_do_not_matter(
        text in "(<message a='[x&;<]{0,3}'>|<body>|</body>|</message>|<!\\[CDATA\\[|\\]\\]>|&lt;|[ab'\"<>&\\]\r\n]|\u{e9}|<p:x xmlns:p='u'/>){0,24}",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let text = [HEADER, &text].concat().into_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let portions = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]);
        let limits = Limits::unauthenticated();
        prop_assert_eq!(scan_portions(portions, limits), scan_with(&text, limits));
    }
}
