//! The restart journal of a process that is killed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use rookery_proto::Useq;
use rookery_store::StreamId;
use rookery_store::journal::{Journal, Recovery, Sent};
use rookery_store::test_vfs::DISK_ENV;

const STREAM: StreamId = StreamId([7; 16]);
const CHILD_ENV: &str = "ROOKERY_TEST_CHILD";
const WRITTEN: u32 = 1_000;

/// Not a test of its own: the process that is killed.
#[test]
fn child_process() {
    let Ok(dir) = std::env::var(CHILD_ENV) else { return };
    let (journal, _) = Journal::open(dir.as_ref()).unwrap();
    journal.snapshot(STREAM, Useq(0), b"state");
    for count in 1..=WRITTEN {
        journal.sent(STREAM, count, Useq(count.into()), &[Sent::Log(Useq(count.into()))]);
    }
    journal.acked(STREAM, WRITTEN - 2);
    writeln!(std::io::stdout(), "written").unwrap();
    // Until it is killed.
    std::io::stdin().lines().for_each(drop);
}

/// What is found after a process with such a disk was killed.
fn killed(disk: Option<&str>) -> Recovery {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child_process", "--nocapture", "--quiet"])
        .env(CHILD_ENV, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if let Some(disk) = disk {
        command.env(DISK_ENV, disk);
    }
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.ends_with("written")));
    child.kill().unwrap();
    child.wait().unwrap();
    Journal::open(dir.path()).unwrap().1
}

#[test]
fn a_kill_loses_nothing() {
    let recovery = killed(None);
    assert!(recovery.exact);
    let [stream] = &recovery.streams[..] else { panic!("one stream: {recovery:?}") };
    assert_eq!((stream.id, &stream.snapshot[..], stream.acked), (STREAM, &b"state"[..], WRITTEN - 2));
    let last = |back: u32| (WRITTEN - back, Sent::Log(Useq((WRITTEN - back).into())));
    assert_eq!(stream.unacked, [last(1), last(0)]);
}

#[test]
fn on_a_disk_that_loses_what_is_not_synced_nothing_is_claimed() {
    assert_eq!(killed(Some("write-back")), Recovery::default());
}
