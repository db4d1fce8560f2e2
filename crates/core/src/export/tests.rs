use super::*;
use crate::accounts::By;
use crate::testing::{JULIET, World};
use rookery_proto::Uid;
use rookery_proto::stanza::Stanza;
use rookery_proto::xml::Xml;
use rookery_store::{
    AffiliateChange, Affiliation, Blob, Card, Displayed, FilePurpose, FileQuota, FileToken, Findable, Item,
    ItemChange, NewUpload, Node, PushContent, PushTarget, Registrant, Subscription, Upto,
};
use std::collections::BTreeMap;

/// What a stranger might write to break out of a page.
const HOSTILE: &str = "</p></bdi><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;\"\u{202e}]]>";

async fn order(world: &World, by: By, credentials: bool) -> Order {
    let account = world.core.store.account(JULIET).await.unwrap().unwrap();
    Order { account, by, domain: "localhost".to_owned(), credentials, at: Timestamp(0) }
}

/// The files of an export.
async fn files(world: &World, order: &Order) -> Result<BTreeMap<String, String>> {
    let (out, mut parts) = tokio::sync::mpsc::channel(1);
    let collect = async {
        let (mut files, mut name) = (BTreeMap::new(), String::new());
        while let Some(part) = parts.recv().await {
            match part {
                Part::File(next) => {
                    name = next;
                    assert_eq!(files.insert(name.clone(), String::new()), None);
                }
                Part::Upload { name, size, .. } => {
                    assert_eq!(files.insert(name, size.to_string()), None);
                }
                Part::Bytes(bytes) => {
                    let text = String::from_utf8(bytes).unwrap();
                    files.get_mut(&name).expect("bytes are in a file").push_str(&text);
                }
            }
        }
        files
    };
    let progress = Progress::default();
    let (written, files) = tokio::join!(write(&world.core.store, order, out, &progress), collect);
    written.map(|()| files)
}

/// A message with this body; text as somebody sent it.
fn said(kind: &str, body: &str) -> String {
    let mut x = Xml::new();
    x.open("message")
        .attr("from", "romeo@localhost/orchard")
        .attr("to", "juliet@localhost")
        .attr("type", kind);
    x.text_element("body", body);
    String::from_utf8(x.into_vec()).unwrap()
}

/// Parses a document after its first line: all that is written is well-formed.
fn parsed(document: &str) -> Stanza {
    let (first, rest) = document.split_once('\n').expect("a declaration");
    assert!(first == "<!DOCTYPE html>" || first.starts_with("<?xml"), "{first}");
    Stanza::parse(rest.trim_end().as_bytes()).unwrap_or_else(|error| panic!("{error:?}\n{document}"))
}

#[tokio::test]
async fn everything_is_text_whoever_wrote_it() {
    let world = World::new().await;
    let store = &world.core.store;
    let romeo = BareJid::new("romeo@localhost").unwrap();
    store.roster_set(JULIET, &romeo, Some(HOSTILE.into()), vec![HOSTILE.into()]).await.unwrap();
    store.block(JULIET, vec!["tybalt@localhost".into()]).await.unwrap();
    store.set_nick(JULIET, Some(HOSTILE.into())).await.unwrap();
    world.message(None, &said("chat", HOSTILE)).await;
    world.message(None, &said("chat", "早上好\nzwei Zeilen")).await;
    world.sent("balcony", &said("chat", "my own")).await;
    world.message(None, "<message><received xmlns='urn:xmpp:receipts' id='1'/></message>").await;
    world.message(None, "not even a stanza").await;
    let node = Node { name: HOSTILE.into(), kept: 9, config: String::new(), creator: None };
    let item = Item {
        id: HOSTILE.into(),
        at: Timestamp(1),
        publisher: HOSTILE.into(),
        payload: "<x xmlns='y'/>".into(),
    };
    store.change_items(JULIET, vec![ItemChange::Publish(node, item)]).await.unwrap();
    let member = AffiliateChange::affiliation(romeo, Affiliation::Member);
    store.change_affiliates(JULIET, HOSTILE, vec![member]).await.unwrap();

    let files = files(&world, &order(&world, By::Themselves, false).await).await.unwrap();
    assert_eq!(
        files.keys().map(String::as_str).collect::<Vec<_>>(),
        ["account.xml", "conversations/1.html", "index.html"]
    );
    for (name, text) in &files {
        parsed(text);
        assert!(!text.contains("<script") && !text.contains("<img"), "{name}\n{text}");
    }
    let page = &files["conversations/1.html"];
    assert!(page.contains("class='theirs'") && page.contains("class='mine'"), "{page}");
    assert!(page.contains("<bdi>早上好\nzwei Zeilen</bdi>"), "{page}");
    assert_eq!(page.matches("<p ").count(), 3, "who reads wants no receipts\n{page}");
    let index = &files["index.html"];
    assert!(index.contains("3 messages") && index.contains("tybalt@localhost"), "{index}");
    let account = &files["account.xml"];
    for there in [
        "<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'><user name='juliet'>",
        "subscription='none'",
        "<blocklist xmlns='urn:xmpp:blocking'><item jid='tybalt@localhost'/></blocklist>",
        "<archive xmlns='urn:xmpp:pie:0#mam'>",
        "<result xmlns='urn:xmpp:mam:2' id='1-00000001'>",
        "<affiliation jid='romeo@localhost' affiliation='member'/>",
        "number='10001'",
    ] {
        assert!(account.contains(there), "{there}\n{account}");
    }
    assert_eq!(account.matches("<result ").count(), 5, "also what cannot be read has its place");
    assert!(!account.contains("scram"), "nobody asked for keys");
}

#[tokio::test]
async fn files_and_settings_are_in_it_and_no_secrets() {
    let world = World::new().await;
    let store = &world.core.store;
    let blob = Blob { hash: FileHash([1; 32]), dimensions: None };
    for (letter, name) in [(b'a', "my cat.jpg"), (b'b', "../../x<y>.html"), (b'c', "never came")] {
        let token = FileToken::new(&[letter; FileToken::LEN]).unwrap();
        let (name, media_type) = (name.to_owned(), "image/jpeg".to_owned());
        let (size, at, due) = (7, Timestamp(i64::from(letter)), Timestamp(i64::MAX));
        let purpose = FilePurpose::Message;
        let new = NewUpload { token, uid: JULIET, name, media_type, size, purpose, at, due };
        store.open_upload(new, FileQuota::default()).await.unwrap();
        if letter != b'c' {
            store.expect_blob(blob.hash, 7).await.unwrap();
            store.finish_upload(token, blob, None).await.unwrap();
        }
    }
    let link = format!("https://localhost/upload/{}/my%20cat.jpg", "a".repeat(26));
    world.sent("balcony", &said("chat", &link)).await;
    let by = Registrant { resource: "phone".into(), device: None };
    let endpoint = "https://push.example/secret-place".to_owned();
    let web = PushTarget::Web { endpoint, key: [4; 65], auth: [7; 16] };
    store.set_push(JULIET, by, web, Timestamp(1_000)).await.unwrap();
    store.set_push_content(JULIET, PushContent::Sender).await.unwrap();
    let interests = vec!["gardens".to_owned()];
    let card = Card { findable: Findable::Everybody, online: true, nick: Some("Jule".into()), interests };
    store.set_card(JULIET, card).await.unwrap();
    let romeo = BareJid::new("romeo@localhost").unwrap();
    let upto = Upto::Entry(Useq(1));
    store.set_displayed(Displayed { uid: JULIET, peer: romeo, upto }).await.unwrap();

    let files = files(&world, &order(&world, By::Themselves, false).await).await.unwrap();
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    let there =
        ["account.xml", "conversations/1.html", "files/1-my cat.jpg", "files/2-_.._x_y_.html", "index.html"];
    assert_eq!(names, there);
    let index = &files["index.html"];
    for there in [
        "<a href='files/1-my%20cat.jpg' dir='auto'>my cat.jpg</a>",
        "href='files/2-_.._x_y_.html'",
        "phone, over push.example",
    ] {
        assert!(index.contains(there), "{there}\n{index}");
    }
    let page = &files["conversations/1.html"];
    assert!(page.contains("<a href='../files/1-my%20cat.jpg'"), "{page}");
    let account = &files["account.xml"];
    for there in [
        "<notifications content='sender'><registration service='push.example' since='1970-01-01T00:00:01",
        "<directory findable='everybody' online='true' nick='Jule'><interest>gardens</interest></directory>",
        "<displayed jid='romeo@localhost' id='",
        "<file name='my cat.jpg' path='files/1-my cat.jpg' type='image/jpeg' size='7'",
    ] {
        assert!(account.contains(there), "{there}\n{account}");
    }
    for text in [account, index] {
        parsed(text);
        assert!(!text.contains("secret-place"), "{text}");
    }
}

#[tokio::test]
async fn what_was_made_at_the_service_is_the_makers() {
    let world = World::new().await;
    let store = &world.core.store;
    let (juliet, romeo) =
        (BareJid::new("juliet@localhost").unwrap(), BareJid::new("romeo@localhost").unwrap());
    let made = async |creator, name: &str, owner: &BareJid| {
        let node = Node { name: name.into(), kept: 9, config: String::new(), creator: Some(creator) };
        store.create_node(Uid(0), node.clone(), Some(owner.clone())).await.unwrap();
        let (id, publisher) = ("1".to_owned(), romeo.to_string());
        let item = Item { id, at: Timestamp(1), publisher, payload: format!("<x xmlns='{name}'/>").into() };
        store.change_items(Uid(0), vec![ItemChange::Add(node, item)]).await.unwrap();
    };
    made(JULIET, "hers", &juliet).await;
    made(Uid(10_002), "his", &romeo).await;
    let quiet = AffiliateChange {
        deliver: Some(false),
        ..AffiliateChange::subscription(juliet.clone(), Subscription::Subscribed)
    };
    store.change_affiliates(Uid(0), "his", vec![quiet]).await.unwrap();

    let files = files(&world, &order(&world, By::Themselves, false).await).await.unwrap();
    let service = &files["pubsub.xml"];
    parsed(service);
    for there in [
        "<configure node='hers'>",
        "<affiliation jid='juliet@localhost' affiliation='owner'/>",
        "<items node='hers'><item id='1' publisher='romeo@localhost'><x xmlns='hers'/></item></items>",
        "<subscription node='his' jid='juliet@localhost' subscription='subscribed'/>",
        "<options node='his' jid='juliet@localhost'>",
        "<affiliation node='hers' affiliation='owner'/>",
    ] {
        assert!(service.contains(there), "{there}\n{service}");
    }
    assert!(!service.contains("<items node='his'>"), "that is not hers\n{service}");
    assert!(!files["account.xml"].contains("hers"));
}

#[tokio::test]
async fn keys_only_when_they_are_asked_for() {
    let world = World::new().await;
    world.core.accounts.set_password(JULIET, "secret".into(), Vec::new()).await.unwrap();
    let files = files(&world, &order(&world, By::Operator, true).await).await.unwrap();
    let account = &files["account.xml"];
    for mechanism in ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let there = format!("<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='{mechanism}'>");
        assert!(account.contains(&there), "{account}");
    }
    parsed(account);
}

#[tokio::test]
async fn long_logs_come_in_slices_and_whoever_leaves_ends_it() {
    let world = World::new().await;
    for n in 0..600 {
        world.message(None, &said("chat", &format!("message {n}."))).await;
    }
    let order = order(&world, By::Themselves, false).await;
    let files = files(&world, &order).await.unwrap();
    assert_eq!(files["account.xml"].matches("<result ").count(), 600);
    assert_eq!(
        files["account.xml"].matches("<delay xmlns='urn:xmpp:delay' from").count(),
        600,
        "all of it waits"
    );
    assert_eq!(files["conversations/1.html"].matches("<p ").count(), 600);
    assert!(files["conversations/1.html"].contains("message 599."));

    let (out, parts) = tokio::sync::mpsc::channel(1);
    drop(parts);
    let gone = write(&world.core.store, &order, out, &Progress::default()).await;
    assert_eq!(gone, Err(StoreError::Closed));
}

#[tokio::test]
async fn an_order_is_good_once_and_for_a_while() {
    let world = World::new().await;
    let (desk, now) = (Desk::default(), Timestamp(0));
    let mine = order(&world, By::Themselves, false).await;
    let id = desk.order("a".into(), mine.clone()).unwrap();
    assert_eq!(desk.order("b".into(), mine.clone()).as_deref(), Some("a"), "it is being written");
    assert!(desk.next().is_some() && desk.next().is_none());
    assert_eq!(desk.ready(&id, now), None);
    desk.written(&id, Some("file".into()), now);
    assert!(desk.expired(now).is_empty());
    assert_eq!(desk.ready(&id, now), Some("file".into()));
    assert!(
        !desk.take(&id, By::Operator) && desk.take(&id, By::Themselves) && !desk.take(&id, By::Themselves)
    );
    assert_eq!(desk.ready(&id, now), None);
    assert_eq!(desk.expired(now), [id]);

    let id = desk.order("c".into(), mine.clone()).unwrap();
    desk.next();
    desk.written(&id, Some("file".into()), now);
    let later = Timestamp(crate::limits::EXPORT_KEPT.as_millis() as i64);
    assert_eq!(desk.ready(&id, later), None, "its time is over");
    assert_eq!(desk.expired(later), [id]);

    let id = desk.order("d".into(), mine.clone()).unwrap();
    desk.next();
    desk.forget(JULIET);
    assert!(desk.expired(now).is_empty(), "it is still being written");
    desk.written(&id, Some("file".into()), now);
    assert_eq!((desk.ready(&id, now), desk.expired(now)), (None, vec![id]));

    let operators = desk.order("e".into(), Order { by: By::Operator, ..mine.clone() }).unwrap();
    desk.next();
    desk.written(&operators, Some("file".into()), now);
    assert_eq!(desk.ready(&operators, now), None, "what may have keys in it is not for the web");
    assert!(desk.settled(&operators).await.is_some());
    for n in 0..crate::limits::EXPORTS - 1 {
        let mut other = mine.clone();
        other.account.uid.0 += n as u64;
        assert!(desk.order(n.to_string(), other).is_some());
    }
    let mut other = mine;
    other.account.uid.0 += 1_000;
    assert_eq!(desk.order("too many".into(), other), None);
}
