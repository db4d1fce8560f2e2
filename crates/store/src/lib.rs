//! What must last: accounts, rosters and the one timeline, on SQLite.
//!
//! [`Store`] speaks the domain: each verb is one transaction, and its answer follows the commit (invariant 1). SQL
//! stays behind it in `sqlite/`. Each topic (timeline, accounts, roster ...) has a file here with its rows and verbs.

mod account;
mod bells;
mod block;
mod call;
mod caps;
mod delivery;
mod denied;
mod device;
mod directory;
mod duty;
mod error;
mod factor;
mod file;
mod group;
mod hat;
mod imap;
mod inbox;
mod invite;
pub mod journal;
mod junk;
pub mod limits;
mod link;
mod mail;
mod notice;
mod outbox;
mod pager;
mod phone;
mod prefs;
mod privacy;
mod pubsub;
mod push;
mod reach;
mod reminder;
mod report;
mod review;
mod roster;
mod search;
mod sending;
mod sms;
mod sqlite;
mod store;
mod stream;
#[cfg(feature = "test-vfs")]
pub mod test_vfs;
mod ticket;
mod timeline;
mod token;
mod trace;

pub use account::{
    Account, AccountFilter, AccountRecord, Credentials, Last, LoginName, NewAccount, Primary, is_group,
};
pub use call::{Call, CallAnswer, Choice, NewCall};
pub use denied::Denied;
pub use device::{AddressKind, Device, DeviceId, Seen};
pub use directory::{Card, Findable, Found, Part, words};
pub use duty::{Cover, Duty, DutyEnd, DutyPage, NewDutyPage};
pub use error::{Result, StoreError};
pub use factor::Factor;
pub use file::{
    Blob, FileHash, FilePurpose, FileQuota, FileToken, FileUsage, ListedUpload, NewUpload, Room, UPLOAD_MARK,
    Upload, UploadFilter, named,
};
pub use group::{Group, GroupAffiliate, GroupAffiliation, GroupConfig, GroupSubject, NewGroup};
pub use hat::{Hat, Hats};
pub use imap::{
    Copied, Filed, FlagsChange, FlagsChanged, FlagsHow, Folder, FolderCounts, FolderId, FolderRole,
    MailFlags, NewFiled,
};
pub use inbox::{Conversation, Displayed, Inbox, InboxGroup, InboxQuery, Place, Upto};
pub use invite::{Friends, Invite, InviteHash, Offer, Shown, SignedUp};
pub use link::{LinkHash, LinkPurpose};
pub use mail::{Mail, NewQueued, Queued};
pub use notice::{Announcement, Notice, NoticeKind};
pub use outbox::Outbound;
pub use pager::{Pager, PagerDevice};
pub use phone::{Desk, DeskItem, PhoneAnswer, PinDigest, PinTried};
pub use prefs::{ArchiveDefault, ArchivePrefs};
pub use privacy::{Adding, Audience, Privacy, PrivacySettings, Request, Strangers};
pub use pubsub::{
    Affiliate, AffiliateChange, Affiliation, Item, ItemChange, ItemPage, ItemWindow, LastItem, Listed, Node,
    Subscription,
};
pub use push::{Push, PushContent, PushFilter, PushId, PushTarget, Registrant};
pub use reach::{
    Case, CaseState, CaseStep, Hours, MayBeUrgent, Plan, Proven, ReachAddress, Rule, Telling, Tells,
};
pub use reminder::{Errand, NewReminder, Reminder, Repeat, Reply};
pub use report::{Closing, Evidence, Exhibit, NewReport, Outcome, Reason, Record, Report, Sharing, Untold};
pub use roster::{Party, Removal, Roster, RosterChange, RosterItem, SubscriptionOutcome};
pub use search::Indexed;
pub use sending::{
    Caps, CaseId, NewSending, Sending, SendingId, SendingRef, SendingState, Settled, Urgency, Way,
};
pub use sms::{Letter, SmsPart, SmsSeen, SmsWhole};
pub use store::{Doorbell, Options, Pending, Space, Stats, Store};
pub use stream::StreamId;
pub use ticket::TicketHash;
pub use timeline::{
    Append, Appended, ArchiveBounds, ArchiveSize, Direction, Entry, Flags, Head, MessageId, Origin, Page,
    PageQuery, Pointer, Policy, SweepCursor, Swept, Window,
};
pub use token::{Proof, SignIn, Token, TokenSeed};
pub use trace::{Sought, Trace, Track};

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(pub i64);
