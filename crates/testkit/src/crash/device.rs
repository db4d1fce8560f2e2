//! One device: connects, resumes or begins anew and catches up, writes at random, and books what it sees.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use minidom::Element;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::audit::{self, BLOCKED, block_key, roster_key};
use super::dice::Dice;
use super::feed;
use super::history::{Account, Device, Label, Outcome, Via};
use super::journal::Journal;
use super::process::Server;
use super::upload;
use crate::client::{Archived, Client, Counters, Incoming, Misbehaviour, Resumption, bare};
use crate::dialogue::PASSWORD;
use crate::ns;

/// What all devices do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Write at random.
    Write,
    /// Write nothing more, and wait for what is due.
    Drain,
    /// Read what is still on its way, and end.
    Stop,
}

/// The longest pause between two things that a device writes.
const PAUSE: Duration = Duration::from_millis(60);
/// How many stanzas may wait for their acknowledgement before a device waits too.
const WINDOW: usize = 64;
/// How long signing in may take on a busy machine before the connection is given up.
const SIGNING_IN: Duration = Duration::from_secs(20);
/// How many values of each kind a device writes, over and over.
const VALUES: u64 = 4;

/// The one device that changes who is a member of the room: each value has one writer.
const DECIDES: Device = Device { account: audit::OWNER, index: 0 };

/// The task of one device.
pub(super) struct Actor {
    device: Device,
    accounts: usize,
    server: Server,
    dice: Dice,
    journal: Journal,
    phase: watch::Receiver<Phase>,
    /// The session to resume: its full JID and books.
    lost: Option<(String, Counters)>,
    /// The number of the session that is or was the last.
    session: u64,
    /// Messages that the last session did not get through.
    resend: VecDeque<String>,
    /// The newest message seen, where catching up begins.
    newest: Option<String>,
    /// The same in the room.
    newest_said: Option<String>,
    known: HashSet<String>,
    /// What each of the others said last, and its id.
    latest: BTreeMap<Account, (Label, String)>,
    caught_up: bool,
    /// Live messages that wait until the archive before them is read.
    held: Vec<(Element, Via)>,
    /// Sizes of the files that it has asked places for, by the number in the request's id.
    asked: Vec<u64>,
}

impl Actor {
    pub(super) fn new(
        device: Device,
        accounts: usize,
        server: Server,
        dice: Dice,
        journal: Journal,
        phase: watch::Receiver<Phase>,
    ) -> Actor {
        Actor {
            device,
            accounts,
            server,
            dice,
            journal,
            phase,
            lost: None,
            session: 0,
            resend: VecDeque::new(),
            newest: None,
            newest_said: None,
            known: HashSet::new(),
            latest: BTreeMap::new(),
            caught_up: false,
            held: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// Live until the run is over.
    pub(super) async fn live(mut self) {
        while *self.phase.borrow() != Phase::Stop {
            let connected = async {
                let mut client = self.server.connect().await?;
                client.open_for_features().await?;
                client.authenticate(&self.device.account.name(), PASSWORD).await?;
                anyhow::Ok(client)
            };
            match timeout(SIGNING_IN, connected).await {
                Ok(Ok(mut client)) => {
                    let outcome = self.converse(&mut client).await;
                    self.part(client, outcome);
                }
                // The server is down, or was killed meanwhile.
                Ok(Err(_)) | Err(_) => sleep(self.dice.up_to(Duration::from_millis(100))).await,
            }
        }
    }

    /// From authentication to the loss of the connection.
    async fn converse(&mut self, client: &mut Client) -> Result<()> {
        timeout(SIGNING_IN, self.begin(client)).await.context("no session in time")??;
        while let Some(xml) = self.resend.pop_front() {
            self.journal.open().tally.resent += 1;
            client.send_raw(&xml).await?;
        }
        client.request_ack().await?;
        let mut phase = self.phase.clone();
        loop {
            let now = *phase.borrow_and_update();
            if now == Phase::Stop {
                let rest = client.barrier().await?;
                return rest.into_iter().try_for_each(|incoming| self.take(incoming));
            }
            let pause = self.dice.up_to(PAUSE);
            tokio::select! {
                incoming = client.read() => {
                    self.take(incoming?)?;
                    client.answer_if_asked().await?;
                }
                () = sleep(pause), if now == Phase::Write => self.write_something(client).await?,
                () = sleep(PAUSE), if now == Phase::Drain => client.request_ack().await?,
                changed = phase.changed() => changed.context("the run is over")?,
            }
            self.confirm(client.take_confirmed());
            let waiting = client.counters().map_or(0, |counters| counters.unacknowledged.len());
            let mut journal = self.journal.open();
            journal.quiet = now == Phase::Drain && waiting == 0 && journal.uploads == 0;
        }
    }

    /// Resume, or bind anew and catch up.
    async fn begin(&mut self, client: &mut Client) -> Result<()> {
        if let Some((jid, counters)) = self.lost.take() {
            client.restore(&jid, counters);
            match client.resume().await? {
                Resumption::Resumed => {
                    self.journal.open().tally.resumptions += 1;
                    // XEP-0410: what became of the room meanwhile, a resumption does not tell.
                    let ping = format!("<ping xmlns='{}'/>", ns::PING);
                    if client.iq("get", Some(&self.occupant()), &ping).await.is_err() {
                        self.caught_up = false;
                        self.enter(client).await?;
                    }
                }
                Resumption::Failed(counters) => self.give_up(counters),
            }
        }
        if client.jid().is_none() {
            self.session += 1;
            self.caught_up = false;
            client.bind(Some(&format!("d{}", self.device.index))).await?;
            client.enable_sm().await?;
            self.journal.open().tally.binds += 1;
            client.enable_carbons().await?;
            client.send_raw("<presence/>").await?;
            self.enter(client).await?;
        }
        if !self.caught_up {
            self.catch_up(client).await?;
        }
        // What came while an answer was waited for is older than what is read next.
        let inbox = std::mem::take(client.inbox());
        inbox.into_iter().try_for_each(|incoming| self.take(incoming))
    }

    /// Into the room; what was said before comes out of its archive.
    async fn enter(&self, client: &mut Client) -> Result<()> {
        let x = format!("<x xmlns='{}'><history maxstanzas='0'/></x>", ns::MUC);
        client.send_raw(&format!("<presence to='{}'>{x}</presence>", self.occupant())).await
    }

    /// The device's address in the room.
    fn occupant(&self) -> String {
        format!("{}/{}-{}", Account::ROOM.jid(), self.device.account.0, self.device.index)
    }

    /// The session is lost: what the server does not know goes out again, but for writes, whose fate stays unknown.
    fn give_up(&mut self, mut counters: Counters) {
        self.journal.open().tally.failures += 1;
        self.confirm(counters.take_confirmed());
        put_before(&mut self.resend, counters.unacknowledged);
    }

    async fn catch_up(&mut self, client: &mut Client) -> Result<()> {
        for archived in client.archive(self.newest.as_deref()).await? {
            self.take_archived(&archived);
        }
        let room = Account::ROOM.jid();
        for archived in client.archive_of(Some(&room), self.newest_said.as_deref()).await? {
            if let Some(label) = audit::label(&archived) {
                self.see(label, Some(archived.id.clone()), Via::CatchUp, true);
            }
        }
        self.caught_up = true;
        for (message, via) in std::mem::take(&mut self.held) {
            self.take_message(&message, via);
        }
        Ok(())
    }

    /// The connection is over, for whatever reason. What was read counts as handled, so it must not be lost here.
    fn part(&mut self, mut client: Client, outcome: Result<()>) {
        self.journal.open().quiet = false;
        self.confirm(client.take_confirmed());
        let inbox = std::mem::take(client.inbox());
        let rest = inbox.into_iter().try_for_each(|incoming| self.take(incoming));
        let misbehaviour =
            [outcome, rest].into_iter().filter_map(Result::err).find(|err| err.is::<Misbehaviour>());
        let jid = client.jid().map(str::to_owned);
        let session = jid.zip(client.into_counters());
        match (misbehaviour, session) {
            (None, session) => self.lost = session,
            (Some(err), session) => {
                self.journal.open().complaints.push(format!("device {}: {err:#}", self.device));
                // With such a session there is no going on.
                if let Some((_, counters)) = session {
                    self.give_up(counters);
                }
            }
        }
    }

    // ---- reading -------------------------------------------------------------------------------------------

    fn take(&mut self, incoming: Incoming) -> Result<()> {
        let element = match incoming {
            Incoming::Element(element) => element,
            Incoming::Header(_) | Incoming::Footer | Incoming::End => bail!("the connection is over"),
        };
        // A connection that the server still holds for alive is replaced by the next; nothing else is in order.
        if element.is("error", ns::STREAM) && !element.has_child("conflict", STREAM_ERRORS) {
            bail!(Misbehaviour(format!("a stream error: {}", String::from(&element))));
        }
        if element.is("iq", ns::CLIENT) {
            self.take_answer(&element);
        } else if element.is("message", ns::CLIENT) {
            let via = Via::Live(self.session);
            if self.caught_up {
                self.take_message(&element, via);
            } else {
                self.held.push((element, via));
            }
        }
        Ok(())
    }

    fn take_answer(&mut self, iq: &Element) {
        if let Some(slot) = iq.get_child("slot", ns::HTTP_UPLOAD) {
            return self.upload(iq, slot);
        }
        let number_of = |kind: &str| iq.attr("id")?.strip_prefix(kind)?.parse().ok();
        let outcome = match iq.attr("type") {
            Some("result") => Outcome::Acknowledged,
            Some("error") => Outcome::Refused,
            _ => return,
        };
        if let Some(number) = number_of("w-") {
            self.journal.open().write_outcome(number, outcome);
        }
        if let Some(number) = number_of("d-") {
            self.journal.open().reading_outcome(number, outcome);
        }
    }

    fn take_message(&mut self, outer: &Element, via: Via) {
        let message = carbon(outer).unwrap_or(outer);
        let Some(label) = message.attr("id").and_then(Label::parse) else { return };
        if outer.attr("type") == Some("error") {
            return self.journal.open().message_outcome(label, Outcome::Refused);
        }
        let said = message.attr("type") == Some("groupchat");
        let by = if said { Account::ROOM } else { self.device.account }.jid();
        let stanza_id = message
            .children()
            .filter(|child| child.is("stanza-id", ns::STANZA_ID))
            .find(|id| id.attr("by").map(bare) == Some(&by))
            .and_then(|id| id.attr("id").map(str::to_owned));
        self.see(label, stanza_id, via, said);
    }

    fn take_archived(&mut self, archived: &Archived) {
        match audit::label(archived) {
            Some(label) if label.from != self.device => {
                self.see(label, Some(archived.id.clone()), Via::CatchUp, false)
            }
            _ => {}
        }
    }

    fn see(&mut self, label: Label, stanza_id: Option<String>, via: Via, said: bool) {
        if let Some(id) = &stanza_id
            && self.known.insert(id.clone())
        {
            let newest = if said { &mut self.newest_said } else { &mut self.newest };
            *newest = Some(id.clone());
            if !said && label.from.account != self.device.account {
                self.latest.insert(label.from.account, (label, id.clone()));
            }
        }
        self.journal.open().saw(label, stanza_id, via);
    }

    // ---- writing -------------------------------------------------------------------------------------------

    fn confirm(&mut self, confirmed: Vec<String>) {
        let mut journal = self.journal.open();
        for label in confirmed.iter().filter_map(|xml| label_of_sent(xml)) {
            journal.message_outcome(label, Outcome::Acknowledged);
        }
    }

    async fn write_something(&mut self, client: &mut Client) -> Result<()> {
        if client.counters().is_some_and(|counters| counters.unacknowledged.len() >= WINDOW) {
            return client.request_ack().await;
        }
        if self.dice.once_in(200) {
            self.journal.open().tally.cuts += 1;
            bail!("cut");
        }
        let xml = match self.dice.below(11) {
            0 => self.roster_change(),
            1 => self.block_change(),
            2 if self.device == DECIDES => self.affiliation_change(),
            2..4 => self.said(),
            4 => self.slot_request(),
            5 => self.reading().unwrap_or_else(|| self.message()),
            6 => self.feed_change(),
            _ => self.message(),
        };
        client.send_raw(&xml).await?;
        client.request_ack().await
    }

    fn message(&mut self) -> String {
        let step = 1 + self.dice.below(self.accounts as u64 - 1) as usize;
        let to = Account((self.device.account.0 + step) % self.accounts);
        let label = self.journal.open().message(to);
        format!(
            "<message type='chat' to='{}' id='{label}'><body>{label}</body><origin-id xmlns='{}' id='{label}'/></message>",
            to.jid(),
            ns::STANZA_ID
        )
    }

    fn said(&mut self) -> String {
        let label = self.journal.open().message(Account::ROOM);
        format!(
            "<message type='groupchat' to='{}' id='{label}'><body>{label}</body><origin-id xmlns='{}' id='{label}'/></message>",
            Account::ROOM.jid(),
            ns::STANZA_ID
        )
    }

    fn affiliation_change(&mut self) -> String {
        let others = self.accounts as u64 - 1;
        let who = Account(1 + self.dice.below(others) as usize).jid();
        let member = self.dice.once_in(2);
        let value = member.then(|| audit::MEMBER.to_owned());
        let number = self.journal.open().write(audit::affiliation_key(&who), value);
        let to = if member { audit::MEMBER } else { "none" };
        let item = format!("<item jid='{who}' affiliation='{to}'/>");
        let query = format!("<query xmlns='{}'>{item}</query>", ns::MUC_ADMIN);
        format!("<iq type='set' to='{}' id='w-{number}'>{query}</iq>", Account::ROOM.jid())
    }

    fn roster_change(&mut self) -> String {
        let contact = self.stranger();
        let name = format!("name {}", self.dice.below(u64::MAX));
        let removed = self.dice.once_in(4);
        let number = self.journal.open().write(roster_key(&contact), (!removed).then(|| name.clone()));
        let rest = if removed { "subscription='remove'".to_owned() } else { format!("name='{name}'") };
        self.set(number, &format!("<query xmlns='{}'><item jid='{contact}' {rest}/></query>", ns::ROSTER))
    }

    fn block_change(&mut self) -> String {
        let stranger = self.stranger();
        let block = self.dice.once_in(2);
        let number = self.journal.open().write(block_key(&stranger), block.then(|| BLOCKED.to_owned()));
        let verb = if block { "block" } else { "unblock" };
        self.set(number, &format!("<{verb} xmlns='{}'><item jid='{stranger}'/></{verb}>", ns::BLOCKING))
    }

    /// An item of the feed, published or taken back.
    fn feed_change(&mut self) -> String {
        let id = feed::id(self.device, self.dice.below(feed::ITEMS));
        let value = self.dice.below(u64::MAX).to_string();
        let value = (!self.dice.once_in(4)).then_some(value);
        let number = self.journal.open().write(feed::key(&id), value.clone());
        feed::change(number, &id, value.as_deref())
    }

    fn slot_request(&mut self) -> String {
        let size = self.dice.below(upload::LARGEST);
        self.asked.push(size);
        let number = self.asked.len() - 1;
        format!(
            "<iq type='get' to='localhost' id='s-{number}'><request xmlns='{}' filename='f' size='{size}'/></iq>",
            ns::HTTP_UPLOAD
        )
    }

    /// A place is given: the bytes go there, beside whatever else is done.
    fn upload(&mut self, iq: &Element, slot: &Element) {
        let number =
            iq.attr("id").and_then(|id| id.strip_prefix("s-")).and_then(|id| id.parse::<usize>().ok());
        let Some(&size) = number.and_then(|number| self.asked.get(number)) else { return };
        let url = |name| slot.get_child(name, ns::HTTP_UPLOAD).and_then(|child| child.attr("url"));
        let (Some(put), Some(get)) = (url("put"), url("get")) else { return };
        let bytes = upload::content(self.dice.below(u64::MAX), size);
        let mut journal = self.journal.open();
        let number = journal.write(upload::key(get), Some(upload::value(&bytes)));
        journal.uploads += 1;
        let (journal, phase) = (self.journal.clone(), self.phase.clone());
        tokio::spawn(upload::put(put.to_owned(), bytes, number, journal, phase));
    }

    /// What somebody said last has been displayed.
    fn reading(&mut self) -> Option<String> {
        let at = self.dice.below(self.latest.len().max(1) as u64) as usize;
        let (peer, (label, id)) = self.latest.iter().nth(at)?;
        let number = self.journal.open().read(*peer, *label);
        Some(format!(
            "<iq type='set' id='d-{number}'><pubsub xmlns='{}'><publish node='{}'><item id='{}'>\
             <displayed xmlns='{}'><stanza-id xmlns='{}' by='{}' id='{id}'/></displayed></item></publish></pubsub></iq>",
            ns::PUBSUB,
            ns::MDS,
            peer.jid(),
            ns::MDS,
            ns::STANZA_ID,
            self.device.account.jid(),
        ))
    }

    fn set(&mut self, number: usize, payload: &str) -> String {
        format!("<iq type='set' id='w-{number}'>{payload}</iq>")
    }

    /// An address that only this device writes about.
    fn stranger(&mut self) -> String {
        format!(
            "v{}-of-{}-{}@elsewhere.example",
            self.dice.below(VALUES),
            self.device.account.0,
            self.device.index
        )
    }
}

const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";

/// The message in a carbon copy (XEP-0280 §7, §8).
fn carbon(outer: &Element) -> Option<&Element> {
    let wrapper = outer.children().find(|child| child.has_ns(ns::CARBONS))?;
    wrapper.get_child("forwarded", ns::FORWARD)?.get_child("message", ns::CLIENT)
}

/// Which message it is that this device sent.
fn label_of_sent(xml: &str) -> Option<Label> {
    let id = xml.strip_prefix("<message")?.split_once(" id='")?.1.split_once('\'')?.0;
    Label::parse(id)
}

/// The messages of a lost session go out again before those that it did not come to: they were said earlier.
fn put_before(waiting: &mut VecDeque<String>, unacknowledged: VecDeque<String>) {
    for xml in unacknowledged.into_iter().rev().filter(|xml| label_of_sent(xml).is_some()) {
        waiting.push_front(xml);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_twice_is_sent_again_in_its_order() {
        let messages = |numbers: &[u64]| -> VecDeque<String> {
            numbers.iter().map(|number| format!("<message id='m-3-1-{number}' to='x'/>")).collect()
        };
        // The first session after a loss got as far as the second of four messages.
        let mut waiting = messages(&[725, 726]);
        let mut unacknowledged = messages(&[723, 724]);
        unacknowledged.push_back("<presence/>".into());
        put_before(&mut waiting, unacknowledged);
        assert_eq!(waiting, messages(&[723, 724, 725, 726]));
    }
}
