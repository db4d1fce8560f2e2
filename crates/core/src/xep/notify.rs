//! XEP-0492: Chat notification settings, which clients keep in the bookmark of a conversation (XEP-0402): read for push.

use super::{Xep, bookmarks};
use crate::Core;
use crate::member::Member;
use rookery_proto::Uid;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Stanza};

/// XEP-0492.
pub const INFO: Xep = Xep::of(
    "XEP-0492",
    "Chat notification settings",
    "0.2.0",
    "In bookmarks, of rooms and of people; push obeys them as `client/phone`, Web Push as `client/web`. The older namespace \
     is read too. `advanced` means nothing to the server.",
);

/// For which device a setting is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device {
    /// One behind an app server.
    Phone,
    /// A browser.
    Browser,
}

impl Device {
    /// Its type of the category `client` (XEP-0030).
    fn kind(self) -> &'static str {
        match self {
            Device::Phone => "phone",
            Device::Browser => "web",
        }
    }
}

/// When a conversation rings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ring {
    Always,
    OnMention,
    Never,
}

/// What is set for one conversation.
#[derive(Default, Debug)]
pub struct Settings {
    /// Each with the category and type that it is for.
    rings: Vec<(Ring, Option<String>, Option<String>)>,
    /// How the owner is called there.
    nick: Option<String>,
}

impl Settings {
    /// Reads a bookmark's `<conference/>`.
    fn read(conference: &Child<'_>) -> Settings {
        let mut settings = Settings {
            nick: conference.child(ns::BOOKMARKS, "nick").map(|nick| nick.text().into_owned()),
            rings: Vec::new(),
        };
        let Some(extensions) = conference.child(ns::BOOKMARKS, "extensions") else { return settings };
        let notify = extensions.children().filter(|child| {
            child.name() == "notify" && matches!(child.ns(), ns::NOTIFICATIONS | ns::NOTIFICATIONS_OLD)
        });
        // Who writes both means the newer one.
        let Some(notify) = notify.max_by_key(|notify| notify.ns() == ns::NOTIFICATIONS) else {
            return settings;
        };
        for element in notify.children().filter(|element| element.ns() == notify.ns()) {
            let ring = match element.name() {
                "always" => Ring::Always,
                "on-mention" => Ring::OnMention,
                "never" => Ring::Never,
                _ => continue,
            };
            let attr = |name| element.attr(name).map(|value| value.into_owned());
            let (category, kind) = match attr("client-type") {
                // Version 0.1.0 knew clients only.
                Some(kind) if notify.ns() == ns::NOTIFICATIONS_OLD => (Some("client".to_owned()), Some(kind)),
                _ => (attr("identity-category"), attr("identity-type")),
            };
            settings.rings.push((ring, category, kind));
        }
        settings
    }

    /// §3: the most specific element counts; without any, a conversation between two and a private group always ring.
    fn ring(&self, device: Device) -> Ring {
        let found = |category: Option<&str>, kind: Option<&str>| {
            let mut rings = self.rings.iter();
            rings.find(|(_, c, k)| (c.as_deref(), k.as_deref()) == (category, kind)).map(|(ring, ..)| *ring)
        };
        found(Some("client"), Some(device.kind()))
            .or_else(|| found(Some("client"), None))
            .or_else(|| found(None, None))
            .unwrap_or(Ring::Always)
    }

    /// Whether a message rings on such a device.
    pub fn rings(&self, device: Device, mentioned: bool) -> bool {
        match self.ring(device) {
            Ring::Always => true,
            Ring::OnMention => mentioned,
            Ring::Never => false,
        }
    }

    /// Whether a message is about its recipient (§3): it refers to them (XEP-0372), answers them (XEP-0461), or has their
    /// nickname in its text.
    pub fn mentions(&self, me: &Member, message: &Stanza) -> bool {
        let is_me = |address: &str| Jid::new(address).is_ok_and(|jid| jid.to_bare() == me.address);
        let referred =
            message.children().filter(|child| child.is(ns::REFERENCE, "reference")).any(|reference| {
                let mention = reference.attr("type").is_some_and(|kind| kind == "mention");
                let uri = reference.attr("uri").unwrap_or_default();
                mention && uri.strip_prefix("xmpp:").is_some_and(|who| is_me(who) || self.is_occupant(who))
            });
        let reply = message.child(ns::REPLY, "reply").and_then(|reply| reply.attr("to"));
        let answered = reply.is_some_and(|to| is_me(&to) || self.is_occupant(&to));
        let name = self.nick.as_deref().or(me.address.node().map(|node| node.as_str()));
        let body = message.child(ns::CLIENT, "body");
        let named = body.zip(name).is_some_and(|(body, name)| has_word(&body.text(), name));
        referred || answered || named
    }

    /// Whether an occupant's address is the owner's.
    fn is_occupant(&self, occupant: &str) -> bool {
        let nick =
            Jid::new(occupant).ok().and_then(|jid| jid.resource().map(|nick| nick.as_str().to_owned()));
        nick.is_some() && nick == self.nick
    }
}

/// Whether a name stands in a text by itself, in whatever case.
fn has_word(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    !name.is_empty()
        && text.match_indices(&name).any(|(at, found)| {
            apart(text[..at].chars().next_back()) && apart(text[at + found.len()..].chars().next())
        })
}

impl Core {
    /// What an account has set for a conversation.
    pub async fn notification_settings(&self, uid: Uid, peer: &BareJid) -> rookery_store::Result<Settings> {
        let found = self.store.items_by_id(uid, ns::BOOKMARKS, vec![peer.to_string()]).await?;
        let read = |payload| bookmarks::with_conference(payload, Settings::read);
        Ok(found.first().and_then(|item| read(&item.payload)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(inside: &str) -> Settings {
        let bookmark = format!(
            "<conference xmlns='urn:xmpp:bookmarks:1'><nick>Jule</nick><extensions>{inside}</extensions></conference>"
        );
        bookmarks::with_conference(bookmark.as_bytes(), Settings::read).expect("a bookmark")
    }

    #[test]
    fn the_most_specific_counts() {
        let set = settings(
            "<notify xmlns='urn:xmpp:notification-settings:1'><never identity-category='client' identity-type='pc'/>
               <on-mention identity-category='client' identity-type='phone'/><never identity-category='client'/><always/>
             </notify>",
        );
        assert!(set.rings(Device::Phone, true) && !set.rings(Device::Phone, false));
        assert!(!set.rings(Device::Browser, true));
        let set = settings("<notify xmlns='urn:xmpp:notification-settings:1'><never/></notify>");
        assert!(!set.rings(Device::Phone, true));
        assert!(settings("").rings(Device::Phone, false));
        let both = "<notify xmlns='urn:xmpp:notification-settings:1'><never/></notify>
                    <notify xmlns='urn:xmpp:notification-settings:0'><always/></notify>";
        assert!(!settings(both).rings(Device::Phone, true));
        let older =
            "<notify xmlns='urn:xmpp:notification-settings:0'><never client-type='phone'/><always/></notify>";
        assert!(!settings(older).rings(Device::Phone, true) && settings(older).rings(Device::Browser, false));
    }

    #[test]
    fn names_stand_by_themselves() {
        for text in ["Jule?", "hi jule", "(JULE)", "jules, jule"] {
            assert!(has_word(text, "Jule"), "{text}");
        }
        for text in ["", "jules", "Ajule", "ju le"] {
            assert!(!has_word(text, "Jule"), "{text}");
        }
    }
}
