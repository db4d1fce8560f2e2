//! `cargo xtask s3`: files in a store of objects, against a server that speaks the protocol of S3 (moto, from the Python package
//! index).

use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::crash::free_address;
use crate::report::{Counts, Outcome};
use crate::{shell, venv};

/// The server, with what it wants besides.
const MOTO: &str = "moto[s3,server]==5.2.5";

/// How long it may take to start.
const STARTING: Duration = Duration::from_secs(60);

/// A server that runs; killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing can be done here about a process that is already gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn run() -> Result<()> {
    match step()? {
        Outcome::Ran(counts) if counts.failed == 0 => Ok(()),
        Outcome::Ran(counts) => bail!("{counts}"),
        Outcome::Skipped(why) => bail!("{why}"),
    }
}

pub(crate) fn step() -> Result<Outcome> {
    let Ok(bin) = venv::ensure(&shell::target_dir().join("s3"), &[MOTO]) else {
        return Ok(Outcome::Skipped(format!("{MOTO} cannot be installed here")));
    };
    let port = free_address()?.port();
    let mut moto = shell::command(bin.join("moto_server"));
    moto.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    let child = moto.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("starting moto")?;
    let mut running = Running(child);
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if let Some(status) = running.0.try_wait()? {
            bail!("moto ended by itself: {status}");
        }
        if started.elapsed() > STARTING {
            bail!("moto does not answer");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut cargo = shell::cargo(["test", "--package", "rookery-testkit", "--test", "s3", "--", "--ignored"]);
    cargo.env("ROOKERY_TEST_S3", format!("http://127.0.0.1:{port}"));
    let mut counts = Counts::default();
    let status = shell::run_lines(&mut cargo, |line| counts.add_libtest(line))?;
    if counts.failed == 0 {
        shell::succeeded(&cargo, status)?;
    }
    Ok(Outcome::Ran(counts))
}
