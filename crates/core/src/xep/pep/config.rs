//! What a node is configured to do (XEP-0060 §16.4.4), and the defaults of personal nodes (XEP-0163 §5), of those of the
//! service, and of social feeds (XEP-0472).

use super::error;
use crate::choice::choice;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Kind};
use rookery_proto::ns;
use rookery_store::limits::NODE_ITEMS;
use serde::{Deserialize, Serialize};

choice! {
    /// Who may read (§4.5).
    Access {
        /// Everybody.
        Open = "open",
        /// Who may see the owner's presence.
        Presence = "presence",
        /// Who may see it and is in one of the groups.
        Roster = "roster",
        /// Whom the owner made a member or publisher.
        Whitelist = "whitelist",
        /// Whom an owner has let in as a subscriber.
        Authorize = "authorize",
    }
}

impl Access {
    /// What there is to choose from, at the service and elsewhere.
    pub fn offered(service: bool) -> impl Iterator<Item = &'static str> {
        let personal = |name: &&str| matches!(*name, "presence" | "roster");
        let names = Access::NAMES.iter().copied();
        names.filter(move |name| if service { !personal(name) } else { *name != "authorize" })
    }
}

choice! {
    /// Who may publish, besides the owner (§7.1).
    PublishModel {
        /// Publishers.
        Publishers = "publishers",
        /// Who has subscribed too.
        Subscribers = "subscribers",
        /// Everybody who may read.
        Open = "open",
    }
}

choice! {
    /// When the last item is sent unasked.
    SendLast {
        /// Never.
        Never = "never",
        /// To new subscribers.
        OnSub = "on_sub",
        /// To them, and to whoever comes online.
        OnSubAndPresence = "on_sub_and_presence",
    }
}

/// A node's configuration. What is not in a stored one is as in [`Config::default`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// What people call the node.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// The namespace of its payloads.
    pub kind: String,
    /// Who may read.
    pub access: Access,
    /// The roster groups that may, for [`Access::Roster`].
    pub groups: Vec<String>,
    /// Who may publish.
    pub publishers: PublishModel,
    /// Whether items are kept.
    pub persist: bool,
    /// How many items are kept; `None`: as many as the server allows.
    pub max_items: Option<u32>,
    /// When the last item is sent.
    pub last: SendLast,
    /// Whether notifications have the payload in them.
    pub payloads: bool,
    /// Whether a retraction or a purge is notified of.
    pub retracts: bool,
    /// Whether the node's deletion is notified of.
    pub deletes: bool,
    /// Whether a change of the configuration is notified of.
    pub configs: bool,
}

impl Default for Config {
    /// XEP-0163 §5: for contacts, the last item only.
    fn default() -> Config {
        Config {
            title: String::new(),
            description: String::new(),
            kind: String::new(),
            access: Access::Presence,
            groups: Vec::new(),
            publishers: PublishModel::Publishers,
            persist: true,
            max_items: Some(1),
            last: SendLast::OnSubAndPresence,
            payloads: true,
            retracts: true,
            deletes: true,
            configs: false,
        }
    }
}

/// A field of the configuration's form.
pub(super) struct Field {
    /// Its name.
    pub(super) var: &'static str,
    /// Its type (XEP-0004 §3.3).
    pub(super) kind: Kind,
    /// What to choose from.
    pub(super) options: &'static [&'static str],
    /// What people see.
    pub(super) label: &'static str,
}

/// All fields, in the order of the form.
pub(super) const FIELDS: &[Field] = &[
    field("pubsub#title", Kind::TextSingle, &[], "Title"),
    field("pubsub#description", Kind::TextSingle, &[], "Description"),
    field("pubsub#type", Kind::TextSingle, &[], "Namespace of the payload"),
    field("pubsub#access_model", Kind::ListSingle, Access::NAMES, "Who may read"),
    field("pubsub#roster_groups_allowed", Kind::ListMulti, &[], "Roster groups that may read"),
    field("pubsub#publish_model", Kind::ListSingle, PublishModel::NAMES, "Who may publish"),
    field("pubsub#persist_items", Kind::Boolean, &[], "Keep items"),
    field("pubsub#max_items", Kind::TextSingle, &[], "How many items to keep"),
    field("pubsub#send_last_published_item", Kind::ListSingle, SendLast::NAMES, "When to send the last item"),
    field("pubsub#deliver_payloads", Kind::Boolean, &[], "Payloads in notifications"),
    field("pubsub#notify_retract", Kind::Boolean, &[], "Notify of retractions"),
    field("pubsub#notify_delete", Kind::Boolean, &[], "Notify of the node's deletion"),
    field("pubsub#notify_config", Kind::Boolean, &[], "Notify of changes of the configuration"),
];

const fn field(
    var: &'static str,
    kind: Kind,
    options: &'static [&'static str],
    label: &'static str,
) -> Field {
    Field { var, kind, options, label }
}

/// The word for "as many as the server allows" (§16.4.4).
const MAX: &str = "max";

impl Config {
    /// What a node is made with. What is nobody else's business is private though a client forgets to say so, and what is
    /// a list keeps all its items.
    pub fn of(node: &str) -> Config {
        match node {
            ns::BOOKMARKS | ns::MDS => Config {
                access: Access::Whitelist,
                max_items: None,
                last: SendLast::Never,
                ..Config::default()
            },
            ns::BOOKMARKS_OLD => Config { access: Access::Whitelist, ..Config::default() },
            ns::MICROBLOG => Config::default().with_feed_profile(node),
            // What a group or a person has to say to all who belong to it, now and before.
            ns::NOTICES => Config { max_items: None, last: SendLast::Never, ..Config::default() },
            _ => Config::default(),
        }
    }

    /// What a node of the service is made with whose payloads are of this kind: for everybody, and all items are kept.
    pub fn at_service(kind: &str) -> Config {
        let config =
            Config { access: Access::Open, max_items: None, last: SendLast::OnSub, ..Config::default() };
        if kind == ns::SOCIAL_FEED { config.with_feed_profile(kind) } else { config }
    }

    /// The base profile of social feeds (XEP-0472 §5.1): all posts are kept, and who wants one asks for it.
    fn with_feed_profile(self, kind: &str) -> Config {
        let kind = kind.to_owned();
        Config {
            kind,
            max_items: None,
            persist: true,
            retracts: true,
            last: SendLast::Never,
            payloads: false,
            ..self
        }
    }

    /// What the store keeps of it.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what the store has kept; one that cannot be read is nobody's to see.
    pub fn decode(text: &str) -> Config {
        serde_json::from_str(text).unwrap_or_else(|error| {
            tracing::error!(%error, "a node's configuration cannot be read");
            Config { access: Access::Whitelist, ..Config::default() }
        })
    }

    /// How many items are kept.
    pub fn kept(&self) -> usize {
        match self.max_items {
            _ if !self.persist => 0,
            Some(max) => (max as usize).min(NODE_ITEMS),
            None => NODE_ITEMS,
        }
    }

    /// Whether the other does the same: what people read is no part of it.
    pub fn does_as(&self, other: &Config) -> bool {
        let plain = |config: &Config| Config {
            title: String::new(),
            description: String::new(),
            kind: String::new(),
            ..config.clone()
        };
        plain(self) == plain(other)
    }

    /// The values of a field.
    pub fn get(&self, var: &str) -> Vec<String> {
        let flag = |flag: bool| if flag { "1" } else { "0" };
        let value = match var {
            "pubsub#title" => &self.title,
            "pubsub#description" => &self.description,
            "pubsub#type" => &self.kind,
            "pubsub#access_model" => self.access.name(),
            "pubsub#roster_groups_allowed" => return self.groups.clone(),
            "pubsub#publish_model" => self.publishers.name(),
            "pubsub#persist_items" => flag(self.persist),
            "pubsub#max_items" => return vec![self.max_items.map_or(MAX.into(), |max| max.to_string())],
            "pubsub#send_last_published_item" => self.last.name(),
            "pubsub#deliver_payloads" => flag(self.payloads),
            "pubsub#notify_retract" => flag(self.retracts),
            "pubsub#notify_delete" => flag(self.deletes),
            "pubsub#notify_config" => flag(self.configs),
            _ => return Vec::new(),
        };
        vec![value.to_owned()]
    }

    /// Sets a field; one that is not known is passed over, as other servers have others.
    pub fn set(&mut self, var: &str, values: &[String]) -> Result<(), StanzaError> {
        let text = values.first().map(|value| value.trim()).unwrap_or_default();
        match var {
            "pubsub#title" => self.title = text.to_owned(),
            "pubsub#description" => self.description = text.to_owned(),
            "pubsub#type" => self.kind = text.to_owned(),
            "pubsub#access_model" => self.access = chosen(var, Access::from_name(text))?,
            "pubsub#roster_groups_allowed" => {
                self.groups = values.iter().filter(|group| !group.is_empty()).cloned().collect();
            }
            "pubsub#publish_model" => self.publishers = chosen(var, PublishModel::from_name(text))?,
            "pubsub#persist_items" => self.persist = chosen(var, boolean(text))?,
            "pubsub#max_items" => self.max_items = chosen(var, max_items(text))?,
            "pubsub#send_last_published_item" => self.last = chosen(var, SendLast::from_name(text))?,
            "pubsub#deliver_payloads" => self.payloads = chosen(var, boolean(text))?,
            "pubsub#notify_retract" => self.retracts = chosen(var, boolean(text))?,
            "pubsub#notify_delete" => self.deletes = chosen(var, boolean(text))?,
            "pubsub#notify_config" => self.configs = chosen(var, boolean(text))?,
            _ => {}
        }
        Ok(())
    }

    /// This configuration with the fields of a form.
    pub fn with(mut self, answers: &Answers) -> Result<Config, StanzaError> {
        for (var, values) in answers.iter() {
            self.set(var, values)?;
        }
        Ok(self)
    }
}

fn chosen<T>(var: &str, value: Option<T>) -> Result<T, StanzaError> {
    value.ok_or_else(|| error::invalid_options(format!("The field {var} cannot have this value.")))
}

/// XEP-0004 §3.3: four ways to say two things.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// A number of items, or `max`; a number that is more than the server allows means the same.
fn max_items(text: &str) -> Option<Option<u32>> {
    if text == MAX {
        return Some(None);
    }
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // Too many digits for a number are many items.
    digits.then(|| text.parse().ok().filter(|max| (*max as usize) < NODE_ITEMS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_kept_as_text() {
        let config = Config {
            access: Access::Roster,
            groups: vec!["Friends".into()],
            max_items: None,
            last: SendLast::Never,
            ..Config::default()
        };
        assert_eq!(Config::decode(&config.encode()), config);
        assert_eq!(Config::decode("{}"), Config::default(), "what is missing is as usual");
        assert_eq!(Config::decode("?").access, Access::Whitelist, "what cannot be read is nobody's to see");
    }

    #[test]
    fn every_field_is_read_as_it_is_written() {
        let config =
            Config { title: "T".into(), groups: vec!["a".into(), "b".into()], ..Config::of(ns::MDS) };
        let mut read = Config::default();
        for field in FIELDS {
            let values = config.get(field.var);
            assert!(!values.is_empty(), "{}", field.var);
            read.set(field.var, &values).unwrap();
        }
        assert_eq!(read, config);
    }

    #[test]
    fn numbers_of_items() {
        for (text, max) in [("max", None), ("7", Some(7)), ("5000", None), ("99999999999999999999", None)] {
            assert_eq!(max_items(text), Some(max), "{text}");
        }
        for text in ["", "-1", "+1", "1.5", "all", "1;DROP TABLE"] {
            assert_eq!(max_items(text), None, "{text}");
        }
    }
}
