//! How a room is configured (XEP-0045 §10.1, §15.5.3): what the store keeps, the owner's form, and what disco tells.

use super::privilege::Role;
use super::status;
use crate::choice::choice;
use crate::limits;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};
use serde::{Deserialize, Serialize};

/// The type of the owner's form (§15.5.3).
pub const FORM: &str = "http://jabber.org/protocol/muc#roomconfig";

/// The type of what disco tells of a room (§15.5.4).
pub const INFO_FORM: &str = "http://jabber.org/protocol/muc#roominfo";

/// Whether those without voice may ask for it (§7.13): a field of our own.
const VOICE_REQUESTS: &str = "{https://rookery.im/protocol/room}voice_requests";

/// Whether people may ask to become members (§7.10): a field of our own.
const REGISTRATION: &str = "{https://rookery.im/protocol/room}registration";

/// For how long what is said is kept: a field of our own.
const RETENTION: &str = "{https://rookery.im/protocol/room}retention_days";

choice! {
    /// Some of those in a room.
    Audience {
        /// Everybody in the room.
        Anyone = "anyone",
        /// Those with voice.
        Participants = "participants",
        /// Moderators only.
        Moderators = "moderators",
        /// Nobody.
        Nobody = "none",
    }
}

impl Audience {
    /// Whether an occupant of this role is among them.
    pub fn has(self, role: Role) -> bool {
        match self {
            Audience::Anyone => role.is_present(),
            Audience::Participants => role.has_voice(),
            Audience::Moderators => role == Role::Moderator,
            Audience::Nobody => false,
        }
    }
}

/// A room's configuration. A field that an older version did not write has its default.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomConfig {
    /// Nobody but its owner enters until it is configured (§10.1.1).
    pub locked: bool,
    /// What people call it; empty: it has no name.
    pub name: String,
    /// What it is for; empty: nothing is said.
    pub description: String,
    /// The language that is spoken in it (RFC 5646); empty: nothing is said.
    pub language: String,
    /// It stays when its last occupant leaves.
    pub persistent: bool,
    /// It is listed, and shows who is in it to those outside (§6.3, §6.5).
    pub public: bool,
    /// Only members enter.
    pub members_only: bool,
    /// Only those with voice speak, and who enters has none.
    pub moderated: bool,
    /// What everybody must know who enters.
    pub password: Option<String>,
    /// Who sees the occupants' real addresses: everybody or moderators.
    pub whois: Audience,
    /// Whether those with voice set the subject, or moderators only.
    pub subject_by_participants: bool,
    /// Whether members invite others, or administrators and owners only.
    pub invites_by_members: bool,
    /// Whether those without voice ask for it (§7.13).
    pub voice_requests: bool,
    /// Whether people ask to become members (§7.10).
    pub registration: bool,
    /// Who sends private messages to other occupants.
    pub private_messages: Audience,
    /// Whose presence the others are told of.
    pub presence_of: Vec<Role>,
    /// Who reads the lists of members, admins and owners.
    pub members_seen_by: Vec<Role>,
    /// The most occupants; administrators and owners enter nevertheless. `None`: as many as the server allows.
    pub max_occupants: Option<u32>,
    /// The most messages that who enters is shown of what was said before (§7.2.13).
    pub history: u32,
    /// Messages are kept in the room's archive.
    pub archived: bool,
    /// Days after which what was said goes from the archive; 0: as the server has it.
    pub retention_days: u32,
    /// Seconds that a participant waits after a message before the next; 0: none (XEP-0500).
    pub slow_mode: u32,
    /// A related node of a publish-subscribe service; empty: none.
    pub pubsub: String,
    /// Addresses to turn to.
    pub contacts: Vec<String>,
}

const ROLES: [Role; 3] = [Role::Moderator, Role::Participant, Role::Visitor];

impl Default for RoomConfig {
    /// What an instant room is (§10.1.2): open, and gone when everybody has left.
    fn default() -> RoomConfig {
        RoomConfig {
            locked: false,
            name: String::new(),
            description: String::new(),
            language: String::new(),
            persistent: false,
            public: true,
            members_only: false,
            moderated: false,
            password: None,
            whois: Audience::Moderators,
            subject_by_participants: true,
            invites_by_members: true,
            voice_requests: true,
            registration: true,
            private_messages: Audience::Anyone,
            presence_of: ROLES.to_vec(),
            members_seen_by: ROLES.to_vec(),
            max_occupants: None,
            history: limits::ROOM_HISTORY_DEFAULT,
            archived: true,
            retention_days: 0,
            slow_mode: 0,
            pubsub: String::new(),
            contacts: Vec::new(),
        }
    }
}

/// What disco tells beside the configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// How many occupants there are; `None`: who asks may not enter, and learns neither this nor whom to turn to.
    pub occupants: Option<usize>,
    /// What is being talked about.
    pub subject: &'a str,
    /// The hash of its picture.
    pub avatar: Option<&'a str>,
    /// What the list of its hats is recognised by.
    pub hats: Option<&'a str>,
}

impl RoomConfig {
    /// Whether messages also go into each member's own log while there are few of them: a private group.
    pub fn is_private(&self) -> bool {
        self.members_only
    }

    /// Whether everybody sees the occupants' real addresses (§4.2: non-anonymous).
    pub fn is_open(&self) -> bool {
        self.whois == Audience::Anyone
    }

    /// As the store keeps it.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("plain data")
    }

    /// As the store has kept it; `None` if it cannot be read.
    pub fn from_text(text: &str) -> Option<RoomConfig> {
        serde_json::from_str(text).ok()
    }

    /// Days after which what was said is gone, where the server keeps it no longer than `most`; `None`: it stays.
    pub fn kept_days(&self, most: Option<u32>) -> Option<u32> {
        let own = Some(self.retention_days).filter(|days| *days > 0);
        own.into_iter().chain(most).min()
    }

    /// The features that say of which kind the room is (§6.4, §15.2).
    pub fn features(&self) -> [&'static str; 6] {
        let choose = |is: bool, yes: &'static str, no: &'static str| if is { yes } else { no };
        [
            choose(self.public, "muc_public", "muc_hidden"),
            choose(self.members_only, "muc_membersonly", "muc_open"),
            choose(self.moderated, "muc_moderated", "muc_unmoderated"),
            choose(self.is_open(), "muc_nonanonymous", "muc_semianonymous"),
            choose(self.password.is_some(), "muc_passwordprotected", "muc_unsecured"),
            choose(self.persistent, "muc_persistent", "muc_temporary"),
        ]
    }

    /// The form that owners fill in, as it is filled in now (§10.2).
    pub fn form(&self) -> Form {
        let about = if self.name.is_empty() { "the room" } else { &self.name };
        let form = Form::new(FORM).title(format!("Configuration of {about}"));
        self.of_the_room().into_iter().chain(self.of_occupants()).fold(form, Form::field)
    }

    /// What the room is, and who enters it.
    fn of_the_room(&self) -> Vec<Field> {
        vec![
            text("muc#roomconfig_roomname", "Name", &self.name),
            text("muc#roomconfig_roomdesc", "What it is about", &self.description),
            text("muc#roomconfig_lang", "Language", &self.language),
            tick("muc#roomconfig_persistentroom", "It stays when the last one leaves", self.persistent),
            tick("muc#roomconfig_publicroom", "It is in the list of rooms", self.public),
            tick("muc#roomconfig_membersonly", "Only members enter", self.members_only),
            tick(REGISTRATION, "People may ask to become members", self.registration),
            tick("muc#roomconfig_passwordprotectedroom", "A password is asked for", self.password.is_some()),
            Field::new(Kind::TextPrivate, "muc#roomconfig_roomsecret", "The password")
                .values(self.password.as_deref()),
            max_occupants(self.max_occupants),
            text("muc#roomconfig_pubsub", "A related node", &self.pubsub),
            Field::new(Kind::JidMulti, "muc#roominfo_contactjid", "Whom to turn to").values(&self.contacts),
        ]
    }

    /// What happens in it.
    fn of_occupants(&self) -> Vec<Field> {
        vec![
            tick(
                "muc#roomconfig_moderatedroom",
                "Newcomers may not speak until they are allowed to",
                self.moderated,
            ),
            tick(VOICE_REQUESTS, "Those without voice may ask for it", self.voice_requests),
            list("muc#roomconfig_whois", "Who sees real addresses", WHOIS_LABELS, self.whois.name()),
            number("muc#maxhistoryfetch", "Messages shown to newcomers", limits::ROOM_HISTORY, self.history),
            tick(
                "muc#roomconfig_changesubject",
                "Everybody with voice may set the subject",
                self.subject_by_participants,
            ),
            tick("muc#roomconfig_allowinvites", "Everybody may invite", self.invites_by_members),
            list(
                "muc#roomconfig_allowpm",
                "Who may send private messages",
                PM_LABELS,
                self.private_messages.name(),
            ),
            roles("muc#roomconfig_presencebroadcast", "Whose presence is shown", &self.presence_of),
            roles("muc#roomconfig_getmemberlist", "Who may see the list of members", &self.members_seen_by),
            tick("muc#roomconfig_enablelogging", "What is said is kept", self.archived),
            number(
                RETENTION,
                "Days for which it is kept; 0 is as long as the server keeps messages",
                limits::ROOM_RETENTION_DAYS,
                self.retention_days,
            ),
            number(
                "muc#roomconfig_slow_mode_duration",
                "Seconds between two messages of one person",
                limits::ROOM_SLOW_SECONDS,
                self.slow_mode,
            ),
        ]
    }

    /// This configuration with the answers of an owner; fields that are not there stay as they are.
    ///
    /// # Errors
    /// `not-acceptable` (§10.1.3) with a sentence that names the field.
    pub fn with(mut self, answers: &Answers) -> Result<RoomConfig, StanzaError> {
        self.form().check(answers).map_err(|wrong| StanzaError::not_acceptable().text(wrong.0))?;
        for (var, values) in answers.iter() {
            self.set(var, values)?;
        }
        self.password = match answers.flag("muc#roomconfig_passwordprotectedroom") {
            Some(false) => None,
            asked => match answers.text("muc#roomconfig_roomsecret").map(str::to_owned).or(self.password) {
                // §10.1: a password that is not known would lock everybody out.
                None if asked == Some(true) => {
                    return Err(
                        StanzaError::not_acceptable().text("A room that asks for a password has one.")
                    );
                }
                Some(long) if long.len() > limits::ROOM_TEXT => {
                    return Err(too_long("muc#roomconfig_roomsecret"));
                }
                // A password that is typed where none is asked for yet means that it is to be asked for.
                password => password,
            },
        };
        Ok(self)
    }

    /// Sets what the form has found to be of the right kind. An empty value leaves a choice or a number as it is.
    fn set(&mut self, var: &str, values: &[String]) -> Result<(), StanzaError> {
        let value = values.first().map(|value| value.trim()).unwrap_or_default();
        let text = |most: usize| if value.len() > most { Err(too_long(var)) } else { Ok(value.to_owned()) };
        let tick = |now: bool| matches!(value, "1" | "true") || (value.is_empty() && now);
        let number = |now: u32| value.parse().unwrap_or(now);
        match var {
            "muc#roomconfig_roomname" => self.name = text(limits::ROOM_TEXT)?,
            "muc#roomconfig_roomdesc" => self.description = text(limits::ROOM_DESCRIPTION)?,
            "muc#roomconfig_lang" => self.language = text(limits::LANG_BYTES)?,
            "muc#roomconfig_persistentroom" => self.persistent = tick(self.persistent),
            "muc#roomconfig_publicroom" => self.public = tick(self.public),
            "muc#roomconfig_membersonly" => self.members_only = tick(self.members_only),
            VOICE_REQUESTS => self.voice_requests = tick(self.voice_requests),
            REGISTRATION => self.registration = tick(self.registration),
            "muc#roomconfig_moderatedroom" => self.moderated = tick(self.moderated),
            "muc#roomconfig_whois" => self.whois = Audience::from_name(value).unwrap_or(self.whois),
            "muc#maxhistoryfetch" => self.history = number(self.history),
            "muc#roomconfig_changesubject" => {
                self.subject_by_participants = tick(self.subject_by_participants)
            }
            "muc#roomconfig_allowinvites" => self.invites_by_members = tick(self.invites_by_members),
            "muc#roomconfig_allowpm" => {
                self.private_messages = Audience::from_name(value).unwrap_or(self.private_messages);
            }
            "muc#roomconfig_presencebroadcast" => self.presence_of = read_roles(values),
            "muc#roomconfig_getmemberlist" => self.members_seen_by = read_roles(values),
            "muc#roomconfig_maxusers" => self.max_occupants = read_max(var, value, self.max_occupants)?,
            "muc#roomconfig_enablelogging" => self.archived = tick(self.archived),
            RETENTION => self.retention_days = number(self.retention_days),
            "muc#roomconfig_slow_mode_duration" => self.slow_mode = number(self.slow_mode),
            "muc#roomconfig_pubsub" => self.pubsub = text(limits::ROOM_TEXT)?,
            "muc#roominfo_contactjid" => self.contacts = read_contacts(var, values)?,
            _ => {}
        }
        Ok(())
    }

    /// What disco tells of the room (§6.4).
    pub fn info(&self, facts: Facts<'_>) -> Form {
        let mut form = Form::new(INFO_FORM)
            .field(text("muc#roominfo_description", "Description", &self.description))
            .field(text("muc#maxhistoryfetch", "Messages shown to newcomers", &self.history.to_string()))
            .field(
                Field::new(Kind::Boolean, "muc#roominfo_subjectmod", "Occupants may set the subject")
                    .ticked(self.subject_by_participants),
            )
            // XEP-0500 §5.2
            .field(text("muc#roominfo_slow_mode_duration", "Slow mode", &self.slow_mode.to_string()));
        let optional = [
            ("muc#roominfo_lang", "Language", self.language.as_str()),
            ("muc#roominfo_subject", "Subject", facts.subject),
            ("muc#roominfo_pubsub", "Related node", &self.pubsub),
        ];
        for (var, label, value) in optional.into_iter().filter(|(_, _, value)| !value.is_empty()) {
            form = form.field(text(var, label, value));
        }
        if let Some(occupants) = facts.occupants {
            form = form.field(text("muc#roominfo_occupants", "Number of occupants", &occupants.to_string()));
        }
        if facts.occupants.is_some() && !self.contacts.is_empty() {
            form = form.field(
                Field::new(Kind::JidMulti, "muc#roominfo_contactjid", "Contacts").values(&self.contacts),
            );
        }
        if let Some(hash) = facts.avatar {
            // XEP-0486 §3.3
            form = form.field(Field::new(Kind::TextMulti, "muc#roominfo_avatarhash", "Avatar").value(hash));
        }
        if let Some(hash) = facts.hats {
            // XEP-0317 §2
            form = form.field(text("hats#hash", "Hats", hash));
        }
        form
    }

    /// The status codes of what is different in `new` (§10.2.1): nothing where nothing is.
    pub fn changes(&self, new: &RoomConfig) -> Vec<u16> {
        let mut codes = Vec::new();
        if self.archived != new.archived {
            codes.push(if new.archived { status::LOGGED } else { status::NOT_LOGGED });
        }
        if self.whois != new.whois {
            codes.push(if new.is_open() { status::NON_ANONYMOUS } else { status::SEMI_ANONYMOUS });
        }
        let rest =
            |config: &RoomConfig| RoomConfig { archived: true, whois: Audience::Anyone, ..config.clone() };
        if rest(self) != rest(new) {
            codes.push(status::CONFIG_CHANGED);
        }
        codes
    }
}

type Labels = &'static [(&'static str, &'static str)];

const WHOIS_LABELS: Labels = &[("moderators", "Moderators"), ("anyone", "Everybody")];

const PM_LABELS: Labels = &[
    ("anyone", "Everybody"),
    ("participants", "Everybody with voice"),
    ("moderators", "Moderators"),
    ("none", "Nobody"),
];

/// §15.5.3 offers these; any other number may be given.
const OCCUPANTS: [u32; 5] = [10, 30, 100, 1_000, 10_000];

/// §15.5.3: no limit of the room's own.
const NO_LIMIT: &str = "none";

fn tick(var: &'static str, label: &'static str, is: bool) -> Field {
    Field::new(Kind::Boolean, var, label).ticked(is)
}

fn text(var: &'static str, label: &'static str, now: &str) -> Field {
    Field::new(Kind::TextSingle, var, label).value(now)
}

fn number(var: &'static str, label: &'static str, max: u32, now: u32) -> Field {
    Field::new(Kind::TextSingle, var, label).whole(0..=max).value(now.to_string())
}

fn list(var: &'static str, label: &'static str, options: Labels, now: &str) -> Field {
    let field = Field::new(Kind::ListSingle, var, label).value(now);
    options.iter().fold(field, |field, (value, label)| field.option(*label, *value))
}

fn roles(var: &'static str, label: &'static str, now: &[Role]) -> Field {
    let field = Field::new(Kind::ListMulti, var, label).values(now.iter().map(|role| role.name()));
    let options = [
        ("Moderators", Role::Moderator),
        ("Those with voice", Role::Participant),
        ("Visitors", Role::Visitor),
    ];
    options.into_iter().fold(field, |field, (label, role)| field.option(label, role.name()))
}

fn max_occupants(now: Option<u32>) -> Field {
    let text = now.map_or_else(|| NO_LIMIT.to_owned(), |max| max.to_string());
    let field =
        Field::new(Kind::ListSingle, "muc#roomconfig_maxusers", "How many people at most").open().value(text);
    let field = field.option("As many as the server allows", NO_LIMIT);
    OCCUPANTS.iter().fold(field, |field, max| field.option(max.to_string(), max.to_string()))
}

fn read_roles(values: &[String]) -> Vec<Role> {
    ROLES.into_iter().filter(|role| values.iter().any(|value| value == role.name())).collect()
}

fn read_max(var: &str, value: &str, now: Option<u32>) -> Result<Option<u32>, StanzaError> {
    match value {
        "" => Ok(now),
        // §15.5.3 says `none`; older clients send nothing or zero.
        NO_LIMIT | "0" => Ok(None),
        number => number.parse().map(Some).map_err(|_| {
            StanzaError::not_acceptable().text(format!("This cannot be the value of {var}: {number}"))
        }),
    }
}

fn read_contacts(var: &str, values: &[String]) -> Result<Vec<String>, StanzaError> {
    let given: Vec<&str> =
        values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()).collect();
    if given.len() > limits::ROOM_CONTACTS {
        return Err(StanzaError::not_acceptable().text(format!("There are too many values in {var}.")));
    }
    given.into_iter().map(|value| Ok(crate::address::parse(value)?.to_bare().to_string())).collect()
}

fn too_long(var: &str) -> StanzaError {
    StanzaError::not_acceptable().text(format!("This is too long: {var}"))
}

#[cfg(test)]
mod tests;
