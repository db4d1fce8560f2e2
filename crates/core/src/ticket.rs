//! Tickets: what stands in a letter to somebody who was not here, and lets whoever has it do one thing about it.
//!
//! A ticket names the sending that the letter was, and has a MAC by which it is known to be ours, so nothing is kept of it but that
//! it was used, where that matters. It ends with its time, with the account's password, and when the account is disabled. It
//! is letters in one case, digits and a hyphen: it may stand before an `@`.

use crate::pairing::{Admission, Newcomer, random_uuid};
use crate::xep::fast;
use crate::{Core, limits};
use data_encoding::BASE32_NOPAD;
use rookery_proto::jid::BareJid;
use rookery_store::{ReachAddress, Result, Sending, SendingId, SendingRef, TicketHash, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a ticket is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Errand {
    /// To come in, once.
    Enter,
    /// To answer the conversation that the letter is about.
    Answer,
    /// To get no more of them.
    Stop,
}

/// What a ticket that lets somebody in gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// By what one signs in.
    pub admission: Admission,
    /// The conversation that the letter was about, as far as that is known.
    pub peer: Option<BareJid>,
}

/// What is said of a ticket that lets somebody in, to whom it would let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// Whom it lets in.
    pub address: BareJid,
    /// The conversation that the letter was about, as far as that is known.
    pub peer: Option<BareJid>,
}

/// Bytes of the MAC that stand in a ticket: nobody guesses 128 bits.
const MAC: usize = 16;

impl Errand {
    fn name(self) -> &'static str {
        match self {
            Errand::Enter => "enter",
            Errand::Answer => "answer",
            Errand::Stop => "stop",
        }
    }

    /// For how long it is good.
    fn lasts(self) -> i64 {
        match self {
            Errand::Enter => limits::TICKET_ENTER_MS,
            Errand::Answer => limits::TICKET_ANSWER_MS,
            Errand::Stop => rookery_store::limits::SENDING_KEPT_MS,
        }
    }
}

impl Core {
    /// A ticket for a sending.
    pub async fn ticket(&self, errand: Errand, sending: &Sending) -> Result<String> {
        let mac = BASE32_NOPAD.encode(&self.mac(errand, sending).await?).to_lowercase();
        Ok(format!("{}-{mac}", sending.id.0))
    }

    /// The sending that a ticket is for; `None`: the ticket is good for nothing, or not any more.
    pub async fn sending_of(&self, errand: Errand, ticket: &str) -> Result<Option<Sending>> {
        let Some((number, shown)) = ticket.split_once('-') else { return Ok(None) };
        let Ok(id) = number.parse::<u64>() else { return Ok(None) };
        let Some(sending) = self.store.sending(SendingRef::Id(SendingId(id))).await? else { return Ok(None) };
        let ours = BASE32_NOPAD.encode(&self.mac(errand, &sending).await?);
        let same: bool = shown.to_ascii_uppercase().as_bytes().ct_eq(ours.as_bytes()).into();
        let over = self.env.now().0 - sending.what.at.0 >= errand.lasts();
        let member = self.directory.member(sending.what.uid).await?;
        // Who administers comes in by the password.
        let barred = member.is_none_or(|it| it.disabled || (errand == Errand::Enter && it.admin));
        let stands = errand == Errand::Stop || self.is_reached_at(&sending).await?;
        Ok((same && !over && !barred && stands).then_some(sending))
    }

    /// Whether the address that a sending went to is still one of its owner's: what went there before it was given up is anybody's.
    async fn is_reached_at(&self, sending: &Sending) -> Result<bool> {
        let known = self.store.reach_addresses(sending.what.uid).await?;
        let is_it = |it: &ReachAddress| {
            it.verified && it.way == sending.what.way && it.address == sending.what.address
        };
        Ok(known.iter().any(is_it))
    }

    /// Lets a machine in by a ticket, once; `None`: the ticket is good for nothing.
    pub async fn enter(&self, ticket: &str, newcomer: &Newcomer) -> Result<Option<Entry>> {
        let Some(sending) = self.sending_of(Errand::Enter, ticket).await? else { return Ok(None) };
        let uid = sending.what.uid;
        let expires = Timestamp(sending.what.at.0 + Errand::Enter.lasts());
        // As we write it: one may be spelt in many ways.
        let ours = self.ticket(Errand::Enter, &sending).await?;
        let hash = TicketHash(Sha256::digest(ours).into());
        if !self.store.use_ticket(hash, expires, self.env.now()).await? {
            return Ok(None);
        }
        let Some(member) = self.directory.member(uid).await? else { return Ok(None) };
        let expires = Timestamp(self.env.now().0 + limits::PAIRING_MS);
        let agent = random_uuid(self.env.bytes());
        let (token, seen, kept) = self.pass(uid, fast::Pass { agent: &agent, newcomer, expires });
        self.store.enroll(uid, seen, kept).await?;
        tracing::info!(uid = uid.0, from = %newcomer.from, "a device was let in by a letter");
        let admission = Admission { address: member.address.clone(), agent, token, expires };
        Ok(Some(Entry { admission, peer: self.peer(&sending).await? }))
    }

    /// What a ticket that lets somebody in is about; it is not used by that. `None`: it was not ours, or its time is over.
    pub async fn told(&self, ticket: &str) -> Result<Option<Told>> {
        let Some(sending) = self.sending_of(Errand::Enter, ticket).await? else { return Ok(None) };
        let Some(member) = self.directory.member(sending.what.uid).await? else { return Ok(None) };
        Ok(Some(Told { address: member.address.clone(), peer: self.peer(&sending).await? }))
    }

    /// With whom the conversation is that a letter was about.
    async fn peer(&self, sending: &Sending) -> Result<Option<BareJid>> {
        let Some(case) = sending.what.case else { return Ok(None) };
        Ok(self.store.case(case).await?.map(|case| case.peer))
    }

    async fn mac(&self, errand: Errand, sending: &Sending) -> Result<[u8; MAC]> {
        let what = &sending.what;
        let credentials = match errand {
            // A forgotten password must not make letters come for ever.
            Errand::Stop => None,
            Errand::Enter | Errand::Answer => self.store.credentials(what.uid).await?,
        };
        let parts = [
            errand.name().as_bytes(),
            &sending.id.0.to_be_bytes(),
            &what.at.0.to_be_bytes(),
            what.address.as_bytes(),
            credentials.as_ref().map_or(&[], |it| it.0.as_slice()),
        ];
        let mac = self.secret.derive("ticket", &parts);
        let mut short = [0; MAC];
        short.copy_from_slice(&mac[..MAC]);
        Ok(short)
    }
}
