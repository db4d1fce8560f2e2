//! A store that fails, is full, or stalls: an error or no answer, never silence with loss; and all is well afterwards.

use std::time::Duration;

use anyhow::Context;
use rookery_proto::Uid;
use rookery_testkit::client::Client;
use rookery_testkit::clock;
use rookery_testkit::server::StoreFault;

use crate::common::{self, available, bound, run};

const BLOCK: &str = "<block xmlns='urn:xmpp:blocking'><item jid='tybalt@localhost'/></block>";
const ROSTER: &str = "<query xmlns='jabber:iq:roster'><item jid='nurse@localhost' name='Nurse'/></query>";
const PREFS: &str = "<prefs xmlns='urn:xmpp:mam:2' default='never'/>";
const PUBLISH: &str = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:x'><item id='1'>\
                       <x xmlns='urn:x'/></item></publish></pubsub>";
const PRIVATE: &str = "<query xmlns='jabber:iq:private'><x xmlns='urn:x'/></query>";
const CARD: &str = "<vCard xmlns='vcard-temp'><FN>R</FN></vCard>";
const PASSWORD: &str =
    "<query xmlns='jabber:iq:register'><username>romeo</username><password>other</password></query>";

#[test]
fn changes_are_refused_and_not_made() {
    for fault in [StoreFault::Fails, StoreFault::Full] {
        run(async move {
            let server = common::server(&[("registration", "open")]).await?;
            let mut romeo = bound(&server, "romeo", "orchard").await?;
            romeo.roster().await?;
            romeo.blocklist().await?;
            server.set_store_fault(Some(fault));
            for payload in [BLOCK, ROSTER, PREFS, PASSWORD, PUBLISH, PRIVATE, CARD] {
                let refused = romeo.iq("set", None, payload).await.err().context(payload)?.to_string();
                let told =
                    ["resource-constraint", "internal-server-error"].iter().any(|c| refused.contains(c));
                assert!(told, "{payload}: {refused}");
            }
            romeo.send_raw("<presence type='subscribe' to='juliet@localhost' id='s'/>").await?;
            let refused = romeo.recv().await?;
            assert_eq!((refused.name(), refused.attr("type")), ("presence", Some("error")));
            let mut stranger = Client::new(server.connect(), "localhost");
            stranger.open_for_features().await?;
            assert!(stranger.register("tybalt", "secret").await.is_err());
            assert!(romeo.barrier().await?.is_empty(), "a push of what is not so");

            server.set_store_fault(None);
            assert!(romeo.roster().await?.is_empty());
            assert!(server.core().store.nodes(Uid(10_001)).await?.is_empty());
            assert!(romeo.blocklist().await?.is_empty());
            assert!(stranger.authenticate("tybalt", "secret").await.is_err(), "the account was made");
            stranger.register("tybalt", "secret").await?;
            for payload in [BLOCK, ROSTER, PREFS] {
                romeo.iq("set", None, payload).await?;
            }
            assert_eq!(romeo.blocklist().await?, ["tybalt@localhost"]);
            assert_eq!(romeo.roster().await?.len(), 1);
            bound(&server, "romeo", "chamber").await.map(drop)
        });
    }
}

/// While the store stalls nothing is acknowledged; afterwards everything is, in its order, and is there.
#[test]
fn a_stall_holds_everything_back() {
    run(async {
        let server = common::server(&[]).await?;
        let mut juliet = available(&server, "juliet", "balcony").await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        romeo.enable_sm().await?;
        server.set_store_fault(Some(StoreFault::Stalls));
        for n in 0..100 {
            romeo
                .send_raw(&format!("<message to='juliet@localhost' type='chat'><body>{n}</body></message>"))
                .await?;
        }
        romeo.send_raw(&format!("<iq type='set' id='b'>{BLOCK}</iq>")).await?;
        romeo.request_ack().await?;
        clock::pass(Duration::from_secs(20)).await;
        romeo.keep_alive().await?;
        assert!(romeo.inbox().is_empty() && romeo.take_confirmed().is_empty(), "{:?}", romeo.inbox());
        juliet.keep_alive().await?;
        assert!(juliet.inbox().is_empty());
        server.set_store_fault(None);
        romeo.expect("the block's result", |e| e.attr("type") == Some("result")).await?;
        romeo.expect("the server's question", |e| e.name() == "r").await?;
        romeo.expect("the acknowledgement", |e| e.name() == "a").await?;
        assert_eq!(romeo.take_confirmed().len(), 101);
        for n in 0..100 {
            let body = juliet.recv().await?.get_child("body", "jabber:client").context("a body")?.text();
            assert_eq!(body, n.to_string());
        }
        Ok(())
    });
}

/// A connection that gives up on its way to a session, because the store stalls, leaves none behind.
#[test]
fn a_stall_on_the_way_to_a_session() {
    run(async {
        let server = common::server(&[]).await?;
        let mut first = available(&server, "romeo", "orchard").await?;
        first.enable_sm().await?;
        drop(first);
        while common::session(&server, 10001, "orchard")?.is_served() {
            clock::settle().await;
        }
        server.set_store_fault(Some(StoreFault::Stalls));
        let mut second = Client::new(server.connect(), "localhost");
        second.open_for_features().await?;
        second.authenticate("romeo", common::PASSWORD).await?;
        let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>orchard</resource></bind>";
        second.send_raw(&format!("<iq type='set' id='b'>{bind}</iq>")).await?;
        clock::pass(Duration::from_secs(90)).await;
        second.expect("connection-timeout", |e| e.is("error", "http://etherx.jabber.org/streams")).await?;
        clock::pass(Duration::from_secs(5)).await;
        let served = server.core().router.sessions(Uid(10001)).iter().any(|session| session.is_served());
        assert!(!served, "a session stays as if somebody served it");
        server.set_store_fault(None);
        bound(&server, "romeo", "orchard").await?.sync().await
    });
}
