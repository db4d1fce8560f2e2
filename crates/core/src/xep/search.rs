//! XEP-0055: Jabber Search: the directory of people who agreed to be found.
//!
//! It is at the server's own address, where clients that look there find it by its feature. Clients that only look at what
//! belongs to the server find it there as a node of the same address, so that it needs no host of its own.

use super::{Xep, disco};
use crate::answer::{Answer, Reply};
use crate::member::Member;
use crate::{Core, Ctx, limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind, Purpose};
use rookery_proto::jid::BareJid;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_proto::{Uid, ns, prepared};
use rookery_store::{Findable, Found, Part, words};
use std::sync::Arc;

/// XEP-0055.
pub const INFO: Xep = Xep {
    number: "XEP-0055",
    name: "Jabber Search",
    version: "1.2",
    server: &[ns::SEARCH],
    account: &[],
    note: "At the server: by number, name, nick, interest, online now; by form or fields. Finds only who agreed, within limits.",
};

const INSTRUCTIONS: &str = "Give a number or an address, or at least two letters of a nick, a name or an interest. Only people \
                            who want to be found are found: the command \"How others find me\" is for that.";

/// What somebody looks for.
#[derive(Default)]
struct Wanted {
    /// A number, a name or an address, exactly.
    address: Option<String>,
    /// Beginnings of words.
    words: Vec<(Part, String)>,
    /// Only who is online now.
    online: bool,
    /// It was asked by form, and is answered so.
    form: bool,
}

impl Wanted {
    /// Reads the form, or the fields of clients that know no forms.
    fn read(payload: &Child<'_>) -> Result<Wanted, StanzaError> {
        let field = |name| payload.child(ns::SEARCH, name).map(|field| field.text().into_owned());
        let mut wanted = Wanted::default();
        let (address, nick, interest) = match payload.child(ns::DATA_FORMS, "x") {
            Some(form) => {
                let answers = Answers::read(&form)?;
                let text = |var| answers.text(var).map(str::to_owned);
                wanted.form = true;
                wanted.online = answers.flag("online").unwrap_or(false);
                (text("address"), text("nick"), text("interest"))
            }
            None => (None, field("nick").or(field("first")).or(field("last")), None),
        };
        let nick = nick.unwrap_or_default();
        wanted.address = address.filter(|text| !text.trim().is_empty());
        if wanted.address.is_none() && (nick.contains('@') || Uid::from_local(nick.trim()).is_some()) {
            wanted.address = Some(nick);
            return Ok(wanted);
        }
        let parts = [(Part::Nick, nick), (Part::Interest, interest.unwrap_or_default())];
        for (part, text) in parts {
            let long = words(&text).filter(|word| word.chars().nth(1).is_some());
            wanted.words.extend(long.map(|word| (part, word)));
        }
        wanted.words.truncate(rookery_store::limits::SEARCH_WORDS);
        match wanted.address.is_none() && wanted.words.is_empty() {
            true => Err(StanzaError::not_acceptable().text(INSTRUCTIONS)),
            false => Ok(wanted),
        }
    }
}

/// What can be asked for (§2.1, §3).
pub fn form() -> Answer {
    let form = Form::new(ns::SEARCH)
        .title("Find people")
        .instructions(INSTRUCTIONS)
        .field(Field::new(Kind::TextSingle, "address", "Number or address"))
        .field(Field::new(Kind::TextSingle, "nick", "Nick or name"))
        .field(Field::new(Kind::TextSingle, "interest", "Interest"))
        .field(Field::new(Kind::Boolean, "online", "Only who is online now").ticked(false));
    let mut x = Xml::new();
    x.open_ns("query", ns::SEARCH).text_element("instructions", INSTRUCTIONS).leaf("nick");
    form.write(Purpose::Form, &mut x);
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// Somebody who is shown.
struct Person {
    jid: BareJid,
    found: Found,
    online: bool,
}

/// A search (§2.1).
pub async fn search(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let (core, uid, now) = (ctx.core, ctx.member.uid, ctx.core.env.now());
    let wanted = Wanted::read(payload)?;
    core.harvest.searches.take(uid, 1, now, "You have searched often.")?;
    let mut people = match &wanted.address {
        Some(address) => by_address(ctx, address, wanted.online).await?.into_iter().collect(),
        None => by_words(ctx, &wanted).await?,
    };
    let more = people.len() > limits::SEARCH_SHOWN;
    people.truncate(limits::SEARCH_SHOWN);
    let shown = core.harvest.found.take(uid, people.len() as u32, now, "You have found many people.")?;
    people.truncate(shown as usize);
    Ok(Reply::Payload(written(&people, more, wanted.form)))
}

/// Who has exactly this address, and lets those find it who know it.
async fn by_address(ctx: &Ctx<'_>, text: &str, online: bool) -> Result<Option<Person>, StanzaError> {
    let text = text.trim();
    let (local, domain) = text.split_once('@').unwrap_or((text, &ctx.core.policy.domain));
    let Ok(local) = prepared::node(local) else { return Ok(None) };
    if !domain.eq_ignore_ascii_case(&ctx.core.policy.domain) {
        return Ok(None);
    }
    let Some(member) = ctx.core.directory.find(&local).await.map_err(store_error)? else { return Ok(None) };
    let card = ctx.core.store.card(member.uid).await.map_err(store_error)?;
    let account = ctx.core.store.account(member.uid).await.map_err(store_error)?;
    match account {
        Some(account) if card.findable != Findable::Nobody && !account.disabled && !member.waits => {
            Ok(shown(ctx, &member, Found { account, card }, online))
        }
        _ => Ok(None),
    }
}

/// Who wants to be found by everybody and has all these words; one more than are shown, if there are.
async fn by_words(ctx: &Ctx<'_>, wanted: &Wanted) -> Result<Vec<Person>, StanzaError> {
    let mut people = Vec::new();
    let mut after = None;
    for _ in 0..limits::SEARCH_PAGES {
        let page = rookery_store::limits::SEARCH_PAGE;
        let found = ctx.core.store.find(wanted.words.clone(), after, page).await.map_err(store_error)?;
        let last = found.len() < page;
        after = found.last().map(|found| found.account.uid);
        for found in found {
            let member = ctx.core.directory.member(found.account.uid).await.map_err(store_error)?;
            people.extend(member.and_then(|member| shown(ctx, &member, found, wanted.online)));
            if people.len() > limits::SEARCH_SHOWN {
                return Ok(people);
            }
        }
        if last {
            break;
        }
    }
    Ok(people)
}

/// A person as the searcher may see it: not at all if blocked, and as online only with its consent.
fn shown(ctx: &Ctx<'_>, member: &Arc<Member>, found: Found, only_online: bool) -> Option<Person> {
    let mine = member.uid == ctx.member.uid;
    let visible = found.card.online && member.shows_itself(&ctx.member.address, true);
    let online = visible && is_here(ctx.core, member.uid);
    let hidden = !mine && (member.waits || member.blocks(&ctx.session.jid));
    (!hidden && (online || !only_online)).then(|| Person { jid: member.address.clone(), found, online })
}

fn is_here(core: &Core, uid: Uid) -> bool {
    core.router.sessions(uid).iter().any(|session| session.is_seen())
}

fn written(people: &[Person], more: bool, as_form: bool) -> Vec<u8> {
    // Who lets others find them is shown to them by what they are called, in the directory or else anywhere.
    let nick = |person: &Person| {
        let Found { account, card } = &person.found;
        let called = card.nick.as_ref().or(account.nick.as_ref()).or(account.name.as_ref());
        called.cloned().unwrap_or_else(|| account.uid.to_string())
    };
    let mut x = Xml::new();
    x.open_ns("query", ns::SEARCH);
    if !as_form {
        for person in people {
            x.open("item").attr("jid", person.jid.as_str()).text_element("nick", &nick(person)).close();
        }
        x.close();
        return x.into_vec();
    }
    let columns = vec![
        Field::new(Kind::JidSingle, "jid", "Address"),
        Field::new(Kind::TextSingle, "number", "Number"),
        Field::new(Kind::TextSingle, "nick", "Nick"),
        Field::new(Kind::TextSingle, "interests", "Interests"),
        Field::new(Kind::Boolean, "online", "Online now"),
    ];
    let rows = people.iter().map(|person| {
        let Found { account, card } = &person.found;
        let online = if person.online { "true" } else { "false" };
        let number = account.uid.to_string();
        vec![person.jid.to_string(), number, nick(person), card.interests.join(", "), online.to_owned()]
    });
    let mut form = Form::new(ns::SEARCH).title("People").table(columns, rows.collect());
    if more {
        form = form.instructions("There are more: say more about whom you look for.");
    }
    form.write(Purpose::Result, &mut x);
    x.close();
    x.into_vec()
}

/// Whether a disco query is about the directory as a node of the server.
pub fn is_meant(payload: &Child<'_>) -> bool {
    payload.attr("node").as_deref() == Some(ns::SEARCH)
}

/// What the directory is, for who looks at what belongs to the server.
pub fn info() -> Answer {
    let (identity, features) = (("directory", "user"), [ns::SEARCH, ns::DATA_FORMS]);
    Ok(Reply::Payload(disco::info(&[identity], Some(NAME), &features, &[], Some(ns::SEARCH))))
}

/// What the directory is called.
pub(super) const NAME: &str = "People";
