//! Components that do not read: what waits for them is bounded, its senders are told, and at last they are cut off.

use anyhow::{Result, ensure};
use minidom::Element;
use rookery::net::connection::FAREWELL;
use rookery_core::limits;
use rookery_testkit::client::{Client, Incoming};
use rookery_testkit::clock;
use rookery_testkit::server::COMPONENT_SECRET;

use crate::common::{self, bound, run};

/// Errors with this condition among what has come.
fn errors(client: &mut Client, condition: &str) -> usize {
    let is_it = |incoming: &&Incoming| matches!(incoming, Incoming::Element(e) if is_error(e, condition));
    client.inbox().iter().filter(is_it).count()
}

fn is_error(element: &Element, condition: &str) -> bool {
    let error = element.get_child("error", "jabber:client");
    error.is_some_and(|error| error.children().any(|child| child.name() == condition))
}

/// A question of 60 KiB and a little.
const LARGE: usize = 60 << 10;

/// Asks a component much that it does not read. The pipe holds one of the questions and the beginning of another.
async fn ask_much(romeo: &mut Client, questions: usize) -> Result<()> {
    let filling = "x".repeat(LARGE);
    for n in 0..questions {
        let xml = format!("<iq to='shop.localhost' type='set' id='q{n}'><x xmlns='urn:x'>{filling}</x></iq>");
        romeo.send_raw(&xml).await?;
    }
    romeo.sync().await
}

#[test]
fn a_component_that_does_not_read_is_cut_off_and_its_senders_are_told() {
    run(async {
        let server = common::server(&[("component", "shop.localhost")]).await?;
        let mut shop = Client::component(server.connect_component(), "localhost", "shop.localhost");
        shop.handshake(COMPONENT_SECRET).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        let sent = 2 * limits::COMPONENT_QUEUE_BYTES / LARGE;
        ask_much(&mut romeo, sent).await?;
        let refused = errors(&mut romeo, "resource-constraint");
        let waiting = sent - refused;
        ensure!(refused > 0, "everything was taken");
        let most = limits::COMPONENT_QUEUE_BYTES / LARGE + 6;
        ensure!(waiting <= most, "{waiting} of {sent} wait in memory");

        clock::pass(limits::COMPONENT_STALL + limits::IDLE_GRACE).await;
        while errors(&mut romeo, "remote-server-timeout") == 0 {
            romeo.sync().await?;
        }
        let bounced = errors(&mut romeo, "remote-server-timeout");
        ensure!(bounced <= waiting, "{bounced} of {waiting} came back");
        ensure!(!server.core().components.of("shop.localhost").is_some_and(|c| c.is_connected()));

        let xml = "<iq to='shop.localhost' type='get' id='last'><ping xmlns='urn:xmpp:ping'/></iq>";
        romeo.send_raw(xml).await?;
        romeo.sync().await?;
        assert_eq!(errors(&mut romeo, "service-unavailable"), 1);
        Ok(())
    });
}

#[test]
fn what_was_not_written_whole_comes_back() {
    run(async {
        let server = common::server(&[("component", "shop.localhost")]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        for stays in [true, false] {
            let mut shop = Client::component(server.connect_component(), "localhost", "shop.localhost");
            shop.handshake(COMPONENT_SECRET).await?;
            ask_much(&mut romeo, 10).await?;
            if stays {
                clock::pass(limits::COMPONENT_STALL + clock::STEP).await;
            } else {
                drop(shop);
            }
            for _ in 0..8 {
                romeo.expect("what was in the queue", |e| is_error(e, "remote-server-timeout")).await?;
            }
            // One who stays has a moment to take the rest.
            clock::settle().await;
            clock::pass(FAREWELL).await;
            romeo.expect("what was half written", |e| is_error(e, "remote-server-timeout")).await?;
            romeo.sync().await?;
            assert_eq!(errors(&mut romeo, "remote-server-timeout"), 0, "stays: {stays}");
        }
        Ok(())
    });
}

#[test]
fn one_who_does_not_say_its_secret_does_not_stay() {
    run(async {
        let server = common::server(&[("component", "shop.localhost")]).await?;
        let quiet = server.connect_component();
        clock::settle().await;
        clock::pass(limits::NEGOTIATION).await;
        let said = common::read_to_end(quiet).await?;
        assert!(common::ends_with(&said, "connection-timeout"), "{said}");
        Ok(())
    });
}
