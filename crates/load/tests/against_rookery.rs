//! The program against the server in this process, over real sockets: every scenario for a moment, and everything must come.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rookery::net::{self, Arrival};
use rookery_testkit::measure::Site;
use tokio::net::TcpListener;
use tokio::process::Command;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Accounts of the server.
const ACCOUNTS: usize = 12;

/// A server that listens, for as long as the runtime lasts.
async fn server() -> (Site, SocketAddr) {
    let site = Site::with_accounts(ACCOUNTS).await.expect("a server");
    let listener = TcpListener::bind((LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let server = site.server().clone();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            stream.set_nodelay(true).expect("it is a socket");
            tokio::spawn(net::serve(server.clone(), Arrival::plain(stream, peer.ip()), false, None));
        }
    });
    (site, address)
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

/// Runs it against a server of its own.
async fn against_rookery(scenario: &[&str]) -> serde_json::Value {
    let (site, address) = server().await;
    let address = address.to_string();
    let first = site.address(0);
    let first = first.split('@').next().expect("an address has two parts");
    let pid = std::process::id().to_string();
    let mut arguments = vec!["--server", &address, "--via", "plain", "--pid", &pid];
    arguments.extend(["--users", "{}", "--first", first, "--password", "secret"]);
    arguments.extend(scenario);
    let (good, report) = load(&arguments).await;
    assert!(good && report["flawless"] == true, "{report}");
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_sessions_are_measured() {
    let report = against_rookery(&["--auth", "plain", "idle", "--sessions", "10"]).await;
    assert_eq!(report["counts"]["logins"], 10);
    assert!(report["login"]["cpu_ms"].is_number() && report["bytes_per_session"].is_number(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_chat_in_a_closed_loop() {
    let report =
        against_rookery(&["--auth", "scram-sha-256", "--acks=2", "chat", "--pairs", "4", "--window", "3"])
            .await;
    assert!(report["parts"][0]["done"].as_u64() > Some(10), "{report}");
    assert!(report["counts"]["acknowledged"].as_u64() > Some(10), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_chat_at_a_rate_by_two_workers() {
    let report = against_rookery(&["--workers", "2", "chat", "--pairs", "4", "--rate", "100"]).await;
    assert_eq!(report["workers"], 2);
    assert!(report["parts"][0]["p99_ms"].is_number(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_devices_get_carbons() {
    let report = against_rookery(&["carbons", "--people", "3", "--devices", "3"]).await;
    assert!(report["counts"]["delivered"].as_u64() >= report["counts"]["sent"].as_u64().map(|sent| 3 * sent));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_made_filled_and_spoken_in() {
    let room = ["room", "--room", "load@groups.localhost", "--occupants", "10", "--speakers", "2"];
    let report = against_rookery(&room).await;
    assert_eq!(report["counts"]["steps"], 10, "{report}");
    assert!(report["parts"][3]["done"].as_u64() >= Some(20), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_fetched() {
    let report = against_rookery(&["offline", "--pairs", "3", "--messages", "20"]).await;
    assert_eq!(
        (&report["parts"][1]["done"], &report["parts"][2]["done"]),
        (&60.into(), &60.into()),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_see_each_other() {
    let presence = ["presence", "--people", "10", "--contacts", "4", "--changing", "2"];
    let report = against_rookery(&presence).await;
    assert_eq!(report["parts"][2]["done"], 10, "{report}");
    assert!(report["counts"]["delivered"].as_u64() > Some(8), "{report}");
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
