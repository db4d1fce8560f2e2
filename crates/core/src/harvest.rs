//! What one account may learn of people it does not know, in a time: so much as somebody wants who looks for friends, and
//! too little for who collects addresses. In memory only: after a restart everybody begins anew.

use crate::address::Target;
use crate::rate::{Gauge, HOUR, Rate};
use crate::{Core, Ctx, limits};
use quick_cache::sync::Cache;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_store::Timestamp;
use std::sync::Arc;

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
    rate: Option<Rate>,
    gauges: Cache<Uid, Arc<Gauge>>,
}

impl Meter {
    fn new(per_hour: u32) -> Meter {
        Meter { rate: Rate::new(per_hour, HOUR, per_hour), gauges: Cache::new(limits::HARVESTERS) }
    }

    /// Takes as many of `wanted` as there are left, and at least one; `what` says in an error what there were too many of.
    pub fn take(&self, uid: Uid, wanted: u32, now: Timestamp, what: &str) -> Result<u32, StanzaError> {
        let Some(rate) = self.rate else { return Ok(wanted) };
        let Ok(gauge) =
            self.gauges.get_or_insert_with(&uid, || Ok::<_, std::convert::Infallible>(Arc::default()));
        gauge.take(rate, wanted, now).map_err(|early| early.refuse(what))
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
