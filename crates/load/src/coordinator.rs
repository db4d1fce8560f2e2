//! The coordinator: starts workers, has all do the same thing at the same time, and looks at the server in between.

use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::process::{Child, ChildStdin, Command as Program, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::clock::{Clock, SECOND};
use crate::options::Options;
use crate::process::{Usage, usage};
use crate::report::{Login, Part, Report};
use crate::scenario::{Load, Share};
use crate::stats::{Counts, Times};
use crate::worker::{Command, Plan, Said, Told};

/// Sessions of one worker: below the 20,000 descriptors that a process often may have.
const SESSIONS_OF_WORKER: usize = 18_000;

/// Sessions that sign in before the server's memory is looked at first: what it allocates once is not counted for each.
const FIRST_SESSIONS: usize = 200;

/// What the server needs to come to rest after the last sign-in, before its memory is looked at.
const SETTLE: Duration = Duration::from_secs(3);

/// How long what is under way at the end may take.
const DRAIN: u64 = 30 * SECOND;

/// Between two looks at what is missing.
const DRAIN_LOOK: Duration = Duration::from_millis(100);

/// Between two lines of progress where there is no terminal.
const PLAIN_PROGRESS: u64 = 10 * SECOND;

struct Worker {
    process: Child,
    orders: ChildStdin,
    counts: Counts,
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended is only collected.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// All workers, and the clock.
struct Crew<'a> {
    clock: Clock,
    options: &'a Options,
    load: &'a Load,
    workers: Vec<Worker>,
    heard: Receiver<(usize, Said)>,
    deadline: u64,
    shown: u64,
}

/// Everything of a run.
pub(crate) fn run(options: &Options, load: &Load) -> Result<Report> {
    let mut crew = Crew::start(options, load)?;
    let mut report = Report::new(options, load);
    report.workers = crew.workers.len();
    if options.register && !options.via.is_relay() {
        crew.all("making accounts", Command::Register)?;
    }
    crew.sign_in(&mut report)?;
    if load.runs() {
        crew.measure(&mut report)?;
    }
    report.counts = crew.counts();
    crew.dismiss();
    Ok(report)
}

impl<'a> Crew<'a> {
    fn start(options: &'a Options, load: &'a Load) -> Result<Crew<'a>> {
        let clock = Clock::new();
        let shares = shares(load.sessions(), load.together(), options.workers);
        let concurrency = options.concurrency.div_ceil(shares.len());
        let (sender, heard) = channel();
        let mut workers = Vec::new();
        for share in shares {
            let plan = Plan { options: options.clone(), load: load.clone(), share, concurrency };
            workers.push(start_worker(workers.len(), &plan, sender.clone())?);
        }
        let deadline = clock.now() + (options.limit * SECOND as f64) as u64;
        Ok(Crew { clock, options, load, workers, heard, deadline, shown: 0 })
    }

    /// Signs all in: some, and with the server's memory before and after the others.
    fn sign_in(&mut self, report: &mut Report) -> Result<()> {
        let sessions = self.load.sessions();
        let first = FIRST_SESSIONS.min(sessions / 2) / self.workers.len();
        self.all("signing in", Command::SignIn(first.next_multiple_of(self.load.together())))?;
        let (before, counts, own_before) = (self.usage()?, self.counts(), own_usage());
        let begun = self.clock.now();
        let told = self.all("signing in", Command::SignIn(sessions))?;
        let seconds = (self.clock.now() - begun) as f64 / SECOND as f64;
        let after_login = self.usage()?;
        if !self.load.runs() {
            self.pause("settling", SETTLE)?;
        }
        let (after, own_after) = (self.usage()?, own_usage());
        let logins = self.counts().since(counts).logins;
        let times = times(&told, |told| &told.login);
        report.login = Some(Login::new(logins, seconds, &times, before.zip(after_login).map(cpu)));
        if let Some((before, after)) = own_before.zip(own_after).filter(|_| logins > 0) {
            report.client_bytes_per_session = Some(after.memory.saturating_sub(before.memory) / logins);
        }
        if let (Some((before, after)), false, true) = (before.zip(after), self.load.runs(), logins > 0) {
            report.bytes_per_session = Some(after.memory.saturating_sub(before.memory) / logins);
        }
        if self.counts().failures > 0 {
            bail!("{} sign-ins failed", self.counts().failures);
        }
        Ok(())
    }

    fn measure(&mut self, report: &mut Report) -> Result<()> {
        for (stage, name) in self.load.stages().iter().enumerate() {
            let (before, counts, begun) = (self.usage()?, self.counts(), self.clock.now());
            let told = self.all(name, Command::Stage(stage))?;
            let seconds = (self.clock.now() - begun) as f64 / SECOND as f64;
            let steps = self.counts().since(counts).steps;
            let cpu = before.zip(self.usage()?).map(cpu);
            report.parts.push(Part::new(name, seconds, steps, &times(&told, |told| &told.latency), cpu));
        }
        if self.load.goes_on() {
            self.run_on(report)?;
        }
        self.drain()
    }

    /// What goes on until it is stopped.
    fn run_on(&mut self, report: &mut Report) -> Result<()> {
        self.all("warming up", Command::Run)?;
        self.pause("warming up", Duration::from_secs_f64(self.options.warm_up))?;
        self.all("measuring", Command::Tell)?;
        let (before, counts, begun) = (self.usage()?, self.counts(), self.clock.now());
        self.pause("measuring", Duration::from_secs_f64(self.options.seconds))?;
        let after = self.usage()?;
        let told = self.all("measuring", Command::Tell)?;
        let seconds = (self.clock.now() - begun) as f64 / SECOND as f64;
        let delivered = self.counts().since(counts).delivered;
        let latency = times(&told, |told| &told.latency);
        report.parts.push(Part::new(
            self.load.name(),
            seconds,
            delivered,
            &latency,
            before.zip(after).map(cpu),
        ));
        Ok(())
    }

    /// Nothing more is begun; what is under way arrives.
    fn drain(&mut self) -> Result<()> {
        self.all("finishing", Command::Stop)?;
        let patience = self.clock.now() + DRAIN;
        while self.counts().missing() > 0 && self.clock.now() < patience {
            self.pause("finishing", DRAIN_LOOK)?;
            self.all("finishing", Command::Tell)?;
        }
        // What comes twice comes late.
        self.pause("finishing", DRAIN_LOOK)?;
        self.all("finishing", Command::Tell)?;
        Ok(())
    }

    fn usage(&self) -> Result<Option<Usage>> {
        self.options.pid.map(usage).transpose()
    }

    fn counts(&self) -> Counts {
        self.workers.iter().fold(Counts::default(), |sum, worker| sum.plus(worker.counts))
    }

    /// Has all workers do something, and waits until all have done it.
    fn all(&mut self, doing: &str, command: Command) -> Result<Vec<Told>> {
        let mut line = serde_json::to_vec(&command)?;
        line.push(b'\n');
        for worker in &mut self.workers {
            worker.orders.write_all(&line).context("a worker is gone")?;
        }
        let mut told = Vec::new();
        while told.len() < self.workers.len() {
            if let Some(done) = self.hear(doing, None)? {
                told.push(done);
            }
        }
        Ok(told)
    }

    /// Lets time pass.
    fn pause(&mut self, doing: &str, time: Duration) -> Result<()> {
        let until = self.clock.now() + time.as_nanos() as u64;
        while self.clock.now() < until {
            self.hear(doing, Some(until))?;
        }
        Ok(())
    }

    /// What the next worker says, at most until then.
    fn hear(&mut self, doing: &str, until: Option<u64>) -> Result<Option<Told>> {
        let now = self.clock.now();
        if now >= self.deadline {
            bail!("not done after {} seconds, while {doing}", self.options.limit);
        }
        let wait = until.unwrap_or(u64::MAX).min(self.deadline).saturating_sub(now);
        let (index, said) = match self.heard.recv_timeout(Duration::from_nanos(wait)) {
            Ok(heard) => heard,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => bail!("all workers are gone, while {doing}"),
        };
        match said {
            Said::Done(done) => {
                self.workers[index].counts = done.counts;
                Ok(Some(done))
            }
            Said::Progress(counts) => {
                self.workers[index].counts = counts;
                self.show(doing);
                Ok(None)
            }
            Said::Note(note) => {
                self.clear();
                eprintln!("{note}");
                Ok(None)
            }
            Said::Failed(why) => Err(anyhow!(why).context(format!("worker {index}, while {doing}"))),
        }
    }

    /// One line, over and over on a terminal.
    fn show(&mut self, doing: &str) {
        let now = self.clock.now();
        let terminal = std::io::stderr().is_terminal();
        if self.options.quiet || (!terminal && now < self.shown + PLAIN_PROGRESS) {
            return;
        }
        self.shown = now;
        let Counts { logins, delivered, .. } = self.counts();
        let left = self.deadline.saturating_sub(now) / SECOND;
        let line = format!(
            "{}: {doing}; {logins} signed in, {delivered} delivered; ends within {left} s",
            self.load.name()
        );
        match terminal {
            true => eprint!("\r\x1b[K{line}"),
            false => eprintln!("{line}"),
        }
    }

    fn clear(&self) {
        if std::io::stderr().is_terminal() {
            eprint!("\r\x1b[K");
        }
    }

    fn dismiss(mut self) {
        self.clear();
        for worker in &mut self.workers {
            // Who is gone already needs no order.
            let _ = worker.orders.write_all(b"\"Quit\"\n");
        }
        for worker in &mut self.workers {
            let _ = worker.process.wait();
        }
    }
}

/// What the workers and this process use; not worth an error.
fn own_usage() -> Option<Usage> {
    usage(std::process::id()).ok()
}

fn cpu((before, after): (Usage, Usage)) -> f64 {
    after.cpu - before.cpu
}

fn times(told: &[Told], of: impl Fn(&Told) -> &Vec<(u64, u64)>) -> Times {
    let mut all = Times::new();
    told.iter().for_each(|told| all.add(of(told)));
    all
}

/// Parts of nearly the same size, whole groups each.
fn shares(sessions: usize, together: usize, workers: usize) -> Vec<Share> {
    let groups = sessions.div_ceil(together).max(1);
    let workers = match workers {
        0 => sessions.div_ceil(SESSIONS_OF_WORKER).max(1),
        wanted => wanted.min(groups),
    };
    let bound = |worker: usize| (worker * groups / workers * together).min(sessions);
    (0..workers).map(|worker| Share { sessions: bound(worker)..bound(worker + 1), of: sessions }).collect()
}

fn start_worker(index: usize, plan: &Plan, heard: Sender<(usize, Said)>) -> Result<Worker> {
    let mut process = Program::new(std::env::current_exe().context("where is this program?")?)
        .arg("worker")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting a worker")?;
    let mut orders = process.stdin.take().context("its input was asked for")?;
    let said = process.stdout.take().context("its output was asked for")?;
    let mut line = serde_json::to_vec(plan)?;
    line.push(b'\n');
    orders.write_all(&line).context("telling a worker its plan")?;
    // Ends with the worker, whose output it reads.
    thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
        for line in BufReader::new(said).lines() {
            let said = line.map_err(anyhow::Error::from).and_then(|line| Ok(serde_json::from_str(&line)?));
            let said = said.unwrap_or_else(|error| Said::Failed(error.to_string()));
            if heard.send((index, said)).is_err() {
                return;
            }
        }
    })?;
    Ok(Worker { process, orders, counts: Counts::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_stay_together() {
        let parts = shares(10, 2, 3);
        assert_eq!(parts.iter().map(|share| share.sessions.clone()).collect::<Vec<_>>(), [0..2, 2..6, 6..10]);
        assert_eq!(shares(40_000, 1, 0).len(), 3);
        assert_eq!(shares(3, 1, 8).len(), 3);
        assert_eq!(shares(1, 1, 0)[0].sessions, 0..1);
    }
}
