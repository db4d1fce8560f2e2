//! A worker: a process with a part of the sessions, and one thread. The coordinator tells it by lines of JSON on its standard
//! input what to do next, and it answers each with one on its standard output.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::clock::SECOND;
use crate::net::signin::Profile;
use crate::net::{Event, Net, Setup, Via};
use crate::options::Options;
use crate::scenario::{Load, Scenario, Share};
use crate::stats::{Counts, Score};

/// Longest wait for events: what is not told by an event is looked at so often.
const LOOK: Duration = Duration::from_millis(200);

/// Reports of how far it is, apart.
const REPORT: u64 = SECOND / 2;

/// Closed connections and failed sign-ins that are told; more say nothing new.
const TOLD: u64 = 3;

/// A worker's first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) options: Options,
    pub(crate) load: Load,
    pub(crate) share: Share,
    /// Sign-ins of this worker that are under way at a time.
    pub(crate) concurrency: usize,
}

/// What the coordinator says.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) enum Command {
    /// Make the accounts, and disconnect.
    Register,
    /// Have the first so many of the sessions signed in.
    SignIn(usize),
    /// Go through this stage of the scenario.
    Stage(usize),
    /// Begin what is measured.
    Run,
    /// Tell the counts, and the latencies since the last time.
    Tell,
    /// Send nothing more.
    Stop,
    /// Disconnect, and end.
    Quit,
}

/// What a worker says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    /// The command was carried out.
    Done(Told),
    /// How far it is.
    Progress(Counts),
    /// Something that who runs the load should know.
    Note(String),
    /// It cannot go on.
    Failed(String),
}

/// The counts so far, and times since they were last told, as pairs of microseconds and count.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) counts: Counts,
    pub(crate) latency: Vec<(u64, u64)>,
    pub(crate) login: Vec<(u64, u64)>,
}

/// Sign-ins that are being made.
struct SigningIn {
    register: bool,
    /// The next session, and where to stop.
    next: usize,
    upto: usize,
    under_way: usize,
}

struct Worker {
    net: Net,
    scenario: Box<dyn Scenario>,
    score: Score,
    concurrency: usize,
    signing_in: Option<SigningIn>,
    /// A stage has been begun and is not over.
    staging: bool,
    /// Sessions up to here are signed in.
    signed_in: usize,
    reported: u64,
    quit: bool,
}

/// Runs to the end of what the coordinator wants. Errors are told to it.
pub(crate) fn run() -> Result<()> {
    let result = plan().and_then(|(plan, commands)| Worker::new(&plan, commands)?.work());
    if let Err(error) = &result {
        say(&Said::Failed(format!("{error:#}")))?;
    }
    result
}

/// The plan, and where the commands come from. Nothing is read beyond the first line, so not by way of the standard
/// library's buffer: the rest is for the event loop.
fn plan() -> Result<(Plan, File)> {
    let mut commands = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut line = Vec::new();
    BufReader::with_capacity(1, &mut commands).read_until(b'\n', &mut line).context("reading the plan")?;
    Ok((serde_json::from_slice(&line).context("understanding the plan")?, commands))
}

fn say(said: &Said) -> Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    Ok(out.flush()?)
}

impl Worker {
    fn new(plan: &Plan, commands: File) -> Result<Worker> {
        let identities: Vec<_> =
            plan.share.sessions.clone().map(|number| plan.load.identity(number)).collect();
        let last = (0..plan.share.of).map(|number| plan.load.identity(number).account).max();
        let options = &plan.options;
        let profile = Profile {
            domain: options.domain.clone(),
            starttls: options.via == Via::Starttls,
            mechanism: options.auth.mechanism(),
            inline: options.inline,
            steps: plan.load.steps(options),
        };
        let setup = Setup {
            server: options.server,
            via: options.via,
            path: options.path.clone(),
            profile,
            accounts: options.accounts(last.map_or(0, |last| last + 1))?,
            tickets: options.tickets,
            ask_every: options.acks.unwrap_or(0),
        };
        Ok(Worker {
            net: Net::new(setup, identities, commands)?,
            scenario: plan.load.start(options, &plan.share),
            score: Score::new(),
            concurrency: plan.concurrency.max(1),
            signing_in: None,
            staging: false,
            signed_in: 0,
            reported: 0,
            quit: false,
        })
    }

    fn work(&mut self) -> Result<()> {
        while !self.quit {
            self.net.wait(LOOK)?;
            while let Some(event) = self.net.next()? {
                self.on(event)?;
            }
            self.sign_in()?;
            if let Some(due) = self.scenario.tick(&mut self.net, &mut self.score)? {
                self.net.wake_at(due)?;
            }
            if self.staging && self.scenario.staged(&self.net) {
                self.staging = false;
                self.tell()?;
            }
            self.net.flush();
            self.report()?;
        }
        Ok(())
    }

    fn on(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Command(line) => {
                self.command(serde_json::from_str(&line).context("understanding a command")?)
            }
            Event::Ready(session) => self.ready(session),
            Event::Stanza(session, stanza) => {
                self.scenario.stanza(&mut self.net, &mut self.score, session, &stanza)
            }
            Event::Acknowledged(count) => {
                self.score.counts.acknowledged += u64::from(count);
                Ok(())
            }
            Event::Closed(session, why) => self.closed(session, &why),
        }
    }

    fn command(&mut self, command: Command) -> Result<()> {
        match command {
            Command::Register => self.begin_sign_in(true, 0, self.net.sessions()),
            Command::SignIn(upto) => self.begin_sign_in(false, self.signed_in, upto.min(self.net.sessions())),
            Command::Stage(stage) => {
                self.staging = true;
                self.scenario.stage(&mut self.net, &mut self.score, stage)
            }
            Command::Run => {
                self.scenario.begin(&mut self.net, &mut self.score)?;
                self.tell()
            }
            Command::Tell => self.tell(),
            Command::Stop => {
                self.scenario.stop();
                self.tell()
            }
            Command::Quit => {
                (0..self.net.sessions()).for_each(|session| self.net.leave(session));
                self.net.flush();
                self.quit = true;
                Ok(())
            }
        }
    }

    fn begin_sign_in(&mut self, register: bool, from: usize, upto: usize) -> Result<()> {
        self.signing_in = Some(SigningIn { register, next: from, upto, under_way: 0 });
        Ok(())
    }

    /// Begins as many sign-ins as may be under way; answers when all are done.
    fn sign_in(&mut self) -> Result<()> {
        let Some(signing_in) = &mut self.signing_in else { return Ok(()) };
        while signing_in.under_way < self.concurrency && signing_in.next < signing_in.upto {
            let session = signing_in.next;
            signing_in.next += 1;
            // One account may have many sessions, and is made once.
            let known = session.checked_sub(1).map(|before| self.net.identity(before).account);
            if signing_in.register && known == Some(self.net.identity(session).account) {
                continue;
            }
            self.net.connect(session, signing_in.register).context("connecting")?;
            signing_in.under_way += 1;
        }
        if signing_in.under_way > 0 || signing_in.next < signing_in.upto {
            return Ok(());
        }
        if !signing_in.register {
            self.signed_in = signing_in.upto;
        }
        self.signing_in = None;
        self.tell()
    }

    fn ready(&mut self, session: usize) -> Result<()> {
        let Some(signing_in) = &mut self.signing_in else {
            self.score.counts.logins += 1;
            return self.scenario.ready(&mut self.net, &mut self.score, session);
        };
        signing_in.under_way -= 1;
        if signing_in.register {
            self.net.leave(session);
            return Ok(());
        }
        self.score.counts.logins += 1;
        let since = self.net.since(session).unwrap_or_default();
        self.score.login.record(self.net.clock.now().saturating_sub(since));
        Ok(())
    }

    fn closed(&mut self, session: usize, why: &str) -> Result<()> {
        self.score.counts.failures += 1;
        if self.score.counts.failures <= TOLD {
            let number = self.net.identity(session).number;
            say(&Said::Note(format!("session {number}: {why}")))?;
        }
        // Who cannot sign in will not come later; there is nothing to measure without them.
        if self.signing_in.is_some() || self.staging {
            bail!("a session ended before all was ready: {why}");
        }
        Ok(())
    }

    fn tell(&mut self) -> Result<()> {
        let Score { counts, latency, login } = &mut self.score;
        let told = Told { counts: *counts, latency: latency.pairs(), login: login.pairs() };
        latency.clear();
        login.clear();
        say(&Said::Done(told))
    }

    fn report(&mut self) -> Result<()> {
        let now = self.net.clock.now();
        if now < self.reported + REPORT {
            return Ok(());
        }
        self.reported = now;
        say(&Said::Progress(self.score.counts))
    }
}
