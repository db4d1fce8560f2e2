//! What applications ask of the secretary: docs/extensions.md. What is changed is stored before it is answered.

use super::request::{Language, Request, read};
use super::{Secretary, calendar, sentences, talk};
use jiff::tz::TimeZone;
use rookery_core::env::{parse_stamp, stamp};
use rookery_core::member::Member;
use rookery_core::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::Jid;
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Kind, Stanza};
use rookery_proto::xml::Xml;
use rookery_store::{Errand, NewReminder, Reminder, Repeat, StoreError, Urgency};
use std::sync::Arc;

/// Days of the week as they are written, from Monday on.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const FEATURES: [&str; 5] = [ns::DISCO_INFO, ns::DISCO_ITEMS, ns::PING, ns::VCARD, ns::REMINDERS];

/// What is answered: an element, or nothing.
type Answered = Result<Vec<u8>, StanzaError>;

impl Secretary {
    /// A stanza of somebody here is answered. Messages are not among them.
    pub(super) async fn asked(&self, stanza: &[u8]) {
        let Ok(stanza) = Stanza::parse(stanza) else { return };
        let reply = match stanza.kind() {
            Kind::Iq => self.requested(&stanza).await,
            Kind::Presence => self.present(&stanza),
            _ => None,
        };
        let Some(Ok(reply)) = reply.map(|reply| Stanza::parse(&reply)) else { return };
        if let Err(error) = self.core.from_component(&self.component, &reply).await {
            tracing::warn!(condition = error.condition, "the secretary said something that was not taken");
        }
    }

    /// A request is answered; answers are for nobody.
    async fn requested(&self, stanza: &Stanza) -> Option<Vec<u8>> {
        let kind = stanza.type_()?;
        let payload = stanza.children().next();
        let answered = match (kind.as_ref(), payload) {
            ("get", Some(payload)) => match self.about(&payload) {
                Some(answer) => Ok(answer),
                None => self.listed(stanza, &payload).await,
            },
            ("set", Some(payload)) => self.changed(stanza, &payload).await,
            ("get" | "set", None) => Err(StanzaError::bad_request()),
            _ => return None,
        };
        match answered {
            Ok(payload) => {
                let mut x = Xml::new();
                x.open("iq").attr("type", "result").opt("id", stanza.id());
                x.opt("from", stanza.to()).opt("to", stanza.from()).raw(&payload).close();
                Some(x.into_vec())
            }
            Err(error) => error.reply(stanza, stanza.from().as_deref()),
        }
    }

    /// RFC 6121 §3: whoever adds the secretary sees it; it is always there.
    fn present(&self, stanza: &Stanza) -> Option<Vec<u8>> {
        let answer = match stanza.type_().as_deref()? {
            "subscribe" => Some("subscribed"),
            "unsubscribe" => Some("unsubscribed"),
            "probe" => None,
            _ => return None,
        };
        let mut x = Xml::new();
        x.open("presence").attr("from", self.address.as_str()).opt("to", stanza.from());
        x.opt("type", answer).close();
        Some(x.into_vec())
    }

    /// Who the secretary is.
    fn about(&self, payload: &Child<'_>) -> Option<Vec<u8>> {
        let mut x = Xml::new();
        match (payload.ns(), payload.name()) {
            (ns::PING, "ping") => {}
            (ns::DISCO_INFO, "query") if payload.attr("node").is_none() => {
                x.open_ns("query", ns::DISCO_INFO);
                // The registry has it for automatons (XEP-0030 §3.1).
                x.open("identity")
                    .attr("category", "client")
                    .attr("type", "bot")
                    .attr("name", "Secretary")
                    .close();
                for feature in FEATURES {
                    x.open("feature").attr("var", feature).close();
                }
                x.close();
            }
            (ns::DISCO_ITEMS, "query") => {
                x.leaf_ns("query", ns::DISCO_ITEMS);
            }
            (ns::VCARD, "vCard") => {
                x.open_ns("vCard", ns::VCARD).text_element("FN", "Secretary").close();
            }
            _ => return None,
        }
        Some(x.into_vec())
    }

    /// Who asks: accounts here alone reach the secretary.
    async fn owner(&self, stanza: &Stanza) -> Result<Arc<Member>, StanzaError> {
        let from = stanza.from().and_then(|from| Jid::new(&from).ok()).ok_or_else(StanzaError::forbidden)?;
        let local = from.node().filter(|_| from.domain() == self.address.domain());
        let local = local.ok_or_else(StanzaError::forbidden)?;
        let found = self.core.directory.find(local.as_str()).await.map_err(store_error)?;
        found.filter(|member| !member.waits && !member.disabled).ok_or_else(StanzaError::forbidden)
    }

    async fn listed(&self, stanza: &Stanza, payload: &Child<'_>) -> Answered {
        if (payload.ns(), payload.name()) != (ns::REMINDERS, "reminders") {
            return Err(StanzaError::service_unavailable());
        }
        let owner = self.owner(stanza).await?;
        let reminders = self.core.store.reminders(owner.uid).await.map_err(store_error)?;
        let zone = self.zone_of(owner.uid).await.map_err(store_error)?;
        let mut x = Xml::new();
        x.open_ns("reminders", ns::REMINDERS).opt("zone", zone);
        for reminder in &reminders {
            x.open("reminder");
            write(&mut x, reminder);
        }
        x.close();
        Ok(x.into_vec())
    }

    async fn changed(&self, stanza: &Stanza, payload: &Child<'_>) -> Answered {
        if payload.ns() != ns::REMINDERS {
            return Err(StanzaError::service_unavailable());
        }
        let owner = self.owner(stanza).await?;
        let errand = match payload.name() {
            "remind" => Errand::Keep(self.wanted(&owner, payload).await?),
            "cancel" => {
                let number = payload.attr("number").and_then(|number| number.parse().ok());
                Errand::Forget(Some(number.ok_or_else(StanzaError::bad_request)?))
            }
            _ => return Err(StanzaError::service_unavailable()),
        };
        let forgets = matches!(errand, Errand::Forget(_));
        let done = self.errand(owner.uid, None, errand, Box::new(|_| None)).await;
        // The next one may be another now.
        self.component.ring();
        match done {
            Ok(done) if forgets && done.is_empty() => Err(StanzaError::item_not_found()),
            Ok(_) if forgets => Ok(Vec::new()),
            Ok(done) => {
                let mut x = Xml::new();
                for reminder in &done {
                    x.open_ns("reminder", ns::REMINDERS);
                    write(&mut x, reminder);
                }
                Ok(x.into_vec())
            }
            Err(StoreError::Limit(_)) => {
                Err(StanzaError::resource_constraint().text("There are as many reminders as there can be."))
            }
            Err(StoreError::Invalid(_)) => Err(StanzaError::not_acceptable()),
            Err(error) => Err(store_error(error)),
        }
    }

    /// What is to be kept: in words, or with `at`, or with `days` and `time`.
    async fn wanted(&self, owner: &Member, payload: &Child<'_>) -> Result<NewReminder, StanzaError> {
        let known = self.zone_of(owner.uid).await.map_err(store_error)?;
        let now = self.core.env.now();
        let past = |language| StanzaError::not_acceptable().text(sentences::past(language));
        let said = payload.text();
        let spoken = payload.attr("lang").map_or(Language::English, |tag| Language::of(&tag));
        let (at, days) = (payload.attr("at"), payload.attr("days"));
        if at.is_none() && days.is_none() {
            return match read(&said) {
                (language, Ok(Request::Remind(wish))) => {
                    talk::reminder(wish, known.as_deref(), language, now).ok_or_else(|| past(language))
                }
                (language, Ok(_)) => Err(StanzaError::not_acceptable().text(sentences::help(language))),
                (language, Err(why)) => {
                    Err(StanzaError::not_acceptable().text(sentences::unclear(why, language)))
                }
            };
        }
        let zone = payload.attr("zone").map(|zone| zone.into_owned()).or(known);
        let zone = zone.unwrap_or_else(|| "UTC".to_owned());
        let clock = TimeZone::get(&zone)
            .map_err(|_| StanzaError::not_acceptable().text("There is no such time zone."))?;
        let level = payload.attr("urgency");
        let urgency = level.map_or(Some(Urgency::Normal), |level| Urgency::from_name(&level));
        let repeat = match days {
            Some(days) => {
                Some(Repeat { days: mask(&days)?, minute: minute(payload.attr("time").as_deref())? })
            }
            None => None,
        };
        let next = match (repeat, at) {
            (Some(repeat), _) => calendar::next(repeat, &clock, now),
            (None, at) => at.and_then(|at| parse_stamp(&at)).filter(|at| *at > now),
        };
        Ok(NewReminder {
            text: said.split_whitespace().collect::<Vec<_>>().join(" "),
            urgency: urgency.ok_or_else(StanzaError::bad_request)?,
            repeat,
            zone,
            language: spoken.tag().to_owned(),
            next: next.ok_or_else(|| past(spoken))?,
        })
    }
}

fn mask(days: &str) -> Result<u8, StanzaError> {
    let bit = |word: &str| DAYS.iter().position(|day| *day == word).map(|at| 1 << at);
    let bits: Option<Vec<u8>> = days.split_whitespace().map(bit).collect();
    let mask = bits.unwrap_or_default().into_iter().fold(0, |mask, bit| mask | bit);
    if mask == 0 { Err(StanzaError::bad_request()) } else { Ok(mask) }
}

fn minute(clock: Option<&str>) -> Result<u16, StanzaError> {
    let read = || {
        let (hour, minute) = clock?.split_once(':')?;
        super::request::minute(hour.parse().ok()?, minute.parse().ok()?)
    };
    read().ok_or_else(StanzaError::bad_request)
}

/// The attributes and the text, and the end of the element.
fn write(x: &mut Xml, reminder: &Reminder) {
    let what = &reminder.what;
    x.attr("number", &reminder.number.to_string()).attr("next", &stamp(what.next));
    x.attr("urgency", what.urgency.name()).attr("zone", &what.zone).attr("lang", &what.language);
    if let Some(Repeat { days, minute }) = what.repeat {
        let named = DAYS.iter().enumerate().filter(|(at, _)| days & 1 << at != 0);
        let named: Vec<&str> = named.map(|(_, day)| *day).collect();
        x.attr("days", &named.join(" ")).attr("time", &format!("{:02}:{:02}", minute / 60, minute % 60));
    }
    x.text(&what.text).close();
}
