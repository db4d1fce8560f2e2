//! People's programs hand in mail to be sent (RFC 6409): from one's own addresses, into one's own timeline, and into the queue, all in
//! one transaction.

use super::handed_in::{self, HandedIn, Way};
use super::incoming::{Envelope, Refusal};
use super::sign_in::SignIn;
use super::stanza::{self, Filed, Parts};
use super::{Deposited, Gateway, Known, NewFile, address, limits};
use crate::guard::{Allowance, Guard, Place, Tally};
use data_encoding::BASE32_NOPAD;
use rookery_core::member::Member;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_store::{Appended, FileToken, Mail, NewQueued, StoreError};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;

/// What people's programs may take.
const ALLOWANCE: Allowance = Allowance {
    connections: limits::PROGRAMS,
    per_address: limits::PROGRAMS_PER_ADDRESS,
    guesses: limits::GUESSES,
    guessing: limits::GUESSING,
};

/// Where programs hand in mail.
pub struct Submission {
    pub(super) gateway: Arc<Gateway>,
    pub(super) sign_in: Arc<SignIn>,
    guard: Arc<Guard>,
    /// Recipients that each account has sent to.
    pub(super) sent: Tally<Uid>,
}

impl Submission {
    /// Nobody has sent anything yet. One account may send to `per_hour` recipients within an hour.
    pub fn new(gateway: Arc<Gateway>, sign_in: Arc<SignIn>, per_hour: u32) -> Arc<Submission> {
        let guard = Arc::new(Guard::new(ALLOWANCE));
        Arc::new(Submission { gateway, sign_in, guard, sent: Tally::new(per_hour, limits::HOUR) })
    }

    /// A place for a connection, if there is one.
    pub fn enter(&self, peer: IpAddr) -> Option<Place> {
        self.guard.enter(peer)
    }
}

/// Why somebody is no recipient.
pub(super) enum NoRecipient {
    /// Nobody has this address, as far as its sender may know.
    Nobody,
    /// It is no address, or nothing goes there; with the reply.
    Never(String),
    /// It cannot be said at the moment.
    Later,
}

/// A mail as its author handed it in.
struct Written {
    mail: HandedIn,
    /// Whose conversation it stands in.
    peer: BareJid,
}

impl Gateway {
    /// Whether an address is one of this account's: its number or a name, whatever stands after a plus; a role that it has.
    pub(super) async fn is_own(&self, author: &Member, address: &str) -> Result<bool, StanzaError> {
        Ok(!address.is_empty()
            && self.owner(address).await?.flatten().is_some_and(|owner| owner.uid == author.uid))
    }

    /// Whether `author` may send to this address.
    pub(super) async fn may_send(&self, author: &Member, from: &str, to: &str) -> Result<(), NoRecipient> {
        let later = |_| NoRecipient::Later;
        let Some(peer) = address::inside(to, &self.settings.host) else {
            return Err(NoRecipient::Never("553 5.1.3 Mail cannot be sent to such an address".into()));
        };
        match self.find_for(author, to, from).await.map_err(later)? {
            // Letters go to mailboxes elsewhere, and are answered from there.
            Known::Nobody | Known::Answers(_) => return Err(NoRecipient::Nobody),
            Known::Elsewhere if !self.settings.out => {
                return Err(NoRecipient::Never("550 5.7.1 No mail goes out from here".into()));
            }
            Known::Here(_) | Known::Elsewhere => {}
        }
        self.core.may_write(author, &peer).await.map_err(|error| {
            let why = error.text.as_deref().unwrap_or("You may not write to this address");
            match error.condition {
                "internal-server-error" => NoRecipient::Later,
                "resource-constraint" | "policy-violation" => NoRecipient::Never(format!("450 4.7.1 {why}")),
                _ => NoRecipient::Never(format!("550 5.7.1 {why}")),
            }
        })
    }

    /// Stores a mail for its author and for the queue; how it is called in the log.
    pub(super) async fn submit(
        &self,
        author: &Member,
        envelope: &Envelope<String>,
        data: Vec<u8>,
    ) -> Result<String, Refusal> {
        let written = self.written(author, envelope, data).await?;
        let mut tokens = Vec::new();
        let stored = self.keep(author, envelope, &written, &mut tokens).await;
        if !matches!(stored, Ok(Appended::Stored(_))) {
            self.forget(tokens).await;
        }
        stored?;
        self.queued.notify_one();
        let (id, uid) = (written.mail.id, author.uid.0);
        tracing::info!(id, uid, peer = %envelope.peer, recipients = envelope.to.len(), "a mail was handed in");
        Ok(id)
    }

    async fn written(
        &self,
        author: &Member,
        envelope: &Envelope<String>,
        data: Vec<u8>,
    ) -> Result<Written, Refusal> {
        let (id, fresh) = (name(envelope, &data), format!("mail-{}", self.core.env.token()));
        let (hostname, protocol, at) =
            (self.settings.hostname.clone(), envelope.protocol, self.core.env.now());
        let reading = move || {
            let way = Way { hostname: &hostname, protocol, id: &id, fresh: &fresh, at };
            handed_in::read(&data, &way)
        };
        let mail = tokio::task::spawn_blocking(reading).await.map_err(|_| Refusal::LATER)?;
        if mail.letter.own_hops > limits::OWN_HOPS || mail.letter.hops > limits::HOPS {
            return Err(Refusal::Never("5.4.6 This mail goes in circles".into()));
        }
        let Some(authors) = &mail.authors else {
            return Err(Refusal::Never("5.6.0 A mail has one From field, with your address".into()));
        };
        for address in authors {
            // RFC 6409 §6.1.
            if !self.is_own(author, address).await.map_err(|_| Refusal::LATER)? {
                return Err(Refusal::Never("5.7.1 This mail says to be from somebody else than you".into()));
            }
        }
        let among = |address: &&String| envelope.to.iter().any(|to| to.eq_ignore_ascii_case(address));
        let first = mail.to.iter().find(among).or_else(|| envelope.to.first());
        let peer = first.and_then(|address| address::inside(address, &self.settings.host));
        let peer = peer.ok_or_else(|| Refusal::Never("5.1.3 This mail is for nobody".into()))?;
        Ok(Written { mail, peer })
    }

    async fn keep(
        &self,
        author: &Member,
        envelope: &Envelope<String>,
        written: &Written,
        tokens: &mut Vec<FileToken>,
    ) -> Result<Appended, Refusal> {
        let Written { mail: HandedIn { id, letter, named, kept, .. }, peer } = written;
        let (uid, name) = (author.uid, format!("{id}.eml"));
        let new = NewFile { uid, name, media_type: "message/rfc822".into(), data: kept.clone() };
        let whole = self.deposit(new).await?;
        tokens.push(whole.token);
        let mut files = Vec::new();
        for file in &letter.attachments {
            let (name, media_type, data) = (file.name.clone(), file.media_type.clone(), file.data.clone());
            let Deposited { url, token } = self.deposit(NewFile { uid, name, media_type, data }).await?;
            tokens.push(token);
            files.push(Filed { file, url });
        }
        let thread = self.thread(author, letter, &letter.id).await?;
        let stanza = stanza::write(&Parts {
            letter,
            from: author.address.as_str(),
            to: peer.as_str(),
            id,
            thread: &thread,
            name: &letter.id,
            raw: &whole.url,
            size: kept.len(),
            junk: false,
            files: &files,
        });
        let append = self.core.sent(author, peer, &stanza, *named).await.map_err(|error| {
            let condition = error.condition;
            tracing::info!(id, condition, "a mail is not taken from its sender");
            Refusal::Later("4.7.1 You send faster than this server takes it")
        })?;
        let mail = Mail {
            uid,
            peer: peer.clone(),
            name: letter.id.clone(),
            refs: letter.references.join(" "),
            thread,
            subject: letter.subject.clone(),
            stanza: id.clone(),
            raw: Some(whole.token),
            sent: true,
        };
        let queued = self.for_the_queue(author, envelope, written);
        let failed = |error: StoreError| match error {
            StoreError::Limit(_) => Refusal::Later("4.3.1 Too many of your mails are on their way"),
            error => {
                tracing::warn!(id, %error, "a mail that is to be sent cannot be stored");
                Refusal::LATER
            }
        };
        #[cfg(feature = "bite")]
        if super::bite::wanted() {
            let store = self.core.store.clone();
            return Ok(super::bite::later(
                async move { store.submit_mail(append, mail, queued).await?.await },
            ));
        }
        self.core.store.submit_mail(append, mail, queued).await.map_err(failed)?.await.map_err(failed)
    }

    /// One for each recipient, all with the same signed bytes.
    fn for_the_queue(
        &self,
        author: &Member,
        envelope: &Envelope<String>,
        written: &Written,
    ) -> Vec<NewQueued> {
        let sent = &written.mail.sent;
        let data = bytes::Bytes::from([(self.settings.sign)(sent).as_bytes(), sent].concat());
        let one = |to: &String| NewQueued {
            uid: author.uid,
            peer: written.peer.to_string(),
            stanza: written.mail.id.clone(),
            sender: envelope.from.clone(),
            recipient: to.clone(),
            domain: to.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase(),
            at: self.core.env.now(),
            envelope: self.core.env.token(),
            receipt: false,
            program: true,
            data: data.clone(),
        };
        envelope.to.iter().map(one).collect()
    }
}

/// What a mail is called here: the same when the same is handed in again for the same people.
fn name(envelope: &Envelope<String>, data: &[u8]) -> String {
    let mut digest = Sha256::new().chain_update(&envelope.from);
    for to in &envelope.to {
        digest = digest.chain_update([0]).chain_update(to);
    }
    let digest = digest.chain_update([0]).chain_update(data).finalize();
    format!("mail-{}", &BASE32_NOPAD.encode(&digest).to_lowercase()[..26])
}
