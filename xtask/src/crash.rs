//! `cargo xtask crash`: kill the server under load, again and again, and check that nothing acknowledged is lost.
//!
//! The proof itself is `rookery_testkit::crash`; here the server is built, configured and chosen. The modes that
//! must fail show that the check bites.

use std::ffi::{OsStr, OsString};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use rookery_testkit::crash::mail::{self, Doors};
use rookery_testkit::crash::{self, Plan, Server};

use crate::shell;

#[derive(Args)]
pub(crate) struct CrashArgs {
    /// One short run of every mode, as the tests want it
    #[arg(long)]
    short: bool,
    /// How often the server is killed
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// How many devices write
    #[arg(long, default_value_t = 24)]
    clients: usize,
    /// The longest time between two kills
    #[arg(long, default_value_t = 6.0)]
    seconds: f64,
    /// Repeat the choices of an earlier run
    #[arg(long)]
    seed: Option<u64>,
    /// What the server's store stands on, and what it is made to do wrong
    #[arg(long, value_enum, default_value_t = Mode::Disk)]
    mode: Mode,
    /// Mail in place of messages: other servers bring some, and people's programs hand some in
    #[arg(long)]
    mail: bool,
    /// Judge another server, started with this command; it must keep its data where it did before
    #[arg(long, requires = "address", conflicts_with = "mail", value_delimiter = ' ')]
    command: Vec<OsString>,
    /// Where that server listens; it serves localhost, and plain connections may authenticate and register
    #[arg(long)]
    address: Option<SocketAddr>,
}

/// The store under the server, and its mistakes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Mode {
    /// Files as they are; the page cache survives a kill
    Disk,
    /// What was not synced is gone after a kill; the disk also stalls, fails and runs full at times
    WriteBack,
    /// Acknowledges before the commit: must fail
    AckBeforeCommit,
    /// Never syncs, on a store that forgets what was not synced: must fail
    WriteBackUnsynced,
}

impl Mode {
    /// The switches of the server built for this; `control` is the file that tells its disk to fail.
    fn environment(self, control: &Path) -> Vec<(OsString, OsString)> {
        let mut environment = Vec::new();
        let mut set = |name: &str, value: &OsStr| environment.push((name.into(), value.to_owned()));
        if self != Mode::Disk {
            set("ROOKERY_TEST_DISK", "write-back".as_ref());
            set("ROOKERY_TEST_DISK_CONTROL", control.as_os_str());
        }
        match self {
            Mode::Disk | Mode::WriteBack => {}
            Mode::AckBeforeCommit => set("ROOKERY_TEST_ACK_BEFORE_COMMIT", "1".as_ref()),
            Mode::WriteBackUnsynced => set("ROOKERY_TEST_UNSYNCED", "1".as_ref()),
        }
        environment
    }

    fn must_fail(self) -> bool {
        matches!(self, Mode::AckBeforeCommit | Mode::WriteBackUnsynced)
    }
}

pub(crate) fn run(args: CrashArgs) -> Result<()> {
    let seed = args.seed.unwrap_or_else(seed_of_now);
    let plan = Plan {
        rounds: args.rounds,
        devices: args.clients,
        round: Duration::from_secs_f64(args.seconds),
        seed,
    };
    if let Some(address) = args.address {
        let folder = tempfile::Builder::new().prefix("crash-").tempdir()?.keep();
        let log = folder.join("log");
        let server = Server { command: args.command, environment: Vec::new(), address, log, disk: None };
        return judge(Mode::Disk, &plan, || {
            crash::run(&plan, &server).map(|it| (it.is_good(), it.to_string()))
        });
    }
    let program = build()?;
    if !args.short {
        return in_folder(args.mode, args.mail, &plan, &program);
    }
    for mode in Mode::value_variants() {
        // One kill is enough to lose what was not kept.
        let rounds = if mode.must_fail() { 1 } else { 5 };
        let short = Plan { rounds, devices: 12, round: Duration::from_secs(2), seed };
        in_folder(*mode, false, &short, &program)?;
        in_folder(*mode, true, &short, &program)?;
    }
    Ok(())
}

/// The server with its test switches.
fn build() -> Result<PathBuf> {
    shell::run(&mut shell::cargo(["build", "--package", "rookery", "--features", "bite,test-vfs"]))?;
    Ok(shell::target_dir().join("debug").join("rookery"))
}

/// Run in a fresh folder, which stays as evidence if something is wrong.
fn in_folder(mode: Mode, with_mail: bool, plan: &Plan, program: &Path) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("rookery-crash-").tempdir()?;
    let address = free_address()?;
    let config = folder.path().join("rookery.toml");
    let mut text = configuration(address, free_address()?);
    let post = with_mail.then(Post::new).transpose()?;
    text.extend(post.iter().map(Post::configuration));
    std::fs::write(&config, text).context("writing the configuration")?;
    let data = folder.path().join("data");
    let arguments: [OsString; 5] =
        ["serve".into(), "--config".into(), config.into(), "--data".into(), data.into()];
    let command = [program.as_os_str().to_owned()].into_iter().chain(arguments).collect();
    let control = folder.path().join("disk");
    let environment = mode.environment(&control);
    let disk = (mode != Mode::Disk).then_some(control);
    let server = Server { command, environment, address, log: folder.path().join("log"), disk };
    let outcome = judge(mode, plan, || match post {
        None => crash::run(plan, &server).map(|it| (it.is_good(), it.to_string())),
        Some(Post { doors, smarthost }) => {
            mail::run(plan, &server, doors, smarthost).map(|it| (it.is_good(), it.to_string()))
        }
    });
    if outcome.is_err() {
        println!("the server's data and log stay in {}", folder.keep().display());
    }
    outcome
}

/// Runs it; whether all was good, and what is to be said of it.
fn judge(mode: Mode, plan: &Plan, run: impl FnOnce() -> Result<(bool, String)>) -> Result<()> {
    println!("crash run, {mode:?}: {} devices, {} kills, seed {}", plan.devices, plan.rounds, plan.seed);
    let (good, report) = run()?;
    println!("{report}");
    match (mode.must_fail(), good) {
        (false, true) => Ok(()),
        (false, false) => bail!("what the server acknowledged is not what it kept"),
        (true, true) => bail!("{mode:?} went unnoticed: the check does not bite"),
        (true, false) => {
            println!("as it must be: {mode:?} was noticed");
            Ok(())
        }
    }
}

/// A server for this run alone: loopback, plain connections, open registration.
fn configuration(address: SocketAddr, http: SocketAddr) -> String {
    format!(
        r#"
domain = "localhost"

[listen]
c2s = ["{address}"]
c2s_tls = []
http = ["{http}"]
https = []
status = []

[http]
public_url = "http://{http}"

[registration]
mode = "open"
per_address_and_hour = 1000

[limits]
messages_per_second = 0
strangers_per_hour = 0
strangers_per_day = 0
subscriptions_per_hour = 0

[security]
allow_plain_connections = true
scram_iterations = 4096
"#
    )
}

/// Where mail comes in and is read, and where it goes.
struct Post {
    doors: Doors,
    smarthost: TcpListener,
}

impl Post {
    fn new() -> Result<Post> {
        let [smtp, lmtp, submission, imap] =
            [free_address()?, free_address()?, free_address()?, free_address()?];
        let smarthost = TcpListener::bind("127.0.0.1:0").context("no free port")?;
        Ok(Post { doors: Doors { smtp, lmtp, submission, imap }, smarthost })
    }

    fn configuration(&self) -> String {
        let Doors { smtp, lmtp, submission, imap } = self.doors;
        let smarthost = self.smarthost.local_addr().map_or(0, |address| address.port());
        format!(
            r#"
[mail]
enabled = true
listen = ["{smtp}"]
lmtp = "{lmtp}"
submission = ["{submission}"]
imap = ["{imap}"]
smarthost = "smtp://127.0.0.1:{smarthost}"
verify = false
sent_per_hour = 100000
"#
        )
    }
}

pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
    Ok(listener.local_addr()?)
}

fn seed_of_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_secs())
}
