//! Those who bring mail: other servers, a front server, and people's programs.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use data_encoding::BASE64;
use tokio::sync::watch;
use tokio::time::sleep;

use super::super::device::Phase;
use super::super::dice::Dice;
use super::super::history::{Account, Outcome};
use super::Doors;
use super::book::Book;
use super::check::{DOMAINS, Handed, Way};
use super::letter::{self, Label, OUTSIDE};
use super::smarthost::{REFUSED, TAKEN};
use super::wire::Wire;
use crate::dialogue::PASSWORD;

/// The longest pause before a mail, between two parts of one, and before it is brought again.
const PAUSE: Duration = Duration::from_millis(40);

/// One in so many connections ends in good order after a mail.
const QUITS: u64 = 8;

/// One in so many mails that were not taken is given up, and not brought again.
const GIVES_UP: u64 = 6;

/// One in so many mails that people hand in is refused by the smarthost.
const FAILS: u64 = 5;

/// How mail is brought.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Data,
    Chunks,
    Front,
    Program,
}

/// Which way one of them comes.
#[derive(Clone, Copy)]
pub(super) struct Door {
    kind: Kind,
    address: SocketAddr,
}

/// Whose program the sender with this number is, if it is one.
pub(super) fn author(index: usize, accounts: usize) -> Option<Account> {
    (Kind::of(index) == Kind::Program).then(|| Account(index / 4 % accounts))
}

impl Kind {
    /// Each in turn.
    fn of(index: usize) -> Kind {
        [Kind::Data, Kind::Front, Kind::Program, Kind::Chunks][index % 4]
    }
}

impl Door {
    /// That of the sender with this number.
    pub(super) fn of(index: usize, doors: Doors) -> Door {
        let kind = Kind::of(index);
        let address = match kind {
            Kind::Data | Kind::Chunks => doors.smtp,
            Kind::Front => doors.lmtp,
            Kind::Program => doors.submission,
        };
        Door { kind, address }
    }
}

/// A mail that is to be brought until it is answered.
struct Mail {
    /// Its place in the book.
    place: usize,
    from: String,
    /// Those who have not answered yet: an address, and its place among all.
    to: Vec<(String, usize)>,
    data: Vec<u8>,
    attempts: u64,
}

/// How far an attempt came.
#[derive(Clone, Copy)]
enum Stage {
    Envelope,
    Content,
    Sent,
}

/// One of those who bring mail.
pub(super) struct Sender {
    index: usize,
    door: Door,
    accounts: usize,
    dice: Dice,
    book: Book,
    phase: watch::Receiver<Phase>,
    number: u64,
    stage: Stage,
}

impl Sender {
    pub(super) fn new(
        index: usize,
        door: Door,
        accounts: usize,
        dice: Dice,
        book: Book,
        phase: watch::Receiver<Phase>,
    ) -> Sender {
        Sender { index, door, accounts, dice, book, phase, number: 0, stage: Stage::Envelope }
    }

    /// Brings mail for as long as that is wanted, and then what is not answered yet.
    pub(super) async fn live(mut self) {
        let mut wire = None;
        while *self.phase.borrow() == Phase::Write {
            sleep(self.dice.up_to(PAUSE)).await;
            let mut mail = self.mail();
            while !mail.to.is_empty() {
                let (connected, outcome) = self.attempt(wire.take(), &mut mail).await;
                wire = connected.filter(|_| !self.dice.once_in(QUITS));
                if mail.to.is_empty() {
                    break;
                }
                self.failed(outcome);
                if self.dice.once_in(GIVES_UP) {
                    self.book.open().tally.given_up += 1;
                    break;
                }
                sleep(self.dice.up_to(PAUSE)).await;
            }
        }
    }

    /// A new one, which is in the book.
    fn mail(&mut self) -> Mail {
        self.number += 1;
        let label = Label { sender: self.index, number: self.number };
        let (way, from, to) = match author(self.index, self.accounts) {
            Some(from) => {
                let fails = self.dice.once_in(FAILS);
                let begin = if fails { REFUSED } else { TAKEN };
                let domain = DOMAINS[self.dice.below(DOMAINS.len() as u64) as usize];
                let way = Way::Out { from, fails, outcome: Outcome::Unknown };
                (way, from.jid(), vec![format!("{begin}{label}@{domain}")])
            }
            None => {
                let first = self.dice.below(self.accounts as u64) as usize;
                let count = 1 + self.dice.below(self.accounts.min(3) as u64) as usize;
                let to = (0..count).map(|step| Account((first + step) % self.accounts));
                let to: Vec<_> = to.map(|account| (account, Outcome::Unknown)).collect();
                let addresses = to.iter().map(|(account, _)| account.jid()).collect();
                (Way::In(to), format!("writer{}@{OUTSIDE}", self.index), addresses)
            }
        };
        let data = letter::write(label, &from, &to, &mut self.dice);
        let mut book = self.book.open();
        book.handed.push(Handed { label, way });
        let place = book.handed.len() - 1;
        let to = to.into_iter().enumerate().map(|(at, address)| (address, at)).collect();
        Mail { place, from, to, data, attempts: 0 }
    }

    /// One attempt; the connection if it can be used again, and what went wrong.
    async fn attempt(&mut self, wire: Option<Wire>, mail: &mut Mail) -> (Option<Wire>, Result<()>) {
        self.stage = Stage::Envelope;
        mail.attempts += 1;
        self.book.open().tally.again += u64::from(mail.attempts > 1);
        let mut wire = match wire {
            Some(wire) => wire,
            None => match self.connect().await {
                Ok(wire) => wire,
                Err(error) => return (None, Err(error)),
            },
        };
        match self.transact(&mut wire, mail).await {
            Ok(true) => (Some(wire), Ok(())),
            Ok(false) => (None, Ok(())),
            Err(error) => (None, Err(error)),
        }
    }

    async fn connect(&mut self) -> Result<Wire> {
        let mut wire = Wire::open(self.door.address).await?;
        wire.reply().await?;
        self.book.open().tally.connections += 1;
        let greeting = if self.door.kind == Kind::Front { "LHLO" } else { "EHLO" };
        wire.ask(&format!("{greeting} crash.example")).await?;
        if let Some(author) = author(self.index, self.accounts) {
            let name = author.name();
            let word = BASE64.encode(format!("\0{name}\0{PASSWORD}").as_bytes());
            let said = wire.ask(&format!("AUTH PLAIN {word}")).await?;
            self.heard(&said);
        }
        Ok(wire)
    }

    /// Whether the mail may be followed by another.
    async fn transact(&mut self, wire: &mut Wire, mail: &mut Mail) -> Result<bool> {
        let mut said = wire.ask(&format!("MAIL FROM:<{}>", mail.from)).await?;
        for (address, _) in &mail.to {
            if self.heard(&said) {
                said = wire.ask(&format!("RCPT TO:<{address}>")).await?;
            }
        }
        if !self.heard(&said) {
            return Ok(false);
        }
        let half = self.dice.below(mail.data.len() as u64) as usize;
        self.stage = Stage::Content;
        if self.door.kind == Kind::Chunks {
            wire.send(format!("BDAT {half}\r\n").as_bytes()).await?;
            wire.send(&mail.data[..half]).await?;
            let said = wire.reply().await?;
            if !self.heard(&said) {
                return Ok(false);
            }
            sleep(self.dice.up_to(PAUSE)).await;
            wire.send(format!("BDAT {} LAST\r\n", mail.data.len() - half).as_bytes()).await?;
            wire.send(&mail.data[half..]).await?;
        } else {
            let said = wire.ask("DATA").await?;
            if !said.starts_with("354") {
                self.heard(&said);
                return Ok(false);
            }
            wire.send(&mail.data[..half]).await?;
            sleep(self.dice.up_to(PAUSE)).await;
            wire.send(&mail.data[half..]).await?;
            wire.send(b".\r\n").await?;
        }
        self.stage = Stage::Sent;
        self.answers(wire, mail).await
    }

    /// One answer for all, or one for each (RFC 2033 §4.2). Who answered with 250 has the mail.
    async fn answers(&mut self, wire: &mut Wire, mail: &mut Mail) -> Result<bool> {
        let mut good = true;
        if self.door.kind != Kind::Front {
            let said = wire.reply().await?;
            good = self.heard(&said);
            if good {
                mail.to.drain(..).for_each(|(_, at)| self.book.open().handed[mail.place].answered(at));
            }
            return Ok(good);
        }
        for (address, at) in std::mem::take(&mut mail.to) {
            match wire.reply().await {
                Ok(said) if self.heard(&said) => self.book.open().handed[mail.place].answered(at),
                Ok(_) => {
                    good = false;
                    mail.to.push((address, at));
                }
                Err(error) => {
                    mail.to.push((address, at));
                    return Err(error);
                }
            }
        }
        Ok(good)
    }

    /// Whether that is what one wants to hear. No good mail is refused for good.
    fn heard(&self, said: &str) -> bool {
        if said.starts_with('5') {
            self.book.open().complaints.push(format!("sender {}: a good mail heard {said:?}", self.index));
        }
        said.starts_with('2')
    }

    /// Nobody has taken it, or nobody has said so.
    fn failed(&self, outcome: Result<()>) {
        let tally = &mut self.book.open().tally;
        match (outcome, self.stage) {
            (Ok(()), _) => tally.later += 1,
            (Err(_), Stage::Envelope) => tally.in_envelope += 1,
            (Err(_), Stage::Content) => tally.in_content += 1,
            (Err(_), Stage::Sent) => tally.unanswered += 1,
        }
    }
}
