//! Runs the dialogues of `tests/scenarios`, each against a fresh server in this process.
//!
//! `cargo test -p rookery-testkit --test scenarios -- [FILTER]`; against another server with
//! `ROOKERY_SCENARIOS_SERVER=127.0.0.1:5222`, where those that move the clock or break the server are left out. With
//! `ROOKERY_SCENARIOS_BY=WebSocket` or `BOSH` all clients connect in that way, and what is about the bytes of a stream is
//! left out.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use libtest_mimic::{Arguments, Failed, Trial};
use rookery_testkit::dialogue::{self, Case, Target, Way};

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::from_args();
    let address = match std::env::var("ROOKERY_SCENARIOS_SERVER") {
        Ok(address) => Some(address.parse::<SocketAddr>()?),
        Err(_) => None,
    };
    let way = match std::env::var("ROOKERY_SCENARIOS_BY") {
        Ok(name) => Way::from_name(&name).with_context(|| format!("there is no way {name}"))?,
        Err(_) => Way::Stream,
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios").canonicalize()?;
    let cases = dialogue::read_all(&root)?;
    let trials = cases.into_iter().map(|case| trial(case, address, way)).collect();
    libtest_mimic::run(&arguments, trials).exit()
}

fn trial(case: Case, address: Option<SocketAddr>, way: Way) -> Trial {
    let left_out =
        (address.is_some() && case.needs_our_process()) || (way != Way::Stream && case.is_about_the_stream());
    let name = case.name.clone();
    let run = move || {
        let target = match address {
            Some(address) => Target::At { address, accounts: Vec::new() },
            None => Target::Ours,
        };
        dialogue::run_by(&case, target, way).map_err(Failed::from)
    };
    Trial::test(name, run).with_ignored_flag(left_out)
}
