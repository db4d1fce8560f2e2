//! How commands reach a running server: JSON lines on a socket in the data directory, which only its owner can open.
//!
//! One request, one response. What is long (an import, a list) is asked for in parts, so that progress can be seen and
//! the connection can be given up at any part.

mod admin;
mod client;
mod duties;
mod files;
mod groups;
mod invites;
mod mail;
mod moderation;
mod pagers;
mod socket;

pub use admin::Admin;
pub use client::Control;
pub use duties::{DutyRequest, DutyRow};
pub use pagers::{DeviceRow, PagerRequest, PagerRow};
pub use socket::{listen, run};

use serde::{Deserialize, Serialize};

/// Longest line in bytes: a part of an import with the longest passwords, escaped.
pub const MAX_LINE: usize = 4 << 20;

/// Lines of an import in one request: about a second of two cores.
pub const IMPORT_PART: usize = 256;

/// Accounts of one answer to [`Request::List`].
pub const LIST_PART: usize = 1_000;

/// Reports of one answer to [`Request::ListReports`].
pub const REPORTS_PART: usize = 100;

/// Accounts of one answer to [`Request::FileUsage`].
pub const USAGE_PART: usize = 1_000;

/// What a command wants. `account` is a number, a name or an address, as a person writes it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Make an account.
    Create {
        /// A name, an address, or nothing: then the number is the address.
        address: String,
        /// The nickname.
        nick: Option<String>,
        /// The password.
        password: String,
    },
    /// Make many, at most [`IMPORT_PART`].
    Import {
        /// Whose.
        lines: Vec<ImportLine>,
        /// Rounds of hashing, where not the configured ones.
        iterations: Option<u32>,
    },
    /// What is known of an account.
    Show {
        /// Which.
        account: String,
    },
    /// Accounts in the order of their numbers, at most [`LIST_PART`].
    List {
        /// From this number on, without it.
        after: Option<u64>,
        /// Only names that begin so.
        prefix: Option<String>,
        /// Only disabled ones.
        disabled: bool,
    },
    /// Let nobody, or again somebody, sign in.
    SetDisabled {
        /// Which.
        account: String,
        /// Whether nobody.
        disabled: bool,
    },
    /// Make the account one that administers the server, or an ordinary one again.
    SetAdmin {
        /// Which.
        account: String,
        /// Whether it administers.
        admin: bool,
    },
    /// Take the account's second factor away.
    RemoveFactor {
        /// Which.
        account: String,
    },
    /// Take the account out of the limits of pace, or put it back.
    SetUnlimited {
        /// Which.
        account: String,
        /// Whether they are not for it.
        unlimited: bool,
    },
    /// Change the password.
    SetPassword {
        /// Whose.
        account: String,
        /// The new one.
        password: String,
    },
    /// A link with which somebody makes an account that administers the server.
    AdminLink,
    /// A link with which somebody sets the account's password.
    RecoveryLink {
        /// Whose.
        account: String,
    },
    /// Accounts that wait for approval.
    Waiting,
    /// Approve or refuse an account that waits.
    Review {
        /// Which.
        account: String,
        /// Whether it is approved.
        approve: bool,
    },
    /// Delete an account with all that is its own.
    Delete {
        /// Which.
        account: String,
    },
    /// Write everything that is an account's into one file.
    Export {
        /// Whose.
        account: String,
        /// Whether the keys that prove its password are in it.
        credentials: bool,
    },
    /// How far an export has come.
    ExportState {
        /// Which.
        id: String,
    },
    /// An export was taken away.
    ExportTaken {
        /// Which.
        id: String,
    },
    /// Tell everybody something; needs a running server.
    Announce {
        /// What it is about.
        subject: String,
        /// What it says.
        text: String,
        /// Only those who are online.
        online: bool,
    },
    /// How far an announcement has come.
    Announcement {
        /// Which.
        id: u64,
    },
    /// Throw the index of the full-text search away, and begin to make it anew.
    DropIndex,
    /// Go on with the index.
    Index,
    /// Make an invitation.
    CreateInvite {
        /// How often it can be taken up.
        uses: u32,
        /// How long it is valid, in seconds.
        seconds: u64,
        /// Whose it is; nobody's: the operator's.
        account: Option<String>,
        /// Whether who takes it up becomes a contact of theirs.
        contact: bool,
        /// The name that the account will have.
        name: Option<String>,
        /// The address of the group that who takes it up becomes a member of.
        group: Option<String>,
    },
    /// Make a group that lasts.
    CreateGroup {
        /// What stands in its address; nothing: its number.
        name: Option<String>,
        /// The account that decides about it.
        owner: Option<String>,
        /// For members only, and in no list.
        private: bool,
    },
    /// Groups in the order of their numbers.
    ListGroups {
        /// From this number on, without it.
        after: Option<u64>,
    },
    /// What is known of a group.
    ShowGroup {
        /// Number, name or address.
        group: String,
    },
    /// Make an account something to a group.
    AffiliateGroup {
        /// Number, name or address.
        group: String,
        /// Which account.
        account: String,
        /// The standard's name of the affiliation.
        affiliation: String,
    },
    /// End a group.
    DestroyGroup {
        /// Number, name or address.
        group: String,
    },
    /// All invitations.
    ListInvites,
    /// Take an invitation back.
    RevokeInvite {
        /// Its token, or the beginning of its id.
        invite: String,
    },
    /// Reports of spam and abuse, the newest first, at most [`REPORTS_PART`].
    ListReports {
        /// Those that are closed too.
        closed: bool,
        /// Only those before this number.
        before: Option<u64>,
    },
    /// A report and what it is about.
    ShowReport {
        /// Its number.
        id: u64,
    },
    /// Do something about a report and close it.
    CloseReport {
        /// Its number.
        id: u64,
        /// What is done.
        outcome: ReportOutcome,
        /// Whether all that wait about the same are closed with it.
        all: bool,
    },
    /// Have nothing to do with servers or addresses any more.
    Block {
        /// Domains and bare addresses.
        jids: Vec<String>,
    },
    /// The same taken back.
    Unblock {
        /// Domains and bare addresses.
        jids: Vec<String>,
    },
    /// Servers and addresses that are blocked for everybody here.
    ListBlocked,
    /// Something about groups on duty.
    Duty {
        /// What.
        request: DutyRequest,
    },
    /// Something about pager numbers.
    Pager {
        /// What.
        request: PagerRequest,
    },
    /// Uploaded files, the newest first.
    ListFiles {
        /// Which.
        filter: FileFilter,
        /// From this number on, without it.
        before: Option<u64>,
    },
    /// What the files of accounts take, in the order of their numbers, at most [`USAGE_PART`].
    FileUsage {
        /// Of one account only.
        account: Option<String>,
        /// From this number on, without it.
        after: Option<u64>,
    },
    /// Remove a file.
    RemoveFile {
        /// Its token, or its address.
        file: String,
    },
    /// Mails on their way out, in the order of their numbers; a part of them.
    MailQueue {
        /// From this number on, without it.
        after: u64,
    },
    /// Try to send now.
    RetryMail {
        /// Which mail; all.
        id: Option<u64>,
    },
    /// Give a mail up.
    DropMail {
        /// Which.
        id: u64,
    },
}

/// Which files are listed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FileFilter {
    /// Only of this account.
    pub account: Option<String>,
    /// Only those of so many bytes or more.
    pub at_least: u64,
    /// Only those whose type begins so.
    pub media_type: Option<String>,
    /// Only those that were asked for so many days ago, or earlier.
    pub older_days: Option<u32>,
    /// Only those that no message names.
    pub unnamed: bool,
}

/// A mail on its way out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QueueRow {
    /// Names it.
    pub id: u64,
    /// Whose it is; empty: the server's own.
    pub sender: String,
    /// Whom it is for.
    pub recipient: String,
    /// Since when it is on its way, milliseconds since 1970.
    pub at: i64,
    /// Not before, the same.
    pub next: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// What the last attempt met; empty: there was none.
    pub trouble: String,
}

/// One line of an import.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportLine {
    /// Its number in the file, from 1.
    pub line: u64,
    /// A name, an address, or nothing for the next number.
    pub address: String,
    /// The password.
    pub password: String,
    /// The nickname.
    pub nick: Option<String>,
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Response {
    /// It is done, to this account.
    Account(AccountRow),
    /// A part of the list; an empty one is its end.
    Accounts {
        /// The accounts.
        accounts: Vec<AccountRow>,
    },
    /// A part of an import is done.
    Imported {
        /// How many accounts were made.
        made: u64,
        /// The lines that became none.
        failures: Vec<Failure>,
    },
    /// An export is being written.
    Exporting {
        /// Which one.
        id: String,
        /// How far it is: messages, each once for programs and once for people, and files by their size.
        done: u64,
        /// How far it goes.
        total: u64,
        /// Where it lies when it is finished: in the data directory, for whoever asked to take it away.
        file: Option<std::path::PathBuf>,
    },
    /// That is known now.
    Noted,
    /// A part of the mails on their way out; an empty one is its end.
    MailQueue {
        /// The mails.
        mails: Vec<QueueRow>,
    },
    /// An announcement is on its way to all accounts.
    Announcing {
        /// Which one.
        id: u64,
        /// How many accounts have it.
        sent: u64,
        /// How many accounts there are.
        accounts: u64,
        /// Whether everybody has it.
        done: bool,
    },
    /// An announcement was shown to those who are online.
    Shown {
        /// On how many devices.
        devices: u64,
    },
    /// How far the index of the full-text search has come.
    Indexed {
        /// The number of the last message in it.
        done: u64,
        /// The number of the last message.
        total: u64,
        /// Whether there is more to do.
        more: bool,
    },
    /// An invitation was made.
    Invited {
        /// What is given to who is invited. It cannot be shown again.
        token: String,
        /// The same as a link that clients open.
        link: String,
        /// The same as a page that browsers open.
        page: Option<String>,
        /// The invitation.
        invite: InviteRow,
    },
    /// All invitations.
    Invites {
        /// The invitations.
        invites: Vec<InviteRow>,
    },
    /// It is done, to this group.
    Group(GroupRow),
    /// A part of the list; an empty one is its end.
    Groups {
        /// The groups.
        groups: Vec<GroupRow>,
    },
    /// A one-time link was made.
    Link {
        /// What it takes. It cannot be shown again.
        token: String,
        /// The page to open, where the outside reaches the server.
        page: Option<String>,
        /// When it ends, milliseconds since the Unix epoch.
        expires: i64,
    },
    /// It was taken back.
    Revoked,
    /// A part of the reports; an empty one is their end.
    Reports {
        /// The reports.
        reports: Vec<ReportRow>,
    },
    /// A report.
    Report {
        /// Its row.
        report: ReportRow,
        /// Reports that are kept about the same.
        reports: u64,
        /// People whom those came from.
        reporters: u64,
        /// The messages that it is about.
        messages: Vec<ReportedMessage>,
    },
    /// Groups on duty.
    Duties {
        /// In the order of their names.
        duties: Vec<DutyRow>,
    },
    /// A calendar.
    Calendar {
        /// RFC 5545.
        calendar: String,
    },
    /// Pager numbers, a part of them; none: there are no more.
    Pagers {
        /// They.
        pagers: Vec<PagerRow>,
    },
    /// All that is blocked.
    Blocked {
        /// The entries.
        blocked: Vec<BlockedRow>,
    },
    /// A part of the list of files; an empty one is its end.
    Files {
        /// The files.
        files: Vec<FileRow>,
    },
    /// What files take.
    FileUsage {
        /// A part of the accounts; an empty one is their end.
        accounts: Vec<UsageRow>,
        /// Bytes that each may have; nothing: as many as there is room for.
        quota: Option<u64>,
        /// Files of all accounts; the same bytes count once.
        stored_files: u64,
        /// Their bytes.
        stored_bytes: u64,
        /// Bytes that all may have together.
        total: Option<u64>,
    },
    /// It is done.
    Done {
        /// A sentence that says what.
        what: String,
    },
    /// It was not done.
    Refused {
        /// A sentence that says why.
        why: String,
    },
}

/// An account as it is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccountRow {
    /// Its number.
    pub number: u64,
    /// Its primary address.
    pub address: String,
    /// The nickname.
    pub nick: Option<String>,
    /// When it was made, milliseconds since the Unix epoch.
    pub created: i64,
    /// Whether nobody can sign in.
    pub disabled: bool,
}

/// A group as it is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupRow {
    /// Its number.
    pub number: u64,
    /// What stands before the @ of its address.
    pub local: String,
    /// What people call it.
    pub title: String,
    /// What it is, in a few words.
    pub kind: String,
    /// The addresses of its owners.
    pub owners: Vec<String>,
    /// How many are in its lists.
    pub people: u64,
    /// How many are in it now.
    pub occupants: u64,
    /// When it was made, milliseconds since the Unix epoch.
    pub created: i64,
}

/// An invitation as it is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InviteRow {
    /// Names it; not the token.
    pub id: String,
    /// How often it can still be taken up.
    pub uses: u32,
    /// Whose it is, as an address; nobody's: the operator's.
    pub of: Option<String>,
    /// What it is good for, in a few words.
    pub what: String,
    /// When it ends, milliseconds since the Unix epoch.
    pub expires: i64,
    /// Whether it has ended.
    pub ended: bool,
}

/// What is done about a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportOutcome {
    /// Nothing.
    Dismissed,
    /// The account is disabled.
    Disabled,
    /// The address is blocked for everybody here.
    Blocked,
    /// Its whole server is.
    ServerBlocked,
    /// The messages are removed.
    Removed,
}

/// A report as it is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReportRow {
    /// Its number.
    pub id: u64,
    /// When it came, milliseconds since the Unix epoch.
    pub at: i64,
    /// "spam" or "abuse".
    pub reason: String,
    /// Who is reported.
    pub reported: String,
    /// Whose it is.
    pub reporter: String,
    /// What the reporter says.
    pub text: String,
    /// How many messages were copied.
    pub messages: u64,
    /// What became of it; nothing: it waits.
    pub outcome: Option<ReportOutcome>,
}

/// A message that was reported.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReportedMessage {
    /// When the server took it, milliseconds since the Unix epoch.
    pub at: i64,
    /// What it says.
    pub text: String,
    /// The whole stanza.
    pub xml: String,
}

/// What is blocked for everybody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BlockedRow {
    /// A domain or a bare address.
    pub jid: String,
    /// Since when, milliseconds since the Unix epoch.
    pub at: i64,
    /// Who decided it.
    pub by: String,
}

/// A file as it is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileRow {
    /// Its place in the list.
    pub number: u64,
    /// Names it, also in its address.
    pub token: String,
    /// Whose it is: an address, or the number of an account that is gone.
    pub account: String,
    /// What it is called.
    pub name: String,
    /// What its owner says that it is.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// When it was asked for, milliseconds since the Unix epoch.
    pub at: i64,
    /// When it goes, if nothing names it until then.
    pub due: Option<i64>,
    /// How many messages name it.
    pub refs: u64,
    /// Whether its bytes are there.
    pub arrived: bool,
}

/// What the files of an account take.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UsageRow {
    /// The account's number.
    pub number: u64,
    /// Its address.
    pub account: String,
    /// How many there are.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A line that became no account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// Its number in the file.
    pub line: u64,
    /// The address that it asked for.
    pub address: String,
    /// A sentence that says why.
    pub why: String,
}

#[cfg(test)]
mod tests;
