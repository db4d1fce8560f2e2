//! What one account may learn of people it does not know, in a time: so much as somebody wants who looks for friends, and
//! too little for who collects addresses. In memory only: after a restart everybody begins anew.

use crate::address::Target;
use crate::{Core, Ctx, limits};
use parking_lot::Mutex;
use quick_cache::unsync::Cache;
use rookery_proto::Uid;
use rookery_proto::error::{ErrorType, StanzaError};
use rookery_proto::jid::{BareJid, Jid};
use rookery_store::Timestamp;

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// What accounts have learned.
pub struct Harvest {
    /// Searches in the directory.
    pub searches: Meter,
    /// People found in it.
    pub found: Meter,
    /// Numbers and names whose primary address was asked for.
    pub aliases: Meter,
}

impl Default for Harvest {
    fn default() -> Harvest {
        Harvest {
            searches: Meter::new(limits::SEARCHES_PER_HOUR),
            found: Meter::new(limits::FOUND_PER_HOUR),
            aliases: Meter::new(limits::ALIASES_PER_HOUR),
        }
    }
}

/// So many in an hour: all at once, or as they come.
pub struct Meter {
    per_hour: u32,
    /// When an account would be due if it had taken everything evenly.
    due: Mutex<Cache<Uid, i64>>,
}

impl Meter {
    fn new(per_hour: u32) -> Meter {
        Meter { per_hour, due: Mutex::new(Cache::new(limits::HARVESTERS)) }
    }

    /// Takes as many of `wanted` as there are left, and at least one; `what` says in an error what there were too many of
    /// (RFC 6120 §8.3.3.12: to be tried again later).
    pub fn take(&self, uid: Uid, wanted: u32, now: Timestamp, what: &str) -> Result<u32, StanzaError> {
        let each = HOUR / i64::from(self.per_hour);
        let mut all = self.due.lock();
        // Further ahead than an hour it cannot be, unless the clock was set back.
        let due =
            all.get(&uid).copied().filter(|due| *due <= now.0 + HOUR).map_or(now.0, |due| due.max(now.0));
        let left = (now.0 + HOUR - due) / each;
        let taken = i64::from(wanted).min(left);
        if taken == 0 && wanted > 0 {
            let minutes = (due + each - now.0 - HOUR).max(1).unsigned_abs().div_ceil(60_000);
            let wait = if minutes == 1 { "a minute".to_owned() } else { format!("{minutes} minutes") };
            let text = format!("{what} Try again in {wait}.");
            return Err(StanzaError::policy_violation().kind(ErrorType::Wait).text(text));
        }
        all.insert(uid, due + taken * each);
        Ok(u32::try_from(taken).unwrap_or(wanted))
    }
}

impl Ctx<'_> {
    /// The primary address behind `jid`, as [`Core::canonical`]. The name behind a number is nobody's secret, but neither is
    /// it there to be collected: of people who are not on the sender's list an account may ask for so many in an hour.
    /// Addresses that nobody has count too, so that the limit tells nothing of who exists.
    pub async fn resolved(&self, jid: BareJid) -> Result<BareJid, StanzaError> {
        let core: &Core = self.core;
        let target = core.target(&Jid::from(jid.clone())).await?;
        let address = match &target {
            Target::Account { member, .. } => &member.address,
            Target::Nobody => &jid,
            _ => return Ok(jid),
        };
        let named_so = matches!(target, Target::Account { .. }) && *address == jid;
        let known = *address == self.member.address
            || core.contacts_of(self.member.uid).await?.iter().any(|contact| contact.jid == *address);
        if !named_so && !known {
            let what = "You have asked for too many addresses of people who are not on your list.";
            core.harvest.aliases.take(self.member.uid, 1, core.env.now(), what)?;
        }
        Ok(address.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: Uid = Uid(1);

    fn take(meter: &Meter, wanted: u32, now: i64) -> Result<u32, String> {
        let taken = meter.take(UID, wanted, Timestamp(now), "Slow.");
        taken.map_err(|error| error.text.unwrap_or_default())
    }

    #[test]
    fn all_at_once_or_as_they_come() {
        let meter = Meter::new(4);
        assert_eq!(take(&meter, 3, 0), Ok(3));
        assert_eq!(take(&meter, 3, 0), Ok(1));
        assert_eq!(take(&meter, 0, 0), Ok(0));
        assert_eq!(take(&meter, 1, 0), Err("Slow. Try again in 15 minutes.".to_owned()));
        assert_eq!(take(&meter, 1, HOUR / 4 - 1), Err("Slow. Try again in a minute.".to_owned()));
        assert_eq!(take(&meter, 3, HOUR / 4), Ok(1));
        assert_eq!(take(&meter, 9, 9 * HOUR), Ok(4), "no more than an hour is saved up");
        assert_eq!(meter.take(Uid(2), 9, Timestamp(9 * HOUR), "").ok(), Some(4), "each account for itself");
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out() {
        let meter = Meter::new(1);
        assert_eq!(take(&meter, 1, 100 * HOUR), Ok(1));
        assert_eq!(take(&meter, 1, 0), Ok(1));
    }
}
