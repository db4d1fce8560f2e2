//! Commands as programs send them, and as nobody should.

use super::*;

fn parse(text: &str) -> Result<Command, Bad> {
    command(&mut Cursor::new(text.as_bytes()))
}

#[test]
fn commands_are_read() {
    let name = |text: &str| Name(text.as_bytes().to_vec());
    assert_eq!(parse("noop"), Ok(Command::Noop));
    let login = Command::Login { user: "a b".into(), password: "\"\\x".into() };
    assert_eq!(parse("LOGIN \"a b\" \"\\\"\\\\x\""), Ok(login.clone()));
    assert_eq!(parse("LOGIN {3}\r\na b {3+}\r\n\"\\x"), Ok(login));
    let initial = Some(b"\0a\0b".to_vec());
    let plain = Command::Authenticate { mechanism: "PLAIN".into(), initial };
    assert_eq!(parse("AUTHENTICATE PLAIN AGEAYg=="), Ok(plain));
    let select = Command::Select { name: name("a]b"), read_only: true, condstore: true };
    assert_eq!(parse("EXAMINE a]b (CONDSTORE)"), Ok(select));
    let items = vec![StatusItem::Messages, StatusItem::UidNext];
    assert_eq!(parse("STATUS INBOX (MESSAGES UIDNEXT)"), Ok(Command::Status { name: name("INBOX"), items }));
    let Ok(Command::List(list)) =
        parse("LIST (SUBSCRIBED) \"\" (INBOX %/%) RETURN (CHILDREN STATUS (UNSEEN))")
    else {
        panic!("a list")
    };
    assert!(list.subscribed && list.patterns.len() == 2 && list.status == [StatusItem::Unseen]);
    assert!(matches!(parse("ID NIL"), Ok(Command::Id)));
    assert!(matches!(parse("ID (\"name\" \"mutt\" \"x\" NIL)"), Ok(Command::Id)));
}

#[test]
fn what_is_fetched_is_read() {
    let Ok(Command::On { deed: Deed::Fetch { items, changed_since }, by_uid: true, .. }) = parse(
        "UID FETCH 1:*,3 (FLAGS BODY.PEEK[1.2.HEADER.FIELDS (Date \"From\")]<0.100> BODY[] BINARY.SIZE[1]) (CHANGEDSINCE 12)",
    ) else {
        panic!("a fetch")
    };
    assert_eq!((items.len(), changed_since, &items[0]), (6, Some(12), &FetchItem::Uid));
    let FetchItem::Body { section, peek: true, partial: Some((0, 100)), .. } = &items[2] else {
        panic!("a part")
    };
    assert_eq!(section.written(), "1.2.HEADER.FIELDS (DATE FROM)");
    for (text, count) in [("ALL", 4), ("FULL", 5), ("ENVELOPE", 1), ("(UID)", 1), ("BODY", 1), ("RFC822", 1)]
    {
        let Ok(Command::On { deed: Deed::Fetch { items, .. }, .. }) = parse(&format!("FETCH 1 {text}"))
        else {
            panic!("{text}")
        };
        assert_eq!(items.len(), count, "{text}");
    }
}

#[test]
fn flags_are_read() {
    let store = |text: &str| match parse(text) {
        Ok(Command::On { deed: Deed::Store { change, silent }, .. }) => (change, silent),
        other => panic!("{text}: {other:?}"),
    };
    let (change, silent) = store("STORE 1 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen $Work)");
    assert_eq!((change.how, change.flags, change.unchanged_since), (FlagsHow::Add, MailFlags::SEEN, Some(5)));
    assert_eq!((change.keywords, silent), (vec!["$Work".to_owned()], true));
    let (change, silent) = store("UID STORE 1 FLAGS \\Deleted \\Draft");
    assert_eq!((change.how, change.flags.0, silent), (FlagsHow::Replace, 8 | 16, false));
    assert!(parse("STORE 1 FLAGS (\\Recent)").is_err() && parse("STORE 1 FLAGS (\\Nothing)").is_err());
}

#[test]
fn mails_are_brought() {
    let Ok(Command::Append(mail)) =
        parse("APPEND Sent (\\Seen a) \"17-Jul-1996 02:44:25 -0700\" {5}\r\nhello")
    else {
        panic!("a mail")
    };
    assert_eq!(
        (mail.at, mail.flags, mail.mail.as_slice()),
        (Some(837_596_665_000), MailFlags::SEEN, b"hello".as_slice())
    );
    assert_eq!(written_date(837_596_665_000), "17-Jul-1996 09:44:25 +0000");
    assert!(parse("APPEND x {6}\r\nhello").is_err() && parse("APPEND x hello").is_err());
}

#[test]
fn searches_are_read() {
    let Ok(Command::Search { search, by_uid: true }) = parse(
        "UID SEARCH RETURN (MIN COUNT) CHARSET UTF-8 OR (FROM \"Ann\" NOT SEEN) 1:3 SINCE 1-Feb-1994 HEADER X-A {1}\r\nb",
    ) else {
        panic!("a search")
    };
    let Key::And(keys) = &search.key else { panic!("keys") };
    assert!(matches!(&keys[0], Key::Or(one, _) if matches!(&**one, Key::And(all) if all.len() == 2)));
    assert_eq!((keys.len(), keys[1].clone()), (3, Key::Came(760_060_800_000, i64::MAX)));
    assert_eq!(keys[2], Key::Has(Field::Header("x-a".into()), "b".into()));
    assert!(search.returned.is_some_and(|wanted| wanted.min && wanted.count && !wanted.all));
    let deep = format!("SEARCH {}ALL{}", "(".repeat(50), ")".repeat(50));
    let long = format!("SEARCH {}", vec!["ALL"; limits_keys() + 1].join(" "));
    let nots = format!("SEARCH {}ALL", "NOT ".repeat(100));
    assert!(parse(&deep).is_err() && parse(&long).is_err() && parse(&nots).is_err());
}

fn limits_keys() -> usize {
    crate::mail::imap::limits::KEYS
}

#[test]
fn what_is_wrong_is_refused() {
    for bad in [
        "",
        " ",
        "NOPE",
        "NOOP x",
        "LOGIN a",
        "LOGIN a b c",
        "LOGIN \"a b",
        "LOGIN {9}\r\na b",
        "LOGIN {99999999999999999999}\r\na",
        "SELECT",
        "SELECT x (QRESYNC (1 2))",
        "FETCH 1",
        "FETCH a FLAGS",
        "FETCH 1 (FLAGS",
        "FETCH 1 BODY[1.0]",
        "FETCH 1 BODY[HEADER.FIELDS]",
        "FETCH 1 BODY[MIME]",
        "FETCH 1 BODY[]<1>",
        "FETCH 1 BINARY[TEXT]",
        "STORE 1 FLAGS",
        "STORE 1 +X (a)",
        "STATUS x (NOTHING)",
        "UID NOOP",
        "UID",
        "SEARCH SINCE yesterday",
        "SEARCH SINCE 31-Feb-1994",
        "SEARCH NOT",
        "LIST \"\"",
        "AUTHENTICATE PLAIN !",
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}
