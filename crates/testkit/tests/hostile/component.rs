//! Components that do not read: what waits for them is bounded, its senders are told, and at last they are cut off.

use anyhow::ensure;
use rookery_core::limits;
use rookery_testkit::client::{Client, Incoming};
use rookery_testkit::clock;
use rookery_testkit::server::COMPONENT_SECRET;

use crate::common::{self, bound, run};

/// Errors with this condition among what has come.
fn errors(client: &mut Client, condition: &str) -> usize {
    let is_it = |incoming: &Incoming| {
        let Incoming::Element(element) = incoming else { return false };
        let error = element.get_child("error", "jabber:client");
        error.is_some_and(|error| error.children().any(|child| child.name() == condition))
    };
    client.inbox().iter().filter(|incoming| is_it(incoming)).count()
}

#[test]
fn a_component_that_does_not_read_is_cut_off_and_its_senders_are_told() {
    run(async {
        let server = common::server(&[("component", "shop.localhost")]).await?;
        let mut shop = Client::component(server.connect_component(), "localhost", "shop.localhost");
        shop.handshake(COMPONENT_SECRET).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        let filling = "x".repeat(60 << 10);
        let sent = 2 * limits::COMPONENT_QUEUE_BYTES / filling.len();
        for n in 0..sent {
            let xml =
                format!("<iq to='shop.localhost' type='set' id='q{n}'><x xmlns='urn:x'>{filling}</x></iq>");
            romeo.send_raw(&xml).await?;
        }
        romeo.sync().await?;
        let refused = errors(&mut romeo, "resource-constraint");
        let waiting = sent - refused;
        ensure!(refused > 0, "everything was taken");
        let most = limits::COMPONENT_QUEUE_BYTES / filling.len() + 6;
        ensure!(waiting <= most, "{waiting} of {sent} wait in memory");

        clock::pass(limits::COMPONENT_STALL + limits::IDLE_GRACE).await;
        romeo.sync().await?;
        let bounced = errors(&mut romeo, "remote-server-timeout");
        ensure!(bounced > 0 && bounced <= waiting, "{bounced} of {waiting} came back");
        ensure!(!server.core().components.of("shop.localhost").is_some_and(|c| c.is_connected()));

        let xml = "<iq to='shop.localhost' type='get' id='last'><ping xmlns='urn:xmpp:ping'/></iq>";
        romeo.send_raw(xml).await?;
        romeo.sync().await?;
        assert_eq!(errors(&mut romeo, "service-unavailable"), 1);
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
