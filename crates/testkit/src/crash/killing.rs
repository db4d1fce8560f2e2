//! The rounds: the server runs for a while, its disk is in trouble, it is killed, and it is started again.

use std::time::Duration;

use anyhow::Result;

use super::dice::Dice;
use super::process::{Running, Server};
use super::run::Plan;

/// The longest time for which a killed server stays away.
const DOWN: Duration = Duration::from_millis(300);
/// The longest time for which a disk stalls or fails.
const STALL: Duration = Duration::from_secs(1);

/// What a disk does before the server is killed.
#[derive(Clone, Copy)]
enum Trouble {
    None,
    /// What was to be synced never is.
    StallsUntilKilled,
    /// It fails in this way for a while, and is well again before the kill.
    Heals(&'static str),
}

const TROUBLES: [Trouble; 5] = [
    Trouble::StallsUntilKilled,
    Trouble::Heals("write=full"),
    Trouble::Heals("sync=stall"),
    Trouble::None,
    Trouble::Heals("write=io"),
];

/// All rounds of a plan. At the end the server runs.
pub(super) async fn again_and_again(plan: &Plan, server: &Server, mut running: Running) -> Result<Running> {
    let mut dice = Dice::new(plan.seed, 0);
    for round in 0..plan.rounds {
        tokio::time::sleep(plan.round / 4 + dice.up_to(plan.round * 3 / 4)).await;
        trouble(server, round, &mut dice).await?;
        running.kill()?;
        tokio::time::sleep(dice.up_to(DOWN)).await;
        running = server.start().await?;
    }
    tokio::time::sleep(plan.round / 4).await;
    Ok(running)
}

/// What the disk does before the kill, if it can be told: each in its turn.
async fn trouble(server: &Server, round: usize, dice: &mut Dice) -> Result<()> {
    if server.disk.is_none() {
        return Ok(());
    }
    match TROUBLES[round % TROUBLES.len()] {
        Trouble::None => {}
        Trouble::StallsUntilKilled => {
            server.set_disk("sync=stall")?;
            tokio::time::sleep(STALL / 4 + dice.up_to(STALL / 4)).await;
        }
        Trouble::Heals(fault) => {
            server.set_disk(fault)?;
            tokio::time::sleep(dice.up_to(STALL)).await;
            server.set_disk("")?;
            // Long enough for what was refused to be told so: an error is not kept for later.
            tokio::time::sleep(STALL).await;
        }
    }
    Ok(())
}
