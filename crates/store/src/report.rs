//! What people report to the administrators (XEP-0377): a queue, with copies of the messages it is about.

use bytes::Bytes;
use rookery_proto::{Uid, Useq};

use crate::sqlite::reports;
use crate::store::Store;
use crate::{MessageId, Result, Timestamp};

/// Why somebody is reported.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    /// Messages that nobody wanted.
    Spam,
    /// Anything else.
    Abuse,
}

/// With whom the reporter allows the report to be shared, beside the administrators here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Sharing {
    /// The server of who is reported.
    pub origin: bool,
    /// Others who work against abuse.
    pub third_party: bool,
}

/// A message that is reported: its place in a log that the reporter may read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exhibit {
    /// Whose log: the reporter's own, or a group's.
    pub log: Uid,
    /// Its position.
    pub useq: Useq,
}

/// A report as it comes in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewReport {
    /// Who is reported: an address, with a resource where that is the person (in a group).
    pub reported: String,
    /// Why.
    pub reason: Reason,
    /// What the reporter says; at most [`crate::limits::REPORT_TEXT_BYTES`].
    pub text: String,
    /// With whom it may be shared.
    pub sharing: Sharing,
    /// Who is reported is an occupant of a group here: the account behind is kept with the report.
    pub occupant: bool,
    /// What it is about. What is not of the reported is left out, and so is what is beyond
    /// [`crate::limits::REPORT_MESSAGES`] and [`crate::limits::REPORT_BYTES`].
    pub exhibits: Vec<Exhibit>,
}

/// A report in the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Its number, which no other report gets.
    pub id: u64,
    /// When it came.
    pub at: Timestamp,
    /// Whose it is.
    pub reporter: Uid,
    /// See [`NewReport::reported`].
    pub reported: String,
    /// The account behind an occupant of a group here, who sent all of the messages: its address, or its number. `None`: nobody
    /// is behind the address, or that is not known.
    pub behind: Option<String>,
    /// Why.
    pub reason: Reason,
    /// What the reporter says.
    pub text: String,
    /// With whom it may be shared.
    pub sharing: Sharing,
    /// How many messages were copied.
    pub messages: u64,
    /// What became of it; `None`: it waits.
    pub closed: Option<Closing>,
}

/// How a report was closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// Who closed it.
    pub by: String,
    /// What was done.
    pub outcome: Outcome,
}

/// What was done about a report.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// Nothing.
    Dismissed,
    /// The account was disabled.
    Disabled,
    /// The address was denied for everybody here.
    Denied,
    /// Its whole server was.
    ServerDenied,
    /// The messages were removed.
    Removed,
}

/// A copy of a message that is reported, as the reporter had it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// The body that it was copied from.
    pub message: MessageId,
    /// When the server took it.
    pub at: Timestamp,
    /// See [`crate::Entry::stanza`].
    pub stanza: Bytes,
}

/// What is known of somebody who is reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Record {
    /// Reports that are kept.
    pub reports: u64,
    /// Those of them that wait.
    pub waiting: u64,
    /// People whom they came from.
    pub reporters: u64,
}

/// What administrators have not been told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Untold {
    /// Reports that wait and are new.
    pub new: u64,
    /// Reports that wait.
    pub waiting: u64,
    /// The newest.
    pub last: u64,
}

impl Store {
    /// Blocks addresses for an account ([`Store::block`]) and files its reports about them, as one transaction. Of one
    /// account's waiting reports the newest [`crate::limits::REPORTS_OF_ACCOUNT`] are kept; of all
    /// [`crate::limits::REPORTS`], and closed ones go first.
    pub async fn block_and_report(
        &self,
        uid: Uid,
        jids: Vec<String>,
        filed: Vec<NewReport>,
        at: Timestamp,
    ) -> Result<()> {
        self.write(move |tx| reports::file(tx, uid, jids, &filed, at)).await
    }

    /// Reports, newest first: those before number `before`; `waiting`: only those that wait. At most
    /// [`crate::limits::REPORTS_PAGE`] of them.
    pub async fn reports(&self, waiting: bool, before: Option<u64>, limit: usize) -> Result<Vec<Report>> {
        self.read(move |conn| reports::list(conn, waiting, before, limit)).await
    }

    /// One report and the messages that were copied for it.
    pub async fn report(&self, id: u64) -> Result<Option<(Report, Vec<Evidence>)>> {
        self.read(move |conn| reports::get(conn, id)).await
    }

    /// What is known of somebody who is reported, by exactly this address, or as the account behind another.
    pub async fn record(&self, reported: &str) -> Result<Record> {
        let reported = reported.to_owned();
        self.read(move |conn| reports::record(conn, &reported)).await
    }

    /// Closes a report; `all`: and all others that wait and are about the same. How many were closed; 0 if it was closed
    /// before. [`crate::StoreError::NotFound`]: there is none.
    pub async fn close_report(&self, id: u64, closing: Closing, all: bool) -> Result<u64> {
        self.write(move |tx| reports::close(tx, id, &closing, all)).await
    }

    /// What administrators have not been told of; `None` if that is nothing.
    pub async fn untold_reports(&self) -> Result<Option<Untold>> {
        self.read(reports::untold).await
    }

    /// Administrators have been told of reports up to this number.
    pub async fn told_of_reports(&self, last: u64) -> Result<()> {
        self.write(move |tx| reports::told(tx, last)).await
    }
}
