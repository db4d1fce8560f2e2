//! Text that is no address, or an odd one, wherever an address may stand: always an answer, and never the end of the
//! server or the session.

use anyhow::{Result, ensure};
use rookery_testkit::client::{Client, escape};
use rookery_testkit::server::Ending;

use crate::common::{self, Dice, bound, run};

/// What may be made of an address; the last ones are numbers at the edge.
const PARTS: [&str; 35] = [
    "",
    "@",
    "/",
    "//",
    "@@",
    "a@",
    "@a",
    "/a",
    "romeo",
    "localhost",
    "romeo@localhost",
    "juliet@localhost/balcony",
    "10001",
    "10002@localhost",
    "ROMEO@LOCALHOST",
    ".",
    "..",
    "[::1]",
    "[",
    "xn--",
    "xn--a",
    "\u{ad}",
    "\u{200d}",
    "\u{1F600}",
    "\u{fb01}",
    "\u{130}",
    "\u{3000}",
    "\u{1ccd6}",
    "'",
    "&",
    "<",
    " ",
    "\u{85}",
    "18446744073709551615@localhost",
    "9223372036854775808@localhost",
];

const PLACES: [&str; 22] = [
    "<iq type='get' id='{id}' to='{x}'><ping xmlns='urn:xmpp:ping'/></iq>",
    "<iq type='get' id='{id}' to='{x}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    "<iq type='get' id='{id}' to='{x}'><query xmlns='jabber:iq:last'/></iq>",
    "<message id='{id}' to='{x}' type='chat'><body>hi</body></message>",
    "<message id='{id}' to='{x}' type='groupchat'><body>hi</body></message>",
    "<presence id='{id}' to='{x}'/>",
    "<presence id='{id}' to='{x}' type='subscribe'/>",
    "<presence id='{id}' to='{x}' type='unsubscribed'/>",
    "<presence id='{id}' to='{x}' type='probe'/>",
    "<iq type='set' id='{id}'><query xmlns='jabber:iq:roster'><item jid='{x}'/></query></iq>",
    "<iq type='set' id='{id}'><query xmlns='jabber:iq:roster'><item jid='{x}' subscription='remove'/></query></iq>",
    "<iq type='set' id='{id}'><block xmlns='urn:xmpp:blocking'><item jid='{x}'/></block></iq>",
    "<iq type='set' id='{id}'><unblock xmlns='urn:xmpp:blocking'><item jid='{x}'/></unblock></iq>",
    "<iq type='result' id='{id}' to='{x}'/>",
    "<presence id='{id}' to='{x}' type='unavailable'/>",
    "<presence id='{id}' to='{x}' type='error'/>",
    "<presence id='{id}' to='{x}' type='unsubscribe'/>",
    "<presence id='{id}' to='{x}' type='subscribed'/>",
    "<iq type='set' id='{id}'><prefs xmlns='urn:xmpp:mam:2' default='always'><never><jid>{x}</jid></never></prefs></iq>",
    "<iq type='set' id='{id}'><query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'>\
     <field var='with'><value>{x}</value></field></x></query></iq>",
    "<iq type='set' id='{id}'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'>\
     <before>{x}</before></set></query></iq>",
    "<message id='{id}' to='juliet@localhost'><body>hi</body><stanza-id xmlns='urn:xmpp:sid:0' id='x' by='{x}'/>\
     <delay xmlns='urn:xmpp:delay' from='{x}' stamp='{x}'/></message>",
];

fn odd(dice: &mut Dice) -> String {
    match dice.roll(20) {
        0 => "a".repeat(1023 + dice.roll(3)),
        1 => format!("{}@localhost", "a".repeat(1023 + dice.roll(3))),
        2 => format!("romeo@localhost/{}", "\u{e4}".repeat(511 + dice.roll(3))),
        _ => (0..=dice.roll(4)).map(|_| PARTS[dice.roll(PARTS.len())]).collect(),
    }
}

/// Whether it is refused as the standard says, where it is refused.
async fn throw(client: &mut Client, place: &str, text: &str, id: usize) -> Result<()> {
    client.send_raw(&place.replace("{id}", &format!("t{id}")).replace("{x}", &escape(text))).await?;
    if !place.starts_with("<iq") || place.contains("'result'") {
        return Ok(());
    }
    loop {
        let element = client.recv().await?;
        if element.is("iq", "jabber:client") && element.attr("id") == Some(&format!("t{id}")) {
            let broken = String::from(&element).contains("internal-server-error");
            ensure!(!broken, "{place} with {text:?}: {}", String::from(&element));
            return Ok(());
        }
    }
}

#[test]
fn odd_addresses_everywhere() {
    for seed in 0..4 {
        run(async move {
            let server = common::server(&[]).await?;
            let mut romeo = bound(&server, "romeo", "orchard").await?;
            let mut dice = Dice(seed);
            for id in 0..400 {
                let place = PLACES[dice.roll(PLACES.len())];
                let text = odd(&mut dice);
                // Blocking one's own address or the server is a choice that would end the test's questions.
                throw(&mut romeo, place, &text, id).await?;
                if id % 50 == 0 {
                    romeo.iq("set", None, "<unblock xmlns='urn:xmpp:blocking'/>").await?;
                }
            }
            romeo.iq("set", None, "<unblock xmlns='urn:xmpp:blocking'/>").await?;
            romeo.sync().await
        });
    }
}

#[test]
fn what_is_no_address_is_called_so() {
    let asks =
        |place: &&&str| place.starts_with("<iq") && !place.contains("'result'") && !place.contains("rsm");
    let places = PLACES.iter().filter(asks);
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        for place in places {
            for text in
                ["", "@", "a@@b", "romeo@", "/x", "@localhost", "ro meo@localhost", "romeo@localhost/"]
            {
                romeo.send_raw(&place.replace("{id}", "x").replace("{x}", text)).await?;
                let answer = String::from(&romeo.recv().await?);
                let named = answer.contains("<jid-malformed") || answer.contains("<bad-request");
                assert!(named, "{place} with {text:?}: {answer}");
            }
        }
        Ok(())
    });
}

/// Names at other domains and here, in letters that look or mean like others: what is taken is kept as it is compared
/// (RFC 7622 §3.3), can be read after a restart, and is nobody else's.
#[test]
fn odd_names_are_kept_and_compared() {
    let names = [
        ("juli\u{e9}t@example.org", "juli\u{e9}t@example.org"),
        ("nurs\u{65}\u{301}@example.org", "nurs\u{e9}@example.org"),
        ("TYBALT@EXAMPLE.ORG", "tybalt@example.org"),
        ("\u{ff50}aris@example.org", "paris@example.org"),
        ("\u{3b1}\u{3b2}@\u{3b4}\u{3bf}.example", "\u{3b1}\u{3b2}@\u{3b4}\u{3bf}.example"),
        ("\u{5d0}\u{5d1}@example.org", "\u{5d0}\u{5d1}@example.org"),
        ("\u{4f60}\u{597d}@example.org", "\u{4f60}\u{597d}@example.org"),
        // Juliet with a Cyrillic letter is not juliet.
        ("j\u{443}liet@localhost", "j\u{443}liet@localhost"),
        // Juliet in wide letters is.
        ("\u{ff4a}uliet@localhost", "juliet@localhost"),
    ];
    run(async move {
        let mut server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        for (name, _) in names {
            romeo.iq("set", None, &listed(name)).await?;
        }
        // Whatever else is taken can be read again, too.
        let mut dice = Dice(9);
        for _ in 0..200 {
            let letters = (0..=dice.roll(5)).map(|_| letter(&mut dice)).collect::<String>();
            romeo.iq("set", None, &listed(&format!("{letters}@example.org"))).await.ok();
            romeo
                .send_raw(&format!("<presence to='{}@localhost' type='subscribe'/>", escape(&letters)))
                .await?;
        }
        romeo.sync().await?;
        drop(romeo);
        server.restart(Ending::Killed).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        let roster = romeo.roster().await?;
        for (name, kept) in names {
            ensure!(
                roster.iter().any(|item| item.attr("jid") == Some(kept)),
                "{name} is not {kept}: {roster:?}"
            );
        }
        ensure!(roster.len() > names.len(), "none of the odd names was taken");
        Ok(())
    });
}

fn listed(name: &str) -> String {
    format!("<query xmlns='jabber:iq:roster'><item jid='{}'/></query>", escape(name))
}

/// Any letter that XML allows, of the more crowded parts of Unicode.
fn letter(dice: &mut Dice) -> char {
    loop {
        let point = [0x80, 0x300, 0x600, 0x2000, 0xfb00, 0x1d400][dice.roll(6)] + dice.roll(0x300) as u32;
        if let Some(letter) = char::from_u32(point) {
            return letter;
        }
    }
}

/// Numbers at the edge of what fits, where numbers may stand.
#[test]
fn odd_numbers() {
    let places = [
        "<query xmlns='jabber:iq:roster' ver='{x}'/>",
        "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><index>{x}</index></set></query>",
        "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>{x}</max></set></query>",
        "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><after>{x}-0</after></set></query>",
        "<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='start'><value>{x}</value></field></x></query>",
    ];
    let numbers = [
        "-1",
        "0",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "99999999999999999999999",
        "1e9",
        "0x10",
        "9999-12-31T23:59:59.999999999Z",
        "0000-01-01T00:00:00Z",
        "-9999-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "\u{661}",
    ];
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        for (place, number) in places.iter().flat_map(|p| numbers.map(|n| (p, n))) {
            let kind = if place.contains("roster") { "get" } else { "set" };
            if let Err(refused) = romeo.iq(kind, None, &place.replace("{x}", number)).await {
                let refused = refused.to_string();
                assert!(!refused.contains("internal-server-error"), "{place} with {number}: {refused}");
            }
        }
        romeo.sync().await
    });
}
