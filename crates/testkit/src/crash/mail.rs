//! The same proof for mail: other servers bring mail (SMTP in one piece and in chunks, LMTP), people's programs hand some in,
//! and the server is killed meanwhile, again and again.
//!
//! Whoever brings mail does what a mail server does: what was not answered is brought again, the very same, until it is. Then
//! each mail that was answered with 250 is once in its recipient's timeline and once in the inbox, and no mail is in one of them
//! twice or in only one. What was handed in is so in the timeline and in Sent of its sender; it reaches the smarthost, and again
//! only where a kill came between the smarthost's 250 and the note of it; and what the smarthost refuses is reported once.

mod book;
mod check;
mod letter;
mod mailbox;
mod sender;
mod smarthost;
mod wire;

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::book::{Book, Tally};
pub use self::check::{Handed, History, Kept, Violation, Way, check};
pub use self::letter::Label;
use self::sender::{Door, Sender};
pub use self::smarthost::Smarthost;
use super::device::Phase;
use super::dice::Dice;
use super::history::{Account, Outcome};
use super::killing;
use super::process::Server;
use super::run::{DRAINING, ENDING, Plan, SHOWN};

/// How often it is looked whether everything has come.
const LOOKING: Duration = Duration::from_millis(300);

/// Where the server lets mail in, and where it is read.
#[derive(Clone, Copy, Debug)]
pub struct Doors {
    /// Other servers' (SMTP).
    pub smtp: SocketAddr,
    /// The front server's (LMTP).
    pub lmtp: SocketAddr,
    /// People's programs'.
    pub submission: SocketAddr,
    /// IMAP.
    pub imap: SocketAddr,
}

/// What a run found.
#[derive(Debug)]
pub struct Report {
    /// The seed it ran with.
    pub seed: u64,
    /// How often the server was killed.
    pub kills: usize,
    /// Mails for one recipient each that were brought, and answered with 250.
    pub brought: [usize; 2],
    /// Mails that were handed in, and answered with 250; that the smarthost took, took again, and refused.
    pub handed_in: [usize; 5],
    /// What became of the connections.
    pub tally: Tally,
    /// The promises that were broken.
    pub violations: Vec<Violation>,
    /// What else was wrong with what the server said.
    pub complaints: Vec<String>,
}

impl Report {
    /// Nothing was wrong, and there was something to judge.
    pub fn is_good(&self) -> bool {
        let judged = self.brought[1] > 0 && self.handed_in[1] > 0;
        self.violations.is_empty() && self.complaints.is_empty() && judged
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { connections, in_envelope, in_content, unanswered, later, again, given_up } = self.tally;
        let [brought, taken] = self.brought;
        writeln!(f, "seed {}: {} kills, {connections} connections", self.seed, self.kills)?;
        writeln!(
            f,
            "cut: {in_envelope} before the content, {in_content} in it, {unanswered} after its end; {later} were to come later"
        )?;
        writeln!(
            f,
            "brought: {brought} mails, {taken} answered with 250; {again} attempts again, {given_up} given up"
        )?;
        let [handed_in, taken, arrived, doubled, refused] = self.handed_in;
        writeln!(f, "handed in: {handed_in} mails, {taken} answered with 250")?;
        writeln!(f, "at the smarthost: {arrived} mails, {doubled} again, {refused} refused")?;
        for complaint in self.complaints.iter().take(SHOWN) {
            writeln!(f, "  {complaint}")?;
        }
        for violation in self.violations.iter().take(SHOWN) {
            writeln!(f, "  {violation}")?;
        }
        write!(f, "{} violations", self.violations.len() + self.complaints.len())
    }
}

/// Runs the plan against a server that is not running yet, which sends everything to the smarthost behind `host`.
pub fn run(plan: &Plan, server: &Server, doors: Doors, host: std::net::TcpListener) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(go(plan, server, doors, host))
}

async fn go(plan: &Plan, server: &Server, doors: Doors, host: std::net::TcpListener) -> Result<Report> {
    let running = server.start().await?;
    let senders = plan.devices.max(4);
    let accounts = (senders / 3).max(2);
    server.register(accounts).await?;
    // Reports are filed for those who have folders: they are made by the first look, which for the others comes after all mail.
    for account in (0..senders).filter_map(|index| sender::author(index, accounts)) {
        mailbox::labels(doors.imap, account, "INBOX").await?;
    }
    let smarthost = Smarthost::open(host, Dice::new(plan.seed, u64::MAX))?;
    let book = Book::default();
    let (phase, watched) = watch::channel(Phase::Write);
    let mut tasks = JoinSet::new();
    for index in 0..senders {
        let dice = Dice::new(plan.seed, index as u64 + 1);
        let door = Door::of(index, doors);
        tasks.spawn(Sender::new(index, door, accounts, dice, book.clone(), watched.clone()).live());
    }
    let running = killing::again_and_again(plan, server, running).await?;
    phase.send_replace(Phase::Drain);
    let ended = async { while tasks.join_next().await.is_some() {} };
    tokio::time::timeout(ENDING, ended).await.context("a mail does not come to an end")?;
    let history = settled(server, doors, accounts, &book, &smarthost, plan.rounds).await;
    running.kill()?;
    Ok(report(plan, &history, &book))
}

/// What there is in the end: when nothing is missing any more, or for long enough nothing more came.
async fn settled(
    server: &Server,
    doors: Doors,
    accounts: usize,
    book: &Book,
    smarthost: &Smarthost,
    kills: usize,
) -> History {
    let (mut before, mut last_progress) = (0, Instant::now());
    loop {
        let mut history = History { handed: book.open().handed.clone(), kills, ..smarthost.history() };
        let mut unreadable = Vec::new();
        for account in (0..accounts).map(Account) {
            let kept = mailbox::kept(server, doors.imap, account).await;
            // Nothing can be seen of it, so all of it is lost: the account itself may be.
            let kept = kept.unwrap_or_else(|error| {
                unreadable.push(format!("account {} cannot be read: {error:#}", account.name()));
                Kept::default()
            });
            history.kept.insert(account, kept);
        }
        let missing = check(&history).iter().filter(|found| found.is_missing()).count();
        if missing == 0 || last_progress.elapsed() > DRAINING {
            book.open().complaints.append(&mut unreadable);
            return history;
        }
        if missing != before {
            (before, last_progress) = (missing, Instant::now());
        }
        tokio::time::sleep(LOOKING).await;
    }
}

fn report(plan: &Plan, history: &History, book: &Book) -> Report {
    let book = book.open();
    let (mut brought, mut handed_in) = ([0; 2], [0; 5]);
    for handed in &history.handed {
        let answered = |outcome: &Outcome| usize::from(*outcome == Outcome::Acknowledged);
        match &handed.way {
            Way::In(to) => {
                brought[0] += to.len();
                brought[1] += to.iter().map(|(_, outcome)| answered(outcome)).sum::<usize>();
            }
            Way::Out { outcome, .. } => {
                handed_in[0] += 1;
                handed_in[1] += answered(outcome);
            }
        }
    }
    handed_in[2] = history.taken.len();
    handed_in[3] = history.taken.values().map(|times| times - 1).sum();
    handed_in[4] = history.refused.len();
    Report {
        seed: plan.seed,
        kills: plan.rounds,
        brought,
        handed_in,
        tally: book.tally,
        violations: check(history),
        complaints: book.complaints.clone(),
    }
}
