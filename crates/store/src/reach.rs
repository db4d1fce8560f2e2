//! Reach me: how people want to be told of what waits for them while they are not here, and what there is to tell.
//!
//! A case is opened by the transaction that stores the message that it is about ([`crate::Flags::REACH`]), and ended by the one
//! that stores that it was read, answered or acknowledged; what waits in the queue of sendings for it is cancelled with it. So
//! nothing is sent about what was read, and nothing is forgotten, whenever the server ends.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};

use crate::sending::{Caps, CaseId, NewSending, Sending, Urgency, Way};
use crate::sqlite::{cases, reach};
use crate::store::Store;
use crate::timeline::{Append, Entry};
use crate::{Result, Timestamp};

/// Hours of the day, in minutes since midnight: from one until before the other, over midnight if that is not later.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Hours {
    /// When they begin, below 1440.
    pub from: u16,
    /// When they are over, below 1440.
    pub to: u16,
}

/// Who may be urgent to an account; from all others it is important only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MayBeUrgent {
    /// Those whom the account has named.
    #[default]
    Named,
    /// Its contacts, too.
    Contacts,
}

/// What a sending may say of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Tells {
    /// That there is one.
    Nothing,
    /// And who wrote it.
    Sender,
    /// And its text.
    #[default]
    Text,
}

/// One step: by which way, when, and about what.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rule {
    /// By which way.
    pub way: Way,
    /// Where; one of the account's addresses that were verified.
    pub address: String,
    /// Seconds after the message came, at most [`crate::limits::REACH_AFTER`].
    pub after: u32,
    /// Also while somebody is at a device, if the message is not read. Never by mail.
    pub unread: bool,
    /// The least urgency that it is for.
    pub least: Urgency,
    /// Only at these hours.
    pub hours: Option<Hours>,
}

/// How somebody wants to be reached.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// Whether anything is done at all.
    pub active: bool,
    /// They count as not here, whatever their devices look like.
    pub away: bool,
    /// The time zone of all hours, by its name in the IANA database.
    pub zone: String,
    /// When only what is urgent is told.
    pub quiet: Option<Hours>,
    /// Who may be urgent.
    pub urgent: MayBeUrgent,
    /// What may be told.
    pub tells: Tells,
    /// The steps in their order, at most [`crate::limits::REACH_RULES`].
    pub rules: Vec<Rule>,
    /// Who is treated like a contact and may be urgent, sorted; at most [`crate::limits::REACH_ALLOWED`].
    pub allowed: Vec<BareJid>,
}

/// Where somebody can be reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReachAddress {
    /// By which way.
    pub way: Way,
    /// Where, in the way's own form.
    pub address: String,
    /// Whether it has been shown to be the account's.
    pub verified: bool,
}

/// What became of a code that somebody typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proven {
    /// The address is the account's.
    Yes,
    /// It was another code.
    Wrong,
    /// There was none, it is too old, or wrong ones were typed too often: a new one is needed.
    Over,
}

/// What has become of a case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum CaseState {
    /// Rules are to come.
    #[default]
    Open,
    /// All rules have had their turn; nobody has answered yet.
    Told,
    /// Over: the messages were read.
    Read,
    /// Over: the conversation was answered.
    Answered,
    /// Over: a sending was acknowledged.
    Acknowledged,
    /// Over: nobody was reached.
    Nobody,
    /// Over: it was told, and too much time has gone by since; or it is not wanted any more.
    Expired,
}

impl CaseState {
    /// All of them, in their order.
    pub const ALL: [CaseState; 7] = [
        CaseState::Open,
        CaseState::Told,
        CaseState::Read,
        CaseState::Answered,
        CaseState::Acknowledged,
        CaseState::Nobody,
        CaseState::Expired,
    ];

    /// What it is called in our protocol.
    pub fn name(self) -> &'static str {
        match self {
            CaseState::Open => "open",
            CaseState::Told => "told",
            CaseState::Read => "read",
            CaseState::Answered => "answered",
            CaseState::Acknowledged => "acknowledged",
            CaseState::Nobody => "nobody",
            CaseState::Expired => "expired",
        }
    }

    /// Whether something may still come of it.
    pub fn is_live(self) -> bool {
        self <= CaseState::Told
    }
}

/// What somebody is to be reached about: messages of one conversation and one urgency that are not read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// Names it.
    pub id: CaseId,
    /// Who is to be reached.
    pub uid: Uid,
    /// Who wrote.
    pub peer: BareJid,
    /// How urgent.
    pub urgency: Urgency,
    /// The first position in the recipient's log that is not read.
    pub first: Useq,
    /// The last position.
    pub last: Useq,
    /// When the first of them came.
    pub since: Timestamp,
    /// What has become of it.
    pub state: CaseState,
    /// Since when that is so.
    pub changed: Timestamp,
    /// When it is to be looked at.
    pub next: Timestamp,
}

/// Says what is to be appended, in the same transaction, when something has become of a sending.
pub type Telling = Box<dyn FnOnce(&Sending) -> Option<Append> + Send>;

/// What is done about a case at one moment.
pub enum CaseStep {
    /// Nothing yet.
    Wait,
    /// This is sent, and told. Where the caps of the day are reached it is noted as failed instead.
    Send(NewSending, Caps, Telling),
    /// All rules have had their turn.
    Told,
    /// It is over, and this is told.
    End(CaseState, Option<Append>),
}

impl Store {
    /// How an account wants to be reached; `None`: it has not said.
    pub async fn reach_plan(&self, uid: Uid) -> Result<Option<Plan>> {
        self.read(move |conn| reach::plan(conn, uid)).await
    }

    /// Replaces it. [`crate::StoreError::Invalid`]: a rule names an address that is not verified, or something does not fit
    /// ([`crate::limits::REACH_RULES`], [`crate::limits::REACH_ALLOWED`]). A plan that is not active ends all cases.
    pub async fn set_reach_plan(&self, uid: Uid, plan: Plan, now: Timestamp) -> Result<()> {
        self.write(move |tx| reach::set_plan(tx, uid, &plan, now)).await
    }

    /// Where an account can be reached.
    pub async fn reach_addresses(&self, uid: Uid) -> Result<Vec<ReachAddress>> {
        self.read(move |conn| reach::addresses(conn, uid)).await
    }

    /// Adds an address, or makes a new code for one that is not verified; what tells the code is queued with it.
    /// [`crate::StoreError::Limit`]: there are [`crate::limits::REACH_ADDRESSES`] others, or the caps of the day are reached;
    /// [`crate::StoreError::Conflict`]: it is verified.
    pub async fn add_reach_address(&self, sending: NewSending, caps: Caps) -> Result<()> {
        self.write(move |tx| reach::add_address(tx, &sending, caps)).await
    }

    /// A code was typed that is to prove an address.
    pub async fn prove_reach_address(
        &self,
        uid: Uid,
        way: Way,
        address: String,
        code: String,
        now: Timestamp,
    ) -> Result<Proven> {
        self.write(move |tx| reach::prove(tx, uid, way, &address, &code, now)).await
    }

    /// Removes an address and the rules that name it; false: there is none.
    /// What waits to be sent there is not sent.
    pub async fn remove_reach_address(
        &self,
        uid: Uid,
        way: Way,
        address: String,
        now: Timestamp,
    ) -> Result<bool> {
        self.write(move |tx| reach::remove_address(tx, uid, way, &address, now)).await
    }

    /// The accounts whose verified address this is, at most [`crate::limits::REACH_SHARED`].
    pub async fn reached_at(&self, way: Way, address: &str) -> Result<Vec<Uid>> {
        let address = address.to_owned();
        self.read(move |conn| reach::owners(conn, way, &address)).await
    }

    /// Cases that are due, those that wait longest first, at most `limit`.
    pub async fn cases_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Case>> {
        self.read(move |conn| cases::due(conn, now, limit)).await
    }

    /// When the next case is due; `None`: there is none.
    pub async fn next_case(&self) -> Result<Option<Timestamp>> {
        self.read(cases::next).await
    }

    /// A case.
    pub async fn case(&self, id: CaseId) -> Result<Option<Case>> {
        self.read(move |conn| cases::get(conn, id)).await
    }

    /// An account's cases, the newest first, at most `limit` and [`crate::limits::SENDINGS_LISTED`].
    pub async fn cases(&self, uid: Uid, limit: usize) -> Result<Vec<Case>> {
        self.read(move |conn| cases::list(conn, uid, limit)).await
    }

    /// The messages that a case is about, the newest last, at most [`crate::limits::REACH_MESSAGES`] of the newest; and how many
    /// there are.
    pub async fn case_messages(&self, id: CaseId) -> Result<(Vec<Entry>, u64)> {
        self.read(move |conn| cases::messages(conn, id)).await
    }

    /// Something is done about a case, if it is live and is still what was `seen`, its messages and what became of its sendings;
    /// false if not, and nothing has happened. It is looked at again at `next`.
    pub async fn step_case(
        &self,
        seen: Case,
        step: CaseStep,
        next: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        self.write(move |tx| cases::step(tx, &seen, step, next, now)).await
    }

    /// The same for several cases in one transaction: what is sent about one waits in the queue together with what is sent about
    /// the others. Whether each was what it was seen as.
    pub async fn step_cases(
        &self,
        steps: Vec<(Case, CaseStep, Timestamp)>,
        now: Timestamp,
    ) -> Result<Vec<bool>> {
        self.write(move |tx| {
            steps.into_iter().map(|(seen, step, next)| cases::step(tx, &seen, step, next, now)).collect()
        })
        .await
    }

    /// Cases of an account for which rules are to come, those that are to be looked at soonest first, at most `limit`.
    pub async fn open_cases(&self, uid: Uid, limit: usize) -> Result<Vec<Case>> {
        self.read(move |conn| cases::of_account(conn, uid, limit)).await
    }
}
