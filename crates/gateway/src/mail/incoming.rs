//! A mail that has come whole: into the timelines of those whom it is for, before it is acknowledged.

use super::judge::{self, Came, Mercy, Verdict};
use super::reading::{self, Letter};
use super::stanza::{self, Filed, Parts};
use super::{Deposited, Gateway, NewFile, NotDeposited, address, limits};
use data_encoding::BASE32_NOPAD;
use rookery_core::member::Member;
use rookery_proto::jid::BareJid;
use rookery_store::{Appended, FileToken, Mail, StoreError, Timestamp};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// How a mail came (RFC 5321 §2.3.1).
pub(super) struct Envelope<To> {
    /// The reverse path; empty: none.
    pub(super) from: String,
    /// Whom it is for: people here, or addresses anywhere.
    pub(super) to: Vec<To>,
    /// What the peer calls itself.
    pub(super) helo: String,
    pub(super) peer: IpAddr,
    /// RFC 3848.
    pub(super) protocol: &'static str,
    /// Who has written it, where that is known: somebody here, who signed in.
    pub(super) author: Option<Arc<Member>>,
    /// The operator's own front server brings it, which has judged it.
    pub(super) front: bool,
}

/// Why a mail is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not at the moment, with the enhanced code (RFC 3463) and why.
    Later(&'static str),
    /// There is no room for it.
    NoRoom,
    /// Never, with the enhanced code and why.
    Never(String),
    /// Its only recipient does not take it from this sender.
    Nobody,
}

impl Refusal {
    /// What the other side hears.
    pub(super) fn reply(&self) -> String {
        match self {
            Refusal::Later(why) => format!("451 {why}"),
            Refusal::NoRoom => "452 4.2.2 There is no room left for this mail".into(),
            Refusal::Never(why) => format!("550 {why}"),
            Refusal::Nobody => "550 5.1.1 Nobody has this address".into(),
        }
    }

    pub(super) const LATER: Refusal = Refusal::Later("4.3.0 This does not work at the moment");
}

/// A mail for people here.
pub(super) type Incoming = Envelope<Arc<Member>>;

/// What is the same for all who get a mail.
struct Arrived {
    letter: Letter,
    /// Its author's address inside.
    peer: BareJid,
    /// Names the mail and how it came: who sends it again because the answer was lost sends the same.
    id: String,
    /// Its Message-ID; one is made where it has none.
    name: String,
    /// The mail with its trace (RFC 5321 §4.4).
    raw: Vec<u8>,
    /// It is junk, whoever gets it.
    junk: bool,
    /// It is junk for those who have not said otherwise of its sender.
    suspected: bool,
}

impl Gateway {
    /// Stores a mail for all its recipients; how it is called in the log.
    pub(super) async fn receive(&self, envelope: Incoming, data: Vec<u8>) -> Result<String, Refusal> {
        let (id, outcomes) = self.receive_each(&envelope, data).await?;
        let (mut taken, mut refusal) = (false, None);
        for outcome in outcomes {
            match outcome {
                Ok(()) => taken = true,
                Err(Refusal::Nobody) => {}
                // The sender comes again with all of it, and what was stored is known then.
                Err(why) => refusal = Some(why),
            }
        }
        match (refusal, taken) {
            (Some(why), _) => Err(why),
            // Who does not take it among others is passed over: an answer for one alone there is not (RFC 5321 §6.1).
            (None, false) => Err(Refusal::Nobody),
            (None, true) => Ok(id),
        }
    }

    /// Stores a mail for each of its recipients: how it is called in the log, and what became of it for each. Each has it in a
    /// transaction of its own: who gets it again, because another's failed, is not given it twice.
    pub(super) async fn receive_each(
        &self,
        envelope: &Incoming,
        data: Vec<u8>,
    ) -> Result<(String, Vec<Result<(), Refusal>>), Refusal> {
        let now = self.core.env.now();
        let arrived = self.read(envelope, data, now).await?;
        let mut outcomes = Vec::with_capacity(envelope.to.len());
        for member in &envelope.to {
            outcomes.push(self.take(envelope, &arrived, member).await);
        }
        let (id, stored) = (arrived.id, outcomes.iter().filter(|outcome| outcome.is_ok()).count());
        if stored > 0 {
            tracing::info!(id, peer = %envelope.peer, recipients = stored, "a mail was stored");
        }
        Ok((id, outcomes))
    }

    async fn read(&self, envelope: &Incoming, data: Vec<u8>, now: Timestamp) -> Result<Arrived, Refusal> {
        let digest =
            Sha256::new().chain_update(&envelope.from).chain_update([0]).chain_update(&data).finalize();
        let id = format!("mail-{}", &BASE32_NOPAD.encode(&digest).to_lowercase()[..26]);
        let hostname = self.settings.hostname.clone();
        let reading = tokio::task::spawn_blocking(move || (reading::read(&data, &hostname), data)).await;
        let (mut letter, data) = reading.map_err(|error| {
            tracing::error!(id, %error, "a mail cannot be read");
            Refusal::LATER
        })?;
        if letter.hops > limits::HOPS || letter.own_hops > limits::OWN_HOPS {
            return Err(Refusal::Never("5.4.6 This mail goes in circles".into()));
        }
        let peer = |from: &str| address::inside(from, &self.settings.host);
        let peer = peer(&letter.from).or_else(|| peer(&envelope.from));
        // Reports are the mail system's, whatever it calls itself.
        let reports = || letter.report.as_ref().and_then(|_| BareJid::new(&self.settings.host).ok());
        let peer = peer.or_else(reports);
        let Some(peer) = peer else {
            return Err(Refusal::Never("5.6.0 This mail says of nobody that it is from them".into()));
        };
        let name = match std::mem::take(&mut letter.id) {
            none if none.is_empty() => format!("{id}@{}", self.settings.hostname),
            name => name,
        };
        let (field, junk) = self.judged(envelope, &id, &data).await?;
        let suspected = self.suspected(envelope, &id, &data).await?;
        let mut raw = self.trace(envelope, &id, now).into_bytes();
        raw.extend_from_slice(field.as_bytes());
        raw.extend_from_slice(&judge::without_ours(data, &self.settings.hostname));
        Ok(Arrived { letter, peer, id, name, raw, junk, suspected })
    }

    /// Whether a mail is from whom it says: the field that tells, and whether it is junk.
    pub(super) async fn judged(
        &self,
        envelope: &Incoming,
        id: &str,
        data: &[u8],
    ) -> Result<(String, bool), Refusal> {
        let hostname = &self.settings.hostname;
        if envelope.author.is_some() {
            // RFC 8601 §2.7.4.
            let from = &envelope.from;
            return Ok((
                format!("Authentication-Results: {hostname};\r\n\tauth=pass smtp.mailfrom={from}\r\n"),
                false,
            ));
        }
        let judge = self.settings.judge.as_ref().filter(|_| !envelope.front);
        let Some(judge) = judge else { return Ok((String::new(), false)) };
        let Incoming { from, helo, peer, .. } = envelope;
        let came = Came { peer: *peer, helo, from, hostname };
        let Verdict { field, mercy } = judge.judge(&came, data).await;
        match mercy {
            Mercy::Let => Ok((field, false)),
            Mercy::Junk => Ok((field, true)),
            Mercy::Refused(domain) => {
                tracing::info!(id, %peer, domain, "a mail is not from whom it says");
                Err(Refusal::Never(format!("5.7.1 {} wants such mail refused (DMARC)", plain(&domain))))
            }
        }
    }

    /// RFC 5321 §4.4.
    fn trace(&self, envelope: &Incoming, id: &str, now: Timestamp) -> String {
        let Incoming { from, helo, peer, protocol, .. } = envelope;
        let date = date(now);
        let hostname = &self.settings.hostname;
        if envelope.author.is_some() {
            return format!(
                "Return-Path: <{from}>\r\nReceived: by {hostname} with {protocol} id {id};\r\n\t{date}\r\n"
            );
        }
        let literal = if peer.is_ipv6() { format!("IPv6:{peer}") } else { peer.to_string() };
        format!(
            "Return-Path: <{from}>\r\nReceived: from {helo} ([{literal}])\r\n\tby {hostname} with {protocol} id {id};\r\n\t{date}\r\n"
        )
    }

    /// What a report says becomes of the message that it is about; everything else, and a report of no mail that is known, is a mail
    /// like others.
    async fn take(
        &self,
        envelope: &Incoming,
        arrived: &Arrived,
        member: &Arc<Member>,
    ) -> Result<(), Refusal> {
        // RFC 3464 §2: a report has no reverse path.
        if let (Some(report), true) = (&arrived.letter.report, envelope.from.is_empty()) {
            let reported = self.reported(member, report, &arrived.id).await.map_err(|error| {
                tracing::warn!(id = arrived.id, %error, "a report cannot be stored");
                Refusal::LATER
            });
            if reported? {
                return Ok(());
            }
        }
        self.hand_in(arrived, member).await
    }

    /// Into the timeline of one recipient, with its files; they go again where nothing of it is stored.
    async fn hand_in(&self, arrived: &Arrived, member: &Arc<Member>) -> Result<(), Refusal> {
        if !self.core.admits(member, &arrived.peer).await.map_err(|_| Refusal::LATER)? {
            return Err(Refusal::Nobody);
        }
        let mut tokens = Vec::new();
        let stored = self.store(arrived, member, &mut tokens).await;
        if !matches!(stored, Ok(Appended::Stored(_))) {
            self.forget(tokens).await;
        }
        stored.map(drop)
    }

    /// Files of a mail that was not stored.
    pub(super) async fn forget(&self, tokens: Vec<FileToken>) {
        for token in tokens {
            if let Err(error) = self.core.store.remove_upload(token).await {
                tracing::warn!(%error, "a file of a mail that was not stored stays for a while");
            }
        }
    }

    async fn store(
        &self,
        arrived: &Arrived,
        member: &Arc<Member>,
        tokens: &mut Vec<FileToken>,
    ) -> Result<Appended, Refusal> {
        let Arrived { letter, peer, id, name, raw, .. } = arrived;
        let uid = member.uid;
        let junk = self.is_junk(arrived, member).await?;
        let (media_type, data) = ("message/rfc822".into(), raw.clone());
        let whole = self.deposit(NewFile { uid, name: format!("{id}.eml"), media_type, data }).await?;
        tokens.push(whole.token);
        let mut files = Vec::new();
        for file in &letter.attachments {
            let (name, media_type, data) = (file.name.clone(), file.media_type.clone(), file.data.clone());
            let Deposited { url, token } = self.deposit(NewFile { uid, name, media_type, data }).await?;
            tokens.push(token);
            files.push(Filed { file, url });
        }
        let thread = self.thread(member, letter, name).await?;
        let stanza = stanza::write(&Parts {
            letter,
            from: peer.as_str(),
            to: member.address.as_str(),
            id,
            thread: &thread,
            name,
            raw: &whole.url,
            size: raw.len(),
            junk,
            files: &files,
        });
        let append = match self.core.brought(&stanza, junk).await {
            Ok(Some(append)) => append,
            Ok(None) => return Err(Refusal::Nobody),
            Err(error) if error.condition == "policy-violation" => {
                return Err(Refusal::Never("5.7.1 This server does not take this mail".into()));
            }
            Err(error) if error.condition == "service-unavailable" => return Err(Refusal::Nobody),
            Err(_) => return Err(Refusal::LATER),
        };
        let mail = Mail {
            uid,
            peer: peer.clone(),
            name: name.clone(),
            refs: letter.references.join(" "),
            thread,
            subject: letter.subject.clone(),
            stanza: id.clone(),
            raw: Some(whole.token),
            sent: false,
        };
        let failed = |error: StoreError| {
            tracing::warn!(id, %error, "a mail cannot be stored");
            Refusal::LATER
        };
        #[cfg(feature = "bite")]
        if super::bite::wanted() {
            let store = self.core.store.clone();
            return Ok(super::bite::later(async move { store.append_mail(append, mail).await?.await }));
        }
        self.core.store.append_mail(append, mail).await.map_err(failed)?.await.map_err(failed)
    }

    /// What is junk for everybody, and what its recipient has said of the sender.
    async fn is_junk(&self, arrived: &Arrived, member: &Member) -> Result<bool, Refusal> {
        let said = self.core.store.junk_sender(member.uid, arrived.peer.clone()).await;
        let said = said.map_err(|_| Refusal::LATER)?;
        Ok(arrived.junk || said.unwrap_or(arrived.suspected))
    }

    pub(super) async fn deposit(&self, file: NewFile) -> Result<Deposited, Refusal> {
        (self.deposit)(file).await.map_err(|why| match why {
            NotDeposited::NoRoom => Refusal::NoRoom,
            NotDeposited::Found(what) => {
                Refusal::Never(format!("5.7.1 {} was found in this mail", plain(&what)))
            }
            NotDeposited::Trouble => Refusal::LATER,
        })
    }

    /// The thread (RFC 6121 §5.2.5): that of what it answers, where that is here, or one that follows from how the thread began.
    pub(super) async fn thread(
        &self,
        member: &Member,
        letter: &Letter,
        name: &str,
    ) -> Result<String, Refusal> {
        for reference in letter.references.iter().rev() {
            let known =
                self.core.store.mail_named(member.uid, reference).await.map_err(|_| Refusal::LATER)?;
            if let Some(known) = known {
                return Ok(known.thread);
            }
        }
        Ok(thread_of(letter.references.first().map_or(name, String::as_str)))
    }
}

/// The thread that begins with the mail of this name.
pub(super) fn thread_of(name: &str) -> String {
    BASE32_NOPAD.encode(&Sha256::digest(name)).to_lowercase()[..26].to_owned()
}

/// A date as mail writes it (RFC 5322 §3.3).
pub(super) fn date(at: Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc2822).unwrap_or_default()
}

/// Words of others in one of our replies: printable ASCII.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~')).take(100).collect()
}

/// Text for a header: nothing in it begins another (RFC 5322 §2.2).
pub(super) fn one_line(text: &str) -> String {
    let mut line = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    line.truncate(line.floor_char_boundary(rookery_store::limits::MAIL_NAME_BYTES));
    line
}
