//! What a room is set to (XEP-0045 §6.4, §10): kept by the store as JSON that only this file knows.

use serde::{Deserialize, Serialize};

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
    /// Who sees the occupants' real addresses.
    pub whois: Audience,
    /// Whether those with voice set the subject, or moderators only.
    pub subject_by_participants: bool,
    /// Whether members invite others, or administrators and owners only.
    pub invites_by_members: bool,
    /// Whether those without voice ask for it (§7.13).
    pub voice_requests: bool,
    /// Who sends private messages to other occupants.
    pub private_messages: Audience,
    /// The most occupants; administrators and owners enter nevertheless. `None`: as many as the server allows.
    pub max_occupants: Option<u32>,
    /// The most messages that who enters is shown of what was said before (§7.2.13).
    pub history: u32,
    /// Messages are kept in the room's archive.
    pub archived: bool,
    /// Seconds that a participant waits after a message before the next; 0: none (XEP-0500).
    pub slow_mode: u32,
}

/// Some of those in a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// Everybody in the room.
    Anyone,
    /// Those with voice.
    Participants,
    /// Moderators only.
    Moderators,
    /// Nobody.
    Nobody,
}

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
            private_messages: Audience::Anyone,
            max_occupants: None,
            history: 25,
            archived: true,
            slow_mode: 0,
        }
    }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written_and_older_ones_too() {
        let config = RoomConfig { name: "Balcony".to_owned(), members_only: true, ..RoomConfig::default() };
        assert_eq!(RoomConfig::from_text(&config.to_text()), Some(config));
        assert_eq!(RoomConfig::from_text("{}"), Some(RoomConfig::default()));
        assert_eq!(RoomConfig::from_text("nonsense"), None);
    }
}
