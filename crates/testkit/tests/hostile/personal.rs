//! Personal data thrown at the server: too large, too many, oddly named; and capabilities that lie.

use std::fmt::Write;

use anyhow::{Context, Result};
use rookery_store::limits;
use rookery_testkit::client::{Client, escape};

use crate::common::{self, available, bound, run, session};

const PUBSUB: &str = "http://jabber.org/protocol/pubsub";

fn publish(node: &str, payload: &str) -> String {
    let node = escape(node);
    format!(
        "<pubsub xmlns='{PUBSUB}'><publish node='{node}'><item id='{node}'>{payload}</item></publish></pubsub>"
    )
}

async fn refused(client: &mut Client, payload: &str) -> Result<String> {
    Ok(client.iq("set", None, payload).await.err().context("it was taken")?.to_string())
}

#[test]
fn items_are_bounded_in_size_and_in_sum() {
    run(async {
        let server = common::server(&[("stanza_bytes", "1048576")]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        let payload = |bytes: usize| format!("<x xmlns='urn:x'>{}</x>", "x".repeat(bytes));
        assert!(
            refused(&mut romeo, &publish("n", &payload(limits::ITEM_BYTES)))
                .await?
                .contains("payload-too-big")
        );
        let large = payload(limits::ITEM_BYTES - 100);
        let room = limits::ITEMS_BYTES / limits::ITEM_BYTES;
        for n in 0..room {
            romeo.iq("set", None, &publish(&format!("n{n}"), &large)).await?;
        }
        assert!(refused(&mut romeo, &publish("more", &large)).await?.contains("policy-violation"));
        // Private elements and cards have no other room.
        let private = format!("<query xmlns='jabber:iq:private'>{large}</query>");
        assert!(refused(&mut romeo, &private).await?.contains("policy-violation"));
        let card =
            format!("<vCard xmlns='vcard-temp'><FN>{}</FN></vCard>", "x".repeat(limits::ITEM_BYTES - 100));
        assert!(refused(&mut romeo, &card).await?.contains("policy-violation"));
        romeo.iq("set", None, &publish("n0", &payload(1))).await?;
        // What is large is read page by page.
        let all = format!("<pubsub xmlns='{PUBSUB}'><items node='n1'/></pubsub>");
        romeo.iq("get", None, &all).await.map(drop)
    });
}

#[test]
fn nodes_are_bounded_in_number() {
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        for n in 0..limits::NODES {
            romeo.iq("set", None, &publish(&format!("n{n}"), "<x xmlns='urn:x'/>")).await?;
        }
        assert!(
            refused(&mut romeo, &publish("more", "<x xmlns='urn:x'/>")).await?.contains("max-nodes-exceeded")
        );
        romeo.iq("set", None, &publish("n7", "<x xmlns='urn:x'>2</x>")).await.map(drop)
    });
}

#[test]
fn odd_names_are_names() {
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        let long = "n".repeat(limits::NODE_NAME_BYTES);
        let odd = [
            "'; DROP TABLE pubsub_node; --",
            "%s%n",
            "../../etc",
            "\u{202e}gpj",
            "a\u{0301}",
            "á",
            "💬",
            " ",
            &long,
        ];
        for name in odd {
            romeo.iq("set", None, &publish(name, "<x xmlns='urn:x'/>")).await.context(name.to_owned())?;
            let get = format!("<pubsub xmlns='{PUBSUB}'><items node='{}'/></pubsub>", escape(name));
            let answer = romeo.iq("get", None, &get).await?;
            let items = answer.get_child("pubsub", PUBSUB).and_then(|p| p.get_child("items", PUBSUB));
            let items = items.context("no items")?;
            assert_eq!(items.attr("node"), Some(name));
            assert_eq!(items.children().next().and_then(|item| item.attr("id")), Some(name));
        }
        let nodes = server.core().store.nodes(rookery_proto::Uid(10_001)).await?;
        assert_eq!(nodes.len(), odd.len(), "each is another");
        let longer = publish(&(long.clone() + "n"), "<x xmlns='urn:x'/>");
        assert!(refused(&mut romeo, &longer).await?.contains("bad-request"));
        Ok(())
    });
}

/// Of what a client says it wants, a bounded part is kept, and a claim that is too long is none.
#[test]
fn capabilities_are_bounded() {
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = available(&server, "romeo", "orchard").await?;
        let claim = |ver: &str| {
            format!(
                "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='{ver}'/></presence>"
            )
        };
        romeo.send_raw(&claim(&"x".repeat(4_000))).await?;
        let asked =
            |element: &minidom::Element| element.name() == "iq" && element.attr("type") == Some("get");
        let none = romeo.barrier().await?;
        assert!(
            none.iter().all(
                |incoming| !matches!(incoming, rookery_testkit::client::Incoming::Element(e) if asked(e))
            )
        );
        romeo.send_raw(&claim("x")).await?;
        romeo.expect("its own presence", |element| element.name() == "presence").await?;
        let question = romeo.expect("the question", asked).await?;
        let mut features = String::new();
        for n in 0..3_000 {
            write!(features, "<feature var='urn:{n}+notify'/>")?;
        }
        let id = question.attr("id").context("no id")?;
        let info = "http://jabber.org/protocol/disco#info";
        romeo
            .send_raw(&format!(
                "<iq type='result' to='localhost' id='{id}'><query xmlns='{info}'>{features}</query></iq>"
            ))
            .await?;
        romeo.barrier().await?;
        let caps = session(&server, 10_001, "orchard")?.state().caps.clone().context("nothing is known")?;
        assert_eq!(caps.nodes().count(), rookery_core::limits::NOTIFY_NODES);
        Ok(())
    });
}
