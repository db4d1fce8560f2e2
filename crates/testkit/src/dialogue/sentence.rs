//! The sentences of the language: each form stands here once.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use rookery_proto::sasl::Mechanism;

use super::{Action, Deed, Way, Who, mail};
use super::{reach, sms};
use crate::browser::Answer;
use crate::provider::Answer as ProviderAnswer;
use crate::server::{Ending, StoreFault};
use crate::smsc::Mood;

/// Understand one sentence; `block` is what stands indented below it.
pub(super) fn parse(sentence: &str, block: Option<String>) -> Result<Action> {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let action = match words.as_slice() {
        ["server", settings @ ..] => {
            Action::Server(settings.iter().map(|s| setting(s)).collect::<Result<_>>()?)
        }
        ["account" | "accounts", names @ ..] if !names.is_empty() => {
            Action::Accounts(names.iter().map(|name| (*name).to_owned()).collect())
        }
        [one, "and", other, "are", "friends"] => Action::Friends((*one).to_owned(), (*other).to_owned()),
        [key, "makes", "the", "code", code] => Action::Code(variable(key)?, variable(code)?),
        [name, "is", "an", "administrator"] => Action::Administrator((*name).to_owned()),
        ["time", "passes", number, unit] => Action::TimePasses(duration(number, unit)?),
        ["the", "server", "restarts"] => Action::Restart(Ending::Orderly, Duration::ZERO),
        ["the", "server", "is", "killed", "and", "restarts"] => {
            Action::Restart(Ending::Killed, Duration::ZERO)
        }
        ["the", "server", "is", "killed", "and", "restarts", "after", number, unit] => {
            Action::Restart(Ending::Killed, duration(number, unit)?)
        }
        ["the", "operator", "deletes", account] => Action::Deletes((*account).to_owned()),
        ["the", "operator", "invites", "as", token, settings @ ..] => Action::Invites {
            token: variable(token)?,
            settings: match settings {
                [] => Vec::new(),
                ["with", settings @ ..] => settings.iter().map(|s| setting(s)).collect::<Result<_>>()?,
                _ => bail!("not a sentence of the language"),
            },
        },
        ["the", "group", name, "has", "on", "duty", people @ .., "for", minutes, "minutes", "each"] => {
            Action::Duty {
                name: (*name).to_owned(),
                people: people.iter().map(|it| (*it).to_owned()).collect(),
                minutes: minutes.parse().with_context(|| format!("{minutes} is no number"))?,
            }
        }
        ["the", "store", "fails"] => Action::Store(Some(StoreFault::Fails)),
        ["the", "store", "is", "full"] => Action::Store(Some(StoreFault::Full)),
        ["the", "store", "stalls"] => Action::Store(Some(StoreFault::Stalls)),
        ["the", "store", "works", "again"] => Action::Store(None),
        ["a", "browser", "has", "the", "subscription", name] => Action::Subscription((*name).to_owned()),
        ["the", "smsc", "is", "handed:"] => {
            return Ok(Action::SmscIsHanded(block.context("nothing stands below this sentence")?));
        }
        ["the", "smsc", "brings:"] => {
            return Ok(Action::SmscBrings(block.context("nothing stands below this sentence")?, true));
        }
        ["the", "smsc", "brings", "in", "vain:"] => {
            return Ok(Action::SmscBrings(block.context("nothing stands below this sentence")?, false));
        }
        ["the", "smsc", "brings", "at", "once:"] => {
            return Ok(Action::SmscBringsAtOnce(block.context("nothing stands below this sentence")?));
        }
        ["the", "smsc", "hangs", "up"] => Action::SmscHangsUp,
        ["the", "smsc", "is", "handed", "nothing"] => Action::SmscIsHandedNothing,
        ["the", "smsc", "says", stat] => Action::SmscSays((*stat).to_owned()),
        ["the", "smsc", "is", "away"] => Action::SmscIs(Mood::Away),
        ["the", "smsc", mood] => Action::SmscIs(sms::mood(mood)?),
        ["the", "provider", "answers", status] => {
            let body = block.context("nothing stands below this sentence")?;
            let answer = ProviderAnswer::Status(status_of(status)?, body.trim_end().to_owned());
            return Ok(Action::ProviderIs(answer));
        }
        ["the", "provider", "breaks"] => Action::ProviderIs(ProviderAnswer::Breaks),
        ["the", "provider", "is", "asked:"] => {
            return Ok(Action::ProviderIsAsked(block.context("nothing stands below this sentence")?));
        }
        ["the", "provider", "is", "asked", "nothing"] => Action::ProviderIsAskedNothing,
        ["the", "provider", "posts:"] => {
            let body = block.context("nothing stands below this sentence")?;
            return Ok(Action::ProviderPosts { body, forged: false, status: 200 });
        }
        [_, who @ ("provider" | "forger"), "posts", "and", "is", "answered", status] => {
            let body = block.context("nothing stands below this sentence")?;
            return Ok(Action::ProviderPosts { body, forged: *who == "forger", status: status_of(status)? });
        }
        ["the", way, "carrier", "is", "handed:"] => {
            let handed = block.context("nothing stands below this sentence")?;
            return Ok(Action::CarrierIsHanded(reach::way(way)?, handed));
        }
        [address, "answers", "by", way] => {
            let text = block.context("nothing stands below this sentence")?;
            let way = reach::way(way.trim_end_matches(':'))?;
            return Ok(Action::AnswersBy((*address).to_owned(), way, text));
        }
        ["the", way, "carrier", "is", "handed", "nothing"] => {
            Action::CarrierIsHandedNothing(reach::way(way)?)
        }
        ["the", way, "carrier", "says", news] => Action::CarrierSays(reach::way(way)?, reach::news(news)?),
        ["the", way, "carrier", mood] => Action::CarrierIs(reach::way(way)?, reach::mood(mood)?),
        ["a", "mail", "server", "connects"] => Action::MailServerConnects,
        ["a", "front", "server", "connects"] => Action::FrontServerConnects,
        ["mail", "program", name, "connects"] => Action::MailProgramConnects((*name).to_owned(), false),
        ["mail", "program", name, "connects", "from", "afar"] => {
            Action::MailProgramConnects((*name).to_owned(), true)
        }
        ["mail", "program", name, "connects", "to", "send"] => {
            Action::MailProgramSends((*name).to_owned(), false)
        }
        ["mail", "program", name, "connects", "to", "send", "from", "afar"] => {
            Action::MailProgramSends((*name).to_owned(), true)
        }
        ["mail", "program", name, "speaks:"] => {
            let block = block.context("nothing stands below this sentence")?;
            return Ok(Action::MailProgramSpeaks((*name).to_owned(), mail::parse(&block)?));
        }
        ["a", "caller", "connects"] => Action::CallerConnects,
        ["the", "caller", "speaks:"] => {
            let block = block.context("nothing stands below this sentence")?;
            return mail::parse(&block).map(Action::CallerSpeaks);
        }
        ["a", "mail", "goes", "out"] => Action::MailGoesOut,
        ["no", "mail", "goes", "out"] => Action::NoMailGoesOut,
        ["the", "smarthost", "speaks:"] => {
            let block = block.context("nothing stands below this sentence")?;
            return mail::parse_smarthost(&block).map(Action::SmarthostSpeaks);
        }
        ["the", "mail", "server", "speaks:"] => {
            let block = block.context("nothing stands below this sentence")?;
            return mail::parse(&block).map(Action::MailServerSpeaks);
        }
        [name, "is", "told:"] => {
            let told = block.context("nothing stands below this sentence")?;
            return Ok(Action::IsTold((*name).to_owned(), told));
        }
        [name, "is", "posted", "to"] => Action::IsPostedTo((*name).to_owned()),
        [name, "is", "posted", "nothing"] => Action::IsPostedNothing((*name).to_owned()),
        ["the", "push", "service", "hangs"] => Action::PushService(Answer::Hangs),
        ["the", "push", "service", "answers", status, after @ ..] => {
            let status = status.parse().context("a status is a number")?;
            let after = match after {
                [] => None,
                ["after", seconds] => Some((*seconds).to_owned()),
                _ => bail!("a service answers 429, or 429 after 120"),
            };
            Action::PushService(Answer::Status { status, after })
        }
        ["the", "rest", "is", "ignored"] => Action::RestIgnored,
        [who, deed @ ..] if who.contains('/') => return client(who, deed, block),
        _ => bail!("not a sentence of the language"),
    };
    if block.is_some() {
        bail!("nothing can stand below this sentence");
    }
    Ok(action)
}

fn client(who: &str, deed: &[&str], mut block: Option<String>) -> Result<Action> {
    if let Some(at) = deed.iter().position(|word| *word == "by")
        && let Some(way) = deed.get(at + 1).and_then(|name| Way::from_name(name))
    {
        let rest = [&deed[..at], &deed[at + 2..]].concat();
        let Action::Client(who, deed) = client(who, &rest, block)? else { bail!("no client can do this") };
        return Ok(Action::Client(who, Deed::By(way, Box::new(deed))));
    }
    let (account, resource) = who.split_once('/').context("a client is written account/resource")?;
    let who = Who { account: account.to_owned(), resource: resource.to_owned() };
    let mut below = || block.take().context("nothing stands below this sentence");
    let deed = match deed {
        ["connects"] => Deed::Connects { available: None },
        ["connects", "and", "is", "available"] => Deed::Connects { available: Some(0) },
        ["connects", "and", "is", "available", "with", "priority", priority] => {
            Deed::Connects { available: Some(priority.parse().context("a priority is from -128 to 127")?) }
        }
        ["wants", nodes @ ..] if !nodes.is_empty() => {
            Deed::Wants(nodes.iter().map(|node| (*node).to_owned()).collect())
        }
        ["opens", "a", "connection"] => Deed::OpensConnection,
        ["opens", "a", "stream"] | ["restarts", "the", "stream"] => Deed::OpensStream(None),
        ["opens", "a", "stream", "with:"] => Deed::OpensStream(Some(below()?)),
        ["signs", "in"] => Deed::SignsIn,
        ["signs", "in", "with", "SASL2"] => Deed::SignsInWith2(None),
        ["signs", "in", "with", "SASL2", "asking", "for:"] => Deed::SignsInWith2(Some(below()?)),
        ["signs", "in", "with", "token", token] => {
            Deed::SignsInWithToken { token: (*token).to_owned(), asking: None }
        }
        ["signs", "in", "with", "token", token, "asking", "for:"] => {
            Deed::SignsInWithToken { token: (*token).to_owned(), asking: Some(below()?) }
        }
        ["resumes", "with", "SASL2"] => Deed::ResumesWith2,
        ["signs", "in", "with", mechanism] => {
            Deed::SignsInWith(Mechanism::from_name(mechanism).context("no such mechanism")?)
        }
        ["sends:"] => Deed::Sends(below()?),
        ["sends", "raw:"] => Deed::SendsRaw(below()?),
        ["receives:"] => Deed::Receives(below()?),
        ["receives", "in", "any", "order:"] => Deed::ReceivesInAnyOrder(below()?),
        ["does", "not", "receive:"] => Deed::DoesNotReceive(below()?),
        ["receives", "nothing"] => Deed::ReceivesNothing,
        ["settles"] => Deed::Settles,
        ["sees", "the", "end", "of", "the", "stream"] => Deed::SeesFooter,
        ["sees", "the", "connection", "end"] => Deed::SeesEnd,
        ["runs", "the", "command", name, "with", fields @ ..] => {
            let fields = fields.iter().map(|field| setting(field)).collect::<Result<_>>()?;
            Deed::RunsCommand { name: (*name).to_owned(), fields }
        }
        ["makes", "the", "room", room, "as", nick, rest @ ..] => {
            let fields = match rest {
                [] => &[],
                ["with", fields @ ..] => fields,
                _ => bail!("a room is made `with` what it is set to"),
            };
            let fields = fields.iter().map(|field| setting(field)).collect::<Result<_>>()?;
            Deed::MakesRoom { room: (*room).to_owned(), nick: (*nick).to_owned(), fields }
        }
        ["enters", "the", "room", room, "as", nick] => {
            Deed::EntersRoom { room: (*room).to_owned(), nick: (*nick).to_owned() }
        }
        ["disconnects"] => Deed::Disconnects,
        ["closes", "the", "stream"] => Deed::ClosesStream,
        ["is", "cut"] => Deed::IsCut,
        ["enables", "stream", "management"] => Deed::EnablesSm { by_hand: false },
        ["enables", "stream", "management", "by", "hand"] => Deed::EnablesSm { by_hand: true },
        ["resumes"] => Deed::Resumes,
        ["resumes", "in", "vain"] => Deed::ResumesInVain,
        _ => bail!("no client can do this"),
    };
    if block.is_some() {
        bail!("nothing can stand below this sentence");
    }
    Ok(Action::Client(who, deed))
}

/// The name in `{name}`.
/// `200`, or `200:`
fn status_of(text: &str) -> Result<u16> {
    text.trim_end_matches(':').parse().with_context(|| format!("{text} is no status"))
}

fn variable(text: &str) -> Result<String> {
    let name = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    name.map(str::to_owned).with_context(|| format!("{text} is no variable"))
}

fn setting(text: &str) -> Result<(String, String)> {
    let (key, value) = text.split_once('=').with_context(|| format!("{text} is not KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

fn duration(number: &str, unit: &str) -> Result<Duration> {
    let seconds = match unit.trim_end_matches('s') {
        "second" => 1,
        "minute" => 60,
        "hour" => 60 * 60,
        "day" => 24 * 60 * 60,
        _ => bail!("{unit} is not a unit of time"),
    };
    let number: u64 = number.parse().with_context(|| format!("{number} is not a whole number"))?;
    Ok(Duration::from_secs(number * seconds))
}
