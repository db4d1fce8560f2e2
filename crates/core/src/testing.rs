//! A server whose clients are played by the test, in this process and without sockets.

use crate::env::Env;
use crate::resume::Ledger;
use crate::session::{Available, Out, Session};
use crate::{Core, Policy, Registration};
use bytes::Bytes;
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rookery_store::journal::{Journal, Recovered};
use rookery_store::{
    Append, ArchiveDefault, Credentials, Direction, Flags, NewAccount, Options, Pointer, Primary, Store,
    Timestamp,
};
use smallvec::smallvec;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const JULIET: Uid = Uid(10_001);

/// A server whose clients are played by the test.
pub(crate) struct World {
    pub(crate) core: Arc<Core>,
    folder: tempfile::TempDir,
    /// How often it was started.
    lives: u64,
}

impl World {
    pub(crate) async fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let (core, _) = open(folder.path(), 1).await;
        let account = NewAccount {
            name: Some("juliet".to_owned()),
            primary: Primary::Name,
            nick: None,
            credentials: Credentials(Vec::new()),
            created: Timestamp(0),
            epoch: 1,
            invite: None,
        };
        assert_eq!(core.store.create_account(account).await.unwrap().uid, JULIET);
        World { core, folder, lives: 1 }
    }

    /// Killed and started again: nothing more is written, nobody is told.
    pub(crate) async fn killed(self) -> World {
        self.core.store.close().await.unwrap();
        let lives = self.lives + 1;
        let (core, recovered) = open(self.folder.path(), lives).await;
        let streams = recovered.len();
        assert_eq!(core.restore(recovered).await, streams);
        World { core, lives, ..self }
    }

    /// A resource that is bound and can be resumed.
    pub(crate) async fn bind(&self, resource: &str) -> Arc<Session> {
        let member = self.core.directory.member(JULIET).await.unwrap().unwrap();
        let session = self.core.bind(&member, resource, Default::default()).await.unwrap();
        self.core.enable(&session, true).await.unwrap();
        session.state().queue(Out::Enabled(Bytes::new()));
        self.core.take_output(&session, 1);
        session
    }

    /// As presence does.
    pub(crate) fn becomes_available(&self, session: &Arc<Session>) {
        let stanza = Bytes::from_static(b"<presence/>");
        self.core.make_available(session, Available { priority: 0, stanza });
    }

    /// The client has acknowledged everything that was written.
    pub(crate) fn acknowledges(&self, session: &Arc<Session>) {
        let sent = session.state().sm.as_ref().unwrap().sent;
        self.core.acknowledged(session, sent).unwrap();
    }

    /// The connection is lost, and nobody comes back for the session.
    pub(crate) async fn expires(&self, session: &Arc<Session>) {
        session.detach(self.core.env.now());
        self.core.end(session, None).await;
    }

    /// The restored session of `resource`.
    pub(crate) fn session(&self, resource: &str) -> Arc<Session> {
        self.core.router.session(JULIET, resource).unwrap()
    }

    /// A message from romeo to juliet, or to one of her resources.
    pub(crate) async fn message(&self, resource: Option<&str>, body: &str) {
        self.append(Direction::In, resource, body).await;
    }

    /// A message from one of juliet's resources to romeo.
    pub(crate) async fn sent(&self, resource: &str, body: &str) {
        self.append(Direction::Out, Some(resource), body).await;
    }

    async fn append(&self, direction: Direction, resource: Option<&str>, body: &str) {
        let append = Append {
            stanza: Bytes::copy_from_slice(body.as_bytes()),
            at: Timestamp(0),
            flags: Flags::DELIVER | Flags::CHAT | Flags::COPY,
            pointers: smallvec![Pointer {
                uid: JULIET,
                peer: BareJid::new("romeo@localhost").unwrap(),
                peer_resource: None,
                direction,
                resource: resource.map(Into::into),
                flags: Flags::ARCHIVE,
            }],
            origin: None,
        };
        self.core.store.append(append).await.unwrap().await.unwrap();
    }

    /// The log entries that a connection would write for the session now.
    pub(crate) async fn written(&self, session: &Arc<Session>) -> Vec<String> {
        let mut written = Vec::new();
        loop {
            self.core.catch_up(session).await.unwrap();
            let outs = self.core.take_output(session, 1).outs;
            let more = {
                let s = session.state();
                s.must_catch_up() || s.must_collect().is_some()
            };
            if outs.is_empty() && !more {
                return written;
            }
            written.extend(outs.iter().filter_map(|out| match out {
                Out::Entry { entry, .. } => Some(String::from_utf8(entry.stanza.to_vec()).unwrap()),
                _ => None,
            }));
        }
    }
}

async fn open(folder: &std::path::Path, seed: u64) -> (Arc<Core>, Vec<Recovered>) {
    let router = Arc::new(crate::router::Router::default());
    let bell = router.clone();
    let doorbell = Box::new(move |uid, entry| bell.appended(uid, &entry));
    let store = Store::open(Options::new(folder.join("store.db")), doorbell).await.unwrap();
    let (journal, recovery) = Journal::open(folder).unwrap();
    let env = Env::virtual_from(seed);
    let hasher = crate::accounts::Hasher::new(1);
    let domain = "localhost".to_owned();
    let policy = Policy {
        domain: domain.clone(),
        groups: "groups.localhost".to_owned(),
        pubsub: None,
        resumption: Duration::from_secs(600),
        idle: Duration::from_secs(300),
        stanza_bytes: 1 << 16,
        registration: Registration::Closed,
        second_factor: false,
        members_invite: false,
        public_url: None,
        retention_days: None,
        group_retention_days: None,
        archive_default: ArchiveDefault::Always,
        iterations: 1,
        pace: Default::default(),
        lists: Vec::new(),
        gate: None,
        components: Vec::new(),
        gateways: Vec::new(),
        services: Vec::new(),
        contacts: Vec::new(),
        terms: None,
        outage: Vec::new(),
        files: None,
        reach: Default::default(),
        previewer: None,
    };
    let core = Arc::new_cyclic(|this| Core {
        this: this.clone(),
        announced: crate::xep::disco::Announced::new(&policy),
        components: Default::default(),
        meters: Default::default(),
        started: env.now(),
        accounts: crate::accounts::Accounts::new(store.clone(), env.clone(), domain.clone(), 1, hasher),
        directory: crate::member::Directory::new(store.clone(), domain.clone(), ArchiveDefault::Always),
        contacts: Default::default(),
        announcing: Default::default(),
        reaching: Default::default(),
        reported: Default::default(),
        denied: Default::default(),
        exports: Default::default(),
        harvest: Default::default(),
        health: Default::default(),
        confirmed: Default::default(),
        pairings: Default::default(),
        listed: crate::listed::Listed::new(&policy.lists),
        pace: crate::pace::Pace::new(&policy.pace),
        reviewing: Default::default(),
        commands: Default::default(),
        pushes: Default::default(),
        push_key: String::new(),
        caps: Default::default(),
        followers: Default::default(),
        secret: crate::secret::Secret::new([7; 32]),
        store,
        router,
        policy,
        journal: Ledger::new(journal).into(),
        env,
    });
    (core, recovery.streams)
}
