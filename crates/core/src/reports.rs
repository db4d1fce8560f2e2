//! Reports of spam and abuse (XEP-0377), once they are in the queue: what administrators do about them, and how they
//! learn that there are some.

use crate::accounts::{AccountError, Accounts};
use crate::env::stamp;
use crate::{Core, denied};
use rookery_proto::Uid;
use rookery_proto::jid::Jid;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_proto::xml::Xml;
use rookery_store::{Closing, Evidence, Outcome, Report, Result, Store, StoreError, Timestamp};

/// What is to be done about a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The report.
    pub report: u64,
    /// What becomes of who is reported, or of the messages.
    pub outcome: Outcome,
    /// Whether this closes all that wait about the same.
    pub all: bool,
    /// Whose verdict it is: an administrator's address, or the operator.
    pub by: String,
}

/// What was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Executed {
    /// What became of it.
    pub outcome: Outcome,
    /// Who was reported.
    pub reported: String,
    /// How many reports are closed by it.
    pub closed: u64,
    /// The account that nobody can use any more.
    pub disabled: Option<Uid>,
    /// How many of the messages are removed; the others were gone.
    pub removed: usize,
}

/// Why a verdict was not carried out. The text says it to the administrator.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such report.
    #[error("There is no such report.")]
    Unknown,
    /// It is about somebody whom this cannot be done to.
    #[error("{0}")]
    Unfit(String),
    /// The store failed.
    #[error("The store could not do it: {0}.")]
    Store(#[from] StoreError),
}

/// Whom administrators see to be reported: of an occupant of a group also the account.
pub fn who(report: &Report, accounts: &Accounts) -> String {
    match behind(report, accounts) {
        Some(account) => format!("{}, who is {account}", report.reported),
        None => report.reported.clone(),
    }
}

/// The address of the account behind an occupant of a group here.
fn behind(report: &Report, accounts: &Accounts) -> Option<String> {
    let behind = report.behind.as_ref()?;
    // Every account is also at its number.
    let number = Uid::from_local(behind).is_some();
    Some(if number { format!("{behind}@{}", accounts.domain()) } else { behind.clone() })
}

/// What can be done about a report, the mildest first.
pub fn outcomes(report: &Report, accounts: &Accounts) -> Vec<Outcome> {
    let mut outcomes = vec![Outcome::Dismissed];
    if report.messages > 0 {
        outcomes.push(Outcome::Removed);
    }
    if report.behind.is_some() {
        outcomes.push(Outcome::Disabled);
        return outcomes;
    }
    match Jid::new(&report.reported) {
        Ok(jid) if jid.domain().as_str() == accounts.domain() => outcomes.push(Outcome::Disabled),
        // A group here, or somebody there who said nothing: there is nothing to be done about these.
        Ok(jid) if jid.domain().as_str() == accounts.groups() => {}
        // Somebody in a group: what is behind the name is the group's to say.
        Ok(jid) if jid.resource().is_some() => outcomes.push(Outcome::ServerDenied),
        Ok(jid) if jid.node().is_none() => outcomes.push(Outcome::ServerDenied),
        Ok(_) => outcomes.extend([Outcome::Denied, Outcome::ServerDenied]),
        Err(_) => {}
    }
    outcomes
}

/// Carries out a verdict, in the running server ([`Core::judge`]) or beside it. What is done is stored before the report
/// is closed: after a failure in between it waits, and can be judged again.
pub async fn judge(
    accounts: &Accounts,
    store: &Store,
    now: Timestamp,
    verdict: Verdict,
) -> std::result::Result<Executed, Refusal> {
    let Verdict { report: id, outcome, all, by } = verdict;
    let (report, evidence) = store.report(id).await?.ok_or(Refusal::Unknown)?;
    if !outcomes(&report, accounts).contains(&outcome) {
        return Err(Refusal::Unfit(format!("This cannot be done about {}.", report.reported)));
    }
    let account = behind(&report, accounts).unwrap_or_else(|| report.reported.clone());
    let reported = who(&report, accounts);
    let mut executed = Executed { outcome, reported, closed: 0, disabled: None, removed: 0 };
    match outcome {
        Outcome::Dismissed => {}
        Outcome::Disabled => executed.disabled = Some(disable(accounts, store, &account, &by).await?),
        Outcome::Denied => deny(accounts, store, &account, now, &by).await?,
        Outcome::ServerDenied => {
            let server = Jid::new(&account).map(|jid| jid.domain().to_string());
            let server = server.map_err(|error| Refusal::Unfit(error.to_string()))?;
            deny(accounts, store, &server, now, &by).await?;
        }
        Outcome::Removed => executed.removed = remove(store, evidence, now).await?,
    }
    let closing = Closing { at: now, by, outcome };
    executed.closed = store.close_report(id, closing, all).await?;
    Ok(executed)
}

async fn disable(
    accounts: &Accounts,
    store: &Store,
    reported: &str,
    by: &str,
) -> std::result::Result<Uid, Refusal> {
    let account = accounts.find(reported).await.map_err(|error| match error {
        AccountError::Store(error) => Refusal::Store(error),
        other => Refusal::Unfit(other.sentence()),
    })?;
    if accounts.address(&account).as_str() == by {
        return Err(Refusal::Unfit("This is your own account.".to_owned()));
    }
    store.set_disabled(account.uid, true).await?;
    Ok(account.uid)
}

async fn deny(
    accounts: &Accounts,
    store: &Store,
    who: &str,
    now: Timestamp,
    by: &str,
) -> std::result::Result<(), Refusal> {
    let entry = denied::entry(who, accounts);
    let entry = entry.map_err(|error| Refusal::Unfit(error.text.unwrap_or_default()))?;
    store.deny(vec![entry], now, by).await?;
    Ok(())
}

/// Puts tombstones in the place of the messages, wherever they are kept here; how many were still there.
async fn remove(store: &Store, evidence: Vec<Evidence>, now: Timestamp) -> Result<usize> {
    let mut removed = 0;
    for Evidence { message, stanza, .. } in evidence {
        let stone = tombstone(&stanza, now);
        removed += usize::from(store.withdraw(message, stanza, stone.into()).await?);
    }
    Ok(removed)
}

/// What stands in the place of a message that administrators removed: who, to whom and when stay (XEP-0424 §5).
fn tombstone(stanza: &[u8], now: Timestamp) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("message");
    if let Ok(message) = Stanza::parse(stanza) {
        x.opt("from", message.from())
            .opt("to", message.to())
            .opt("type", message.type_())
            .opt("id", message.id());
    }
    x.open_ns("retracted", ns::RETRACT).attr("stamp", &stamp(now)).close();
    x.close();
    x.into_vec()
}

/// What a reported message says, for the eyes of an administrator.
pub fn legible(evidence: &Evidence) -> String {
    let Ok(message) = Stanza::parse(&evidence.stanza) else { return String::new() };
    match message.child(ns::CLIENT, "body") {
        Some(body) => body.text().into_owned(),
        None => String::from_utf8_lossy(&evidence.stanza).into_owned(),
    }
}

impl Executed {
    /// What was done, in a sentence or two.
    pub fn sentence(&self) -> String {
        let who = &self.reported;
        let done = match self.outcome {
            Outcome::Dismissed => "Nothing is done.".to_owned(),
            Outcome::Disabled => format!("{who} cannot sign in any more."),
            Outcome::Denied => format!("{who} is blocked for everybody here."),
            Outcome::ServerDenied => format!("The server of {who} is blocked for everybody here."),
            Outcome::Removed => match self.removed {
                1 => "One message is removed.".to_owned(),
                n => format!("{n} messages are removed."),
            },
        };
        match self.closed {
            0 => format!("{done} The report had been closed before."),
            1 => format!("{done} The report is closed."),
            n => format!("{done} {n} reports are closed."),
        }
    }
}

impl Core {
    /// Carries out a verdict, and lets it be felt at once.
    pub async fn judge(&self, verdict: Verdict) -> std::result::Result<Executed, Refusal> {
        let by = verdict.by.clone();
        let executed = judge(&self.accounts, &self.store, self.env.now(), verdict).await?;
        tracing::info!(by, outcome = ?executed.outcome, closed = executed.closed, "a report was closed");
        if let Some(uid) = executed.disabled {
            self.account_changed(uid, true).await;
        }
        self.refresh_denied().await?;
        Ok(executed)
    }

    /// Tells the administrators of the reports that came since they were told last: a message to each, one for all
    /// reports. False: there are none. What was stored when the server ended is recognised by its name, and not stored
    /// again.
    pub async fn tell_of_reports(&self) -> Result<bool> {
        let Some(untold) = self.store.untold_reports().await? else { return Ok(false) };
        let new = match untold.new {
            1 => "There is a new report of spam or abuse.".to_owned(),
            n => format!("There are {n} new reports of spam or abuse."),
        };
        let text = format!(
            "{new} {} in all wait for an administrator: see the command \"Reports of spam and abuse\", or \
             `rookery report list`.",
            untold.waiting
        );
        let name = format!("reports-{}", untold.last);
        for uid in self.store.admins().await? {
            let Some(admin) = self.directory.member(uid).await?.filter(|admin| !admin.disabled) else {
                continue;
            };
            match self.store.append(self.notice(uid, &admin.address, &name, &text)?).await?.await {
                Ok(_) | Err(StoreError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        self.store.told_of_reports(untold.last).await?;
        Ok(true)
    }
}
