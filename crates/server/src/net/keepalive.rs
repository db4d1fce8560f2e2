//! What happens by the clock: silent clients are asked, dead connections given up, sessions that nobody came back for
//! ended, positions written down.

use rookery_core::session::{Link, Session};
use rookery_core::xep::ping;
use rookery_core::{Core, limits};
use rookery_proto::stream::{StreamError, sm};
use rookery_store::Policy;
use std::sync::Arc;
use std::time::Duration;

/// How often the clock is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// How often old messages are looked for, and the pause after a slice when there are more.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
const BETWEEN_SLICES: Duration = Duration::from_millis(100);

/// Runs for as long as it is polled.
pub async fn run(core: Arc<Core>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let now = core.env.now();
        for session in core.router.all() {
            let silent = {
                let state = session.state();
                if *state.link() != Link::Attached {
                    continue;
                }
                Duration::from_millis((now.0 - state.heard.0).max(0) as u64)
            };
            if silent >= core.policy.idle + limits::IDLE_GRACE {
                // RFC 6120 §4.6.4: the connection is dead; what was sent into it waits in the log.
                session.state().leave(Some(StreamError::new("connection-timeout")));
            } else if silent >= core.policy.idle {
                ask(&core, &session);
            }
        }
        core.expire();
    }
}

/// Writes down how far messages have come. By itself, so that a store that stalls holds nothing else. Runs for as long as
/// it is polled.
pub async fn flush(core: Arc<Core>) {
    loop {
        tokio::time::sleep(EVERY).await;
        core.flush_delivered().await;
        if let Err(error) = core.forget_public_devices().await {
            tracing::warn!(%error, "devices whose time is over are still listed");
        }
        core.flush_told().await;
    }
}

/// Notes each minute how the server is. Runs for as long as it is polled.
pub async fn health(core: Arc<Core>) {
    loop {
        core.note_health();
        tokio::time::sleep(limits::HEALTH_EVERY).await;
    }
}

/// Removes what is older than it may get, in slices between which everybody else has a turn. Runs for as long as it is
/// polled.
pub async fn sweep(core: Arc<Core>) {
    let policy = Policy { days: core.policy.retention_days, group_days: core.policy.group_retention_days };
    let mut from = None;
    loop {
        from = match core.store.sweep(core.env.now(), policy, from.unwrap_or_default()).await {
            Ok(swept) => {
                if swept.entries > 0 {
                    tracing::info!(entries = swept.entries, bodies = swept.bodies, "old messages removed");
                }
                swept.next
            }
            Err(error) => {
                tracing::warn!(%error, "old messages could not be removed");
                None
            }
        };
        tokio::time::sleep(if from.is_some() { BETWEEN_SLICES } else { SWEEP_EVERY }).await;
    }
}

/// Carries announcements to all accounts, those included that a restart has interrupted. Runs for as long as it is
/// polled.
pub async fn announcements(core: Arc<Core>) {
    loop {
        match core.announce_more().await {
            Ok(true) => tokio::task::yield_now().await,
            Ok(false) => core.announcing.notified().await,
            Err(error) => {
                tracing::warn!(%error, "an announcement waits");
                tokio::time::sleep(EVERY).await;
            }
        }
    }
}

/// Tells administrators that there are new reports: those of a wave together, and not again for a while. Runs for as long
/// as it is polled.
pub async fn reports(core: Arc<Core>) {
    loop {
        match core.tell_of_reports().await {
            Ok(true) => tokio::time::sleep(limits::REPORTS_PAUSE).await,
            Ok(false) => {
                core.reported.notified().await;
                tokio::time::sleep(limits::REPORTS_GATHER).await;
            }
            Err(error) => {
                tracing::warn!(%error, "administrators are not told of new reports yet");
                tokio::time::sleep(EVERY).await;
            }
        }
    }
}

/// Tells administrators of accounts that wait for them: at once of the first, and of those that come soon after together.
/// Runs for as long as it is polled.
pub async fn reviews(core: Arc<Core>) {
    let mut told = None;
    loop {
        match core.tell_of_waiting(told).await {
            Ok(last) if last != told => {
                told = last;
                tokio::time::sleep(limits::REVIEW_PAUSE).await;
            }
            Ok(_) => core.reviewing.notified().await,
            Err(error) => {
                tracing::warn!(%error, "administrators are not told of new accounts yet");
                tokio::time::sleep(EVERY).await;
            }
        }
    }
}

/// Keeps what becomes known of block lists at services. Runs for as long as it is polled.
pub async fn lists(core: Arc<Core>) {
    loop {
        core.listed.changed.notified().await;
        tokio::time::sleep(limits::LISTS_GATHER).await;
        if let Err(error) = core.keep_lists().await {
            tracing::warn!(%error, "a block list is not kept yet");
            core.listed.changed.notify_one();
        }
    }
}

/// Takes what was said into the index of the full-text search. Runs for as long as it is polled.
pub async fn index(core: Arc<Core>) {
    loop {
        match core.store.index().await {
            Ok(indexed) if indexed.more => tokio::task::yield_now().await,
            Ok(_) => tokio::time::sleep(EVERY).await,
            Err(error) => {
                tracing::warn!(%error, "the search index waits");
                tokio::time::sleep(EVERY).await;
            }
        }
    }
}

/// Asks a silent client for a sign of life, once.
fn ask(core: &Core, session: &Session) {
    let managed = {
        let mut state = session.state();
        if std::mem::replace(&mut state.asked, true) {
            return;
        }
        state.sm.is_some()
    };
    if managed {
        session.push_nonza(sm::REQUEST);
    } else {
        let ping = ping::ask(&core.policy.domain, session.jid.as_str(), &core.env.token());
        session.push(ping.into());
    }
}
