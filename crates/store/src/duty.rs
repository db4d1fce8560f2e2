//! Groups of people of whom one is on duty, and the pages that they get.
//!
//! A page is told to one person after the other until somebody acknowledges it. Each step is one transaction: the message in the log of
//! whoever is told, and that they are; so nobody is told twice, and nobody is left out, whenever the server ends.

use bytes::Bytes;
use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};

use crate::sqlite::duties;
use crate::store::Store;
use crate::timeline::{Append, Appended};
use crate::{CallAnswer, NewCall, Result, Timestamp};

/// Somebody is on duty instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cover {
    /// Who.
    pub uid: Uid,
    /// From when.
    pub since: Timestamp,
    /// Until when, later than that.
    pub until: Timestamp,
}

/// A group of which one is on duty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Duty {
    /// What is paged: a localpart in lower case, at most [`crate::limits::PAGER_BYTES`].
    pub name: String,
    /// The time zone of handovers, by its name in the IANA database.
    pub zone: String,
    /// How many days a turn has; 1 to 366.
    pub days: u16,
    /// The minute of the day at which turns end, below 1440.
    pub minute: u16,
    /// The day on which the first person's first turn began, in days since 1970-01-01.
    pub since: i32,
    /// Seconds after which the next person is told; 30 to 86,400.
    pub patience: u32,
    /// Who takes turns, in their order; at most [`crate::limits::DUTY_PEOPLE`].
    pub people: Vec<Uid>,
    /// Who is on duty instead, in the order of time; at most [`crate::limits::DUTY_COVERS`].
    pub covers: Vec<Cover>,
}

/// A page to a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewDutyPage {
    /// The group.
    pub duty: String,
    /// The group as an address inside.
    pub peer: BareJid,
    /// The account that wrote; `None`: it came from outside.
    pub caller: Option<Uid>,
    /// The `id` of the message, as its sender calls it.
    pub stanza: String,
    /// The message as it is told, without an address that it is for.
    pub body: Bytes,
    /// When it came.
    pub at: Timestamp,
    /// When it is looked at again.
    pub next: Timestamp,
}

/// A page that somebody is being told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DutyPage {
    /// Names it.
    pub id: u64,
    /// What it is.
    pub page: NewDutyPage,
    /// By what its caller asks for it.
    pub tag: Option<u64>,
    /// How many people were told after the first.
    pub step: u32,
    /// When the latest person was told.
    pub since: Timestamp,
    /// Who was told, in their order. Accounts that are gone are not among them.
    pub told: Vec<(Uid, Useq)>,
    /// Who has answered or acknowledged it by a way of reach me.
    pub acknowledged: Option<Uid>,
}

/// How a page ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DutyEnd {
    /// Somebody has it.
    Acknowledged,
    /// Nobody was reached.
    Nobody,
}

impl Store {
    /// Makes a group, or changes it. [`crate::StoreError::Invalid`]: something does not fit; [`crate::StoreError::NotFound`]: it names an
    /// account that there is not; [`crate::StoreError::Limit`]: there are [`crate::limits::DUTIES`].
    pub async fn set_duty(&self, duty: Duty) -> Result<()> {
        self.write(move |tx| duties::set(tx, &duty)).await
    }

    /// Removes a group; what it is told now ends as if nobody were left. False: there is none.
    pub async fn remove_duty(&self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        self.write(move |tx| duties::remove(tx, &name)).await
    }

    /// A group.
    pub async fn duty(&self, name: &str) -> Result<Option<Duty>> {
        let name = name.to_owned();
        self.read(move |conn| duties::get(conn, &name)).await
    }

    /// All groups, by their names.
    pub async fn duties(&self) -> Result<Vec<Duty>> {
        self.read(duties::all).await
    }

    /// A page is told to its first person, whose log is the append's first. With `outbound`, which waits in the outbox, that is done with;
    /// with `call` its caller can ask for it. [`Appended::Duplicate`]: it was before, and nothing has happened.
    pub async fn open_duty_page(
        &self,
        outbound: Option<u64>,
        page: NewDutyPage,
        append: Append,
        call: Option<NewCall>,
    ) -> Result<Appended> {
        self.write(move |tx| duties::open(tx, outbound, &page, append, call.as_ref())).await
    }

    /// Pages that are to be looked at, at most `limit`.
    pub async fn duty_pages_due(&self, now: Timestamp, limit: usize) -> Result<Vec<DutyPage>> {
        self.read(move |conn| duties::due(conn, now, limit)).await
    }

    /// When the next one is.
    pub async fn next_duty_page(&self) -> Result<Option<Timestamp>> {
        self.read(duties::next).await
    }

    /// The latest page of a group that an account was told and nobody has acknowledged.
    pub async fn told_duty_page(&self, duty: &str, uid: Uid) -> Result<Option<DutyPage>> {
        let duty = duty.to_owned();
        self.read(move |conn| duties::told_page(conn, &duty, uid)).await
    }

    /// The page of a call, if it is to a group and not over.
    pub async fn duty_page_of_call(&self, tag: u64) -> Result<Option<DutyPage>> {
        self.read(move |conn| duties::of_call(conn, tag)).await
    }

    /// Another person is told now, whose log is the append's first; it is looked at again at `next`. False: it is not what was `seen`.
    pub async fn tell_duty_page(
        &self,
        seen: DutyPage,
        append: Append,
        now: Timestamp,
        next: Timestamp,
    ) -> Result<bool> {
        self.write(move |tx| duties::tell(tx, &seen, append, now, next)).await
    }

    /// It is looked at again at `next`.
    pub async fn put_off_duty_page(&self, id: u64, next: Timestamp) -> Result<()> {
        self.write(move |tx| duties::put_off(tx, id, next)).await
    }

    /// A page is over: whoever was told is told no more, its caller hears `answer`, and `tell` is appended. With `outbound` that is done
    /// with. False: it was over before.
    pub async fn end_duty_page(
        &self,
        seen: DutyPage,
        end: DutyEnd,
        outbound: Option<u64>,
        answer: Option<CallAnswer>,
        tell: Option<Append>,
    ) -> Result<bool> {
        self.write(move |tx| duties::end(tx, &seen, end, outbound, answer.as_ref(), tell)).await
    }
}
