//! People use their account by text messages, from a phone that was shown to be theirs: they read what waits, answer, write, and see who
//! is there. What reveals or changes anything needs a PIN in front, as the sender of a text message can be forged; going on with
//! what was just read does not, as it goes to where the beginning went.

mod parse;
mod read;
mod words;

use super::incoming::Said;
use super::{Gateway, address, limits, phone};
use crate::reach::channel::{Urgency, Way};
use parse::{Command, Language, parse};
use rookery_core::member::Member;
use rookery_core::reach::Answer;
use rookery_core::store_error;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_store::{Desk, Displayed, NewSending, PhoneAnswer, PinTried, StoreError};
use std::sync::Arc;
use words::{Sentence, say};

/// Who has sent a command, and is answered.
struct Caller<'a> {
    member: Arc<Member>,
    phone: &'a str,
    language: Language,
    /// Names the command.
    id: &'a str,
}

impl Gateway {
    /// Does what a text orders; false: it is no order, and something else may be made of it.
    pub(super) async fn order(&self, said: &Said<'_>) -> Result<bool, StanzaError> {
        let Some(order) = parse(&said.text).filter(|_| self.settings.caps.account > 0) else {
            return Ok(false);
        };
        let owners = self.core.store.reached_at(Way::Sms, said.from).await.map_err(store_error)?;
        let Some(first) = owners.first().copied() else { return Ok(false) };
        let Some(pin) = order.pin else {
            return match order.command {
                Some(Command::Help) => self.aside(said, first, order.language, Sentence::Help).await,
                Some(Command::More) => self.go_on(said, &owners, order.language).await,
                _ => Ok(false),
            };
        };
        let pins = owners.iter().map(|uid| (*uid, self.core.phone_pin(*uid, pin))).collect();
        let tried = self.core.store.try_phone_pin(pins, self.core.env.now()).await.map_err(store_error)?;
        let (tried, uid) = (tried.0, tried.1.unwrap_or(first));
        let sentence = match tried {
            PinTried::Right => {
                let Some(caller) = self.caller(said, uid, order.language).await? else { return Ok(true) };
                self.obey(&caller, order.command).await?;
                return Ok(true);
            }
            PinTried::None if order.command.is_none() => return Ok(false),
            PinTried::None => Sentence::NoPin,
            PinTried::Wrong => Sentence::WrongPin,
            PinTried::Locked => Sentence::Locked,
        };
        tracing::info!(account = uid.0, outcome = ?tried, "a command from a phone was not taken");
        self.aside(said, uid, order.language, sentence).await
    }

    /// Tells whoever sent a command without a PIN, to which nothing else has an answer, how it is done; false: it was none.
    pub(super) async fn hint(&self, said: &Said<'_>) -> Result<bool, StanzaError> {
        let Some(order) = parse(&said.text).filter(|_| self.settings.caps.account > 0) else {
            return Ok(false);
        };
        let owners = self.core.store.reached_at(Way::Sms, said.from).await.map_err(store_error)?;
        let (Some(_), Some(uid)) = (order.command, owners.first().copied()) else { return Ok(false) };
        let has_pin = self.core.store.has_phone_pin(uid).await.map_err(store_error)?;
        let sentence = if has_pin { Sentence::PinFirst } else { Sentence::NoPin };
        self.aside(said, uid, order.language, sentence).await
    }

    /// Whoever has this account; `None`: it may do nothing.
    async fn caller<'a>(
        &self,
        said: &'a Said<'_>,
        uid: Uid,
        language: Language,
    ) -> Result<Option<Caller<'a>>, StanzaError> {
        let member = self.core.directory.member(uid).await.map_err(store_error)?;
        let member = member.filter(|member| !member.disabled && !member.waits);
        Ok(member.map(|member| Caller { member, phone: said.from, language, id: &said.id }))
    }

    /// Answers somebody who has proven nothing: a few times a day, as it may be forged, and costs.
    async fn aside(
        &self,
        said: &Said<'_>,
        uid: Uid,
        language: Language,
        sentence: Sentence,
    ) -> Result<bool, StanzaError> {
        let now = self.core.env.now();
        if self.asides.is_over(uid, now) {
            return Ok(true);
        }
        self.asides.count(uid, now);
        if let Some(caller) = self.caller(said, uid, language).await? {
            self.answer(&caller, say(language, sentence).to_owned(), None, None).await?;
        }
        Ok(true)
    }

    /// `MORE` without a PIN: of what this phone was shown a short while ago.
    async fn go_on(&self, said: &Said<'_>, owners: &[Uid], language: Language) -> Result<bool, StanzaError> {
        // Whoever gave the phone away shows nothing on it any more.
        let desk = self.core.store.desk(said.from).await.map_err(store_error)?;
        let Some(desk) = desk.filter(|desk| owners.contains(&desk.uid)) else { return Ok(false) };
        if self.core.env.now().0 - desk.at.0 > limits::DESK_OPEN.as_millis() as i64 {
            return Ok(false);
        }
        let Some(caller) = self.caller(said, desk.uid, language).await? else { return Ok(false) };
        self.more(&caller, desk).await.map(|()| true)
    }

    async fn obey(&self, caller: &Caller<'_>, command: Option<Command<'_>>) -> Result<(), StanzaError> {
        let Some(command) = command else { return self.say(caller, Sentence::Unknown).await };
        match command {
            Command::Mail => self.list(caller).await,
            Command::Read(number, false) => self.read(caller, number).await,
            Command::Read(number, true) => match self.desk_of(caller).await? {
                Some(desk) if desk.item == number => self.more(caller, desk).await,
                _ => self.read(caller, number).await,
            },
            Command::More => match self.desk_of(caller).await? {
                Some(desk) => self.more(caller, desk).await,
                None => self.say(caller, Sentence::NothingMore).await,
            },
            Command::Reply(number, text) => {
                let desk = self.desk_of(caller).await?;
                match desk.and_then(|mut desk| take(&mut desk, number)) {
                    Some(listed) => self.write_to(caller, &listed.peer, text).await,
                    None => self.say(caller, Sentence::NoNumber).await,
                }
            }
            Command::To(who, text) => match self.named(who).await? {
                Some(peer) => self.write_to(caller, &peer, text).await,
                None => self.say(caller, Sentence::Nobody).await,
            },
            Command::Who => self.who(caller).await,
            Command::Away => self.away(caller, true).await,
            Command::Back => self.away(caller, false).await,
            Command::Help => self.say(caller, Sentence::Help).await,
        }
    }

    /// What the phone was shown, if that was by this account.
    async fn desk_of(&self, caller: &Caller<'_>) -> Result<Option<Desk>, StanzaError> {
        let desk = self.core.store.desk(caller.phone).await.map_err(store_error)?;
        Ok(desk.filter(|desk| desk.uid == caller.member.uid))
    }

    /// Whom somebody means: a number or a name here, or a phone.
    async fn named(&self, who: &str) -> Result<Option<BareJid>, StanzaError> {
        if let Some(number) = phone::canonical(who) {
            return Ok(address::inside(&number, &self.settings.host));
        }
        let found = self.core.directory.find(&who.to_lowercase()).await.map_err(store_error)?;
        Ok(found.map(|member| member.address.clone()))
    }

    async fn write_to(&self, caller: &Caller<'_>, peer: &BareJid, text: &str) -> Result<(), StanzaError> {
        let message = Answer { member: &caller.member, peer, text, id: caller.id };
        match self.core.write_for(message).await {
            Ok(()) => self.say(caller, Sentence::Sent).await,
            // The carrier brings it again.
            Err(error) if error.condition == "internal-server-error" => Err(error),
            Err(_) => self.say(caller, Sentence::NotSent).await,
        }
    }

    async fn who(&self, caller: &Caller<'_>) -> Result<(), StanzaError> {
        let mut names = Vec::new();
        for jid in self.core.online_contacts(&caller.member).await? {
            names.push(self.name(caller.member.uid, &jid).await?);
        }
        if names.is_empty() {
            return self.say(caller, Sentence::NobodyOnline).await;
        }
        let text = self.fitting(&words::online(caller.language, &names.join(", ")), caller.language);
        self.answer(caller, text, None, None).await
    }

    async fn away(&self, caller: &Caller<'_>, away: bool) -> Result<(), StanzaError> {
        let has_rules = self.core.store.set_away(caller.member.uid, away).await.map_err(store_error)?;
        self.core.reaching.notify_one();
        let sentence = match (has_rules, away) {
            (false, _) => Sentence::NoRules,
            (true, true) => Sentence::Away,
            (true, false) => Sentence::Back,
        };
        self.say(caller, sentence).await
    }

    async fn say(&self, caller: &Caller<'_>, sentence: Sentence) -> Result<(), StanzaError> {
        self.answer(caller, say(caller.language, sentence).to_owned(), None, None).await
    }

    /// Answers a command, once.
    async fn answer(
        &self,
        caller: &Caller<'_>,
        text: String,
        desk: Option<Desk>,
        displayed: Option<Displayed>,
    ) -> Result<(), StanzaError> {
        let sending = NewSending {
            uid: caller.member.uid,
            way: Way::Sms,
            address: caller.phone.to_owned(),
            urgency: Urgency::Important,
            case: None,
            title: String::new(),
            text,
            code: String::new(),
            at: self.core.env.now(),
        };
        let answer = PhoneAnswer { sending, about: caller.id.to_owned(), desk, displayed };
        match self.core.store.answer_phone(answer, self.settings.caps).await {
            Ok(_) => {
                self.core.reaching.notify_one();
                Ok(())
            }
            Err(StoreError::Conflict | StoreError::Limit(_)) => {
                tracing::info!(account = caller.member.uid.0, "a command from a phone has no answer");
                Ok(())
            }
            Err(error) => Err(store_error(error)),
        }
    }
}

/// The conversation of a number.
fn take(desk: &mut Desk, number: u8) -> Option<rookery_store::DeskItem> {
    let at = usize::from(number).checked_sub(1)?;
    (at < desk.listed.len()).then(|| desk.listed.swap_remove(at))
}
