//! Invitations, shown by strangers: tokens that are guessed, pages of other sites, forms that are none, nicks that are markup.

use anyhow::{Context, Result, ensure};
use rookery_testkit::client::Client;
use rookery_testkit::server::TestServer;

use crate::common::{address, answer, run, server};

/// The answer to a request from one host of many.
async fn ask(server: &TestServer, from: u8, request: &str) -> Result<String> {
    answer(server.connect_http_from(address(from), false), request.as_bytes()).await
}

fn get(token: &str) -> String {
    format!("GET /invite/{token} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

fn post(token: &str, headers: &str, body: &str) -> String {
    format!(
        "POST /invite/{token} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// The header of our own page.
const OWN: &str = "Origin: https://localhost\r\n";

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

async fn invite(server: &TestServer, settings: &[(&str, &str)]) -> Result<String> {
    let settings: Vec<_> =
        settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    server.invite(&settings).await
}

#[test]
fn a_page_invites_signs_up_and_is_over() {
    run(async {
        let server = server(&[("registration", "invite")]).await?;
        let token = invite(&server, &[("for", "romeo"), ("contact", "yes")]).await?;
        let page = ask(&server, 1, &get(&token)).await?;
        ensure!(status(&page) == "200", "{page}");
        let (head, body) = page.split_once("\r\n\r\n").context("a page has a head")?;
        let head = head.to_lowercase();
        for header in [
            "content-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
            "x-robots-tag: noindex, nofollow",
            "referrer-policy: same-origin",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
        ] {
            ensure!(head.contains(header), "{header} is not in {head}");
        }
        ensure!(body.contains("romeo@localhost invites you to localhost"), "{body}");
        ensure!(
            body.contains(&format!("href='xmpp:romeo@localhost?roster;preauth={token};ibr=y'")),
            "{body}"
        );
        ensure!(
            body.contains("<svg ") && body.contains("<form method='post'") && !body.contains("<script"),
            "{body}"
        );

        let form = "nick=Paris&name=paris&password=secret";
        let done = ask(&server, 1, &post(&token, OWN, form)).await?;
        ensure!(status(&done) == "200" && done.contains("<b>paris@localhost</b>"), "{done}");
        ensure!(done.contains("<b>10003</b>"), "the card has the number: {done}");
        let mut paris = Client::new(server.connect(), "localhost");
        paris.sign_in("paris", "secret", "street").await?;
        let paris = server.core().accounts.find("paris").await?;
        let contacts = server.core().store.contacts(paris.uid).await?;
        ensure!(contacts.len() == 1 && contacts[0].0.as_str() == "romeo@localhost", "{contacts:?}");

        ensure!(status(&ask(&server, 1, &get(&token)).await?) == "404", "it was for one person");
        ensure!(status(&ask(&server, 1, &post(&token, OWN, form)).await?) == "404");
        Ok(())
    });
}

#[test]
fn only_its_own_page_fills_in_the_form() {
    run(async {
        let server = server(&[("registration", "open")]).await?;
        let token = invite(&server, &[("uses", "9")]).await?;
        for headers in [
            "Origin: https://evil.test\r\n",
            "Origin: null\r\n",
            "Origin: https://localhost\r\nOrigin: https://evil.test\r\n",
            "Sec-Fetch-Site: cross-site\r\n",
        ] {
            let refused = ask(&server, 1, &post(&token, headers, "password=secret")).await?;
            ensure!(status(&refused) == "403", "{headers}: {refused}");
        }
        ensure!(server.core().store.account_count().await? == 2, "nobody was signed up");
        Ok(())
    });
}

#[test]
fn forms_that_are_none() {
    run(async {
        let server = server(&[("registration", "invite")]).await?;
        let token = invite(&server, &[("uses", "9")]).await?;
        let long = format!("nick={}", "x".repeat(9_000));
        for (from, body, expected) in [
            (1, "", "422"),
            (1, "nick=Paris&password=", "422"),
            (1, "nick=%ff&password=secret", "400"),
            (1, long.as_str(), "413"),
            (2, "name=romeo&password=secret", "409"),
            (2, "name=a%20b&password=secret", "422"),
            (2, "name=10001&password=secret", "422"),
            (3, "nick=a%01b&password=secret", "422"),
            (3, "nick=a%0ab&password=secret", "422"),
            (3, "nick=%ef%bf%be&password=secret", "422"),
        ] {
            let refused = ask(&server, from, &post(&token, OWN, body)).await?;
            ensure!(status(&refused) == expected, "{body:.40}: {refused}");
        }
        ensure!(server.core().store.account_count().await? == 2, "nobody was signed up");
        Ok(())
    });
}

#[test]
fn markup_is_shown_and_not_run() {
    run(async {
        let server = server(&[("registration", "invite")]).await?;
        let token = invite(&server, &[("uses", "2")]).await?;
        let nick = "%3Cscript%3Ealert(1)%3C/script%3E%22'%26";
        let done =
            ask(&server, 1, &post(&token, OWN, &format!("nick={nick}&name=paris&password=secret"))).await?;
        ensure!(status(&done) == "200" && !done.contains("<script"), "{done}");
        ensure!(done.contains("&lt;script"), "{done}");
        let token = invite(&server, &[("for", "paris"), ("contact", "yes")]).await?;
        let page = ask(&server, 1, &get(&token)).await?;
        ensure!(page.contains("&lt;script") && !page.contains("<script"), "{page}");
        for path in ["%3Cscript%3E", "%22onload=%22", "..%2f..%2fetc"] {
            let page = ask(&server, 2, &get(path)).await?;
            ensure!(
                status(&page) == "404" && !page.contains("<script") && !page.contains("onload"),
                "{page}"
            );
        }
        Ok(())
    });
}

#[test]
fn tokens_are_not_guessed_one_after_the_other() {
    run(async {
        let server = server(&[("registration", "invite")]).await?;
        let token = invite(&server, &[]).await?;
        for guess in 0..30 {
            let page = ask(&server, 1, &get(&format!("guess{guess}"))).await?;
            ensure!(status(&page) == "404", "{page}");
        }
        ensure!(status(&ask(&server, 1, &get(&token)).await?) == "429", "also with the right one");
        // The same in a client of the same host; another host is not slower for it.
        let mut client = Client::new(server.connect_from(address(1), false), "localhost");
        client.open_for_features().await?;
        let iq = format!(
            "<iq type='set' id='p' to='localhost'><preauth xmlns='urn:xmpp:pars:0' token='{token}'/></iq>"
        );
        client.send_raw(&iq).await?;
        let refused = String::from(&client.recv().await?);
        ensure!(refused.contains("resource-constraint"), "{refused}");
        ensure!(status(&ask(&server, 2, &get(&token)).await?) == "200");
        Ok(())
    });
}
