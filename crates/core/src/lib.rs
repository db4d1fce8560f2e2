//! Sessions, routing, the way of a message, and one file a feature. No sockets, no clock, no randomness of its own.

pub mod accounts;
pub mod address;
pub mod announce;
pub mod answer;
mod behalf;
mod choice;
pub mod component;
pub mod delivered;
pub mod denied;
pub mod departure;
pub mod device;
pub mod dispatch;
pub mod env;
pub mod export;
pub mod flags;
pub mod gate;
pub mod gateway;
pub mod harvest;
pub mod health;
pub mod invitation;
pub mod junk;
mod letter;
pub mod limits;
pub mod listed;
pub mod member;
pub mod meters;
pub mod muc;
mod outmail;
pub mod pace;
pub mod pairing;
pub mod pipeline;
pub mod presence;
pub mod privacy;
pub mod push;
mod rate;
pub mod reach;
pub mod render;
pub mod reports;
pub mod resume;
pub mod review;
pub mod roster;
pub mod router;
pub mod second_factor;
pub mod secret;
pub mod session;
pub mod strangers;
#[cfg(test)]
mod testing;
pub mod ticket;
pub mod trace;
pub mod xep;

use accounts::Accounts;
use env::Env;
use member::{Directory, Member};
use rookery_proto::error::StanzaError;
use rookery_proto::stanza::{Child, Edit, Stanza};
use rookery_store::{ArchiveDefault, Store, StoreError, Timestamp};
use roster::Contacts;
use router::Router;
use session::Session;
use smallvec::{SmallVec, smallvec};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// What the operator decided, as far as core must know it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The domain that accounts live at.
    pub domain: String,
    /// The host that groups live at (XEP-0045).
    pub groups: String,
    /// The publish-subscribe service (XEP-0060); `None`: there is none.
    pub pubsub: Option<xep::pep::Service>,
    /// How long a session waits for its client to come back (XEP-0198).
    pub resumption: Duration,
    /// After this long without a byte from a client it is asked for a sign of life.
    pub idle: Duration,
    /// Largest stanza of an authenticated client, bytes; announced by XEP-0478.
    pub stanza_bytes: usize,
    /// Whether administrators need a second factor.
    pub second_factor: bool,
    /// Who may sign up (XEP-0077).
    pub registration: Registration,
    /// Whether members may invite people who have no account, where it takes an invitation.
    pub members_invite: bool,
    /// Where browsers reach the server, as `https://example.org`; none if they do not.
    pub public_url: Option<String>,
    /// Days that messages are kept; `None`: forever.
    pub retention_days: Option<u32>,
    /// The same for what is said in groups, if that is fewer.
    pub group_retention_days: Option<u32>,
    /// What is archived of those who have not decided (XEP-0313 §7).
    pub archive_default: ArchiveDefault,
    /// PBKDF2 rounds of new passwords.
    pub iterations: u32,
    /// How fast one account may go.
    pub pace: pace::Limits,
    /// Block lists at services.
    pub lists: Vec<listed::Source>,
    /// The operator's program that is asked about messages.
    pub gate: Option<gate::Gate>,
    /// External components (XEP-0114).
    pub components: Vec<component::Allowed>,
    /// Gateways of this process.
    pub gateways: Vec<gateway::Hosted>,
    /// External services (XEP-0215).
    pub services: Vec<xep::extdisco::Service>,
    /// Whom to turn to (XEP-0157): the form's field, and addresses.
    pub contacts: Vec<(&'static str, Vec<String>)>,
    /// Where the terms are that people use the server under (XEP-0504).
    pub terms: Option<String>,
    /// Where to read what is wrong when the server is not there (XEP-0455).
    pub outage: Vec<String>,
    /// What may be uploaded (XEP-0363); `None`: nothing.
    pub files: Option<xep::upload::Files>,
    /// By which ways people are reached who are not here.
    pub reach: reach::Policy,
    /// Who looks at links; `None`: nobody.
    pub previewer: Option<xep::preview::Previewer>,
}

impl Policy {
    /// Days that what is said in a group is kept at most; `None`: forever.
    pub fn group_days(&self) -> Option<u32> {
        self.retention_days.into_iter().chain(self.group_retention_days).min()
    }
}

/// Who may sign up in-band.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registration {
    /// Nobody; the operator makes accounts.
    Closed,
    /// Who holds an invitation token.
    Invite,
    /// Everybody, within the limits per address; who comes without an invitation waits for an administrator.
    Review,
    /// Everybody, within the limits per address.
    Open,
}

/// One server: everything a session needs to act.
pub struct Core {
    /// Itself, for what must be brought to its end though nobody waits for it any more.
    pub this: Weak<Core>,
    /// Time and chance.
    pub env: Env,
    /// What lasts.
    pub store: Store,
    /// What tokens and the like are made of.
    pub secret: secret::Secret,
    /// Accounts by address.
    pub directory: Directory,
    /// Makes and changes accounts.
    pub accounts: Accounts,
    /// Rosters in use, as presence needs them.
    pub contacts: Contacts,
    /// Verified capabilities of clients.
    pub caps: xep::caps::Verified,
    /// Who has sent presence to whom beside the roster.
    pub followers: xep::pep::Followers,
    /// Who is here.
    pub router: Arc<Router>,
    /// What the operator decided.
    pub policy: Policy,
    /// Hosts beside ours (XEP-0114).
    pub components: component::Components,
    /// What the server says of itself (XEP-0030).
    pub announced: xep::disco::Announced,
    /// Rings when there is an announcement to be carried on.
    pub announcing: tokio::sync::Notify,
    /// Rings when somebody is to be reached, or wants to be reached otherwise.
    pub reaching: Arc<tokio::sync::Notify>,
    /// Rings when there is a report that administrators are to be told of.
    pub reported: tokio::sync::Notify,
    /// Whom this server has nothing to do with.
    pub denied: denied::Denied,
    /// Exports that were ordered.
    pub exports: Arc<export::Desk>,
    /// Devices that are to be told of messages.
    pub pushes: Arc<push::Pushes>,
    /// The public key that Web Push services know this server by (RFC 8292), in base64url.
    pub push_key: String,
    /// Who is on lists of people whom many servers do not want.
    pub listed: listed::Listed,
    /// How fast who goes.
    pub pace: pace::Pace,
    /// Rings when an account waits for approval.
    pub reviewing: tokio::sync::Notify,
    /// Commands that wait for their next form (XEP-0050).
    pub commands: xep::adhoc::Sessions,
    /// What accounts have learned of people they do not know.
    pub harvest: harvest::Harvest,
    /// What is counted.
    pub meters: meters::Meters,
    /// Sessions that have proven a second factor.
    pub confirmed: second_factor::Confirmed,
    /// Devices that wait to be let in.
    pub pairings: pairing::Pairings,
    /// How the server has been.
    pub health: health::Health,
    /// When the server was started.
    pub started: Timestamp,
    /// What must survive a restart beside the store.
    pub journal: Arc<resume::Ledger>,
}

/// A stanza on its way through the server.
pub struct Ctx<'a> {
    /// The server.
    pub core: &'a Core,
    /// Whose stanza it is.
    pub session: &'a Arc<Session>,
    /// The session's account.
    pub member: &'a Arc<Member>,
    /// The stanza as it came.
    pub stanza: &'a Stanza,
    /// The store; its writes note in the same transaction that the stanza was handled (XEP-0198).
    pub store: Store,
}

impl Ctx<'_> {
    /// The client's stanza as the server sends it on: from and to these addresses (RFC 6120 §8.1.2.1), in the language of
    /// the client's stream where it names none (§4.7.4, §8.1.5), and without the children in `drop`.
    pub fn sent_on(
        &self,
        from: &str,
        to: Option<&str>,
        drop: Option<&dyn Fn(&Child<'_>) -> bool>,
    ) -> Vec<u8> {
        let named = self.stanza.attr("xml:lang").is_some();
        let lang = if named { None } else { self.session.state().lang.clone() };
        let mut set: SmallVec<[(&str, &str); 3]> = smallvec![("from", from)];
        set.extend(to.map(|to| ("to", to)));
        set.extend(lang.as_deref().map(|lang| ("xml:lang", lang)));
        let unset: &[&str] = if to.is_none() { &["to"] } else { &[] };
        self.stanza.render(&Edit { set: &set, unset, drop, ..Edit::default() })
    }
}

/// A store that failed is an error to whom it concerns, in words that say no more than they should.
pub fn store_error(error: StoreError) -> StanzaError {
    match error {
        StoreError::NotFound => StanzaError::item_not_found(),
        StoreError::Conflict => StanzaError::conflict(),
        StoreError::Limit(what) => {
            StanzaError::policy_violation().text(format!("There are too many {what}."))
        }
        StoreError::Invalid(what) => StanzaError::bad_request().text(format!("The {what} cannot be used.")),
        StoreError::Full | StoreError::Busy | StoreError::Io => StanzaError::resource_constraint()
            .text("The server cannot store anything at the moment. Try again later."),
        _ => StanzaError::internal_server_error(),
    }
}
