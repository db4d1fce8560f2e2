//! Letters that tell of messages: one for all that waits, by which one comes in once, answers, or gets no more of them; and nobody
//! else does.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mail_parser::MessageParser;
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rookery_store::{Plan, Rule, Urgency, Way};
use rookery_testkit::client::Client;
use rookery_testkit::client::files::{Answered, request};
use rookery_testkit::clock;
use rookery_testkit::server::{PUBLIC_URL, TestServer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::common::{PASSWORD, address, available, bound, run, server};
use crate::recovery::prove;

const JULIET: Uid = Uid(10_002);
const MAILBOX: &str = "juliet@verona.example";
const OWN: &str = "Origin: http://localhost\r\nContent-Type: application/json\r\n";
const AFTER: Duration = Duration::from_secs(600);

/// A server whose juliet is told by mail, after ten minutes, of what romeo and the nurse write.
async fn reached() -> Result<TestServer> {
    let server = server(&[("mail", "on"), ("reach", "mail")]).await?;
    server.create_account("nurse", PASSWORD).await?;
    prove(&server, JULIET, MAILBOX).await?;
    // The code goes out first.
    server.core().reaching.notify_one();
    server.smarthost.take().await?;
    let rule = Rule {
        way: Way::Mail,
        address: MAILBOX.into(),
        after: AFTER.as_secs() as u32,
        unread: false,
        least: Urgency::Normal,
        hours: None,
    };
    let allowed = ["nurse@localhost", "romeo@localhost"].map(|jid| BareJid::new(jid).expect("an address"));
    let plan = Plan { active: true, rules: vec![rule], allowed: allowed.to_vec(), ..Plan::default() };
    server.core().set_reach_plan(JULIET, plan).await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(server)
}

async fn writes(client: &mut Client, text: &str) -> Result<()> {
    client
        .send_raw(&format!("<message to='juliet@localhost' type='chat'><body>{text}</body></message>"))
        .await?;
    client.barrier().await.map(drop)
}

async fn passes(server: &TestServer, time: Duration) {
    server.let_the_store_work().await;
    clock::pass(time).await;
    server.let_the_store_work().await;
}

/// A letter: what stands in these fields, and its text.
struct Letter {
    raw: String,
    text: String,
}

impl Letter {
    fn field(&self, name: &str) -> Option<String> {
        let head = self.raw.split_once("\r\n\r\n")?.0.replace("\r\n ", " ").replace("\r\n\t", " ");
        let line =
            head.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()));
        line.map(|line| line.rsplit('<').next().unwrap_or_default().trim_end_matches('>').to_owned())
    }

    /// What the link of it says, that lets in once.
    fn ticket(&self) -> Result<&str> {
        let (_, after) = self.text.split_once("/#/enter/").context("no link")?;
        after.split_whitespace().next().context("no ticket")
    }

    fn answer_to(&self) -> Result<String> {
        self.field("Reply-To").context("no address")
    }
}

async fn letter(server: &TestServer) -> Result<Letter> {
    let (recipient, raw) = server.smarthost.take().await?;
    assert_eq!(recipient, MAILBOX);
    let read = MessageParser::default().parse(raw.as_bytes()).context("no mail")?;
    let text = read.body_text(0).context("no text")?.replace("\r\n", "\n");
    Ok(Letter { raw, text })
}

/// The letter about one message of romeo's.
async fn told(server: &TestServer, romeo: &mut Client) -> Result<Letter> {
    writes(romeo, "come").await?;
    passes(server, AFTER).await;
    letter(server).await
}

async fn post(server: &TestServer, path: &str, headers: &str, body: &str) -> Result<Answered> {
    let connection = server.connect_http_from(address(9), false);
    request(connection, "POST", path, headers, body.as_bytes()).await
}

/// Comes in by a ticket, on a device that is nobody's own.
async fn enter(server: &TestServer, ticket: &str) -> Result<Answered> {
    let asked = format!(r#"{{"ticket":"{ticket}","software":"Rookery","device":"Here","public":true}}"#);
    post(server, "/account/enter", OWN, &asked).await
}

/// The last answers of a server to which these lines are said, one after the other, and then a mail.
async fn mails(server: &TestServer, lines: &[&str], mail: &str) -> Result<Vec<String>> {
    let mut line = BufReader::new(server.connect_mail_from(address(3)).context("no place")?);
    let mut heard = Vec::new();
    let mut greeting = String::new();
    line.read_line(&mut greeting).await?;
    let all = ["HELO mx.verona.example"].iter().chain(lines).copied();
    for say in all {
        line.write_all(format!("{say}\r\n").as_bytes()).await?;
        let mut answer = String::new();
        line.read_line(&mut answer).await?;
        heard.push(answer.trim_end().to_owned());
    }
    if lines.contains(&"DATA") && heard.last().is_some_and(|last| last.starts_with("354")) {
        line.write_all(format!("{mail}\r\n.\r\n").as_bytes()).await?;
        let mut answer = String::new();
        line.read_line(&mut answer).await?;
        heard.push(answer.trim_end().to_owned());
    }
    Ok(heard)
}

async fn answers(server: &TestServer, to: &str, from: &str, mail: &str) -> Result<String> {
    let lines = [format!("MAIL FROM:<{from}>"), format!("RCPT TO:<{to}>"), "DATA".to_owned()];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let heard = mails(server, &lines, mail).await?;
    let refused = heard.iter().find(|answer| answer.starts_with('5')).cloned();
    refused.or_else(|| heard.last().cloned()).context("nothing was heard")
}

#[test]
fn what_waits_goes_in_one_letter() {
    run(async {
        let server = reached().await?;
        let mut romeo = bound(&server, "romeo", "phone").await?;
        let mut nurse = bound(&server, "nurse", "phone").await?;
        writes(&mut romeo, "come").await?;
        passes(&server, AFTER / 2).await;
        writes(&mut nurse, "sleep &lt;well>").await?;
        passes(&server, AFTER / 2).await;
        let both = letter(&server).await?;
        ensure!(both.raw.contains("Subject: 2 conversations wait for you at localhost"), "{}", both.raw);
        ensure!(both.text.contains("romeo@localhost\n\n- come\n"), "{}", both.text);
        ensure!(both.text.contains("nurse@localhost\n\n- sleep <well>\n"), "{}", both.text);
        assert_eq!(both.field("Reply-To"), None, "nobody knows which conversation an answer would be for");
        passes(&server, AFTER * 3).await;
        ensure!(server.smarthost.is_quiet(), "it was told twice");
        Ok(())
    });
}

#[test]
fn a_letter_lets_in_once() {
    run(async {
        let server = reached().await?;
        let mut romeo = bound(&server, "romeo", "phone").await?;
        let letter = told(&server, &mut romeo).await?;
        let ticket = letter.ticket()?;
        for wrong in [
            "",
            "1",
            "1-",
            "1-aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "99-aaaa",
            "-",
            "x-y",
            &ticket[..ticket.len() - 1],
        ] {
            assert_eq!(enter(&server, wrong).await?.status, 404, "{wrong}");
        }
        // Who is signed in only asks what it is about, and uses nothing up.
        let look = format!(r#"{{"ticket":"{ticket}"}}"#);
        let answer = post(&server, "/account/enter", OWN, &look).await?;
        let said = String::from_utf8(answer.body)?;
        assert_eq!(said, r#"{"address":"juliet@localhost","peer":"romeo@localhost"}"#);
        let wrong = post(&server, "/account/enter", OWN, r#"{"ticket":"99-aaaa"}"#).await?;
        assert_eq!(wrong.status, 404);
        let answer = enter(&server, ticket).await?;
        let said = String::from_utf8(answer.body)?;
        ensure!(answer.status == 200 && said.contains(r#""peer":"romeo@localhost""#), "{said}");
        ensure!(said.contains(r#""address":"juliet@localhost""#), "{said}");
        for spelt in [ticket.to_owned(), format!("0{ticket}"), format!("+{ticket}"), ticket.to_uppercase()] {
            assert_eq!(enter(&server, &spelt).await?.status, 404, "{spelt}");
        }
        // Another letter's, after the password was changed, and after its time.
        let other = told(&server, &mut romeo).await?;
        clock::pass(Duration::from_secs(12 * 3_600)).await;
        assert_eq!(enter(&server, other.ticket()?).await?.status, 404);
        Ok(())
    });
}

#[test]
fn a_new_password_ends_what_letters_are_good_for() {
    run(async {
        let server = reached().await?;
        let mut romeo = bound(&server, "romeo", "phone").await?;
        let letter = told(&server, &mut romeo).await?;
        server.core().set_password(JULIET, "another".into()).await?;
        assert_eq!(enter(&server, letter.ticket()?).await?.status, 404);
        let to = letter.answer_to()?;
        let heard = answers(&server, &to, MAILBOX, "From: juliet@verona.example\r\n\r\nYes").await?;
        ensure!(heard.starts_with("550 5.1.1"), "{heard}");
        Ok(())
    });
}

#[test]
fn who_administers_comes_in_by_the_password() {
    run(async {
        let server = reached().await?;
        server.make_administrator("juliet").await?;
        let mut romeo = bound(&server, "romeo", "phone").await?;
        let letter = told(&server, &mut romeo).await?;
        ensure!(!letter.text.contains("/#/enter/"), "{}", letter.text);
        Ok(())
    });
}

#[test]
fn an_answer_is_in_the_conversation() {
    run(async {
        let server = reached().await?;
        let mut romeo = available(&server, "romeo", "phone").await?;
        let letter = told(&server, &mut romeo).await?;
        let to = letter.answer_to()?;
        let mail = "From: Juliet <Juliet@verona.example>\r\nSubject: Re: A message\r\n\r\nAt eight.\r\n\r\n\
                    On Monday, localhost wrote:\r\n> come\r\n";
        let heard = answers(&server, &to, MAILBOX, mail).await?;
        ensure!(heard.starts_with("250 2.0.0"), "{heard}");
        // A server that did not hear it sends the same again.
        let heard = answers(&server, &to, MAILBOX, mail).await?;
        ensure!(heard.starts_with("250 2.0.0"), "{heard}");
        let said = format!("{:?}", romeo.barrier().await?);
        assert_eq!(said.matches("At eight.").count(), 1, "{said}");
        ensure!(!said.contains("wrote"), "{said}");
        Ok(())
    });
}

#[test]
fn a_word_is_an_answer() {
    run(async {
        let server = reached().await?;
        let mut romeo = available(&server, "romeo", "phone").await?;
        let letter = told(&server, &mut romeo).await?;
        let to = letter.answer_to()?;
        let heard = answers(&server, &to, MAILBOX, "From: juliet@verona.example\r\n\r\nOk").await?;
        ensure!(heard.starts_with("250 2.0.0"), "{heard}");
        let said = format!("{:?}", romeo.barrier().await?);
        ensure!(said.contains(r#"Text("Ok")"#), "{said}");
        Ok(())
    });
}

/// Programs quote in many ways, and some as if it were one's own words.
#[test]
fn nobody_answers_with_the_way_in() {
    run(async {
        let server = reached().await?;
        let mut romeo = available(&server, "romeo", "phone").await?;
        let letter = told(&server, &mut romeo).await?;
        let to = letter.answer_to()?;
        let quoted = letter.text.replace('\n', "\r\n");
        let mail =
            format!("From: juliet@verona.example\r\n\r\nAt eight.\r\n\r\nVon: localhost\r\n\r\n{quoted}");
        let heard = answers(&server, &to, MAILBOX, &mail).await?;
        ensure!(heard.starts_with("250 2.0.0"), "{heard}");
        let said = format!("{:?}", romeo.barrier().await?);
        ensure!(said.contains("At eight."), "{said}");
        for secret in ["/#/enter/", "/account/stop/", "reply+"] {
            ensure!(letter.raw.contains(secret) && !said.contains(secret), "{secret} in {said}");
        }
        Ok(())
    });
}

#[test]
fn a_mailbox_that_was_given_up_is_nobodys() {
    run(async {
        let server = reached().await?;
        let mut romeo = bound(&server, "romeo", "phone").await?;
        let letter = told(&server, &mut romeo).await?;
        let (store, now) = (&server.core().store, server.core().env.now());
        // What was not sent yet is not sent any more.
        writes(&mut romeo, "still there?").await?;
        passes(&server, AFTER).await;
        drop(server.smarthost.called().await.context("nobody calls")?);
        server.let_the_store_work().await;
        ensure!(store.remove_reach_address(JULIET, Way::Mail, MAILBOX.into(), now).await?, "it is not known");
        passes(&server, AFTER * 6).await;
        ensure!(server.smarthost.is_quiet(), "there is another letter");
        assert_eq!(enter(&server, letter.ticket()?).await?.status, 404);
        let to = letter.answer_to()?;
        let heard = answers(&server, &to, MAILBOX, "From: juliet@verona.example\r\n\r\nYes").await?;
        ensure!(heard.starts_with("550 5.1.1"), "{heard}");
        Ok(())
    });
}

#[test]
fn answers_of_others_are_refused() {
    run(async {
        let server = reached().await?;
        let mut romeo = available(&server, "romeo", "phone").await?;
        let letter = told(&server, &mut romeo).await?;
        let to = letter.answer_to()?;
        let good = "From: juliet@verona.example\r\n\r\nYes";
        for (from, head, code) in [
            ("thief@verona.example", "From: thief@verona.example\r\n\r\nYes", "550 5.7.1"),
            ("", good, "550 5.1.1"),
            (
                MAILBOX,
                "From: juliet@verona.example\r\nAuto-Submitted: auto-replied\r\n\r\nI am away",
                "550 5.7.1",
            ),
            (MAILBOX, "From: juliet@verona.example\r\n\r\n> come\r\n", "550 5.6.0"),
        ] {
            let heard = answers(&server, &to, from, head).await?;
            ensure!(heard.starts_with(code), "{head}: {heard}");
        }
        for to in ["reply+1-aaaa@localhost", "reply+@localhost", "reply@localhost", "no-reply@localhost"] {
            let heard = answers(&server, to, MAILBOX, good).await?;
            ensure!(heard.starts_with("550 5.1.1"), "{to}: {heard}");
        }
        let (rcpt, other) = (format!("RCPT TO:<{to}>"), "RCPT TO:<romeo@localhost>");
        let from = format!("MAIL FROM:<{MAILBOX}>");
        for pair in [[rcpt.as_str(), other], [other, rcpt.as_str()]] {
            let heard = mails(&server, &[&from, pair[0], pair[1]], "").await?;
            ensure!(heard[2].starts_with("250") && heard[3].starts_with("452 4.5.3"), "{heard:?}");
        }
        let said = format!("{:?}", romeo.barrier().await?);
        ensure!(!said.contains("Yes") && !said.contains("I am away"), "{said}");
        // In one step: nothing has to happen in between.
        tokio::time::advance(Duration::from_secs(14 * 86_400)).await;
        let heard = answers(&server, &to, MAILBOX, good).await?;
        ensure!(heard.starts_with("550 5.1.1"), "{heard}");
        Ok(())
    });
}

#[test]
fn one_click_and_there_are_no_more() {
    run(async {
        let server = reached().await?;
        let mut romeo = bound(&server, "romeo", "phone").await?;
        let letter = told(&server, &mut romeo).await?;
        assert_eq!(letter.field("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
        let stop = letter.field("List-Unsubscribe").context("no address")?;
        let path = stop.strip_prefix(PUBLIC_URL).context("no path")?;
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        // Who only looks changes nothing.
        let looked = request(server.connect_http_from(address(9), false), "GET", path, "", b"").await?;
        ensure!(looked.status == 200 && String::from_utf8(looked.body)?.contains("<form"), "no button");
        assert_eq!(server.core().store.reach_plan(JULIET).await?.map(|plan| plan.rules.len()), Some(1));
        let (wrong, _) = path.split_at(path.len() - 1);
        assert_eq!(post(&server, wrong, form, "List-Unsubscribe=One-Click").await?.status, 404);
        for _ in 0..2 {
            assert_eq!(post(&server, path, form, "List-Unsubscribe=One-Click").await?.status, 200);
        }
        assert_eq!(server.core().store.reach_plan(JULIET).await?.map(|plan| plan.rules.len()), Some(0));
        writes(&mut romeo, "still there?").await?;
        passes(&server, AFTER * 2).await;
        ensure!(server.smarthost.is_quiet(), "there is another letter");
        Ok(())
    });
}
