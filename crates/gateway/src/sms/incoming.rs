//! What carriers bring: receipts, and what people write. A part of a message is acknowledged when it is stored, the last one when the
//! whole message is.
//!
//! A provider by HTTP may have a name for what it brings, by which it is known when it is brought again. SMPP has no such name that
//! lasts: a carrier that did not hear our answer brings the same under another number. So the same text of the same phone is the same
//! message again if it comes by another connection within a quarter of an hour, and is a message of its own by the same connection:
//! people do say `ok` twice.

use super::brought::{Brought, Message};
use super::lanes;
use super::smpp::link::Taken;
use super::text::{Alphabet, Place};
use super::{Fresh, Gateway, address, limits, phone};
use crate::reach::Answered;
use crate::reach::channel::{SendingRef, Way};
use data_encoding::BASE32_NOPAD;
use rookery_core::member::Member;
use rookery_core::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::xml::Xml;
use rookery_store::{Appended, SmsPart, SmsSeen, SmsWhole, StoreError, Timestamp};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What one says who wants nothing more, whatever the case; and who wants something again. The first are what the law of most
/// countries and the carriers' own rules know.
const STOP: [&str; 8] = ["STOP", "STOPALL", "UNSUBSCRIBE", "QUIT", "END", "退订", "停止", "TD"];
/// See [`STOP`].
const START: [&str; 4] = ["START", "UNSTOP", "开始", "恢复"];

/// A connection to a carrier.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) carrier: &'a str,
    /// Names the connection among all that there ever are.
    pub(super) name: &'a str,
}

/// A message that somebody has written, all of it.
pub(super) struct Said<'a> {
    pub(super) carrier: &'a str,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) text: String,
    /// The `id` that it has inside.
    pub(super) id: String,
}

impl Gateway {
    /// Where something has its place among what its phone has written; `None`: nobody has.
    pub(super) fn place(&self, brought: &Brought) -> Option<lanes::Place> {
        match brought {
            Brought::Message(message) => Some(self.lanes.enter(&message.from)),
            Brought::Receipt(_) | Brought::Nothing => None,
        }
    }

    pub(super) async fn take(&self, line: Line<'_>, place: Option<lanes::Place>, brought: Brought) -> Taken {
        let carrier = line.carrier;
        let mut place = place;
        if let Some(place) = &mut place {
            place.wait().await;
        }
        let taken = match brought {
            Brought::Receipt(receipt) => {
                let Some(state) = receipt.state else { return Taken::Done };
                let name = Fresh::name(carrier, &receipt.id);
                let which = match self.fresh.sending(&name) {
                    Some(id) => SendingRef::Id(id),
                    None => SendingRef::Carrier(Way::Sms, name),
                };
                self.reach.news(which, state, &receipt.why).await.map_err(store_error)
            }
            Brought::Message(message) => {
                let seen = self.seen(line, &message);
                match message.place {
                    Some(place) => self.collect(seen, message, place, carrier).await,
                    None => self.all(seen, &message, carrier).await,
                }
            }
            Brought::Nothing => Ok(()),
        };
        match taken {
            Ok(()) => Taken::Done,
            Err(error) => {
                tracing::warn!(carrier, condition = error.condition, "what a carrier brought waits there");
                Taken::Later
            }
        }
    }

    /// As it is known when it comes again.
    fn seen(&self, line: Line<'_>, message: &Message) -> SmsSeen {
        let Message { from, to, alphabet, bytes, place, name } = message;
        let at = self.core.env.now();
        if let Some(name) = name {
            // It has the same name in the log, too, whenever it comes again.
            let digest = Sha256::digest(format!("{} {name}", line.carrier));
            let name = BASE32_NOPAD.encode(&digest).to_lowercase();
            let id = format!("sms-{}", &name[..26]);
            return SmsSeen { name, line: line.name.to_owned(), id, at };
        }
        let mut name = Sha256::new();
        for field in [line.carrier, from, to] {
            name.update(field);
            name.update([0]);
        }
        let Place { reference, total, number } = place.unwrap_or(Place { reference: 0, total: 0, number: 0 });
        name.update(reference.to_be_bytes());
        name.update([total, number, number_of(*alphabet)]);
        name.update(bytes);
        let name = BASE32_NOPAD.encode(&name.finalize()).to_lowercase();
        let id = format!("sms-{}", self.core.env.token());
        SmsSeen { name, line: line.name.to_owned(), id, at }
    }

    /// Takes a message that is whole.
    async fn all(&self, seen: SmsSeen, message: &Message, carrier: &str) -> Result<(), StanzaError> {
        let id = self.core.store.see_sms(seen).await.map_err(store_error)?;
        let Message { from, to, alphabet, bytes, .. } = message;
        self.receive(&Said { carrier, from, to, text: alphabet.decode(bytes), id }).await
    }

    /// Keeps a part, and takes the whole message when it was the last.
    async fn collect(
        &self,
        seen: SmsSeen,
        message: Message,
        place: Place,
        carrier: &str,
    ) -> Result<(), StanzaError> {
        let Place { reference, total, number } = place;
        let Message { from: phone, to: here, alphabet, bytes, .. } = message;
        let whole = SmsWhole { carrier: carrier.to_owned(), phone, here, reference, total };
        let at = seen.at;
        let part = SmsPart { whole: whole.clone(), number, alphabet: number_of(alphabet), bytes, at };
        let store = &self.core.store;
        let mut kept = store.keep_sms_part(part.clone(), seen.clone()).await;
        if matches!(kept, Err(StoreError::Conflict)) {
            // The phone calls a new message as it called one of which the rest has not come.
            let old = store.sms_parts(whole.clone()).await.map_err(store_error)?;
            self.whole(whole.clone(), old).await?;
            kept = store.keep_sms_part(part, seen).await;
        }
        match kept.map_err(store_error)? {
            Some(parts) => self.whole(whole, parts).await,
            None => Ok(()),
        }
    }

    /// Takes a message of these parts. It has the same name when it is taken again, because something came between.
    async fn whole(&self, whole: SmsWhole, parts: Vec<SmsPart>) -> Result<(), StanzaError> {
        let SmsWhole { carrier, phone, here, reference, .. } = &whole;
        let since = parts.iter().map(|part| part.at).min().unwrap_or_default();
        let name = format!("{carrier} {phone} {here} {reference} {}", since.0);
        let digest = BASE32_NOPAD.encode(&Sha256::digest(name)).to_lowercase();
        let id = format!("sms-{}", &digest[..26]);
        let said = Said { carrier, from: phone, to: here, text: joined(&parts), id };
        self.receive(&said).await?;
        self.core.store.drop_sms_parts(whole).await.map_err(store_error)
    }

    /// Messages of which the rest does not come are taken as they are, for as long as it is polled.
    pub(super) async fn tidy(&self) {
        loop {
            let before = Timestamp(self.core.env.now().0 - limits::PARTS_WAIT.as_millis() as i64);
            if let Err(condition) = self.take_stale(before).await {
                tracing::warn!(condition, "parts of short messages cannot be looked through");
            }
            tokio::time::sleep(limits::TIDY).await;
        }
    }

    async fn take_stale(&self, before: Timestamp) -> Result<(), &'static str> {
        let store = &self.core.store;
        let failed = |error: StoreError| store_error(error).condition;
        for whole in store.stale_sms(before).await.map_err(failed)? {
            let parts = store.sms_parts(whole.clone()).await.map_err(failed)?;
            self.whole(whole, parts).await.map_err(|error| error.condition)?;
        }
        Ok(())
    }

    /// Takes a message.
    async fn receive(&self, said: &Said<'_>) -> Result<(), StanzaError> {
        let Said { carrier, from, .. } = said;
        if !phone::is_canonical(from) {
            return self.bring(said).await;
        }
        if let Some(stopped) = asks_to_stop(&said.text) {
            let now = self.core.env.now();
            self.core.store.stop_phone(from, stopped, now).await.map_err(store_error)?;
            tracing::info!(carrier, stopped, "a phone has said what it wants");
            return Ok(());
        }
        if self.order(said).await? {
            tracing::info!(carrier, "somebody has sent a command from a phone");
            return Ok(());
        }
        // A number that was proved by a code is a person's.
        match self.reach.answered_from(Way::Sms, from, &said.text, &said.id).await? {
            Answered::Nothing if self.hint(said).await? => Ok(()),
            Answered::Nothing => self.bring(said).await,
            Answered::Acknowledged | Answered::Said => {
                tracing::info!(carrier, "somebody has answered by a short message");
                Ok(())
            }
        }
    }

    /// Into the conversation of whom it is for.
    async fn bring(&self, said: &Said<'_>) -> Result<(), StanzaError> {
        let carrier = said.carrier;
        let Some(member) = self.recipient(said).await? else {
            tracing::info!(carrier, "a short message is for nobody");
            return Ok(());
        };
        let Some(from) = address::inside(said.from, &self.settings.host) else { return Ok(()) };
        if !self.core.admits(&member, &from).await? {
            return Ok(());
        }
        let mut x = Xml::new();
        x.open("message").attr("from", from.as_str()).attr("to", member.address.as_str());
        x.attr("type", "chat").attr("id", &said.id).text_element("body", said.text.trim_end()).close();
        let append = match self.core.brought(&x.into_vec(), false).await {
            Ok(Some(append)) => append,
            Ok(None) => return Ok(()),
            // Whoever does not want it is asked in vain again.
            Err(error) if matches!(error.condition, "policy-violation" | "service-unavailable") => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let appended =
            self.core.store.append(append).await.map_err(store_error)?.await.map_err(store_error)?;
        let again = matches!(appended, Appended::Duplicate);
        tracing::info!(carrier, again, "a short message came");
        Ok(())
    }

    /// Whom a message is for: who has the number that it was sent to, or who wrote to the phone last.
    async fn recipient(&self, said: &Said<'_>) -> Result<Option<Arc<Member>>, StanzaError> {
        if let Some(account) = self.settings.numbers.get(said.to) {
            return self.core.directory.find(account).await.map_err(store_error);
        }
        match self.core.store.writer_to(said.from).await.map_err(store_error)? {
            Some(uid) => self.core.directory.member(uid).await.map_err(store_error),
            None => Ok(None),
        }
    }
}

/// Whether a phone wants nothing more, or something again; `None`: it is about something else.
fn asks_to_stop(text: &str) -> Option<bool> {
    let word = text.trim_matches(|c: char| c.is_whitespace() || c.is_ascii_punctuation()).to_uppercase();
    if STOP.contains(&word.as_str()) {
        return Some(true);
    }
    START.contains(&word.as_str()).then_some(false)
}

/// The text of parts. Where one is missing there are dots.
fn joined(parts: &[SmsPart]) -> String {
    let mut text = String::new();
    let mut next = 1;
    // A character may be in two parts: those that follow each other in one alphabet are read as one.
    let mut run: (u8, Vec<u8>) = (0, Vec::new());
    for part in parts {
        if part.number != next || part.alphabet != run.0 {
            text += &alphabet_of(run.0).decode(&run.1);
            run = (part.alphabet, Vec::new());
        }
        if part.number != next {
            text += "…";
        }
        run.1.extend(&part.bytes);
        next = part.number.saturating_add(1);
    }
    text += &alphabet_of(run.0).decode(&run.1);
    let whole = parts.first().is_none_or(|part| next > part.whole.total || part.whole.total == u8::MAX);
    if whole { text } else { text + "…" }
}

fn number_of(alphabet: Alphabet) -> u8 {
    match alphabet {
        Alphabet::Gsm => 0,
        Alphabet::Ucs2 => 1,
        Alphabet::Latin1 => 2,
    }
}

fn alphabet_of(number: u8) -> Alphabet {
    match number {
        0 => Alphabet::Gsm,
        1 => Alphabet::Ucs2,
        _ => Alphabet::Latin1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_is_a_word_alone() {
        for text in ["STOP", " stop.", "Stop!", "退订", "unsubscribe"] {
            assert_eq!(asks_to_stop(text), Some(true), "{text}");
        }
        assert_eq!(asks_to_stop("start"), Some(false));
        for text in ["", "Don't stop", "stop it", "1"] {
            assert_eq!(asks_to_stop(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_dots() {
        let whole = SmsWhole {
            carrier: "one".into(),
            phone: "+49".into(),
            here: "4711".into(),
            reference: 1,
            total: 3,
        };
        let part = |number, alphabet, bytes: &[u8]| SmsPart {
            whole: whole.clone(),
            number,
            alphabet,
            bytes: bytes.to_vec(),
            at: Timestamp(0),
        };
        // A pair of surrogates that some phone has split.
        let split = [part(1, 1, &[0xd8, 0x3d]), part(2, 1, &[0xde, 0x00]), part(3, 0, b"!")];
        assert_eq!(joined(&split), "😀!");
        assert_eq!(joined(&[part(1, 0, b"a"), part(3, 0, b"c")]), "a…c");
        assert_eq!(joined(&[part(2, 0, b"b")]), "…b…");
    }
}
