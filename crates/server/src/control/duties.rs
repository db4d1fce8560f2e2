//! Commands about groups on duty.

use jiff::Zoned;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rookery_core::accounts::AccountError;
use rookery_gateway::duty::rota;
use rookery_gateway::pager;
use rookery_store::{Cover, Duty, StoreError, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use super::{Admin, Response};

/// What a command about groups on duty wants.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DutyRequest {
    /// Make a group, or change who takes turns in it, and when. Who stands in stays.
    Set {
        /// What is paged.
        name: String,
        /// Accounts in the order of their turns.
        people: Vec<String>,
        /// How many days a turn has.
        days: u16,
        /// When turns end: `08:00`.
        at: String,
        /// The day on which the first turn begins: `2026-01-05`; `None`: today.
        since: Option<String>,
        /// The time zone, by its name in the IANA database.
        zone: String,
        /// Minutes after which the next person is told.
        patience: u32,
    },
    /// Somebody stands in.
    Cover {
        /// The group.
        name: String,
        /// Who.
        account: String,
        /// From when, by the clock of the group: `2026-01-05T08:00`.
        from: String,
        /// Until when.
        until: String,
    },
    /// Nobody stands in any more.
    Uncover {
        /// The group.
        name: String,
    },
    /// All groups.
    List,
    /// The turns to come, as a calendar (RFC 5545).
    Calendar {
        /// The group.
        name: String,
    },
    /// Remove a group.
    Remove {
        /// The group.
        name: String,
    },
}

/// A group as it is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DutyRow {
    /// What is paged.
    pub name: String,
    /// Whom a page would be told now, one after the other.
    pub on_duty: Vec<String>,
    /// How many days a turn has.
    pub days: u16,
    /// When turns end, and where that clock is.
    pub handover: String,
    /// Minutes after which the next person is told.
    pub patience: u32,
}

/// Why something cannot be done.
fn refused<T>(why: &str) -> Result<T, String> {
    Err(why.to_owned())
}

impl Admin {
    /// Does what is asked.
    pub(super) async fn duties(&self, request: DutyRequest) -> Result<Response, AccountError> {
        match request {
            DutyRequest::List => return self.list_duties().await,
            DutyRequest::Calendar { name } => return self.duty_calendar(&name).await,
            DutyRequest::Remove { name } => {
                let removed = self.store.remove_duty(&pager::number(&name).unwrap_or_default()).await?;
                return Ok(match removed {
                    true => Response::Done { what: format!("There is no group {name} any more.") },
                    false => Response::Refused { why: "There is no such group.".to_owned() },
                });
            }
            DutyRequest::Set { .. } | DutyRequest::Cover { .. } | DutyRequest::Uncover { .. } => {}
        }
        let duty = match self.changed_duty(request).await? {
            Ok(duty) => duty,
            Err(why) => return Ok(Response::Refused { why }),
        };
        let what = format!("{} is changed; rookery duty list shows who is on duty.", duty.name);
        match self.store.set_duty(duty).await {
            Ok(()) => Ok(Response::Done { what }),
            Err(StoreError::Invalid(_) | StoreError::Limit(_)) => Ok(Response::Refused {
                why: "There are too many people or times, or the name or a number does not fit.".to_owned(),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// The group as it is to be.
    async fn changed_duty(&self, request: DutyRequest) -> Result<Result<Duty, String>, AccountError> {
        match request {
            DutyRequest::Set { name, people, days, at, since, zone, patience } => {
                let Some(name) = pager::number(&name) else { return Ok(refused("This cannot be paged.")) };
                if self.accounts.find(&name).await.is_ok() || self.store.pager(&name).await?.is_some() {
                    return Ok(refused("An account is paged by this."));
                }
                let Ok(clock) = TimeZone::get(&zone) else {
                    return Ok(refused("There is no such time zone."));
                };
                let since = match since {
                    Some(since) => since.parse::<Date>().ok(),
                    None => Some(zoned(self.env.now(), &clock).date()),
                };
                let minute = at.split_once(':').and_then(|(hour, minute)| {
                    let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
                    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
                });
                let (Some(since), Some(minute)) = (since, minute) else {
                    return Ok(refused("Days are as in 2026-01-05, and times as in 08:00."));
                };
                let mut uids = Vec::new();
                for account in &people {
                    uids.push(self.accounts.find(account).await?.uid);
                }
                let covers = self.store.duty(&name).await?.map(|duty| duty.covers).unwrap_or_default();
                let (since, patience) = (rota::day(since), patience.saturating_mul(60));
                Ok(Ok(Duty { name, zone, days, minute, since, patience, people: uids, covers }))
            }
            DutyRequest::Cover { name, account, from, until } => {
                let Some(mut duty) = self.store.duty(&name.to_lowercase()).await? else {
                    return Ok(refused("There is no such group."));
                };
                let clock = TimeZone::get(&duty.zone).unwrap_or(TimeZone::UTC);
                let moment = |text: &str| {
                    let at = text.parse::<DateTime>().ok()?.to_zoned(clock.clone()).ok()?;
                    Some(Timestamp(at.timestamp().as_millisecond()))
                };
                let (Some(since), Some(until)) = (moment(&from), moment(&until)) else {
                    return Ok(refused("Times are as in 2026-01-05T08:00."));
                };
                if since >= until {
                    return Ok(refused("That would be over before it began."));
                }
                let now = self.env.now();
                duty.covers.retain(|cover| cover.until > now);
                duty.covers.push(Cover { uid: self.accounts.find(&account).await?.uid, since, until });
                Ok(Ok(duty))
            }
            DutyRequest::Uncover { name } => {
                let Some(duty) = self.store.duty(&name.to_lowercase()).await? else {
                    return Ok(refused("There is no such group."));
                };
                Ok(Ok(Duty { covers: Vec::new(), ..duty }))
            }
            DutyRequest::List | DutyRequest::Calendar { .. } | DutyRequest::Remove { .. } => {
                Ok(refused("Nothing is changed by this."))
            }
        }
    }

    async fn list_duties(&self) -> Result<Response, AccountError> {
        let now = self.env.now();
        let mut duties = Vec::new();
        for duty in self.store.duties().await? {
            let mut on_duty = Vec::new();
            for uid in rota::chain(&duty, now) {
                on_duty.push(self.known(uid).await?);
            }
            let handover = format!("{:02}:{:02} {}", duty.minute / 60, duty.minute % 60, duty.zone);
            let Duty { name, days, patience, .. } = duty;
            duties.push(DutyRow { name, on_duty, days, handover, patience: patience / 60 });
        }
        Ok(Response::Duties { duties })
    }

    async fn duty_calendar(&self, name: &str) -> Result<Response, AccountError> {
        let Some(duty) = self.store.duty(&name.to_lowercase()).await? else {
            return Ok(Response::Refused { why: "There is no such group.".to_owned() });
        };
        let mut names = HashMap::new();
        for uid in duty.people.iter().copied().chain(duty.covers.iter().map(|cover| cover.uid)) {
            names.insert(uid, self.known(uid).await?);
        }
        let name = |uid| names.get(&uid).cloned().unwrap_or_default();
        let calendar = rota::calendar(&duty, "rookery.im", self.env.now(), name);
        Ok(Response::Calendar { calendar })
    }
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Zoned {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(zone.clone())
}
