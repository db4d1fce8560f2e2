use super::*;
use proptest::prelude::*;

/// Says lines to a session in which the pagers are numbers that begin with 1; what is heard.
fn talk(session: &mut Session<u32>, lines: &[&str]) -> Vec<String> {
    let mut heard = Vec::new();
    for line in lines {
        match session.line(line.as_bytes()) {
            Act::Listen => {}
            Act::Say(text) => heard.push(text),
            Act::End(text) => heard.push(format!("{text}!")),
            Act::Find(pager) => {
                let found = pager.parse().ok().filter(|_| pager.starts_with('1'));
                let Act::Say(text) = session.found(found) else { panic!("{line}") };
                heard.push(text);
            }
            Act::Send(pagers, page) => heard.push(format!("{pagers:?} {page:?}")),
            Act::Status(ticket) | Act::Kill(ticket) => heard.push(format!("{ticket:?}")),
        }
    }
    heard
}

fn codes(heard: &[String]) -> Vec<&str> {
    heard.iter().map(|text| &text[..3]).collect()
}

#[test]
fn a_page_is_made_of_commands() {
    let mut session = Session::new();
    let heard = talk(
        &mut session,
        &[
            "page 10001 pin",
            "PAGER 10001",
            "PAGE 10002",
            "LEVEl 0",
            "CALLerid Ward 3",
            "SUBJ Blood",
            "MESS  Room 12 ",
        ],
    );
    assert_eq!(codes(&heard), ["250"; 7]);
    let Act::Send(pagers, page) = session.line(b"send") else { panic!() };
    assert_eq!(pagers, [10001, 10002]);
    let (caller, subject, text) = ("Ward 3".to_owned(), "Blood".to_owned(), " Room 12".to_owned());
    assert_eq!(*page, Page { caller, subject, text, urgency: Urgency::Important, two_way: None });
    assert_eq!(session.sent(Sent::Later), Act::Say("554 Error, Failed (Try Again Later)".into()));
    assert!(matches!(session.line(b"SEND"), Act::Send(..)), "it is tried again");
    assert_eq!(session.sent(Sent::Stored(None)), Act::Say("250 Message Sent Successfully".into()));
    assert_eq!(codes(&talk(&mut session, &["SEND", "QUIT"])), ["503", "221"]);
}

#[test]
fn a_text_may_have_lines() {
    let mut session = Session::<u32>::new();
    let heard = talk(&mut session, &["PAGE 1", "DATA", "one", "..two", "QUIT", "", ".", "MESS more", "DATA"]);
    assert_eq!(codes(&heard), ["250", "354", "250", "503", "503"]);
    let Act::Send(_, page) = session.line(b"SEND") else { panic!() };
    assert_eq!(page.text, "one\n.two\nQUIT");
    assert_eq!(
        codes(&talk(&mut session, &["RESE", "DATA", ".", "DATA", " ", "."])),
        ["250", "354", "550", "354", "550"]
    );
}

#[test]
fn too_much_is_refused_where_it_ends() {
    let mut session = Session::<u32>::new();
    talk(&mut session, &["DATA"]);
    for _ in 0..100_000 {
        assert_eq!(session.line(&[b'x'; 1000]), Act::Listen);
    }
    assert!(session.data.as_ref().is_some_and(|data| data.len() <= limits::TEXT + 2));
    assert_eq!(codes(&talk(&mut session, &["."])), ["550"]);
}

#[test]
fn both_ways() {
    let mut session = Session::new();
    let heard = talk(
        &mut session,
        &[
            "MCRE 1 Yes",
            "ACKR 1",
            "2WAY",
            "ACKR 1",
            "ACKR 2",
            "RTYP multichoice",
            "RTYP x",
            "MCRE 1 Coming",
            "MCRE 1 x",
            "MCRE 123 x",
            "MCRE 2",
            "MCRE 2 Not now",
            "PAGE 1",
            "PAGE 12",
            "PING 1",
            "MESS Come",
            "2WAY",
        ],
    );
    let expected = [
        "550", "550", "250", "250", "550", "250", "550", "250", "502", "554", "550", "250", "250", "552",
        "250", "250", "550",
    ];
    assert_eq!(codes(&heard), expected);
    let Act::Send(_, page) = session.line(b"SEND") else { panic!() };
    let two_way = page.two_way.unwrap();
    assert_eq!(
        (two_way.choices.len(), two_way.choices[1].text.as_str(), two_way.reply),
        (2, "Not now", true)
    );
    let sent = session.sent(Sent::Stored(Some(Ticket { tag: 17, pass: 4 })));
    assert_eq!(sent, Act::Say("960 17 4 OK, Message QUEUED for Delivery".into()));
    assert_eq!(session.line(b"MSTA 17 4"), Act::Status(Ticket { tag: 17, pass: 4 }));
    assert_eq!(session.line(b"KTAG 17 4"), Act::Kill(Ticket { tag: 17, pass: 4 }));
    assert_eq!(codes(&talk(&mut session, &["MSTA", "MSTA 1", "KTAG a b", "MSTA -1 2"])), ["550"; 4]);
}

#[test]
fn states_have_their_codes() {
    let said = |state, reply| status(Some((state, "260101000000".into(), reply)));
    assert_eq!(said(State::Queued, true), "960 1 260101000000+0000 Message Queued; Awaiting Delivery");
    let codes =
        [(State::Delivered, true), (State::Delivered, false), (State::Read, true), (State::Read, false)];
    assert_eq!(codes.map(|(state, reply)| said(state, reply)[..3].to_owned()), ["861", "860", "870", "881"]);
    let answer = |choice: Option<&str>, text: &str| State::Answered {
        choice: choice.map(str::to_owned),
        text: text.into(),
    };
    assert_eq!(said(answer(Some("2"), "Not now"), true), "888 1 260101000000+0000 2 Not now");
    assert_eq!(said(answer(None, "in\r\n250 five"), true), "889 1 260101000000+0000 in 250 five");
    assert_eq!(&status(None)[..3], "550");
}

#[test]
fn mistakes_come_to_an_end() {
    let mut session = Session::<u32>::new();
    let heard = talk(&mut session, &["x"; 21]);
    assert!(heard[..20].iter().all(|text| text.starts_with("500")));
    assert_eq!(heard[20], "421 Too Many Errors, Goodbye!");
    assert_eq!(
        codes(&talk(&mut Session::new(), &["PAGE 2", "HELP", "HOLD 1", "LEVE 12", "ALER 2", "ALER 1"])),
        ["550", "214", "500", "550", "550", "250"]
    );
}

proptest! {
    /// Whatever comes: each line has at most one reply, replies are lines with codes, and everything stays bounded.
    #[test]
    fn anything_may_come(lines in proptest::collection::vec(
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            "(PAGE|MESS|DATA|SEND|RESE|LEVE|ALER|CALL|SUBJ|2WAY|ACKR|RTYP|MCRE|MSTA|KTAG|PING|\\.) ?.{0,80}".prop_map(String::into_bytes),
        ], 0..60)) {
        let mut session = Session::<u32>::new();
        for line in &lines {
            let act = session.line(line);
            let act = match act {
                Act::Find(pager) => session.found(pager.parse().ok()),
                Act::Send(pagers, page) => {
                    prop_assert!(!pagers.is_empty() && pagers.len() <= limits::PAGERS);
                    prop_assert!(!page.text.trim().is_empty() && page.text.len() <= limits::TEXT * 2);
                    prop_assert!(page.caller.len() <= limits::NAME && page.subject.len() <= limits::NAME);
                    session.sent(Sent::Stored(None))
                }
                act => act,
            };
            if let Act::Say(text) | Act::End(text) = &act {
                prop_assert!(text.split("\r\n").all(|line| line.len() > 3 && line[..3].parse::<u16>().is_ok()));
                prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
            }
        }
    }
}
