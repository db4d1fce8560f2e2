//! More waits for an account than fits into one answer (XEP-0013).

use anyhow::{Context, Result};
use rookery_core::limits;
use rookery_testkit::client::Client;

use crate::common::{self, bound, run};

const OFFLINE: &str = "http://jabber.org/protocol/offline";

fn headers(window: &str) -> String {
    format!("<query xmlns='http://jabber.org/protocol/disco#items' node='{OFFLINE}'>{window}</query>")
}

/// The names of the messages in one answer.
async fn names(client: &mut Client, window: &str) -> Result<Vec<String>> {
    let answer = client.iq("get", None, &headers(window)).await?;
    let query = answer.children().next().context("an empty answer")?;
    let items = query.children().filter(|child| child.name() == "item");
    Ok(items.filter_map(|item| item.attr("node").map(str::to_owned)).collect())
}

fn asks(action: &str, names: &[String]) -> String {
    let item = |name: &String| format!("<item action='{action}' node='{name}'/>");
    format!("<offline xmlns='{OFFLINE}'>{}</offline>", names.iter().map(item).collect::<String>())
}

async fn refused(client: &mut Client, kind: &str, payload: &str) -> Result<String> {
    Ok(client.iq(kind, None, payload).await.err().context("it was done")?.to_string())
}

async fn send(client: &mut Client, count: usize, body: &str) -> Result<()> {
    for _ in 0..count {
        client.send_raw(&format!("<message to='juliet@localhost'><body>{body}</body></message>")).await?;
        client.barrier().await?;
    }
    Ok(())
}

#[test]
fn what_is_too_much_at_once_is_had_by_parts() {
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        let large = limits::ARCHIVE_PAGE_BYTES / 6;
        send(&mut romeo, 7, &"x".repeat(large)).await?;
        let mut juliet = bound(&server, "juliet", "balcony").await?;
        let fetch = format!("<offline xmlns='{OFFLINE}'><fetch/></offline>");
        assert!(refused(&mut juliet, "get", &fetch).await?.contains("policy-violation"));
        let all = names(&mut juliet, "").await?;
        assert_eq!(all.len(), 7);
        assert!(refused(&mut juliet, "get", &asks("view", &all)).await?.contains("policy-violation"));
        // Each is given once, however often it is named.
        let often = vec![all[0].clone(); 500];
        juliet.iq("get", None, &asks("view", &often)).await?;
        juliet.iq("get", None, &asks("view", &all[..5])).await?;
        let too_many = vec![all[0].clone(); limits::OWED + 1];
        assert!(refused(&mut juliet, "set", &asks("remove", &too_many)).await?.contains("policy-violation"));
        assert_eq!(names(&mut juliet, "").await?, all);
        Ok(())
    });
}

#[test]
fn headers_come_by_pages() {
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        send(&mut romeo, limits::OFFLINE_HEADERS + 2, "hi").await?;
        let mut juliet = bound(&server, "juliet", "balcony").await?;
        let page =
            names(&mut juliet, "<set xmlns='http://jabber.org/protocol/rsm'><max>9999</max></set>").await?;
        assert_eq!(page.len(), limits::OFFLINE_HEADERS);
        let last = page.last().context("nothing waits")?;
        let rest = format!("<set xmlns='http://jabber.org/protocol/rsm'><after>{last}</after></set>");
        assert_eq!(names(&mut juliet, &rest).await?.len(), 2);
        juliet.iq("set", None, &asks("remove", &page)).await?;
        assert_eq!(names(&mut juliet, "").await?.len(), 2);
        juliet.iq("set", None, &format!("<offline xmlns='{OFFLINE}'><purge/></offline>")).await?;
        assert_eq!(names(&mut juliet, "").await?, [""; 0]);
        Ok(())
    });
}
