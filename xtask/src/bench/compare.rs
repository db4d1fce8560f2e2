//! `cargo xtask bench compare`: the same load on several servers, in turn, each time on a fresh one.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use super::figures::{Figures, Measured};
use super::servers::{self, Archive, Kind, Running, Site};
use crate::{interop, shell};

#[derive(Args)]
pub(crate) struct CompareArgs {
    /// Only scenarios whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Only these servers
    #[arg(long, value_enum, value_delimiter = ',')]
    servers: Vec<Kind>,
    /// Little and once: to see that everything works. The page is not written
    #[arg(long)]
    short: bool,
    /// How often each server has its turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Take the programs as they were built last
    #[arg(long)]
    no_build: bool,
    /// Print the servers' configurations
    #[arg(long)]
    show: bool,
}

/// How the clients connect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Via {
    Plain,
    Tls,
    WebSocket,
}

/// One load.
struct Scenario {
    name: &'static str,
    archive: Archive,
    via: Via,
    /// For the load generator; `{…}` is replaced by [`Scenario::arguments`].
    arguments: &'static str,
    /// The same with less to do.
    short: &'static str,
    /// What is looked at: its name, its unit, where it is in the report, and by what it is multiplied.
    figures: &'static [(&'static str, &'static str, &'static str, f64)],
    /// Whether the relay can take part.
    floor: bool,
}

const MEMORY: (&str, &str, &str, f64) = ("memory of a session", "KB", "/bytes_per_session", 1.0 / 1024.0);
const LOGIN: (&str, &str, &str, f64) = ("sign-in", "ms", "/login/cpu_ms", 1.0);
const DELIVERY: (&str, &str, &str, f64) = ("delivery", "µs", "/parts/0/cpu_seconds_per_million", 1.0);

const COMING_BACK: (&str, &str, &str, f64) = ("coming back", "ms", "/parts/1/cpu_seconds_per_million", 0.001);

const SCENARIOS: [Scenario; 25] = [
    Scenario {
        name: "idle, plain",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "idle --sessions 4000",
        short: "idle --sessions 600",
        figures: &[MEMORY, LOGIN],
        floor: true,
    },
    Scenario {
        name: "idle, TLS 1.3",
        archive: Archive::Off,
        via: Via::Tls,
        arguments: "idle --sessions 4000",
        short: "idle --sessions 600",
        figures: &[MEMORY, LOGIN],
        floor: false,
    },
    Scenario {
        name: "idle, WebSocket",
        archive: Archive::Off,
        via: Via::WebSocket,
        arguments: "idle --sessions 4000",
        short: "idle --sessions 600",
        figures: &[MEMORY, LOGIN],
        floor: false,
    },
    Scenario {
        name: "login with PLAIN",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "--auth plain idle --sessions 1000",
        short: "--auth plain idle --sessions 400",
        figures: &[LOGIN],
        floor: false,
    },
    Scenario {
        name: "sign-in again, SCRAM-SHA-1",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "reconnect --afresh --sessions 2000",
        short: "reconnect --afresh --sessions 400",
        figures: &[COMING_BACK],
        floor: false,
    },
    Scenario {
        name: "resumption (XEP-0198)",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "reconnect --sessions 2000",
        short: "reconnect --sessions 400",
        figures: &[COMING_BACK],
        floor: false,
    },
    Scenario {
        name: "resumption with a token, at once (XEP-0484)",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "--inline reconnect --sessions 2000",
        short: "--inline reconnect --sessions 400",
        figures: &[COMING_BACK],
        floor: false,
    },
    Scenario {
        name: "the same, TLS",
        archive: Archive::Off,
        via: Via::Tls,
        arguments: "--inline reconnect --sessions 2000",
        short: "--inline reconnect --sessions 400",
        figures: &[COMING_BACK],
        floor: false,
    },
    Scenario {
        name: "the same, TLS with tickets",
        archive: Archive::Off,
        via: Via::Tls,
        arguments: "--inline --tickets reconnect --sessions 2000",
        short: "--inline --tickets reconnect --sessions 400",
        figures: &[COMING_BACK],
        floor: false,
    },
    Scenario {
        name: "chat",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "chat --pairs 200",
        short: "chat --pairs 200",
        figures: &[DELIVERY],
        floor: true,
    },
    Scenario {
        name: "chat, not stored anywhere (XEP-0334)",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "--no-store chat --pairs 200",
        short: "--no-store chat --pairs 200",
        figures: &[DELIVERY],
        floor: false,
    },
    Scenario {
        name: "chat, TLS",
        archive: Archive::Off,
        via: Via::Tls,
        arguments: "chat --pairs 200",
        short: "chat --pairs 200",
        figures: &[DELIVERY],
        floor: false,
    },
    Scenario {
        name: "chat, WebSocket",
        archive: Archive::Off,
        via: Via::WebSocket,
        arguments: "chat --pairs 200",
        short: "chat --pairs 200",
        figures: &[DELIVERY],
        floor: false,
    },
    Scenario {
        name: "chat, acknowledged (XEP-0198)",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "--acks=1 chat --pairs 200",
        short: "--acks=1 chat --pairs 200",
        figures: &[DELIVERY],
        floor: false,
    },
    Scenario {
        name: "chat at a rate",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "chat --pairs 200 --rate 3000",
        short: "chat --pairs 200 --rate 1000",
        figures: &[DELIVERY, ("p50", "ms", "/parts/0/p50_ms", 1.0), ("p99", "ms", "/parts/0/p99_ms", 1.0)],
        floor: true,
    },
    Scenario {
        name: "chat, archived natively",
        archive: Archive::Native,
        via: Via::Plain,
        arguments: "chat --pairs 200",
        short: "chat --pairs 200",
        figures: &[DELIVERY],
        floor: false,
    },
    Scenario {
        name: "chat, archived in SQLite",
        archive: Archive::Sql,
        via: Via::Plain,
        arguments: "chat --pairs 200",
        short: "chat --pairs 200",
        figures: &[DELIVERY],
        floor: false,
    },
    Scenario {
        name: "chat, archived and acknowledged",
        archive: Archive::Native,
        via: Via::Plain,
        arguments: "--acks=1 chat --pairs 200",
        short: "--acks=1 chat --pairs 200",
        figures: &[DELIVERY],
        floor: false,
    },
    Scenario {
        name: "catching up, pages of 50",
        archive: Archive::Native,
        via: Via::Plain,
        arguments: "archive --pairs 100 --messages 500",
        short: "archive --pairs 40 --messages 100",
        figures: &[("read from the archive", "µs", "/parts/1/cpu_seconds_per_million", 1.0)],
        floor: false,
    },
    Scenario {
        name: "carbons, 4 devices",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "carbons",
        short: "carbons",
        figures: &[DELIVERY],
        floor: true,
    },
    Scenario {
        name: "carbons, not stored anywhere (XEP-0334)",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "--no-store carbons",
        short: "--no-store carbons",
        figures: &[DELIVERY],
        floor: false,
    },
    Scenario {
        name: "20 contacts each",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "presence --people 500",
        short: "presence --people 100",
        figures: &[
            ("sign-in", "ms", "/parts/2/cpu_seconds_per_million", 0.001),
            ("presence", "µs", "/parts/3/cpu_seconds_per_million", 1.0),
        ],
        floor: false,
    },
    Scenario {
        name: "away",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "offline --pairs 200 --messages 50",
        short: "offline --pairs 50 --messages 50",
        figures: &[
            ("store", "µs", "/parts/1/cpu_seconds_per_million", 1.0),
            ("fetch, with the sign-in", "µs", "/parts/2/cpu_seconds_per_million", 1.0),
        ],
        floor: false,
    },
    Scenario {
        name: "room, 10 speakers",
        archive: Archive::Off,
        via: Via::Plain,
        arguments: "room --room load@{rooms} --occupants 1000",
        short: "room --room load@{rooms} --occupants 200",
        figures: &[
            ("join", "ms", "/parts/2/cpu_seconds_per_million", 0.001),
            ("delivery", "µs", "/parts/3/cpu_seconds_per_million", 1.0),
        ],
        floor: true,
    },
    Scenario {
        name: "a town's day",
        archive: Archive::Native,
        via: Via::Plain,
        arguments: "town --rooms {rooms}",
        short: "town --rooms {rooms} --streets 4 --rate 100",
        figures: &[("delivery", "µs", "/parts/3/cpu_seconds_per_million", 1.0)],
        floor: false,
    },
];

pub(crate) fn run(args: &CompareArgs) -> Result<()> {
    if !std::path::Path::new("/etc/debian_version").exists() || !interop::is_root() {
        bail!("the other servers are installed from Debian's packages: this needs root on Debian");
    }
    interop::install(&servers::PACKAGES)?;
    let folder = tempfile::Builder::new().prefix("rookery-compare-").tempdir()?;
    let (certificate, key) = servers::certificate(folder.path())?;
    let release = shell::target_dir().join("release");
    if !args.no_build {
        let mut build =
            shell::cargo(["build", "--release", "--package", "rookery", "--package", "rookery-load"]);
        shell::run(build.env("ROOKERY_WEB", "off"))?;
    }
    let site =
        Site { rookery: release.join("rookery"), load: release.join("rookery-load"), certificate, key };
    let kinds = match &args.servers[..] {
        [] => vec![Kind::Prosody, Kind::Ejabberd, Kind::Rookery, Kind::Floor],
        some => some.to_vec(),
    };
    let mut figures = Figures::new(&kinds);
    let wanted =
        |scenario: &&Scenario| args.only.as_ref().is_none_or(|only| scenario.name.contains(only.as_str()));
    for scenario in SCENARIOS.iter().filter(wanted) {
        for round in 0..if args.short { 1 } else { args.rounds } {
            for &kind in kinds.iter().filter(|kind| **kind != Kind::Floor || scenario.floor) {
                println!("{} ({}): {}", scenario.name, round + 1, kind.name());
                // One that fails is a gap in the table, not the end of the others.
                match measure(args, &site, scenario, kind, round) {
                    Ok(measured) => figures.add(scenario.name, kind, measured),
                    Err(error) => println!("  failed: {error:#}"),
                }
            }
        }
        println!("{}", figures.table(Some(scenario.name)));
    }
    println!("{figures}");
    if !args.short && args.only.is_none() && args.servers.is_empty() {
        figures.write_page()?;
    }
    Ok(())
}

/// One load on one fresh server.
fn measure(
    args: &CompareArgs,
    site: &Site,
    scenario: &Scenario,
    kind: Kind,
    round: usize,
) -> Result<Vec<Measured>> {
    let folder = tempfile::Builder::new().prefix("rookery-compare-").tempdir()?;
    let server = kind.start(site, scenario.archive, folder.path())?;
    if args.show && round == 0 {
        println!("{}", server.configuration);
    }
    let mut load = shell::command(&site.load);
    load.args(scenario.arguments(kind, &server, args.short)).stderr(Stdio::inherit());
    let output = load.output().context("starting the load")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(&text).context("the load came to no end")?;
    if report["flawless"] != true {
        bail!("not everything came once and in order: {}", report["counts"]);
    }
    let figure = |&(name, unit, pointer, factor): &(&'static str, &'static str, &str, f64)| {
        let value = report.pointer(pointer).and_then(Value::as_f64);
        value.map(|value| Measured { name, unit, value: value * factor })
    };
    Ok(scenario.figures.iter().filter_map(figure).collect())
}

impl Scenario {
    fn arguments(&self, kind: Kind, server: &Running, short: bool) -> Vec<String> {
        let (address, via) = match (kind, self.via) {
            (Kind::Floor, _) => (server.plain, "relay"),
            (_, Via::Plain) => (server.plain, "plain"),
            (_, Via::Tls) => (server.tls, "tls"),
            (_, Via::WebSocket) => (server.http, "ws"),
        };
        let mut all = vec!["--register".to_owned(), "--quiet".to_owned()];
        let mut option = |name: &str, value: String| all.extend([format!("--{name}"), value]);
        option("server", address.to_string());
        option("via", via.to_owned());
        option("path", server.websocket.to_owned());
        option("pid", server.pid().to_string());
        option("seconds", if short { "4" } else { "15" }.to_owned());
        // Prosody stalls where very many sign in at the same moment; nobody gains by more.
        option("concurrency", "16".to_owned());
        let text = if short { self.short } else { self.arguments };
        all.extend(text.replace("{rooms}", server.rooms).split_whitespace().map(str::to_owned));
        all
    }
}

/// Where the page is.
pub(super) fn page() -> PathBuf {
    shell::root().join("docs/performance.md")
}

/// The first line of a file that begins with this, and what follows it.
pub(super) fn line_of(file: &str, start: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(start));
    line.unwrap_or("unknown").trim_start_matches([' ', '\t', ':']).to_owned()
}
