//! The program against the server in this process, over real sockets: every scenario for a moment in every way to connect,
//! and everything must come.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rookery::http::listener::Http;
use rookery::http::{self, Web};
use rookery::net::listener::{self, Admission};
use rookery_testkit::measure::Site;
use tokio::net::TcpListener;
use tokio::process::Command;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Accounts that a scenario of these tests has for itself: what one leaves behind, such as contacts, is not there for the next.
const ACCOUNTS: usize = 40;

/// Every scenario with as little to do as makes sense: its arguments, and the place of a part of the report of which
/// something must have been done.
const SCENARIOS: [(&str, &str); 13] = [
    ("idle --sessions 8", "/login/count"),
    ("--auth plain chat --pairs 4", "/parts/0/done"),
    ("--acks=2 --auth scram-sha-256 chat --pairs 4 --window 3", "/parts/0/done"),
    ("chat --pairs 4 --rate 100", "/parts/0/done"),
    ("carbons --people 2 --devices 3", "/parts/0/done"),
    ("room --room {name}@groups.localhost --occupants 10 --speakers 2", "/parts/3/done"),
    ("offline --pairs 3 --messages 20", "/parts/2/done"),
    ("archive --pairs 3 --messages 20 --page 7", "/parts/1/done"),
    ("reconnect --sessions 6", "/parts/1/done"),
    ("--inline --tickets reconnect --sessions 6", "/parts/1/done"),
    ("reconnect --afresh --sessions 6", "/parts/1/done"),
    ("presence --people 10 --contacts 4 --changing 2", "/parts/3/done"),
    ("town --streets 2 --rate 400 --rooms groups.localhost", "/parts/3/done"),
];

/// A server, and where it listens.
struct Doors {
    site: Site,
    /// Streams, with and without STARTTLS.
    plain: SocketAddr,
    tls: SocketAddr,
    /// WebSockets.
    http: SocketAddr,
    https: SocketAddr,
}

/// A server that listens, for as long as the runtime lasts.
async fn server(accounts: usize) -> Doors {
    let site = Site::with_tls(accounts).await.expect("a server");
    let server = site.server().clone();
    let admission = Arc::new(Admission::new(1000, 1000));
    let web = Web::new(server.clone(), admission.clone(), http::Settings::default(), None, None, None, None);
    let [plain, tls, http, https] = [door().await, door().await, door().await, door().await];
    let address = |listener: &TcpListener| listener.local_addr().expect("it is bound");
    let [at_plain, at_tls, at_http, at_https] = [&plain, &tls, &http, &https].map(address);
    tokio::spawn(listener::run(server.clone(), plain, admission.clone(), false));
    tokio::spawn(listener::run(server.clone(), tls, admission, true));
    tokio::spawn(Http::new(web.clone()).run(http, None));
    tokio::spawn(Http::new(web).run(https, server.tls.clone()));
    Doors { site, plain: at_plain, tls: at_tls, http: at_http, https: at_https }
}

async fn door() -> TcpListener {
    TcpListener::bind((LOCALHOST, 0)).await.expect("a free port")
}

/// Runs the program; what it says as JSON.
async fn load(arguments: &[&str]) -> (bool, serde_json::Value) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_rookery-load"));
    program.args(["--seconds", "0.5", "--warm-up", "0.1", "--limit", "60", "--quiet"]).args(arguments);
    let output = program.output().await.expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    (output.status.success(), serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{complaint}")))
}

/// Runs it, with accounts from that number on.
async fn run(doors: &Doors, via: &str, first: usize, scenario: &str) -> serde_json::Value {
    let server = match via {
        "plain" | "starttls" => doors.plain,
        "tls" => doors.tls,
        "ws" => doors.http,
        _ => doors.https,
    };
    let server = server.to_string();
    let address = doors.site.address(first);
    let first = address.split('@').next().expect("an address has two parts");
    let pid = std::process::id().to_string();
    let scenario = scenario.replace("{name}", &format!("room{first}"));
    let mut arguments = vec!["--server", &server, "--via", via, "--pid", &pid];
    arguments.extend(["--users", "{}", "--first", first, "--password", "secret"]);
    arguments.extend(scenario.split(' '));
    let (good, report) = load(&arguments).await;
    assert!(good && report["flawless"] == true, "{via}, {scenario}: {report}");
    report
}

/// All scenarios, one after the other, on one server.
async fn all(via: &str) {
    let doors = server(SCENARIOS.len() * ACCOUNTS).await;
    for (number, (scenario, done)) in SCENARIOS.iter().enumerate() {
        let report = run(&doors, via, number * ACCOUNTS, scenario).await;
        assert!(report.pointer(done).and_then(|it| it.as_u64()) > Some(0), "{via}, {scenario}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_without_tls() {
    all("plain").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_with_starttls() {
    all("starttls").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_with_tls() {
    all("tls").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_over_a_web_socket() {
    all("ws").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_over_a_web_socket_with_tls() {
    all("wss").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_measured_is_in_the_report() {
    let doors = server(4 * ACCOUNTS).await;
    let idle = run(&doors, "plain", 0, "--auth plain idle --sessions 10").await;
    assert_eq!(idle["counts"]["logins"], 10);
    assert!(idle["login"]["cpu_ms"].is_number() && idle["bytes_per_session"].is_number(), "{idle}");
    let chat = run(&doors, "plain", ACCOUNTS, "--workers 2 --acks=1 chat --pairs 4 --rate 100").await;
    assert_eq!(chat["workers"], 2);
    assert!(chat["parts"][0]["p99_ms"].is_number(), "{chat}");
    assert!(chat["counts"]["acknowledged"].as_u64() > Some(10), "{chat}");
    let carbons = run(&doors, "plain", 2 * ACCOUNTS, "carbons --people 3 --devices 3").await;
    assert!(
        carbons["counts"]["delivered"].as_u64() >= carbons["counts"]["sent"].as_u64().map(|sent| 3 * sent)
    );
    let offline = run(&doors, "plain", 3 * ACCOUNTS, "offline --pairs 3 --messages 20").await;
    assert_eq!((&offline["parts"][1]["done"], &offline["parts"][2]["done"]), (&60.into(), &60.into()));
}

/// The floor has the same clients.
#[tokio::test]
async fn the_relay_forwards() {
    // Free for a moment at least.
    let free =
        std::net::TcpListener::bind((LOCALHOST, 0)).expect("a free port").local_addr().expect("it is bound");
    let address = free.to_string();
    let mut relay = Command::new(env!("CARGO_BIN_EXE_rookery-load"));
    relay.args(["relay", "--listen", &address]).kill_on_drop(true).stdout(std::process::Stdio::piped());
    let mut relay = relay.spawn().expect("it starts");
    let mut said = tokio::io::BufReader::new(relay.stdout.take().expect("it was asked for"));
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut said, &mut line).await.expect("it listens");
    for scenario in [&["chat", "--pairs", "3"][..], &["room", "--occupants", "6", "--speakers", "2"]] {
        let mut arguments = vec!["--server", &address, "--via", "relay"];
        arguments.extend(scenario);
        let (good, report) = load(&arguments).await;
        assert!(good && report["counts"]["delivered"].as_u64() > Some(10), "{report}");
    }
}
