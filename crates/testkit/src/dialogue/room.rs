//! Rooms (XEP-0045) in a dialogue: made and entered, where what is said on the way is not the point.

use anyhow::{Context, Result, bail};
use minidom::Element;

use super::Who;
use super::party::is_presence_from;
use super::run::Play;
use super::template::fill;
use crate::client::Incoming;
use crate::ns;

impl Play {
    /// Enters a room that is not there yet, configures it, and forgets what that brought.
    pub(super) async fn makes_room(
        &mut self,
        who: &Who,
        room: &str,
        nick: &str,
        fields: &[(String, String)],
    ) -> Result<()> {
        self.enters_room(who, room, nick).await?;
        let mut form = String::new();
        for (at, (var, _)) in fields.iter().enumerate() {
            if fields[..at].iter().any(|(before, _)| before == var) {
                continue;
            }
            let values = fields.iter().filter(|(other, _)| other == var);
            let values: String = values.map(|(_, value)| format!("<value>{value}</value>")).collect();
            form.push_str(&format!("<field var='muc#roomconfig_{var}'>{values}</field>"));
        }
        let query = format!(
            "<query xmlns='{}'><x xmlns='{}' type='submit'>{form}</x></query>",
            ns::MUC_OWNER,
            ns::DATA_FORMS
        );
        let room = self.room_address(room)?;
        let client = &mut self.party(who)?.client;
        client.iq("set", Some(&room), &query).await?;
        Ok(())
    }

    /// Enters a room, and forgets what that brought: the one that enters all of it, the others the presence.
    pub(super) async fn enters_room(&mut self, who: &Who, room: &str, nick: &str) -> Result<()> {
        let room = self.room_address(room)?;
        let occupant = format!("{room}/{nick}");
        let join = format!("<presence to='{occupant}'><x xmlns='{}'/></presence>", ns::MUC);
        self.party(who)?.client.send_raw(&join).await?;
        // The subject is the last thing that is said to who enters (§7.2.15).
        loop {
            let party = self.parties.get_mut(who).context("it has just been here")?;
            match self.target.patiently(party.client.next()).await? {
                Incoming::Element(element) if is_refusal(&element, &room) => {
                    bail!("the room refused: {}", String::from(&element))
                }
                Incoming::Element(element) if is_subject(&element, &room) => break,
                Incoming::Element(_) => {}
                ended => bail!("the stream ended ({ended:?}) while a room was entered"),
            }
        }
        self.sync_everyone_else(who).await?;
        self.forget(|incoming| is_presence_from(incoming, &occupant, None));
        Ok(())
    }

    fn room_address(&self, room: &str) -> Result<String> {
        let room = fill(room, &self.variables)?;
        Ok(format!("{room}@groups.{}", super::Target::DOMAIN))
    }
}

fn is_refusal(element: &Element, room: &str) -> bool {
    let ours = element.attr("from").is_some_and(|from| from.starts_with(room));
    ours && element.attr("type") == Some("error")
}

fn is_subject(element: &Element, room: &str) -> bool {
    let ours = element.attr("from").is_some_and(|from| from.starts_with(room));
    ours && element.has_child("subject", ns::CLIENT) && !element.has_child("body", ns::CLIENT)
}
