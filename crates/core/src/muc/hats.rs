//! XEP-0317: Hats: what people are in a room beside their affiliation: host, teacher, of the press. Admins make them and give
//! them to people, with commands (XEP-0050) that the room itself answers; who wears one shows it in its presence.

use super::privilege::Affiliation;
use super::room::{Room, State};
use super::{admin, owner, status};
use crate::xep::Xep;
use crate::xep::adhoc::{At, Command, Next, Turn, Who};
use crate::{address, limits, store_error};
use bytes::Bytes;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::xml::Xml;
use rookery_store::Hat;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// XEP-0317.
pub(crate) const INFO: Xep = Xep {
    number: "XEP-0317",
    name: "Hats",
    version: "0.3.0",
    server: &[],
    account: &[],
    note: "Whole, but for payloads inside of hats: made, changed and given by owners and admins.",
};

/// The type of all forms (§3.6).
const FORM: &str = "urn:xmpp:hats:commands";

const TITLE: &str = "hats#title";
const URI: &str = "hats#uri";
const HUE: &str = "hats#hue";
const JID: &str = "hats#jid";

/// The commands of a room (§2, §3).
pub(crate) const COMMANDS: &[Command] = &[
    Command {
        node: "urn:xmpp:hats:commands:list",
        name: "Hats of this group",
        who: Who::Group(Affiliation::None),
        step: |turn| Box::pin(async move { list(turn) }),
    },
    command("urn:xmpp:hats:commands:create", "Make or change a hat", |turn| Box::pin(create(turn))),
    command("urn:xmpp:hats:commands:destroy", "Remove a hat", |turn| Box::pin(destroy(turn))),
    command("urn:xmpp:hats:commands:assign", "Give somebody a hat", |turn| Box::pin(wear(turn, true))),
    command("urn:xmpp:hats:commands:unassign", "Take a hat from somebody", |turn| {
        Box::pin(wear(turn, false))
    }),
];

const fn command(node: &'static str, name: &'static str, step: crate::xep::adhoc::Step) -> Command {
    Command { node, name, who: Who::Group(Affiliation::Admin), step }
}

/// The hats of a room, and who wears them: as the store has it.
#[derive(Default)]
pub(super) struct Hats {
    known: BTreeMap<String, Hat>,
    worn: HashMap<BareJid, BTreeSet<String>>,
}

impl Hats {
    pub(super) fn new(stored: rookery_store::Hats) -> Hats {
        let mut hats = Hats::default();
        hats.known.extend(stored.known.into_iter().map(|hat| (hat.uri.clone(), hat)));
        for (who, uri) in stored.worn {
            hats.worn.entry(who).or_default().insert(uri);
        }
        hats
    }

    /// `<hats/>` as somebody's presence has it (§3.1).
    pub(super) fn of(&self, who: &BareJid) -> Option<Bytes> {
        let worn = self.worn.get(who).filter(|worn| !worn.is_empty())?;
        let mut x = Xml::new();
        x.open_ns("hats", ns::HATS);
        for hat in worn.iter().filter_map(|uri| self.known.get(uri)) {
            x.open("hat")
                .attr("title", &hat.title)
                .attr("uri", &hat.uri)
                .opt("hue", hat.hue.as_deref())
                .close();
        }
        x.close();
        Some(x.into_vec().into())
    }

    /// What clients recognise the list by (§2); nothing where there is none.
    pub(super) fn hash(&self) -> Option<String> {
        if self.known.is_empty() {
            return None;
        }
        let mut hash = Sha256::new();
        for Hat { uri, title, hue } in self.known.values() {
            for text in [uri, title, hue.as_ref().unwrap_or(&String::new())] {
                hash.update(text.as_bytes());
                hash.update([0]);
            }
        }
        Some(data_encoding::HEXLOWER.encode(&hash.finalize()))
    }

    fn wear(&mut self, who: &BareJid, uri: &str, wears: bool) {
        let worn = self.worn.entry(who.clone()).or_default();
        if wears {
            worn.insert(uri.to_owned())
        } else {
            worn.remove(uri)
        };
        if worn.is_empty() {
            self.worn.remove(who);
        }
    }

    /// Whoever had this address is gone.
    pub(super) fn forget(&mut self, who: &BareJid) {
        self.worn.remove(who);
    }
}

pub(super) fn room<'a>(turn: &Turn<'a>) -> Result<&'a Arc<Room>, StanzaError> {
    match turn.at {
        At::Group(room) => Ok(room),
        At::Account | At::Server => Err(StanzaError::item_not_found()),
    }
}

/// §2.1
fn list(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let column = |var, label| Field::new(Kind::TextSingle, var, label);
    let columns = vec![column(TITLE, "Title"), column(URI, "URI"), column(HUE, "Hue")];
    let state = room(&turn)?.state();
    let row = |hat: &Hat| vec![hat.title.clone(), hat.uri.clone(), hat.hue.clone().unwrap_or_default()];
    let rows = state.hats.known.values().map(row).collect();
    Next::show(Form::new(FORM).title("Hats of this group").table(columns, rows))
}

/// §3.2: a hat that is there already is changed.
async fn create(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (room, core) = (room(&turn)?, turn.ctx.core);
    let Some(answers) = turn.answers.first() else {
        let text = "A hat with the URI of another takes its place, and those who wear it go on to.";
        return Next::ask(
            Form::new(FORM)
                .title("Make or change a hat")
                .instructions(text)
                .field(Field::new(Kind::TextSingle, TITLE, "Title").required())
                .field(Field::new(Kind::TextSingle, URI, "URI").required())
                .field(Field::new(Kind::TextSingle, HUE, "Hue, an angle from 0 to 360")),
        );
    };
    let hat = read(answers)?;
    let _changing = room.changing.lock().await;
    still_admin(&turn, room)?;
    turn.ctx.store.set_hat(room.place.uid, hat.clone()).await.map_err(store_error)?;
    let uri = hat.uri.clone();
    room.state().hats.known.insert(uri.clone(), hat);
    show_wearers(room, |hats, who| hats.worn.get(who).is_some_and(|worn| worn.contains(&uri))).await?;
    owner::announce(core, room, &[status::CONFIG_CHANGED]).await;
    Next::done("")
}

/// Who is no admin any more by the time of its turn changes nothing.
fn still_admin(turn: &Turn<'_>, room: &Room) -> Result<(), StanzaError> {
    let admin = room.state().affiliation(&turn.ctx.member.address) >= Affiliation::Admin;
    if admin { Ok(()) } else { Err(StanzaError::forbidden()) }
}

fn read(answers: &Answers) -> Result<Hat, StanzaError> {
    let text = |var| answers.text(var).unwrap_or_default().trim().to_owned();
    let wrong = |text: &'static str| Err(StanzaError::not_acceptable().text(text));
    let (title, uri, hue) = (text(TITLE), text(URI), text(HUE));
    if title.is_empty() || title.len() > limits::ROOM_TEXT {
        return wrong("This cannot be the title of a hat.");
    }
    let plain = uri.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain || !uri.contains(':') || uri.len() > limits::ROOM_TEXT {
        return wrong("This cannot be the URI of a hat.");
    }
    let angle = hue.parse::<f64>().is_ok_and(|hue| (0.0..=360.0).contains(&hue));
    if !hue.is_empty() && (!angle || hue.len() > limits::HUE_BYTES) {
        return wrong("A hue is an angle from 0 to 360.");
    }
    Ok(Hat { uri, title, hue: Some(hue).filter(|hue| !hue.is_empty()) })
}

fn which(state: &State) -> Field {
    let field = Field::new(Kind::ListSingle, URI, "Hat").required();
    state.hats.known.values().fold(field, |field, hat| field.option(hat.title.clone(), hat.uri.clone()))
}

/// §3.3
async fn destroy(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (room, core) = (room(&turn)?, turn.ctx.core);
    let Some(answers) = turn.answers.first() else {
        return Next::ask(Form::new(FORM).title("Remove a hat").field(which(&room.state())));
    };
    let uri = answers.text(URI).unwrap_or_default().to_owned();
    let _changing = room.changing.lock().await;
    still_admin(&turn, room)?;
    let there = turn.ctx.store.remove_hat(room.place.uid, uri.clone()).await.map_err(store_error)?;
    if !there {
        return Err(StanzaError::item_not_found());
    }
    let wore: BTreeSet<BareJid> = {
        let hats = &mut room.state().hats;
        hats.known.remove(&uri);
        let wore = hats.worn.iter_mut().filter_map(|(who, worn)| worn.remove(&uri).then(|| who.clone()));
        let wore = wore.collect();
        hats.worn.retain(|_, worn| !worn.is_empty());
        wore
    };
    show_wearers(room, |_, who| wore.contains(who)).await?;
    owner::announce(core, room, &[status::CONFIG_CHANGED]).await;
    Next::done("")
}

/// §3.4, §3.5: one at a time.
async fn wear(turn: Turn<'_>, wears: bool) -> Result<Next, StanzaError> {
    let room = room(&turn)?;
    let Some(answers) = turn.answers.first() else {
        let title = if wears { "Give somebody a hat" } else { "Take a hat from somebody" };
        let who = Field::new(Kind::JidSingle, JID, "Whose address").required();
        return Next::ask(Form::new(FORM).title(title).field(who).field(which(&room.state())));
    };
    let who = address::parse(answers.text(JID).unwrap_or_default())?.to_bare();
    let who = admin::known(turn.ctx, &who).await?;
    let uri = answers.text(URI).unwrap_or_default().to_owned();
    let _changing = room.changing.lock().await;
    still_admin(&turn, room)?;
    let news = turn.ctx.store.wear_hat(room.place.uid, uri.clone(), who.clone(), wears).await;
    if news.map_err(store_error)? {
        room.state().hats.wear(&who, &uri, wears);
        show_wearers(room, |_, other| *other == who).await?;
    }
    Next::done("")
}

/// The presence of those whose hats have changed is shown again (§3.2 to §3.5).
async fn show_wearers(room: &Room, concerns: impl Fn(&Hats, &BareJid) -> bool) -> Result<(), StanzaError> {
    let nicks: Vec<Box<str>> = {
        let state = room.state();
        let here = state.occupants().filter(|occupant| concerns(&state.hats, &occupant.real));
        here.map(|occupant| occupant.nick.clone()).collect()
    };
    for nick in nicks {
        room.act(|state| Ok((state.dress(&nick), ()))).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::answers;
    use super::*;

    #[test]
    fn what_is_a_hat() {
        let read = |title: &str, uri: &str, hue: &str| {
            read(&answers(&[(TITLE, &[title]), (URI, &[uri]), (HUE, &[hue])])).map(|hat| hat.hue)
        };
        assert_eq!(read("Host", "urn:x", " 327.255249 ").unwrap().as_deref(), Some("327.255249"));
        assert_eq!(read("Host", "http://example.org/hats#host", "").unwrap(), None);
        let long = "x".repeat(limits::ROOM_TEXT);
        for (title, uri, hue) in [
            ("", "urn:x", ""),
            ("Host", "", ""),
            ("Host", "host", ""),
            ("Host", "urn:a b", ""),
            ("Host", "urn:x", "red"),
            ("Host", "urn:x", "361"),
            ("Host", "urn:x", "NaN"),
            ("Host", "urn:x", "-1"),
            ("Host", "urn:x", "0.0000000000000000000000001"),
            ("Host", &format!("urn:{long}"), ""),
            (&format!("{long}x"), "urn:x", ""),
        ] {
            assert_eq!(read(title, uri, hue).unwrap_err().condition, "not-acceptable", "{title} {uri} {hue}");
        }
    }
}
