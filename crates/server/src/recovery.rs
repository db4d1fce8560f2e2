//! Who has lost the password asks for a one-time link by mail. Whoever asks hears the same at once, whether there is such an account
//! or not: what follows is done afterwards, one after the other.

mod words;

pub use words::Language;

use crate::net::throttle::{Debts, subnet};
use crate::reach::mail_address;
use rookery_core::Core;
use rookery_core::accounts::{AccountError, GrantedLink};
use rookery_gateway::mail::letter::{Letter, Letters};
use rookery_gateway::reach::channel::{Handed, Way};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_store::LinkPurpose;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

/// Requests that wait for their turn: some seconds' worth.
const WAITING: usize = 64;

/// Letters that are handed over at a time.
const AT_ONCE: usize = 16;

/// Letters that wait between attempts: some kilobytes each.
const KEPT: usize = 512;

/// Accounts that are helped at once, where several have given the same address: a family's.
const ACCOUNTS: usize = 4;

/// Requests that an IP address has free, and how long one takes to be forgiven: somebody who types a wrong number twice, for
/// themselves and a neighbour.
const FROM_BURST: f64 = 10.0;
const FROM_FORGIVEN: Duration = Duration::from_secs(360);

/// Links that an account or a mailbox gets, and how long one takes to be forgiven: nobody's mailbox is filled by others, and a
/// link that was just sent is not replaced without end.
const TO_BURST: f64 = 3.0;
const TO_FORGIVEN: Duration = Duration::from_secs(1200);

/// What counts of more at once.
const MOST: f64 = 20.0;

/// How long one attempt to hand a letter over may take.
const HAND_OVER: Duration = Duration::from_secs(90);

/// The pauses between attempts: who waits for a link does not wait for longer, and asks again.
const PAUSES: [Duration; 3] = [Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(420)];

/// What was asked.
struct Asked {
    who: String,
    language: Language,
}

/// Takes requests.
pub struct Recovery {
    core: Arc<Core>,
    asked: mpsc::Sender<Asked>,
    from: Debts<IpAddr>,
}

impl Recovery {
    /// Requests are taken at once, and fulfilled for as long as the second part is polled. Links are good under the address
    /// that browsers reach us by: the server must have one.
    pub fn open(core: Arc<Core>, letters: Arc<Letters>) -> (Arc<Recovery>, impl Future<Output = ()> + Send) {
        let (asked, requests) = mpsc::channel(WAITING);
        let desk = Desk {
            core: core.clone(),
            letters,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            accounts: Debts::new(TO_FORGIVEN, MOST),
            mailboxes: Debts::new(TO_FORGIVEN, MOST),
        };
        let from = Debts::new(FROM_FORGIVEN, MOST);
        (Arc::new(Recovery { core, asked, from }), desk.run(requests))
    }

    /// Somebody at this IP address has lost the password of `who`: a number, a name or an address of an account, or a mail
    /// address that one has proven. An error says nothing about that.
    pub fn ask(&self, from: IpAddr, who: String, language: Language) -> Result<(), StanzaError> {
        let now = self.core.env.now();
        let from = subnet(from);
        if self.from.of(&from, now) > FROM_BURST - 1.0 {
            let text = "Too many requests came from your address. Try again in some minutes.";
            return Err(StanzaError::resource_constraint().text(text));
        }
        self.from.add(from, now);
        let full = "Too many people ask for this at the moment. Try again in a minute.";
        let asked = Asked { who, language };
        self.asked.try_send(asked).map_err(|_| StanzaError::resource_constraint().text(full))
    }
}

/// Fulfils requests.
struct Desk {
    core: Arc<Core>,
    letters: Arc<Letters>,
    /// One for each letter that is being handed over.
    turns: Arc<Semaphore>,
    accounts: Debts<u64>,
    mailboxes: Debts<Box<str>>,
}

impl Desk {
    async fn run(self, mut requests: mpsc::Receiver<Asked>) {
        let mut letters = JoinSet::new();
        while let Some(asked) = requests.recv().await {
            match self.people(&asked.who).await {
                Ok(people) => {
                    for (uid, mailboxes) in people {
                        self.help(uid, mailboxes, asked.language, &mut letters).await;
                    }
                }
                Err(error) => tracing::warn!(%error, "who has lost a password cannot be looked up"),
            }
            while letters.try_join_next().is_some() {}
        }
    }

    /// Whose password is lost, and where links may go for it. Nobody, if there is no such account or mailbox.
    async fn people(&self, who: &str) -> Result<Vec<(Uid, Vec<String>)>, AccountError> {
        let who = who.trim();
        match self.core.accounts.find(who).await {
            Ok(account) if account.disabled => Ok(Vec::new()),
            Ok(account) => {
                let known = self.core.store.reach_addresses(account.uid).await?;
                let proven = known.into_iter().filter(|it| it.verified && it.way == Way::Mail);
                Ok(vec![(account.uid, proven.map(|it| it.address).collect())])
            }
            Err(AccountError::Elsewhere(_)) => {
                let Some(mailbox) = mail_address(who) else { return Ok(Vec::new()) };
                let owners = self.core.store.reached_at(Way::Mail, &mailbox).await?;
                Ok(owners.into_iter().take(ACCOUNTS).map(|uid| (uid, vec![mailbox.clone()])).collect())
            }
            Err(AccountError::Store(error)) => Err(AccountError::Store(error)),
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn help(&self, uid: Uid, mailboxes: Vec<String>, language: Language, letters: &mut JoinSet<()>) {
        let now = self.core.env.now();
        let full = |debt: f64| debt > TO_BURST - 1.0;
        let open = |mailbox: &String| !full(self.mailboxes.of(mailbox.as_str(), now));
        let mailboxes: Vec<String> = mailboxes.into_iter().filter(open).collect();
        if mailboxes.is_empty() || full(self.accounts.of(&uid.0, now)) {
            return;
        }
        self.accounts.add(uid.0, now);
        let link = match self.core.accounts.grant_mailed(LinkPurpose::Recovery(uid)).await {
            Ok(link) => link,
            Err(error) => return tracing::warn!(%error, "a link for a lost password could not be made"),
        };
        for mailbox in mailboxes {
            self.mailboxes.add(mailbox.as_str().into(), now);
            if letters.len() >= KEPT {
                return tracing::warn!(uid = uid.0, "too many links for lost passwords wait to be mailed");
            }
            let (core, way) = (self.core.clone(), (self.letters.clone(), self.turns.clone()));
            letters.spawn(deliver(core, way, uid, mailbox, language, link.clone()));
        }
    }
}

/// Hands the letter over. It is nowhere kept, as what is in it is nowhere kept: when the server ends, one asks again.
async fn deliver(
    core: Arc<Core>,
    (letters, turns): (Arc<Letters>, Arc<Semaphore>),
    uid: Uid,
    mailbox: String,
    language: Language,
    link: GrantedLink,
) {
    let (name, Some(url)) = (format!("link-{}", core.env.token()), link.page) else { return };
    let address = match core.store.account(uid).await {
        Ok(Some(account)) => core.accounts.address(&account),
        _ => return,
    };
    let parts = words::parts(language, address.as_str(), url);
    let letter = Letter {
        name: &name,
        to: &mailbox,
        language: language.tag(),
        subject: &words::subject(language, &core.policy.domain),
        at: core.env.now(),
        parts: &parts,
        answers: None,
        stop: None,
    };
    for pause in PAUSES.into_iter().map(Some).chain([None]) {
        let Ok(turn) = turns.acquire().await else { return };
        let handed = tokio::time::timeout(HAND_OVER, letters.hand(&letter)).await;
        drop(turn);
        let why = match handed {
            Ok(Handed::Accepted { .. }) => {
                return tracing::info!(uid = uid.0, "a link for a lost password was mailed");
            }
            Ok(Handed::Deferred { why }) => why,
            Ok(Handed::Refused { why } | Handed::Unknown { why }) => {
                return tracing::warn!(uid = uid.0, why, "a link for a lost password was not mailed");
            }
            Err(_) => return tracing::warn!(uid = uid.0, "a link for a lost password took too long to mail"),
        };
        match pause {
            Some(pause) => tokio::time::sleep(pause).await,
            None => tracing::warn!(uid = uid.0, why, "a link for a lost password was not mailed"),
        }
    }
}
