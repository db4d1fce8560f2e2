//! `cargo xtask interop`: real clients against the server, in a network of their own.
//!
//! This installs what is needed and starts `tests/interop/run.py`, which does the rest and says
//! `PASS`, `FAIL` or `SKIP` for each check.

use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::report::{Counts, Outcome};
use crate::{shell, venv};

/// Debian packages: the lab, a screen for the desktop clients, and the clients.
const PACKAGES: &[&str] = &[
    "bitlbee",
    "chromium",
    "dbus",
    "dbus-x11",
    "dino-im",
    "dnsmasq-base",
    "finch",
    "gajim",
    "go-sendxmpp",
    "curl",
    "hylafax-client",
    "imagemagick",
    "iproute2",
    "isync",
    "libnet-snpp-perl",
    "libnet-ssleay-perl",
    "libpurple-bin",
    "mcabber",
    "msmtp",
    "multimon-ng",
    "mutt",
    "openbox",
    "openssl",
    "pidgin",
    "poezio",
    "profanity",
    "psi-plus",
    "python3-venv",
    "sqlite3",
    "swaks",
    "tmux",
    "util-linux",
    "xdotool",
    "xvfb",
];

/// The control.
const PROSODY: [&str; 2] = ["prosody", "prosody-modules"];

/// slixmpp is a client under test, the friend at the other end of every conversation, and in its source
/// distribution lies an integration suite.
const SLIXMPP: &str = "slixmpp==1.17.0";

/// The others are what the suite wants besides.
const PYTHON: [&str; 7] = [
    SLIXMPP,
    "deltachat-rpc-server==2.65.0",
    "imapclient==4.1.0",
    "aiohttp==3.14.5",
    "aiodns==4.0.4",
    "cryptography==50.0.2",
    "emoji==2.16.0",
];

/// The pages that run in a browser, with the libraries that they want from npm.
const PAGES: &str = "tests/interop/web";

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Server {
    /// The server of this project
    Rookery,
    /// Debian's Prosody: a control that tells a failure of the driver from one of the server
    Prosody,
}

#[derive(Args)]
pub(crate) struct InteropArgs {
    /// slixmpp, slixmpp-suite, profanity, poezio, mcabber, finch, pidgin, dino, gajim, psi, bitlbee, go-sendxmpp,
    /// strophe-websocket, strophe-bosh, xmpp-client, converse, mail-programs, mail-senders,
    /// multimon-ng, snpp, tap; all of them if none is named
    clients: Vec<String>,
    /// Which server they talk to
    #[arg(long, value_enum, default_value = "rookery")]
    server: Server,
}

pub(crate) fn run(args: InteropArgs) -> Result<()> {
    match drive(&args)? {
        Outcome::Ran(counts) if counts.failed == 0 => Ok(()),
        Outcome::Ran(counts) => bail!("{counts}"),
        Outcome::Skipped(why) => bail!("{why}"),
    }
}

pub(crate) fn step() -> Result<Outcome> {
    drive(&InteropArgs { clients: Vec::new(), server: Server::Rookery })
}

fn drive(args: &InteropArgs) -> Result<Outcome> {
    if let Some(why) = hindrance() {
        return Ok(Outcome::Skipped(why));
    }
    let mut packages = Vec::from(PACKAGES);
    if args.server == Server::Prosody {
        packages.extend(PROSODY);
    }
    install(&packages)?;
    let out = shell::target_dir().join("interop");
    let bin = venv::ensure(&out.join("venv"), &PYTHON)?;
    if args.clients.is_empty() || args.clients.iter().any(|client| client == "slixmpp-suite") {
        venv::source(&bin, SLIXMPP, &out)?;
    }

    web(&out.join("web"))?;

    let mut driver = shell::command(bin.join("python"));
    driver.arg("tests/interop/run.py").arg("--out").arg(&out);
    match args.server {
        Server::Rookery => driver.args(["--server", "rookery", "--binary"]).arg(build()?),
        Server::Prosody => driver.args(["--server", "prosody"]),
    };
    driver.args(&args.clients);

    let mut counts = Counts::default();
    let status = shell::run_lines(&mut driver, |line| counts.add_verdict(line))?;
    println!("{counts}");
    if counts.failed == 0 {
        shell::succeeded(&driver, status)?;
    }
    Ok(Outcome::Ran(counts))
}

/// Why the clients cannot be run here, if they cannot.
fn hindrance() -> Option<String> {
    if !Path::new("/etc/debian_version").exists() || !shell::on_path("apt-get") {
        return Some("the clients are installed with apt-get, on Debian".to_string());
    }
    if !is_root() {
        return Some("only root may install packages and make a network namespace".to_string());
    }
    if !shell::succeeds(shell::command("unshare").args(["--net", "--mount", "true"])) {
        return Some("this machine allows no network namespace".to_string());
    }
    None
}

/// Whether packages may be installed.
pub(crate) fn is_root() -> bool {
    shell::succeeds(shell::command("sh").args(["-c", "test \"$(id -u)\" = 0"]))
}

/// The pages, and beside them exactly what their lock file names.
fn web(folder: &Path) -> Result<()> {
    if !shell::on_path("npm") {
        install(&["npm"])?;
    }
    std::fs::create_dir_all(folder)?;
    let lock = std::fs::read(shell::root().join(PAGES).join("package-lock.json"))?;
    let fresh = std::fs::read(folder.join("package-lock.json")).is_ok_and(|have| have == lock);
    for page in std::fs::read_dir(shell::root().join(PAGES))? {
        let page = page?;
        std::fs::copy(page.path(), folder.join(page.file_name()))?;
    }
    if fresh && folder.join("node_modules").exists() {
        return Ok(());
    }
    let mut npm = shell::command("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
    shell::run(npm.stdout(std::process::Stdio::null())).context("installing the libraries of the pages")
}

/// Debian packages, those that are not there.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let missing: Vec<_> = packages.iter().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing Debian packages: {missing:?}");
    let attempt = || {
        for arguments in [&["update", "-qq"][..], &["install", "-y", "-qq", "--no-install-recommends"]] {
            let mut apt = shell::command("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
            if arguments[0] == "install" {
                apt.args(&missing);
            }
            shell::run(apt.stdout(std::process::Stdio::null()))?;
        }
        Ok(())
    };
    // Once more, for the mirror may have a bad moment.
    attempt().or_else(|_: anyhow::Error| attempt()).context("installing Debian packages")
}

fn installed(package: &str) -> bool {
    let mut query = shell::command("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}", package]);
    query.output().is_ok_and(|output| output.stdout == b"installed")
}

/// The server as tests want it, and where it is.
pub(crate) fn build() -> Result<std::path::PathBuf> {
    shell::run(&mut shell::cargo(["build", "--package", "rookery"]))?;
    Ok(shell::target_dir().join("debug/rookery"))
}
