//! The store on a disk that fails: what was acknowledged is never lost, what failed is told so, and nobody needs to
//! restart anything when the disk is well again.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use common::*;
use rookery_proto::Useq;
use rookery_store::test_vfs::{CONTROL_ENV, DISK_ENV, Fault, Faults, Mode};
use rookery_store::{Options, Store, StoreError, limits};
use tempfile::TempDir;

/// A store on a test disk of its own.
struct Bench {
    disk: Faults,
    store: Store,
    options: Options,
    rung: Rung,
    _dir: TempDir,
}

impl Bench {
    async fn new(mode: Mode) -> Bench {
        Bench::with(mode, |_| {}).await
    }

    async fn with(mode: Mode, change: impl FnOnce(&mut Options)) -> Bench {
        static DISKS: AtomicU32 = AtomicU32::new(0);
        let disk = Faults::new(&format!("disk{}", DISKS.fetch_add(1, Ordering::SeqCst)), mode);
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::new(dir.path().join("store.db"));
        options.vfs = Some(disk.name().to_owned());
        change(&mut options);
        let rung = Rung::default();
        let store = open(&options, &rung).await.unwrap();
        Bench { disk, store, options, rung, _dir: dir }
    }

    /// Cuts the power and starts again with what is left.
    async fn power_cut(&mut self) {
        self.disk.power_cut();
        self.store.close().await.unwrap();
        self.disk.heal();
        self.store = open(&self.options, &self.rung).await.unwrap();
    }

    /// Sends one message and keeps its text if it was acknowledged.
    async fn send(&self, text: &str, acknowledged: &mut Vec<String>) -> Result<(), StoreError> {
        append(&self.store, message(ALICE, BOB, text, 1)).await?;
        acknowledged.push(text.to_owned());
        Ok(())
    }

    /// Both logs have just the acknowledged messages, without gaps.
    async fn check(&self, acknowledged: &[String]) {
        let expected: Vec<(u64, String)> = (1..).zip(acknowledged.iter().cloned()).collect();
        for uid in [ALICE, BOB] {
            // The whole logs would be pages of output.
            let log = log(&self.store, uid).await;
            let differs = log.iter().zip(&expected).position(|(is, should)| is != should);
            assert_eq!((log.len(), differs), (expected.len(), None));
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_power_cut() {
    let mut bench = Bench::new(Mode::WriteBack).await;
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        for n in 0..20 {
            bench.send(&format!("{round}/{n}"), &mut acknowledged).await.unwrap();
        }
        bench.power_cut().await;
        bench.check(&acknowledged).await;
    }
}

#[tokio::test]
async fn without_syncs_a_power_cut_loses_it() {
    let mut bench = Bench::with(Mode::WriteBack, |options| options.synchronous_off = true).await;
    bench.send("lost", &mut Vec::new()).await.unwrap();
    bench.power_cut().await;
    assert_eq!(log(&bench.store, ALICE).await, []);
}

#[tokio::test]
async fn a_clean_close_needs_no_recovery() {
    let mut bench = Bench::new(Mode::WriteBack).await;
    let mut acknowledged = Vec::new();
    bench.send("kept", &mut acknowledged).await.unwrap();
    bench.store.close().await.unwrap();
    let wal = bench.options.path.with_extension("db-wal");
    assert!(!wal.exists(), "all is in the database file");
    bench.power_cut().await;
    bench.check(&acknowledged).await;
}

/// Fails the operations of the disk from each number on, and looks what became of the messages.
async fn at_every_operation(fail: impl Fn(&Faults, u32, Fault)) {
    let mut bench = Bench::new(Mode::WriteBack).await;
    let mut acknowledged = Vec::new();
    let mut failures = 0;
    for after in 0..30 {
        for fault in [Fault::Full, Fault::Io] {
            fail(&bench.disk, after, fault);
            for n in 0..8 {
                match bench.send(&format!("{after}/{fault:?}/{n}"), &mut acknowledged).await {
                    Ok(()) => {}
                    Err(StoreError::Full | StoreError::Io) => failures += 1,
                    Err(other) => panic!("not the disk's fault: {other}"),
                }
            }
            bench.disk.heal();
            // No restart: the next write works.
            bench.send(&format!("{after}/{fault:?}/healed"), &mut acknowledged).await.unwrap();
        }
        bench.check(&acknowledged).await;
        if after % 10 == 9 {
            bench.power_cut().await;
            bench.check(&acknowledged).await;
        }
    }
    assert!(failures > 50, "the faults were met: {failures}");
    assert_eq!(
        bench.rung.lock().len(),
        2 * acknowledged.len(),
        "the doorbell rang for what was committed only"
    );
}

#[tokio::test]
async fn failing_writes_lose_nothing() {
    at_every_operation(Faults::fail_writes).await;
}

#[tokio::test]
async fn failing_syncs_lose_nothing() {
    at_every_operation(Faults::fail_syncs).await;
}

#[tokio::test]
async fn a_failed_commit_is_an_error_to_the_whole_batch() {
    let bench = Bench::new(Mode::Direct).await;
    bench.disk.stall_syncs();
    let mut pending = vec![bench.store.append(message(ALICE, BOB, "first", 1)).await.unwrap()];
    wait_for_stall(&bench.disk).await;
    for n in 0..10 {
        pending.push(bench.store.append(message(ALICE, BOB, &n.to_string(), 1)).await.unwrap());
    }
    bench.disk.fail_syncs(1, Fault::Io);
    // The plan of faults stays, only the stall ends.
    bench.disk.resume_syncs();
    let mut answers = Vec::new();
    for answer in pending {
        answers.push(answer.await.map(drop));
    }
    assert_eq!(answers[0], Ok(()));
    assert_eq!(answers[1..], vec![Err(StoreError::Io); 10]);
    bench.disk.heal();
    assert_eq!(log(&bench.store, BOB).await, [(1, "first".into())]);
    assert_eq!(bench.store.stats().failures, 1);
}

#[tokio::test]
async fn a_stalled_disk_delays_and_bounds() {
    let bench = Bench::new(Mode::WriteBack).await;
    let mut acknowledged = Vec::new();
    bench.send("before", &mut acknowledged).await.unwrap();
    bench.disk.stall_syncs();
    let mut first = bench.store.append(message(ALICE, BOB, "stalled", 1)).await.unwrap();
    wait_for_stall(&bench.disk).await;
    // What is not committed is neither answered nor seen, while reading goes on.
    assert!(futures_poll(&mut first).is_none());
    bench.check(&acknowledged).await;
    // The queue is bounded: there comes a sender who has to wait for room.
    let mut queued = Vec::new();
    for n in 0..limits::QUEUE {
        queued.push(bench.store.append(message(ALICE, BOB, &n.to_string(), 1)).await.unwrap());
    }
    let mut blocked = Box::pin(bench.store.append(message(ALICE, BOB, "last", 1)));
    assert!(futures_poll(&mut blocked).is_none());
    assert_eq!(bench.store.stats().waiting as usize, limits::QUEUE);

    bench.disk.heal();
    first.await.unwrap();
    for answer in queued {
        answer.await.unwrap();
    }
    blocked.await.unwrap().await.unwrap();
    let head = bench.store.head(ALICE).await.unwrap().head;
    assert_eq!(head, Useq(limits::QUEUE as u64 + 3));
}

/// Polls once.
fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

async fn wait_for_stall(disk: &Faults) {
    while disk.stalled() == 0 {
        tokio::task::yield_now().await;
    }
}

/// The variable that makes this test binary the process that is killed.
const CHILD_ENV: &str = "ROOKERY_TEST_CHILD";

/// Not a test of its own: the process that [`Child`] kills. Appends for each line that it is sent, and prints what was
/// acknowledged.
#[tokio::test]
async fn child_process() {
    let Ok(path) = std::env::var(CHILD_ENV) else { return };
    let mut options = Options::new(path);
    options.synchronous_off = std::env::var_os("ROOKERY_TEST_NO_SYNC").is_some();
    let store = open(&options, &Rung::default()).await.unwrap();
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let answer = append(&store, message(ALICE, BOB, &line, 1)).await;
        // Past the test harness' capture.
        let mut out = std::io::stdout();
        match answer {
            Ok(_) => writeln!(out, "acknowledged {line}").unwrap(),
            Err(error) => writeln!(out, "failed {line}: {error}").unwrap(),
        }
        out.flush().unwrap();
    }
}

/// A process with a store on the write-back disk.
struct Child {
    process: std::process::Child,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Child {
    fn start(dir: &TempDir, no_sync: bool) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "child_process", "--nocapture", "--quiet"])
            .env(CHILD_ENV, dir.path().join("store.db"))
            .env(DISK_ENV, "write-back")
            .env(CONTROL_ENV, dir.path().join("control"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if no_sync {
            command.env("ROOKERY_TEST_NO_SYNC", "1");
        }
        let mut process = command.spawn().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        Child { process, answers }
    }

    /// Asks for a message and waits for the answer.
    fn send(&mut self, text: &str) -> String {
        writeln!(self.process.stdin.as_mut().unwrap(), "{text}").unwrap();
        let mut answers = self.answers.by_ref().map(Result::unwrap);
        answers.find(|line| line.starts_with("acknowledged") || line.starts_with("failed")).unwrap()
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let mut child = Child::start(&dir, false);
        for n in 0..20 {
            let text = format!("{round}/{n}");
            assert_eq!(child.send(&text), format!("acknowledged {text}"));
            acknowledged.push(text);
        }
        child.kill();
    }
    let options = Options::new(dir.path().join("store.db"));
    let store = open(&options, &Rung::default()).await.unwrap();
    let bodies: Vec<String> = log(&store, BOB).await.into_iter().map(|(_, body)| body).collect();
    assert_eq!(bodies, acknowledged);
}

#[tokio::test]
async fn without_syncs_a_kill_loses_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Child::start(&dir, true);
    assert_eq!(child.send("lost"), "acknowledged lost");
    child.kill();
    let options = Options::new(dir.path().join("store.db"));
    let store = open(&options, &Rung::default()).await.unwrap();
    assert_eq!(log(&store, BOB).await, []);
}

#[tokio::test]
async fn a_process_is_told_its_faults() {
    let dir = tempfile::tempdir().unwrap();
    let control = dir.path().join("control");
    let mut child = Child::start(&dir, false);
    assert_eq!(child.send("one"), "acknowledged one");
    std::fs::write(&control, "write=full").unwrap();
    assert_eq!(child.send("two"), "failed two: the disk is full");
    std::fs::write(&control, "sync=io").unwrap();
    assert_eq!(child.send("three"), "failed three: the disk failed");
    std::fs::write(&control, "").unwrap();
    assert_eq!(child.send("four"), "acknowledged four");
    child.kill();
    let store = open(&Options::new(dir.path().join("store.db")), &Rung::default()).await.unwrap();
    assert_eq!(log(&store, BOB).await, [(1, "one".into()), (2, "four".into())]);
}
