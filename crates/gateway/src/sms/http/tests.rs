use super::answer::{Place, Reads, Verdict, judge};
use super::hook::Hook;
use super::template::Filling;
use super::*;
use crate::reach::channel::State;
use crate::sms::brought::Brought;
use proptest::prelude::*;
use rookery_store::Timestamp;
use std::net::{IpAddr, Ipv4Addr};

const MESSAGE: Filling<'static> =
    Filling { to: "+491711234567", text: "\"Tea\" & {to}\n字", sender: "Rookery", id: 7 };

fn template(url: &str, body: &str, kind: Kind) -> Template {
    Template { method: Method::Post, url: url.into(), headers: Vec::new(), body: body.into(), kind }
}

#[test]
fn what_is_put_in_is_escaped() {
    let json = template("https://a.example/{id}", r#"{"to":["{to}"],"text":"{text}","{x}":{}}"#, Kind::Json);
    let request = json.request(&MESSAGE);
    assert_eq!(request.url, "https://a.example/7");
    assert_eq!(request.body, r#"{"to":["+491711234567"],"text":"\"Tea\" & {to}\n字","{x}":{}}"#);
    assert_eq!(request.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    let form = template("https://a.example/", "n={number}&t={text}&s={sender}", Kind::Form).request(&MESSAGE);
    assert_eq!(form.body, "n=491711234567&t=%22Tea%22%20%26%20%7Bto%7D%0A%E5%AD%97&s=Rookery");
    let url = template("https://a.example/?to={to}&text={text}", "", Kind::Text).request(&MESSAGE);
    assert_eq!(url.url, "https://a.example/?to=%2B491711234567&text=%22Tea%22%20%26%20%7Bto%7D%0A%E5%AD%97");
    assert_eq!((url.body.as_str(), url.headers.len()), ("", 0));
}

#[test]
fn a_template_says_what_and_to_whom() {
    let whole = |url: &str, body: &str| template(url, body, Kind::Text).is_whole();
    assert!(
        whole("https://a.example/{number}", "{text}") && whole("https://a.example/?to={to}&t={text}", "")
    );
    assert!(!whole("https://a.example/", "{text}") && !whole("https://a.example/", "{to}"));
}

fn verdict(status: u16, body: &str) -> Verdict {
    let reads = Reads { id: Place::new("/messages/0/id"), error: Place::new("/error") };
    judge(&reads, &Answered { status, retry_after: None, body: body.into() })
}

#[test]
fn what_an_answer_means() {
    let accepted = |id: Option<&str>| Verdict::Accepted(id.map(str::to_owned));
    assert_eq!(verdict(200, r#"{"messages":[{"id":"ab-1"}],"error":null}"#), accepted(Some("ab-1")));
    assert_eq!(verdict(202, r#"{"messages":[{"id":17}],"error":0}"#), accepted(Some("17")));
    assert_eq!(verdict(200, "OK"), accepted(None));
    assert_eq!(verdict(200, r#"{"messages":[{"id":"a\u0000b"}]}"#), accepted(None));
    assert_eq!(
        verdict(200, r#"{"error":"no\n money"}"#),
        Verdict::Refused("The carrier says: no money".into())
    );
    assert_eq!(verdict(400, "no"), Verdict::Refused("The carrier answers 400.".into()));
    assert!(matches!(verdict(401, ""), Verdict::Later(_)) && matches!(verdict(302, ""), Verdict::Later(_)));
    assert_eq!((verdict(429, ""), verdict(503, "")), (Verdict::Throttled(None), Verdict::Throttled(None)));
    assert!(
        matches!(verdict(500, ""), Verdict::Unknown(_)) && matches!(verdict(502, ""), Verdict::Unknown(_))
    );
}

#[test]
fn answers_in_words() {
    let reads = Reads { id: Place::new("text:ID: "), error: Place::new("text:ERR") };
    let said = |body: &str| judge(&reads, &Answered { status: 200, retry_after: None, body: body.into() });
    assert_eq!(said("ID: 4711\r\nmore"), Verdict::Accepted(Some("4711".into())));
    assert_eq!(said("ERR: 105"), Verdict::Refused("The carrier says: : 105".into()));
    assert_eq!(said("Sent"), Verdict::Accepted(None));
    assert_eq!(Place::new("messages/0"), None);
}

fn signed(signed: &str, timestamp: &str) -> Hook {
    let signature = Signature {
        secret: "key".into(),
        header: "X-Signature".into(),
        timestamp: timestamp.into(),
        signed: signed.into(),
    };
    let text = |pointer: &str| vec![pointer.to_owned()];
    let fields = Fields {
        from: text("/from"),
        text: text("/text"),
        id: text("/id"),
        receipt: text("/about"),
        state: text("/state"),
        ..Fields::default()
    };
    Hook { token: None, signature: Some(signature), fields }
}

/// Whether a call is admitted with these headers, at 1,700,000,000 seconds.
fn admits(hook: &Hook, token: Option<&str>, headers: &[(&str, &str)], body: &[u8]) -> bool {
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| (*value).to_owned())
    };
    let call = Call { from: IpAddr::V4(Ipv4Addr::LOCALHOST), token, header: &header, body };
    hook.admits(&call, Timestamp(1_700_000_000_000))
}

#[test]
fn who_signs_is_the_provider() {
    let (at, body) = ("1700000100", b"{\"text\":\"hi\"}");
    let android = signed("{body}{timestamp}", "X-Timestamp");
    let headers =
        |signature: &'static str, at: &'static str| [("X-Signature", signature), ("X-Timestamp", at)];
    let right = mac(&[body, at.as_bytes()].concat());
    let right: &'static str = right.leak();
    assert!(admits(&android, None, &headers(right, at), body));
    assert!(!admits(&android, None, &headers(right, at), b"{\"text\":\"ho\"}"), "another text");
    assert!(!admits(&android, None, &headers(right, "1700000101"), body), "another time");
    assert!(!admits(&android, None, &[("X-Signature", right)], body) && !admits(&android, None, &[], body));
    // Six minutes ago.
    let old = "1699999640";
    let late: &'static str = mac(&[body, old.as_bytes()].concat()).leak();
    assert!(!admits(&android, None, &headers(late, old), body));
    let other = signed("{timestamp}.{body}", "X-Timestamp");
    let prefixed: &'static str = format!("sha256={}", mac(&[at.as_bytes(), b".", body].concat())).leak();
    assert!(admits(&other, None, &headers(prefixed, at), body));
    let plain: &'static str = mac(body).leak();
    assert!(admits(&signed("{body}", ""), None, &[("X-Signature", plain)], body));
}

fn mac(text: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(b"key").expect("any length");
    mac.update(text);
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

#[test]
fn a_signature_is_what_others_make_of_it() {
    // $ printf 'The quick brown fox jumps over the lazy dog' | openssl dgst -sha256 -hmac key
    let fox = b"The quick brown fox jumps over the lazy dog";
    let hex = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
    let base64 = "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=";
    let hook = signed("{body}", "");
    assert!(
        admits(&hook, None, &[("x-signature", hex)], fox)
            && admits(&hook, None, &[("x-signature", base64)], fox)
    );
    assert!(!admits(&hook, None, &[("x-signature", &hex[1..])], fox));
}

#[test]
fn who_knows_the_token_is_the_provider() {
    let mut hook = signed("{body}", "");
    hook.signature = None;
    assert!(!admits(&hook, Some(""), &[], b"{}"), "nothing is asked for, and nobody is let in");
    hook.token = Some("open sesame".into());
    assert!(admits(&hook, Some("open sesame"), &[], b"{}"));
    assert!(!admits(&hook, Some("open sesam"), &[], b"{}") && !admits(&hook, None, &[], b"{}"));
    hook.signature = signed("{body}", "").signature;
    assert!(!admits(&hook, Some("open sesame"), &[], b"{}"), "both are asked for");
}

fn read(text: &str) -> Brought {
    let said = hook::said(text.as_bytes()).expect("something");
    signed("", "").fields.read(&said, "4711", text.as_bytes())
}

#[test]
fn what_is_posted_is_a_message_or_a_receipt() {
    let Brought::Message(message) = read(r#"{"from":"491711234567","text":"字 😀","id":9}"#) else {
        panic!()
    };
    assert_eq!((message.from.as_str(), message.to.as_str()), ("+491711234567", "4711"));
    assert_eq!(
        (message.alphabet.decode(&message.bytes).as_str(), message.name.as_deref()),
        ("字 😀", Some("9"))
    );
    let Brought::Message(form) = read("from=%2B491711234567&text=a+b%26c") else { panic!() };
    assert_eq!((form.from.as_str(), form.alphabet.decode(&form.bytes).as_str()), ("+491711234567", "a b&c"));
    assert_eq!(form.name.map(|name| name.len()), Some(64));
    for (word, state) in [
        ("delivered", Some(State::Delivered)),
        ("sms:delivered", Some(State::Delivered)),
        ("message.failed", Some(State::Failed)),
        ("UNDELIV", Some(State::Failed)),
        ("queued", None),
    ] {
        let Brought::Receipt(receipt) = read(&format!(r#"{{"about":"m1","state":"{word}"}}"#)) else {
            panic!()
        };
        assert_eq!((receipt.id.as_str(), receipt.state), ("m1", state), "{word}");
    }
    assert_eq!(read(r#"{"event":"system:ping"}"#), Brought::Nothing);
    assert_eq!(read(r#"{"text":"from nobody"}"#), Brought::Nothing);
    assert!(hook::said(b"hello").is_none() && hook::said(b"\xff=").is_none() && hook::said(b"").is_none());
}

proptest! {
    #[test]
    fn nothing_that_is_put_in_changes_what_is_around_it(text in ".{0,80}", to in "\\+[0-9]{7,15}") {
        let message = Filling { to: &to, text: &text, sender: "\"", id: 1 };
        let body = r#"{"a":"{text}","b":["{to}","{sender}"]}"#;
        let request = template("https://a.example/?t={text}#x", body, Kind::Json).request(&message);
        let json: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        prop_assert_eq!(json["a"].as_str(), Some(text.as_str()));
        let url = url::Url::parse(&request.url).unwrap();
        let pairs: Vec<_> = url.query_pairs().collect();
        prop_assert_eq!(pairs.len(), 1);
        prop_assert_eq!(pairs[0].1.as_ref(), text.as_str());
        let form = template("https://a.example/", "x=1&t={text}&y=2", Kind::Form).request(&message);
        let pairs: Vec<_> = url::form_urlencoded::parse(form.body.as_bytes()).collect();
        prop_assert_eq!(pairs.len(), 3);
        prop_assert_eq!(pairs[1].1.as_ref(), text.as_str());
    }

    #[test]
    fn no_call_is_too_strange(body in proptest::collection::vec(any::<u8>(), 0..200), header in ".{0,80}") {
        let hook = signed("{body}{timestamp}{x}", "X-Timestamp");
        admits(&hook, Some(&header), &[("X-Signature", &header), ("X-Timestamp", &header)], &body);
        if let Some(said) = hook::said(&body) {
            hook.fields.read(&said, "", &body);
        }
    }
}
