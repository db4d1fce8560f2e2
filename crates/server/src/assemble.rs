//! Puts a server together from what lasts (store, restart journal, secret) and what the operator decided, and takes
//! it apart again.

use crate::data;
use crate::export;
use crate::files::{self, Files};
use crate::net::password::Refused;
use crate::net::{Server, keepalive};
use crate::push::{self, Poster, Vapid};
use anyhow::{Context, Result};
use rookery_core::accounts::{Accounts, Hasher};
use rookery_core::component::Components;
use rookery_core::env::Env;
use rookery_core::listed::Listed;
use rookery_core::member::Directory;
use rookery_core::pace::Pace;
use rookery_core::push::Pushes;
use rookery_core::resume::Ledger;
use rookery_core::roster::Contacts;
use rookery_core::router::Router;
use rookery_core::secret::Secret;
use rookery_core::xep::disco::Announced;
use rookery_core::{Core, Policy};
use rookery_gateway::mail::{
    Attempt, Deposit, Deposited, Gateway, NotDeposited, NotSignedIn, Settings, SignIn, Submission, imap,
};
use rookery_proto::stream::StreamError;
use rookery_store::journal::Journal;
use rookery_store::{Entry, Flags, Options, Store};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How long a clean shutdown waits for connections to finish.
const LAST_ORDERS: Duration = Duration::from_secs(10);

/// Opens the store, the journal and the secret in `data`, and brings back the sessions of the last run.
pub async fn core(data: &Path, options: Options, policy: Policy, env: Env) -> Result<Arc<Core>> {
    let router = Arc::new(Router::default());
    let pushes = Arc::new(Pushes::default());
    let reaching = Arc::new(Notify::new());
    let bell = (router.clone(), pushes.clone(), reaching.clone());
    let doorbell = move |uid, entry: Arc<Entry>| {
        bell.0.appended(uid, &entry);
        bell.1.appended(uid, &entry);
        if entry.flags.has(Flags::REACH) {
            bell.2.notify_one();
        }
    };
    let store = Store::open(options, Box::new(doorbell)).await?;
    pushes.know(store.push_accounts().await?);
    let (journal, recovery) = Journal::open(data).context("The restart journal cannot be opened.")?;
    let hasher = Hasher::new(std::thread::available_parallelism().map_or(2, usize::from));
    let domain = policy.domain.clone();
    let accounts = Accounts::new(store.clone(), env.clone(), domain.clone(), policy.iterations, hasher)
        .with_groups_at(policy.groups.clone())
        .reached_at(policy.public_url.clone());
    let secret = secret(data, &env)?;
    let vapid = Vapid::open(data)?;
    let core = Arc::new_cyclic(|this| Core {
        this: this.clone(),
        announced: Announced::new(&policy),
        components: Components::new(&policy.components, &policy.gateways),
        announcing: Default::default(),
        reaching,
        reported: Default::default(),
        denied: Default::default(),
        exports: Default::default(),
        harvest: Default::default(),
        health: Default::default(),
        confirmed: Default::default(),
        pairings: Default::default(),
        pushes,
        push_key: vapid.public(),
        listed: Listed::new(&policy.lists),
        pace: Pace::new(&policy.pace),
        reviewing: Default::default(),
        commands: Default::default(),
        meters: Default::default(),
        started: env.now(),
        secret,
        env,
        accounts,
        directory: Directory::new(store.clone(), domain, policy.archive_default),
        contacts: Contacts::default(),
        store,
        caps: Default::default(),
        followers: Default::default(),
        router,
        policy,
        journal: Ledger::new(journal).into(),
    });
    core.refresh_denied().await.context("The list of blocked servers cannot be read.")?;
    core.recall_lists().await.context("The block lists of services cannot be read.")?;
    if recovery.exact {
        let sessions = core.restore(recovery.streams).await;
        tracing::info!(sessions, "sessions wait for their clients to come back");
    } else if !recovery.streams.is_empty() {
        let sessions = recovery.streams.len();
        tracing::warn!(sessions, "the restart journal is not exact: clients will sign in anew and catch up");
        recovery.streams.iter().for_each(|stream| core.journal.ended(stream.id));
    }
    core.end_passing_rooms().await.context("Groups that nobody is in any more could not be deleted.")?;
    Ok(core)
}

/// The secret of this server: made once, kept in the data directory for its owner alone.
fn secret(data: &Path, env: &Env) -> Result<Secret> {
    let path = data.join("secret");
    let bytes = data::kept(&path, || Ok(env.bytes::<32>().to_vec()))?.try_into().ok();
    bytes.map(Secret::new).with_context(|| format!("{} is not a secret of 32 bytes.", path.display()))
}

/// Ends every connection with `system-shutdown`, keeps the sessions for the next run, and closes what lasts.
/// New connections must not come any more.
pub async fn shutdown(core: &Core) -> Result<()> {
    let why = StreamError::with("system-shutdown", "The server restarts. Your session waits for you.");
    core.journal.closing();
    let all_gone = async {
        loop {
            let mut served = core.router.all();
            served.retain(|session| session.is_served());
            if served.is_empty() {
                break;
            }
            // Again each time: a connection that was signing in may have got its session only now.
            served.iter().for_each(|session| session.state().leave(Some(why.clone())));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(LAST_ORDERS, all_gone).await.is_err() {
        tracing::warn!("some connections did not finish in time");
    }
    core.flush_delivered().await;
    core.flush_told().await;
    if let Err(error) = core.keep_lists().await {
        tracing::warn!(%error, "a block list is not kept as it is known");
    }
    core.journal.close();
    core.store.close().await.context("The store could not be closed.")
}

/// The files in `data`, where they are offered.
pub fn files(core: &Arc<Core>, data: &Path, settings: files::Settings) -> Result<Option<Arc<Files>>> {
    let offered = core.policy.files.is_some();
    let files = offered.then(|| Files::open(core.clone(), data, settings)).transpose();
    files.with_context(|| format!("The folder for files in {} cannot be used.", data.display()))
}

/// The mail system, if core has a gateway for it; it keeps its files in `files`.
pub fn mail(core: &Arc<Core>, files: &Arc<Files>, settings: Settings) -> Option<Arc<Gateway>> {
    Gateway::new(core.clone(), settings, deposit(files))
}

/// Keeps what a mail brings.
fn deposit(files: &Arc<Files>) -> Arc<Deposit> {
    let files = files.clone();
    Arc::new(move |new| -> Pin<Box<dyn Future<Output = Result<Deposited, NotDeposited>> + Send>> {
        let files = files.clone();
        Box::pin(async move { files.deposit(new).await })
    })
}

/// Where people's programs hand in mail, to `per_hour` recipients of each account within an hour.
pub fn submission(server: &Arc<Server>, gateway: &Arc<Gateway>, per_hour: u32) -> Arc<Submission> {
    Submission::new(gateway.clone(), sign_in(server), per_hour)
}

/// Whoever signs in with a mail program does so as on `server`.
fn sign_in(server: &Arc<Server>) -> Arc<SignIn> {
    let server = server.clone();
    Arc::new(move |attempt: Attempt| -> Pin<Box<dyn Future<Output = _> + Send>> {
        let server = server.clone();
        Box::pin(async move {
            let Attempt { peer, user, password } = attempt;
            server.check_password(peer, &user, &password).await.map_err(|refused| match refused {
                Refused::Wrong => NotSignedIn::Wrong,
                Refused::Later => NotSignedIn::Later,
            })
        })
    })
}

/// What mail programs read by IMAP.
pub fn mail_programs(
    server: &Arc<Server>,
    files: &Arc<Files>,
    settings: imap::Settings,
) -> Arc<imap::Server> {
    let reads = files.clone();
    let fetch = move |token, from, length| -> Pin<Box<dyn Future<Output = _> + Send>> {
        let files = reads.clone();
        Box::pin(async move { files.piece(token, from, length).await })
    };
    let ways = imap::Ways { sign_in: sign_in(server), deposit: deposit(files), fetch: Arc::new(fetch) };
    imap::Server::new(server.core.clone(), settings, ways)
}

/// What happens by the clock and behind the scenes, until the server ends; devices are told through `poster`.
pub fn background(
    core: Arc<Core>,
    data: &Path,
    files: Option<Arc<Files>>,
    poster: Poster,
) -> tokio::task::JoinHandle<()> {
    use keepalive::{announcements, flush, health, index, lists, reports, reviews, run, sweep};
    let storage = files.as_ref().map(|files| files.storage());
    let exports =
        export::run(core.store.clone(), core.env.clone(), core.exports.clone(), data.to_owned(), storage);
    let telling = push::run(core.clone(), Arc::new(poster));
    let core = move || core.clone();
    let tend = async move {
        if let Some(files) = files {
            files.tend().await;
        }
    };
    tokio::spawn(async move {
        let all = (run(core()), flush(core()), sweep(core()), announcements(core()), reports(core()));
        let said = (reviews(core()), index(core()), health(core()), lists(core()));
        tokio::join!(
            all.0, all.1, all.2, all.3, all.4, said.0, said.1, said.2, said.3, tend, exports, telling
        )
        .0
    })
}
