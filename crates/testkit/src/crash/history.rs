//! What happened in a crash run, as plain data: what every device did and saw, and what was stored in the end.

use std::collections::BTreeMap;
use std::fmt;

/// An account of the run, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(pub usize);

impl Account {
    /// In place of an account: the room that all devices are in. Its archive is judged as an account's.
    pub const ROOM: Account = Account(usize::MAX);

    /// The name it is registered under.
    pub fn name(self) -> String {
        if self == Account::ROOM { "crash-room".to_owned() } else { format!("crash{}", self.0) }
    }

    /// Its address.
    pub fn jid(self) -> String {
        let host = if self == Account::ROOM { "groups.localhost" } else { "localhost" };
        format!("{}@{host}", self.name())
    }

    /// The account at an address, if it is one of the run.
    pub fn at(jid: &str) -> Option<Account> {
        jid.strip_prefix("crash")?.split_once('@')?.0.parse().ok().map(Account)
    }
}

/// One of an account's devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    /// Whose it is.
    pub account: Account,
    /// Which of them.
    pub index: usize,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/d{}", self.account.name(), self.index)
    }
}

/// A message of the run: who sent it, and its number among that device's, from 1. It is the stanza's id and body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// The device that sent it.
    pub from: Device,
    /// Its number among them.
    pub number: u64,
}

impl Label {
    /// Read what [`fmt::Display`] wrote; `None` for anything else.
    pub fn parse(text: &str) -> Option<Label> {
        let mut numbers = text.strip_prefix("m-")?.splitn(3, '-').map(|part| part.parse::<u64>().ok());
        let (account, index, number) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let from = Device { account: Account(account as usize), index: index as usize };
        Some(Label { from, number })
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m-{}-{}-{}", self.from.account.0, self.from.index, self.number)
    }
}

/// What the server said about something it was asked to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: it may have been kept or not.
    Unknown,
    /// That it is handled.
    Acknowledged,
    /// That it failed.
    Refused,
}

/// A message that a device sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Which.
    pub label: Label,
    /// To whose bare address, or to the room.
    pub to: Account,
    /// What the server said.
    pub outcome: Outcome,
}

/// How a message came to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// As a stanza of the session with this number; resumption continues a session.
    Live(u64),
    /// Out of the archive.
    CatchUp,
}

/// A message as it came to a device: one to the account, or a copy of what another of its devices sent.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which.
    pub label: Label,
    /// The id that the account's server gave it (XEP-0359).
    pub stanza_id: String,
    /// How it came.
    pub via: Via,
}

/// A change of a single value: a roster item's name, or whether an address is blocked.
#[derive(Clone, Debug)]
pub struct Write {
    /// Which value; only one device writes it.
    pub key: String,
    /// What it is to become; `None` removes it.
    pub value: Option<String>,
    /// What the server said.
    pub outcome: Outcome,
}

/// That a conversation was read (XEP-0490).
#[derive(Clone, Debug)]
pub struct Reading {
    /// The conversation.
    pub peer: Account,
    /// Up to this message of the peer's.
    pub upto: Label,
    /// What the server said.
    pub outcome: Outcome,
}

/// One device's side of the run, everything in the order in which it happened.
#[derive(Clone, Debug)]
pub struct DeviceHistory {
    /// Which device.
    pub device: Device,
    /// Messages it sent.
    pub sent: Vec<Sent>,
    /// Messages that came to it.
    pub seen: Vec<Seen>,
    /// Values it wrote.
    pub writes: Vec<Write>,
    /// What it said to have read.
    pub readings: Vec<Reading>,
}

impl DeviceHistory {
    /// Nothing has happened yet.
    pub fn new(device: Device) -> DeviceHistory {
        DeviceHistory { device, sent: Vec::new(), seen: Vec::new(), writes: Vec::new(), readings: Vec::new() }
    }
}

/// What the server has of an account when all is over.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// The archive, oldest first.
    pub archive: Vec<Label>,
    /// The values.
    pub values: BTreeMap<String, String>,
    /// What is unread of each peer, as the inbox says (XEP-0430).
    pub unread: BTreeMap<Account, u64>,
}

/// The whole run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Every device's side.
    pub devices: Vec<DeviceHistory>,
    /// Every account's store; empty while the run goes on.
    pub stored: BTreeMap<Account, Stored>,
}
