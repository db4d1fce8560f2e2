//! How fast an account may go: messages, strangers it writes to, contacts it asks for, rooms it enters.
//!
//! Each pace is one number for an account (`rate.rs`), so that who keeps it pays a look-up in a table. The table is bounded
//! and in memory only: after a restart, or when it was not used for long, an account begins anew.

use crate::member::Member;
use crate::rate::{DAY, Early, Gauge, HOUR, MINUTE, Rate, SECOND};
use crate::{Core, limits, store_error};
use quick_cache::sync::Cache;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::subscription::State;
use rookery_store::Timestamp;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::address::Target;

/// What the operator allows; 0: no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Messages of one account in a second, in the long run; [`limits::MESSAGES_AT_ONCE`] times as many at once.
    pub messages_per_second: u32,
    /// Strangers that an account may write to in an hour, for the first time.
    pub strangers_per_hour: u32,
    /// The same in a day.
    pub strangers_per_day: u32,
    /// Contacts that an account may ask for in an hour; twice as many at once.
    pub subscriptions_per_hour: u32,
}

impl Limits {
    /// None.
    pub const OFF: Limits = Limits {
        messages_per_second: 0,
        strangers_per_hour: 0,
        strangers_per_day: 0,
        subscriptions_per_hour: 0,
    };
}

impl Default for Limits {
    /// What people do not notice: see the reference of the configuration for the reasons.
    fn default() -> Limits {
        Limits {
            messages_per_second: 50,
            strangers_per_hour: 60,
            strangers_per_day: 200,
            subscriptions_per_hour: 100,
        }
    }
}

/// The gauges of one account.
#[derive(Default)]
struct Gauges {
    messages: Gauge,
    strangers_of_hour: Gauge,
    strangers_of_day: Gauge,
    subscriptions: Gauge,
    joins: Gauge,
    previews: Gauge,
    codes: Gauge,
}

/// Who goes how fast.
pub struct Pace {
    messages: Option<Rate>,
    strangers_of_hour: Option<Rate>,
    strangers_of_day: Option<Rate>,
    subscriptions: Option<Rate>,
    joins: Option<Rate>,
    previews: Option<Rate>,
    codes: Option<Rate>,
    accounts: Cache<Uid, Arc<Gauges>>,
    /// Pairs that are known to be no strangers: an account, and the number of whom it writes to ([`stand_in`] where there is
    /// none).
    met: Cache<(Uid, u64), ()>,
}

impl Pace {
    /// Nobody has done anything yet.
    pub fn new(of: &Limits) -> Pace {
        let (hour, day, asked) = (of.strangers_per_hour, of.strangers_per_day, of.subscriptions_per_hour);
        let at_once = of.messages_per_second.saturating_mul(limits::MESSAGES_AT_ONCE);
        Pace {
            messages: Rate::new(of.messages_per_second, SECOND, at_once),
            strangers_of_hour: Rate::new(hour, HOUR, hour),
            strangers_of_day: Rate::new(day, DAY, day),
            subscriptions: Rate::new(asked, HOUR, asked.saturating_mul(2)),
            joins: Rate::new(limits::JOINS_PER_MINUTE, MINUTE, limits::JOINS_AT_ONCE),
            previews: Rate::new(limits::PREVIEWS_PER_MINUTE, MINUTE, limits::PREVIEWS_AT_ONCE),
            codes: Rate::new(limits::CODES_PER_MINUTE, MINUTE, limits::CODES_AT_ONCE),
            accounts: Cache::new(limits::PACED),
            met: Cache::new(limits::ACQUAINTANCES),
        }
    }

    /// One more message of an account.
    pub fn message(&self, member: &Member, now: Timestamp) -> Result<(), StanzaError> {
        let limit = |gauges: &Gauges, rate| gauges.messages.take(rate, 1, now);
        self.keep(self.messages, member, limit, "You send messages faster than this server takes them.")
    }

    /// One more request for a subscription.
    pub fn subscription(&self, member: &Member, now: Timestamp) -> Result<(), StanzaError> {
        let limit = |gauges: &Gauges, rate| gauges.subscriptions.take(rate, 1, now);
        self.keep(self.subscriptions, member, limit, "You have asked for too many contacts.")
    }

    /// One more room that an account enters.
    pub fn join(&self, member: &Member, now: Timestamp) -> Result<(), StanzaError> {
        let limit = |gauges: &Gauges, rate| gauges.joins.take(rate, 1, now);
        self.keep(self.joins, member, limit, "You enter groups too fast.")
    }

    /// One more link that an account has looked at.
    pub fn preview(&self, member: &Member, now: Timestamp) -> Result<(), StanzaError> {
        let limit = |gauges: &Gauges, rate| gauges.previews.take(rate, 1, now);
        self.keep(self.previews, member, limit, "You have too many links looked at.")
    }

    /// One more code of a waiting device that an account has typed in.
    pub fn code(&self, member: &Member, now: Timestamp) -> Result<(), StanzaError> {
        let limit = |gauges: &Gauges, rate| gauges.codes.take(rate, 1, now);
        self.keep(self.codes, member, limit, "You have typed in too many codes.")
    }

    /// One more stranger.
    fn stranger(&self, member: &Member, now: Timestamp) -> Result<(), StanzaError> {
        let text = "You have written to too many people who do not know you.";
        let day = |gauges: &Gauges, rate| gauges.strangers_of_day.take(rate, 1, now);
        let hour = |gauges: &Gauges, rate| gauges.strangers_of_hour.take(rate, 1, now);
        self.keep(self.strangers_of_hour, member, hour, text)?;
        self.keep(self.strangers_of_day, member, day, text)
    }

    fn keep(
        &self,
        rate: Option<Rate>,
        member: &Member,
        take: impl FnOnce(&Gauges, Rate) -> Result<u32, Early>,
        text: &str,
    ) -> Result<(), StanzaError> {
        let Some(rate) = rate.filter(|_| !member.unlimited) else { return Ok(()) };
        take(&self.gauges(member.uid), rate).map(drop).map_err(|early| early.refuse(text))
    }

    fn gauges(&self, uid: Uid) -> Arc<Gauges> {
        let made =
            self.accounts.get_or_insert_with(&uid, || Ok::<_, std::convert::Infallible>(Arc::default()));
        let Ok(gauges) = made;
        gauges
    }

    /// Whether strangers are counted at all.
    fn counts_strangers(&self) -> bool {
        self.strangers_of_hour.is_some() || self.strangers_of_day.is_some()
    }
}

/// A number for an address that is no account's, other than any account's.
fn stand_in(jid: &Jid) -> u64 {
    let mut hasher = DefaultHasher::new();
    jid.as_str().split('/').next().hash(&mut hasher);
    hasher.finish() | 1 << 63
}

impl Core {
    /// `from` writes to `named`: an account may do so to only so many people in a time who do not know it. Addresses that
    /// nobody has count too, so that the limit tells nothing of who exists.
    pub async fn approach(&self, from: &Member, named: Option<&Jid>, to: &Target) -> Result<(), StanzaError> {
        let Some(named) = named.filter(|_| self.pace.counts_strangers() && !from.unlimited) else {
            return Ok(());
        };
        let (who, theirs) = match to {
            Target::Account { member, .. } if member.uid == from.uid => return Ok(()),
            Target::Account { member, .. } => (member.uid.0, Some(&**member)),
            Target::Nobody | Target::Component(_) => (stand_in(named), None),
            // A group says itself whom it hears.
            Target::Server | Target::Groups | Target::Group { .. } | Target::Pubsub | Target::Elsewhere => {
                return Ok(());
            }
        };
        let pair = (from.uid, who);
        if self.pace.met.get(&pair).is_some() {
            return Ok(());
        }
        let peer = theirs.map_or_else(|| named.to_bare(), |member| member.address.clone());
        if !self.are_acquainted(from, peer, theirs).await? {
            self.pace.stranger(from, self.env.now())?;
        }
        self.pace.met.insert(pair, ());
        Ok(())
    }

    /// Whether the two have had to do with each other: one sees the other's presence, `theirs` has `from` in its roster, or
    /// there is a message between them.
    async fn are_acquainted(
        &self,
        from: &Member,
        peer: BareJid,
        theirs: Option<&Member>,
    ) -> Result<bool, StanzaError> {
        let mine = self.contacts_of(from.uid).await?;
        if mine.iter().any(|c| c.jid == peer && (c.state.has(State::TO) || c.state.has(State::FROM))) {
            return Ok(true);
        }
        if let Some(theirs) = theirs
            && (theirs.privacy.answered.contains(&from.address)
                || self.contacts_of(theirs.uid).await?.iter().any(|c| c.jid == from.address))
        {
            return Ok(true);
        }
        self.store.has_messages_with(from.uid, peer).await.map_err(store_error)
    }
}
