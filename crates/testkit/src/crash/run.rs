//! The run: accounts, devices, rounds of killing, and the judgement.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::audit;
use super::check::{Violation, check};
use super::device::{Actor, Phase};
use super::dice::Dice;
use super::feed;
use super::history::{Account, Device, History, Outcome, Stored};
use super::journal::{Journal, Tally};
use super::killing;
use super::process::Server;
use super::upload;
use crate::dialogue::PASSWORD;
use crate::ns;

/// How long nothing may come of what is due, once nobody kills the server any more.
pub(super) const DRAINING: Duration = Duration::from_secs(10);
/// How long a device may take to end.
pub(super) const ENDING: Duration = Duration::from_secs(60);
/// How many violations are written out; the rest is counted.
pub(super) const SHOWN: usize = 40;

/// What a run does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How often the server is killed.
    pub rounds: usize,
    /// How many devices write. Every second account has two of them.
    pub devices: usize,
    /// The longest time between a start and a kill; the shortest is a quarter of it.
    pub round: Duration,
    /// Chooses messages and moments.
    pub seed: u64,
}

/// What a run found.
#[derive(Debug)]
pub struct Report {
    /// The seed it ran with.
    pub seed: u64,
    /// How often the server was killed.
    pub kills: usize,
    /// Messages sent, acknowledged, refused; messages received, all doubles included.
    pub messages: [usize; 4],
    /// Changes of rosters, block lists, the room's list of members and items of a node, and files put somewhere: sent, and
    /// answered with a result, and refused.
    pub writes: [usize; 3],
    /// Conversations said to be read, and answered with a result.
    pub readings: [usize; 2],
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
        self.violations.is_empty() && self.complaints.is_empty() && self.messages[1] > 0
    }
}

impl Report {
    /// How many violations of each kind there are.
    fn kinds(&self) -> BTreeMap<&'static str, usize> {
        let mut kinds = BTreeMap::new();
        for violation in &self.violations {
            *kinds.entry(violation.kind()).or_default() += 1;
        }
        kinds
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [sent, acknowledged, refused, received] = self.messages;
        let Tally { binds, resumptions, failures, cuts, resent } = self.tally;
        writeln!(f, "seed {}: {} kills, {cuts} cut connections", self.seed, self.kills)?;
        writeln!(
            f,
            "messages: {sent} sent, {acknowledged} acknowledged, {refused} refused, {received} received"
        )?;
        let [changes, done, refused] = self.writes;
        writeln!(
            f,
            "rosters, block lists, members, files, items: {changes} changes, {done} done, {refused} refused"
        )?;
        let [read, done] = self.readings;
        writeln!(f, "read positions: {read} published, {done} done")?;
        writeln!(
            f,
            "sessions: {binds} bound, {resumptions} resumed, {failures} not resumed, {resent} messages resent"
        )?;
        for complaint in self.complaints.iter().take(SHOWN) {
            writeln!(f, "  {complaint}")?;
        }
        for violation in self.violations.iter().take(SHOWN) {
            writeln!(f, "  {violation}")?;
        }
        for (kind, count) in self.kinds() {
            writeln!(f, "{count} {kind}")?;
        }
        write!(f, "{} violations", self.violations.len() + self.complaints.len())
    }
}

/// Run the plan against a server that is not running yet.
pub fn run(plan: &Plan, server: &Server) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(Run::new(plan.clone(), server.clone()).go())
}

struct Run {
    plan: Plan,
    server: Server,
    journals: Vec<Journal>,
}

impl Run {
    fn new(plan: Plan, server: Server) -> Run {
        let journals = devices(plan.devices).into_iter().map(Journal::new).collect();
        Run { plan, server, journals }
    }

    async fn go(self) -> Result<Report> {
        let running = self.server.start().await?;
        let accounts = self.register().await?;
        let (phase, watched) = watch::channel(Phase::Write);
        let mut tasks = JoinSet::new();
        for (index, journal) in self.journals.iter().enumerate() {
            let device = journal.open().history.device;
            let dice = Dice::new(self.plan.seed, index as u64 + 1);
            let actor =
                Actor::new(device, accounts, self.server.clone(), dice, journal.clone(), watched.clone());
            tasks.spawn(actor.live());
        }
        let running = killing::again_and_again(&self.plan, &self.server, running).await?;
        phase.send_replace(Phase::Drain);
        self.drain().await;
        phase.send_replace(Phase::Stop);
        let ended = async { while tasks.join_next().await.is_some() {} };
        tokio::time::timeout(ENDING, ended).await.context("a device does not end")?;
        let mut history = self.history();
        let mut complaints = Vec::new();
        let files = stored_files(&history, &mut complaints).await;
        for account in (0..accounts).map(Account) {
            let stored = audit::stored(&self.server, account).await;
            // Nothing can be seen of it, so all of it is lost: the account itself may be.
            let stored = stored.unwrap_or_else(|err| {
                complaints.push(format!("account {} cannot be read: {err:#}", account.name()));
                Stored::default()
            });
            history.stored.insert(account, stored);
        }
        let room = audit::room(&self.server).await.unwrap_or_else(|err| {
            complaints.push(format!("the room cannot be read: {err:#}"));
            Stored::default()
        });
        history.stored.insert(Account::ROOM, room);
        for (account, key, value) in files {
            history.stored.entry(account).or_default().values.insert(key, value);
        }
        running.kill()?;
        Ok(self.report(&history, complaints))
    }

    async fn register(&self) -> Result<usize> {
        let accounts: Vec<Account> =
            self.journals.iter().map(|journal| journal.open().history.device.account).collect();
        let count = accounts.iter().max().map_or(0, |last| last.0 + 1);
        self.server.register(count).await?;
        self.make_room_and_feed().await?;
        Ok(count)
    }

    /// The room that all devices are in, which stays also when all of them have gone, and the node that they publish to.
    async fn make_room_and_feed(&self) -> Result<()> {
        let mut client = self.server.connect().await?;
        client.sign_in(&audit::OWNER.name(), PASSWORD, "maker").await?;
        let room = Account::ROOM.jid();
        client.send_raw(&format!("<presence to='{room}/maker'><x xmlns='{}'/></presence>", ns::MUC)).await?;
        let lasting = "<field var='muc#roomconfig_persistentroom'><value>1</value></field>";
        let form = format!("<x xmlns='{}' type='submit'>{lasting}</x>", ns::DATA_FORMS);
        client.iq("set", Some(&room), &format!("<query xmlns='{}'>{form}</query>", ns::MUC_OWNER)).await?;
        feed::make(&mut client).await
    }

    /// Wait until all is acknowledged and everything due has come; or until nothing comes any more, and then the
    /// judgement says what is missing.
    async fn drain(&self) {
        let mut before = 0;
        let mut last_progress = Instant::now();
        while last_progress.elapsed() < DRAINING {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let quiet = self.journals.iter().all(|journal| journal.open().quiet);
            let history = self.history();
            let missing = check(&history).iter().filter(|found| matches!(found, Violation::Lost(..))).count();
            if quiet && missing == 0 {
                return;
            }
            let now = missing + history.devices.iter().map(|device| device.seen.len()).sum::<usize>();
            if now != before {
                (before, last_progress) = (now, Instant::now());
            }
        }
    }

    fn history(&self) -> History {
        let devices = self.journals.iter().map(|journal| journal.open().history.clone()).collect();
        History { devices, ..History::default() }
    }

    fn report(&self, history: &History, mut complaints: Vec<String>) -> Report {
        let mut tally = Tally::default();
        for journal in &self.journals {
            let entries = journal.open();
            tally.binds += entries.tally.binds;
            tally.resumptions += entries.tally.resumptions;
            tally.failures += entries.tally.failures;
            tally.cuts += entries.tally.cuts;
            tally.resent += entries.tally.resent;
            complaints.extend(entries.complaints.iter().cloned());
        }
        let outcomes: Vec<Outcome> =
            history.devices.iter().flat_map(|d| d.sent.iter().map(|s| s.outcome)).collect();
        let writes: Vec<Outcome> =
            history.devices.iter().flat_map(|d| d.writes.iter().map(|w| w.outcome)).collect();
        let readings: Vec<Outcome> =
            history.devices.iter().flat_map(|d| d.readings.iter().map(|r| r.outcome)).collect();
        let of = |all: &[Outcome], one| all.iter().filter(|outcome| **outcome == one).count();
        let received = history.devices.iter().map(|device| device.seen.len()).sum();
        Report {
            seed: self.plan.seed,
            kills: self.plan.rounds,
            messages: [
                outcomes.len(),
                of(&outcomes, Outcome::Acknowledged),
                of(&outcomes, Outcome::Refused),
                received,
            ],
            writes: [writes.len(), of(&writes, Outcome::Acknowledged), of(&writes, Outcome::Refused)],
            readings: [readings.len(), of(&readings, Outcome::Acknowledged)],
            tally,
            violations: check(history),
            complaints,
        }
    }
}

/// What is there of each file that a device has put somewhere.
async fn stored_files(history: &History, complaints: &mut Vec<String>) -> Vec<(Account, String, String)> {
    let mut files = Vec::new();
    for device in &history.devices {
        for write in &device.writes {
            let Some(url) = upload::address(&write.key) else { continue };
            match upload::stored(url).await {
                Ok(Some(value)) => files.push((device.device.account, write.key.clone(), value)),
                Ok(None) => {}
                Err(error) => complaints.push(format!("{url} cannot be read: {error:#}")),
            }
        }
    }
    files
}

/// One device for the first account, two for the second, and so on.
fn devices(count: usize) -> Vec<Device> {
    let each = (0..).flat_map(|account| {
        (0..1 + account % 2).map(move |index| Device { account: Account(account), index })
    });
    each.take(count.max(2)).collect()
}
