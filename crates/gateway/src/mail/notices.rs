//! Mail as a way to people who are not here ([`crate::reach`]): what waits for somebody becomes one letter, by which one comes in,
//! answers, or gets no more of them. Its queue and its patience are reach's.

use super::letter::{Letter, Letters, Part};
use super::{limits, reply};
use crate::reach::channel::{Channel, Digests, Handed, Handing, Sending, Way};
use rookery_core::Core;
use rookery_core::ticket::Errand;
use rookery_store::Result;
use std::sync::Arc;

/// The channel.
pub struct Notices {
    core: Arc<Core>,
    letters: Arc<Letters>,
}

/// The ways back that a letter has.
#[derive(Default)]
struct Back {
    enter: Option<String>,
    answers: Option<String>,
    stop: Option<String>,
}

impl Notices {
    /// By these letters.
    pub fn new(core: Arc<Core>, letters: Arc<Letters>) -> Notices {
        Notices { core, letters }
    }

    async fn hand(&self, sendings: &[Sending]) -> Handed {
        let Some(first) = sendings.first() else { return Handed::refused("There is nothing to say.") };
        let back = match self.back(sendings, first).await {
            Ok(back) => back,
            Err(error) => {
                tracing::warn!(%error, "the ways back of a letter are not known");
                return Handed::deferred("This does not work at the moment.");
            }
        };
        let what = &first.what;
        let several = format!("{} conversations wait for you at {}", sendings.len(), self.core.policy.domain);
        let subject = match sendings {
            [_, _, ..] => several.as_str(),
            _ if what.title.is_empty() => "A message waits for you",
            _ => &what.title,
        };
        let letter = Letter {
            name: &format!("notice-{}", first.id.0),
            to: &what.address,
            language: "en",
            subject,
            at: what.at,
            parts: &parts(sendings, &back),
            answers: back.answers,
            stop: back.stop,
        };
        self.letters.hand(&letter).await
    }

    /// Codes and tests have none; who administers comes in by the password only, as does whoever is told late.
    async fn back(&self, sendings: &[Sending], first: &Sending) -> Result<Back> {
        let mut back = Back::default();
        if first.what.case.is_none() {
            return Ok(back);
        }
        let core = &self.core;
        if let [alone] = sendings {
            let ticket = core.ticket(Errand::Answer, alone).await?;
            back.answers = Some(reply::address(&ticket, &core.policy.domain));
        }
        if let Some(base) = &core.policy.public_url {
            back.stop = Some(format!("{base}/account/stop/{}", core.ticket(Errand::Stop, first).await?));
            let member = core.directory.member(first.what.uid).await?;
            // What comes late has a link that works, too.
            let age = core.env.now().0 - first.what.at.0;
            let fresh = age < rookery_core::limits::TICKET_ENTER_MS - limits::TICKET_WORTH_MS;
            back.enter = match fresh && member.is_some_and(|member| !member.admin) {
                true => Some(format!("{base}/#/enter/{}", core.ticket(Errand::Enter, first).await?)),
                false => Some(format!("{base}/")),
            };
        }
        Ok(back)
    }
}

/// What the letter says. The text of a sending is a heading and what was said, a line each ([`crate::reach`]).
fn parts(sendings: &[Sending], back: &Back) -> Vec<Part> {
    let mut parts = Vec::new();
    for sending in sendings {
        let (heading, rest) = sending.what.text.split_once("\n\n").unwrap_or((&sending.what.text, ""));
        parts.push(Part::Words(heading.trim_end().to_owned()));
        let (said, more): (Vec<&str>, Vec<&str>) =
            rest.lines().filter(|line| !line.is_empty()).partition(|line| line.starts_with("- "));
        if !said.is_empty() {
            parts.push(Part::Said(said.iter().map(|line| line[2..].to_owned()).collect()));
        }
        parts.extend(more.into_iter().map(|line| Part::Words(line.to_owned())));
    }
    if let Some(url) = &back.enter {
        parts.push(Part::Link { label: "Open the messenger".into(), url: url.clone() });
        parts.push(Part::Aside(
            "The link lets you in once, within twelve hours, and is for you alone. On a computer that is not yours nothing stays \
             behind."
                .into(),
        ));
    }
    if back.answers.is_some() {
        parts.push(Part::Aside("Answer this mail, and your answer is in the conversation.".into()));
    }
    if let Some(url) = &back.stop {
        parts.push(Part::Aside(format!("To get no more of these mails: {url}")));
    }
    parts
}

impl Channel for Notices {
    fn way(&self) -> Way {
        Way::Mail
    }

    fn hand_over<'a>(&'a self, sending: &'a Sending) -> Handing<'a> {
        Box::pin(self.hand(std::slice::from_ref(sending)))
    }

    fn digests(&self) -> Option<&dyn Digests> {
        Some(self)
    }
}

impl Digests for Notices {
    fn hand_over_all<'a>(&'a self, sendings: &'a [Sending]) -> Handing<'a> {
        Box::pin(self.hand(sendings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_proto::Uid;
    use rookery_store::{NewSending, SendingId, SendingState, Timestamp, Urgency};

    fn sending(text: &str) -> Sending {
        let what = NewSending {
            uid: Uid(1),
            way: Way::Mail,
            address: "juliet@verona.example".into(),
            urgency: Urgency::Normal,
            case: None,
            title: String::new(),
            text: text.into(),
            code: String::new(),
            at: Timestamp(0),
        };
        Sending {
            id: SendingId(7),
            what,
            state: SendingState::Sending,
            changed: Timestamp(0),
            next: Timestamp(0),
            attempts: 1,
            trouble: String::new(),
            carrier: None,
        }
    }

    #[test]
    fn what_waits_is_told_together() {
        let waiting =
            [sending("2 messages from Romeo\n\n- hello\n- come\n(3 more)"), sending("A message waits\n")];
        let parts = parts(&waiting, &Back { answers: Some(String::new()), ..Back::default() });
        let [Part::Words(who), Part::Said(said), Part::Words(more), Part::Words(other), Part::Aside(_)] =
            parts.as_slice()
        else {
            panic!("{} parts", parts.len())
        };
        assert_eq!((who.as_str(), more.as_str()), ("2 messages from Romeo", "(3 more)"));
        assert_eq!(said, &["hello", "come"]);
        assert_eq!(other, "A message waits");
    }
}
