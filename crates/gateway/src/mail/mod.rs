//! Mail: every number has a mailbox. What comes in by SMTP becomes a message from `user\40host@mail.DOMAIN` in the recipient's
//! timeline; the whole mail is kept beside it as an upload of the recipient, and goes with it. What is written to such an
//! address goes out as mail, through a smarthost or to the servers of its domain.

pub mod address;
#[cfg(feature = "bite")]
mod bite;
pub mod dkim;
mod fields;
pub mod filter;
mod greylist;
mod handed_in;
pub mod imap;
mod incoming;
pub mod judge;
pub mod letter;
pub mod limits;
mod news;
pub mod notices;
pub(crate) mod outgoing;
mod reading;
mod reply;
mod report;
mod returned;
pub mod route;
mod sign_in;
pub mod smtp;
mod stanza;
mod submission;
mod writing;

pub use crate::guard::Place;
pub use route::Route;
pub use sign_in::{Attempt, NotSignedIn, SignIn};
pub use smtp::client::{Protection, Smarthost};
pub use submission::Submission;

use crate::guard::{Allowance, Guard};
use crate::people::People;
use crate::reach::Reach;
use rookery_core::Core;
use rookery_core::component::{Component, Outlet};
use rookery_core::member::Member;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_store::{FileToken, Sending};
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::{Notify, Semaphore};
use tokio_rustls::rustls::ServerConfig;

/// TLS for a connection that begins now.
pub type StartTls = Arc<dyn Fn() -> Arc<ServerConfig> + Send + Sync>;

/// What the operator decided about mail.
#[derive(Clone)]
pub struct Settings {
    /// The domain that people's addresses are at: the server's own.
    pub domain: String,
    /// The host that correspondents are at inside.
    pub host: String,
    /// What the server calls itself towards other mail servers.
    pub hostname: String,
    /// The largest mail, bytes.
    pub largest: usize,
    /// Where there is any.
    pub tls: Option<StartTls>,
    /// Whether there is a way out to others.
    pub out: bool,
    /// Signs what goes out.
    pub sign: Arc<Sign>,
    /// Judges what comes in, where that is wanted.
    pub judge: Option<Arc<judge::Judge>>,
    /// Asks the operator's filter, where there is one.
    pub filter: Option<Arc<filter::Ask>>,
    /// Whether mail is taken that the filter says nothing about, because it does not answer.
    pub unfiltered: bool,
    /// Whether servers that are new are asked to come again.
    pub greylist: bool,
}

/// A file that is to be kept for an account.
pub struct NewFile {
    /// Whose it is, and in whose quota it counts.
    pub uid: Uid,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// A file that is kept, as long as a message names it.
pub struct Deposited {
    /// Names it.
    pub token: FileToken,
    /// Where it is.
    pub url: String,
}

/// Why a file is not kept.
#[derive(Debug)]
pub enum NotDeposited {
    /// There is no room for it.
    NoRoom,
    /// The scanner has found this in it.
    Found(String),
    /// It does not work at the moment; the log has the detail.
    Trouble,
}

/// Keeps a file: it is on the disk when this resolves.
pub type Deposit =
    dyn Fn(NewFile) -> Pin<Box<dyn Future<Output = Result<Deposited, NotDeposited>> + Send>> + Send + Sync;

/// Signs a mail: the fields to stand before it, and nothing where there are no keys.
pub type Sign = dyn Fn(&[u8]) -> String + Send + Sync;

/// Correspondents as they are inside.
const PEOPLE: People = People {
    name: "Mail",
    kind: "smtp",
    outside: address::outside,
    card: |x, address| {
        x.open("EMAIL").leaf("INTERNET").text_element("USERID", address).close();
    },
};

/// What other mail servers may take.
const ALLOWANCE: Allowance = Allowance {
    connections: limits::CONNECTIONS,
    per_address: limits::CONNECTIONS_PER_ADDRESS,
    guesses: limits::GUESSES,
    guessing: limits::GUESSING,
};

/// The mail system of one server.
pub struct Gateway {
    core: Arc<Core>,
    component: Arc<Component>,
    settings: Settings,
    deposit: Arc<Deposit>,
    guard: Arc<Guard>,
    /// Where answers to letters go.
    reach: Arc<Reach>,
    /// Places for large mails that come in.
    large: Arc<Semaphore>,
    /// Places for the operator's front server.
    front: Arc<Semaphore>,
    /// Who is asked to come again, where anybody is.
    greylist: Option<greylist::Greylist>,
    /// Rings when something is in the queue.
    queued: Notify,
}

/// Whom an address is of.
enum Known {
    Here(Arc<Member>),
    /// It answers this letter.
    Answers(Box<Sending>),
    /// Nobody at this domain, or one who takes nothing from this sender, which must look the same.
    Nobody,
    Elsewhere,
}

impl Gateway {
    /// The mail system; `None` if core has no gateway at its host.
    pub fn new(core: Arc<Core>, settings: Settings, deposit: Arc<Deposit>) -> Option<Arc<Gateway>> {
        let component = core.components.of(&settings.host).filter(|it| it.is_gateway())?.clone();
        let (guard, large) =
            (Arc::new(Guard::new(ALLOWANCE)), Arc::new(Semaphore::new(limits::LARGE_AT_ONCE)));
        let reach = Reach::new(core.clone());
        let (queued, front) = (Notify::new(), Arc::new(Semaphore::new(limits::FRONT)));
        let greylist = settings.greylist.then(greylist::Greylist::new);
        Some(Arc::new(Gateway {
            core,
            component,
            settings,
            deposit,
            guard,
            reach,
            large,
            front,
            greylist,
            queued,
        }))
    }

    /// A place for a connection, if there is one.
    pub fn enter(&self, peer: IpAddr) -> Option<Place> {
        self.guard.enter(peer)
    }

    /// Speaks for the correspondents, and sends what is written to them, for as long as it is polled; without a way out to people
    /// here only.
    pub async fn run(self: Arc<Gateway>, route: Option<Route>) {
        tokio::join!(self.speak(), self.clone().send(route));
    }

    async fn speak(&self) {
        let mut outlet: Outlet = self.component.connect();
        while let Some(stanza) = poll_fn(|cx| outlet.poll_next(cx)).await {
            PEOPLE.asked(&self.core, &self.component, &stanza).await;
        }
    }

    /// Whom mail to `address` is for, if they take it from the reverse path `from`.
    async fn find(&self, address: &str, from: &str) -> Result<Known, StanzaError> {
        if let Some(ticket) = reply::ticket(address, &self.settings.domain) {
            let answered = self.answered(ticket, from).await?;
            return Ok(answered.map_or(Known::Nobody, |sending| Known::Answers(Box::new(sending))));
        }
        let Some(member) = self.owner(address).await? else { return Ok(Known::Elsewhere) };
        let Some(member) = member else { return Ok(Known::Nobody) };
        let role = address::is_role(address);
        let host = BareJid::new(&self.settings.host).map_err(|_| StanzaError::internal_server_error())?;
        // Reports have no reverse path; they are the mail system's.
        let sender = address::inside(from, &self.settings.host).unwrap_or(host);
        let admitted =
            role || self.core.admits(&member, &sender).await? || self.awaits(&member, from).await?;
        Ok(if admitted { Known::Here(member) } else { Known::Nobody })
    }

    /// The same for a mail that somebody here has written: who blocks the account blocks its mail.
    async fn find_for(&self, author: &Member, address: &str, from: &str) -> Result<Known, StanzaError> {
        let account = Jid::from(author.address.clone());
        match self.find(address, from).await? {
            Known::Here(member) if member.blocks(&account) => Ok(Known::Nobody),
            known => Ok(known),
        }
    }

    /// Whose address this is; `None`: it is at another domain.
    async fn owner(&self, address: &str) -> Result<Option<Option<Arc<Member>>>, StanzaError> {
        let local = match address.rsplit_once('@') {
            // RFC 5321 §4.5.1: `<Postmaster>` alone, which the parser gives as nothing.
            None if address.is_empty() => "postmaster",
            Some((local, domain)) if domain.eq_ignore_ascii_case(&self.settings.domain) => local,
            _ => return Ok(None),
        };
        let member = match address::is_role(address) {
            true => self.administrator().await?,
            false => self.account(address::without_detail(local)).await?,
        };
        Ok(Some(member))
    }

    /// Whether reports may be for this account: who has sent mail hears what became of it, whatever strangers may do. An account
    /// that has not must look like nobody as ever.
    async fn awaits(&self, member: &Member, from: &str) -> Result<bool, StanzaError> {
        let reports = from.is_empty() && !member.disabled && !member.waits;
        Ok(reports && self.core.store.has_sent_mail(member.uid).await.map_err(rookery_core::store_error)?)
    }

    async fn account(&self, local: &str) -> Result<Option<Arc<Member>>, StanzaError> {
        // As addresses are prepared (RFC 7622 §3.3): in small letters.
        let Ok(prepared) = BareJid::new(&format!("{local}@{}", self.settings.domain)) else {
            return Ok(None);
        };
        let Some(local) = prepared.node() else { return Ok(None) };
        self.core.directory.find(local.as_str()).await.map_err(rookery_core::store_error)
    }

    /// Who answers for the server (RFC 2142 §2, §5): the administrator who has been it for longest.
    async fn administrator(&self) -> Result<Option<Arc<Member>>, StanzaError> {
        let admins = self.core.store.admins().await.map_err(rookery_core::store_error)?;
        match admins.first() {
            Some(uid) => self.core.directory.member(*uid).await.map_err(rookery_core::store_error),
            None => Ok(None),
        }
    }
}
