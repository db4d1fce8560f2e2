//! Who sees whom: the one place that decides it, for presence, last activity and whatever else is for those who may see
//! presence. Blocks (XEP-0191) are part of the answer; invisible sessions (XEP-0186) are not, as they are not seen by
//! anybody.

use crate::member::Member;
use crate::session::Session;
use crate::{Core, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::subscription::State;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use rookery_store::{Adding, Audience, PrivacySettings as Settings, Strangers};

/// What an account has decided about others, as each stanza asks for it.
#[derive(Debug, Default)]
pub struct Privacy {
    /// The settings.
    pub settings: Settings,
    /// Who sees the account whatever the settings say (true), or never (false).
    pub visibility: BTreeMap<BareJid, bool>,
    /// Strangers that the account has written to.
    pub answered: BTreeSet<BareJid>,
}

impl From<rookery_store::Privacy> for Privacy {
    fn from(kept: rookery_store::Privacy) -> Privacy {
        Privacy {
            settings: kept.settings,
            visibility: kept.visibility.into_iter().collect(),
            answered: kept.answered.into_iter().collect(),
        }
    }
}

/// What one address may learn of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sight {
    /// Its presence, as it changes: a subscriber from whom it is not hidden.
    pub watches: bool,
    /// Its presence, when it asks for it.
    pub presence: bool,
    /// Since when it is away. Never more than presence, which tells as much.
    pub last: bool,
}

impl Sight {
    const ALL: Sight = Sight { watches: true, presence: true, last: true };
    const NOTHING: Sight = Sight { watches: false, presence: false, last: false };
}

impl Member {
    /// Whether the account shows itself to `who`, who is subscribed to its presence or not. Blocks are not looked at.
    pub fn shows_itself(&self, who: &BareJid, subscribed: bool) -> bool {
        let asked = self.privacy.settings.presence.takes(subscribed);
        match self.privacy.visibility.get(who) {
            Some(false) => false,
            // A rule makes an exception from "nobody", and no subscription.
            Some(true) => asked || subscribed,
            None => asked,
        }
    }
}

/// Whether `audience` is a set that somebody, subscribed or not, belongs to.
trait Takes {
    fn takes(self, subscribed: bool) -> bool;
}

impl Takes for Audience {
    fn takes(self, subscribed: bool) -> bool {
        match self {
            Audience::Everybody => true,
            Audience::Contacts => subscribed,
            Audience::Nobody => false,
        }
    }
}

/// Whether neither of two resources is blocked by the other's account, so that presence may pass from one to the other
/// (XEP-0191 §3.2).
pub fn unblocked(one: &Member, its: &Session, other: &Member, theirs: &Session) -> bool {
    !one.blocks(&theirs.jid) && !other.blocks(&its.jid)
}

impl Core {
    /// What `who` may learn of `owner`.
    pub async fn sight(&self, owner: Uid, who: &Jid) -> Result<Sight, StanzaError> {
        let Some(owner) = self.directory.member(owner).await.map_err(store_error)? else {
            return Ok(Sight::NOTHING);
        };
        let bare = who.to_bare();
        if bare == owner.address {
            return Ok(Sight::ALL);
        }
        let contacts = self.contacts_of(owner.uid).await?;
        let subscribed = contacts.iter().any(|c| c.jid == bare && c.state.has(State::FROM));
        let presence = owner.shows_itself(&bare, subscribed) && !owner.blocks(who);
        let last = presence && owner.privacy.settings.last.takes(subscribed);
        Ok(Sight { watches: presence && subscribed, presence, last })
    }

    /// Whether `owner` lets `who` see its presence: a subscription `from` or `both`, and neither block nor rule against it.
    /// A group is seen by those who belong to it.
    pub async fn may_see(&self, owner: Uid, who: &Jid) -> Result<bool, StanzaError> {
        if let Some(belongs) = self.belongs(owner, &who.to_bare()).await? {
            return Ok(belongs);
        }
        Ok(self.sight(owner, who).await?.watches)
    }

    /// Changes an account's settings: stored when this returns, and contacts see at once what they may see now.
    pub async fn set_privacy(&self, uid: Uid, settings: Settings) -> Result<(), StanzaError> {
        let before = self.member_of(uid).await?;
        self.store.set_privacy(uid, settings).await.map_err(store_error)?;
        self.privacy_changed(&before).await?;
        if settings.strangers == Strangers::Accept {
            self.release_all(uid).await?;
        }
        Ok(())
    }

    /// Makes an account visible or invisible to one address, or ends the rule about it: stored when this returns, and the
    /// contact sees at once what it may see now.
    pub async fn set_visibility(
        &self,
        uid: Uid,
        who: BareJid,
        visible: Option<bool>,
    ) -> Result<(), StanzaError> {
        let before = self.member_of(uid).await?;
        let who = self.canonical(who).await?;
        self.store.set_visibility(uid, who, visible).await.map_err(store_error)?;
        self.privacy_changed(&before).await
    }

    async fn privacy_changed(&self, before: &Member) -> Result<(), StanzaError> {
        self.directory.changed(before.uid);
        let after = self.member_of(before.uid).await?;
        self.sight_changed(before, &after).await
    }

    /// The account with this number, which somebody just used.
    pub(crate) async fn member_of(&self, uid: Uid) -> Result<Arc<Member>, StanzaError> {
        self.directory.member(uid).await.map_err(store_error)?.ok_or_else(StanzaError::item_not_found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_store::ArchivePrefs;

    fn member(presence: Audience, rules: &[(&str, bool)]) -> Member {
        let address = |text: &str| BareJid::new(text).expect("an address");
        Member {
            uid: Uid(10_001),
            address: address("romeo@localhost"),
            epoch: 0,
            disabled: false,
            waits: false,
            admin: false,
            unlimited: false,
            blocked: BTreeSet::new(),
            prefs: ArchivePrefs::default(),
            privacy: Privacy {
                settings: Settings { presence, ..Settings::default() },
                visibility: rules.iter().map(|(jid, visible)| (address(jid), *visible)).collect(),
                answered: BTreeSet::new(),
            },
            reach: None,
        }
    }

    #[test]
    fn a_rule_comes_before_the_setting_and_is_no_subscription() {
        let rules = [("shown@localhost", true), ("hidden@localhost", false)];
        // Setting, address, and whether it sees: subscribed, not subscribed.
        let rows = [
            (Audience::Everybody, "other@localhost", true, true),
            (Audience::Everybody, "shown@localhost", true, true),
            (Audience::Everybody, "hidden@localhost", false, false),
            (Audience::Contacts, "other@localhost", true, false),
            (Audience::Contacts, "shown@localhost", true, false),
            (Audience::Contacts, "hidden@localhost", false, false),
            (Audience::Nobody, "other@localhost", false, false),
            (Audience::Nobody, "shown@localhost", true, false),
            (Audience::Nobody, "hidden@localhost", false, false),
        ];
        for (presence, who, subscribed, stranger) in rows {
            let member = member(presence, &rules);
            let who = BareJid::new(who).expect("an address");
            assert_eq!(member.shows_itself(&who, true), subscribed, "{presence:?} {who}");
            assert_eq!(member.shows_itself(&who, false), stranger, "{presence:?} {who}");
        }
    }
}
