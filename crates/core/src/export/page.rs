//! The pages for people: `index.html`, and one for each conversation. They need nothing from anywhere, run no scripts, and
//! are named by numbers alone, as an address may hold what a file system takes for something else.

use super::files::{Kept, Shelf};
use super::ours::service;
use super::{Export, SLICE, account, last};
use crate::env::stamp;
use crate::xep::upload::people;
use rookery_proto::Useq;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_proto::xml::Xml;
use rookery_store::{Direction, Entry, Flags, Result, RosterItem, Timestamp};
use std::collections::HashMap;

/// No `>` in it: it is written as text, which browsers do not read as such in a style.
const STYLE: &str = "body{font:1em/1.5 system-ui,sans-serif;max-width:44em;margin:2em auto;padding:0 1em;color:#222;\
                     background:#fff}p{margin:.4em 0;padding:.3em .7em;border-radius:.5em;background:#eee;\
                     white-space:pre-wrap;overflow-wrap:anywhere}p.mine{background:#dce9fb;margin-left:3em}\
                     p.theirs{margin-right:3em}time{color:#666;font-size:.8em}td{padding-right:1.5em}\
                     @media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}p{background:#2a2a2a}\
                     p.mine{background:#1d3250}time{color:#999}a{color:#8ab4f8}}";

/// A conversation as the index lists it.
struct Chapter {
    /// Its page.
    file: String,
    name: String,
    messages: u64,
    until: Timestamp,
}

impl Export<'_> {
    /// Writes the pages, the index last: then it is known what there is.
    pub(super) async fn pages(&self, shelf: &Shelf) -> Result<()> {
        let uid = self.order.account.uid;
        let contacts = self.store.roster(uid).await?.items;
        let names: HashMap<&BareJid, &str> =
            contacts.iter().filter_map(|item| Some((&item.jid, item.name.as_deref()?))).collect();
        let mut index = self.head(self.address.as_str());
        self.about(&mut index, &contacts).await?;
        files(&mut index, shelf);
        index.text_element("h2", "Conversations").open("table");
        let (mut after, mut number) = (None, 0);
        loop {
            let peers = self.store.peers(uid, after.take(), SLICE).await?;
            for peer in &peers {
                number += 1;
                let name = match names.get(peer) {
                    Some(name) => format!("{name} ({peer})"),
                    None => peer.to_string(),
                };
                let chapter = self.conversation(peer, name, number, shelf).await?;
                list(&mut index, &chapter);
            }
            let Some(end) = peers.last() else { break };
            after = Some(end.clone());
        }
        if number == 0 {
            index.open("tr").text_element("td", "There are none.").close();
        }
        self.file("index.html").await?;
        self.put(index.into_vec()).await
    }

    /// The page of one conversation.
    async fn conversation(
        &self,
        peer: &BareJid,
        name: String,
        number: u64,
        shelf: &Shelf,
    ) -> Result<Chapter> {
        let file = format!("conversations/{number}.html");
        self.file(file.clone()).await?;
        let mut chapter = Chapter { file, name, messages: 0, until: Timestamp(0) };
        let mut x = self.head(&chapter.name);
        x.open("div").open("a").attr("href", "../index.html").text("All conversations").close().close();
        // The page stays open: what follows is put after it, and its end at the end.
        let (mut after, mut day) = (Useq(0), String::new());
        self.put(x.into_start_tag()).await?;
        loop {
            let entries = self.store.events_with(self.order.account.uid, peer, after, SLICE).await?;
            let Some(end) = last(&entries) else { break };
            let mut x = Xml::new();
            for entry in &entries {
                let Some(line) = self.line(entry) else { continue };
                let at = stamp(entry.at);
                if at.get(..10) != Some(day.as_str()) {
                    day = at.get(..10).unwrap_or(&at).to_owned();
                    x.raw(b"\n").text_element("h2", &day);
                }
                x.raw(b"\n");
                line.write(&mut x, &at, shelf.named(&entry.stanza));
                chapter.messages += 1;
                chapter.until = entry.at;
            }
            self.put(x.into_vec()).await?;
            self.progress.add(entries.len());
            after = end;
        }
        self.put(b"\n</body></html>\n".to_vec()).await?;
        Ok(chapter)
    }

    /// A message as a line of its page; nothing for one that nobody reads, such as a receipt.
    fn line(&self, entry: &Entry) -> Option<Line> {
        let told = |text: &str| Some(text.to_owned());
        let stanza = Stanza::parse(&entry.stanza).ok();
        let child = |name| {
            let child = stanza.as_ref()?.child(ns::CLIENT, name)?;
            Some(child.text().into_owned()).filter(|text| !text.trim().is_empty())
        };
        let (text, said) = match (child("subject"), child("body")) {
            _ if entry.flags.has(Flags::RETRACTED) => (told("Taken back by who sent it."), false),
            _ if entry.flags.has(Flags::ENCRYPTED) => {
                (told("Encrypted: only your devices can read it."), false)
            }
            (Some(subject), Some(body)) => (Some(format!("{subject}\n{body}")), true),
            (subject, body) => (body.or(subject), true),
        };
        // In a group who speaks is the resource; a note to oneself comes in, and is one's own.
        let room = entry.flags.has(Flags::GROUP);
        let mine = entry.direction == Direction::Out || entry.peer == self.address;
        let who = match &entry.peer_resource {
            _ if mine => self.address.to_string(),
            Some(nick) if room => nick.to_string(),
            _ => entry.peer.to_string(),
        };
        Some(Line { mine, who, text: text?, said })
    }

    /// The beginning of a page, as far as its content.
    fn head(&self, title: &str) -> Xml {
        let mut x = Xml::new();
        x.raw(b"<!DOCTYPE html>\n").open("html").attr("lang", "en").open("head");
        x.open("meta").attr("charset", "utf-8").close();
        x.open("meta").attr("http-equiv", "Content-Security-Policy");
        x.attr("content", "default-src 'none'; style-src 'unsafe-inline'").close();
        x.open("meta").attr("name", "viewport").attr("content", "width=device-width").close();
        x.text_element("title", title).text_element("style", STYLE).close();
        x.open("body").open("h1").attr("dir", "auto").text(title).close();
        x
    }

    /// Who this is, who the contacts are, and what else is in the archive.
    async fn about(&self, x: &mut Xml, contacts: &[RosterItem]) -> Result<()> {
        let account = &self.order.account;
        x.open("table");
        row(x, "Number", &account.uid.to_string());
        row(x, "Nickname", account.nick.as_deref().unwrap_or_default());
        row(x, "Account made", &moment(account.created));
        row(x, "This copy made", &moment(self.order.at));
        x.close();
        x.open("div")
            .text("All times are in UTC. ")
            .open("a")
            .attr("href", account::FILE)
            .text(account::FILE)
            .close();
        x.text(" has the same for programs, and besides it settings, cards and pictures: other servers can read it.");
        x.close();
        if !contacts.is_empty() {
            x.text_element("h2", "Contacts").open("table");
            for item in contacts {
                row(x, item.jid.as_str(), item.name.as_deref().unwrap_or_default());
            }
            x.close();
        }
        let blocked = self.store.blocklist(account.uid).await?;
        if !blocked.is_empty() {
            x.text_element("h2", "Blocked").open("table");
            blocked.iter().for_each(|jid| row(x, jid, ""));
            x.close();
        }
        let devices = self.store.devices(account.uid).await?;
        if !devices.is_empty() {
            x.text_element("h2", "Devices").open("table");
            for device in devices {
                let name =
                    [device.software, device.name].into_iter().flatten().collect::<Vec<_>>().join(", ");
                row(x, &name, &format!("last seen {}", moment(device.last_seen)));
            }
            x.close();
        }
        let (pushes, _) = self.store.pushes(account.uid).await?;
        if !pushes.is_empty() {
            x.text_element("h2", "Told of messages while they are away").open("table");
            for push in &pushes {
                let name = format!("{}, over {}", push.by.resource, service(push));
                row(x, &name, &format!("since {}", moment(push.at)));
            }
            x.close();
        }
        Ok(())
    }
}

/// A message for people.
struct Line {
    /// Whether the owner wrote it.
    mine: bool,
    /// Who did.
    who: String,
    /// What it says.
    text: String,
    /// Whether these are the writer's words.
    said: bool,
}

impl Line {
    fn write<'a>(&self, x: &mut Xml, at: &str, files: impl Iterator<Item = &'a Kept>) {
        x.open("p").attr("class", if self.mine { "mine" } else { "theirs" });
        x.open("time").text(at.get(11..16).unwrap_or(at)).close().text(" ");
        x.open("b").attr("dir", "auto").text(&self.who).close().text("\n");
        // What is written from right to left turns nothing around it.
        x.open(if self.said { "bdi" } else { "i" }).text(&self.text).close();
        for file in files {
            x.text("\n");
            link(x, &format!("../{}", file.link()), file.name());
        }
        x.close();
    }
}

fn link(x: &mut Xml, to: &str, name: &str) {
    x.open("a")
        .attr("href", to)
        .attr("dir", "auto")
        .text(if name.trim().is_empty() { "–" } else { name })
        .close();
}

/// The files that were uploaded, each with a way to it.
fn files(x: &mut Xml, shelf: &Shelf) {
    if shelf.files().is_empty() {
        return;
    }
    x.text_element("h2", "Files").open("table");
    for file in shelf.files() {
        x.raw(b"\n").open("tr").open("td");
        link(x, &file.link(), file.name());
        x.close().text_element("td", &people(file.upload.size));
        x.text_element("td", &moment(file.upload.at)).close();
    }
    x.close();
}

fn moment(at: Timestamp) -> String {
    stamp(at).get(..16).unwrap_or_default().replace('T', " ")
}

/// A row of a table; HTML has no empty elements of the short form, so an empty cell has a dash.
fn row(x: &mut Xml, one: &str, other: &str) {
    let cell = |text: &str| if text.trim().is_empty() { "–".to_owned() } else { text.to_owned() };
    x.raw(b"\n").open("tr");
    x.open("td").attr("dir", "auto").text(&cell(one)).close();
    x.open("td").attr("dir", "auto").text(&cell(other)).close().close();
}

fn list(x: &mut Xml, chapter: &Chapter) {
    x.raw(b"\n").open("tr").open("td").attr("dir", "auto");
    x.open("a").attr("href", &chapter.file).text(&chapter.name).close().close();
    x.text_element(
        "td",
        &match chapter.messages {
            1 => "1 message".to_owned(),
            n => format!("{n} messages"),
        },
    );
    let until = if chapter.messages > 0 { stamp(chapter.until) } else { "–".to_owned() };
    x.text_element("td", until.get(..10).unwrap_or(&until)).close();
}
