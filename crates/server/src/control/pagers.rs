//! Commands about pager numbers.

use rookery_core::accounts::AccountError;
use rookery_gateway::pager;
use rookery_store::{Pager, PagerDevice, StoreError};
use serde::{Deserialize, Serialize};

use super::{Admin, Response};

/// What a command about pager numbers wants.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PagerRequest {
    /// Give an account a pager number.
    Add {
        /// Whose.
        account: String,
        /// The number.
        number: String,
        /// The device behind it, if there is one.
        device: Option<DeviceRow>,
    },
    /// Pager numbers in their order, a part of them.
    List {
        /// Of this account only.
        account: Option<String>,
        /// From this number on, without it.
        after: String,
    },
    /// Take a pager number away.
    Remove {
        /// The number.
        number: String,
    },
}

/// A pager number as it is listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PagerRow {
    /// The number.
    pub number: String,
    /// Whose it is.
    pub account: String,
    /// The device behind it, if there is one.
    pub device: Option<DeviceRow>,
}

/// A pager that one carries.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeviceRow {
    /// The carrier, as the configuration names it.
    pub carrier: String,
    /// What the carrier calls the device.
    pub address: String,
    /// It shows digits alone.
    pub numeric: bool,
    /// It can answer.
    pub two_way: bool,
    /// The signs that it shows.
    pub length: u16,
}

impl Admin {
    /// Does what is asked.
    pub(super) async fn pagers(&self, request: PagerRequest) -> Result<Response, AccountError> {
        match request {
            PagerRequest::Add { account, number, device } => self.add_pager(&account, &number, device).await,
            PagerRequest::List { account, after } => self.list_pagers(account, &after).await,
            PagerRequest::Remove { number } => {
                let prepared = pager::number(&number).unwrap_or_default();
                let removed = self.store.remove_pager(&prepared).await?;
                Ok(match removed {
                    true => Response::Done { what: format!("The pager {number} is nobody's any more.") },
                    false => Response::Refused { why: "There is no such pager.".to_owned() },
                })
            }
        }
    }

    async fn add_pager(
        &self,
        account: &str,
        number: &str,
        device: Option<DeviceRow>,
    ) -> Result<Response, AccountError> {
        let refused = |why: &str| Ok(Response::Refused { why: why.to_owned() });
        let account = self.accounts.find(account).await?;
        let Some(number) = pager::number(number) else {
            return refused("A pager number has no spaces and no signs such as @ or /.");
        };
        // Accounts are paged by their own numbers and names: another's pager must not stand in their way, nor they in its.
        if self.store.duty(&number).await?.is_some() {
            return refused("A group on duty has this name.");
        }
        if self.accounts.find(&number).await.is_ok() {
            return refused("An account has this number or name: it is paged by it without a pager.");
        }
        let device = device.map(|row| {
            let DeviceRow { carrier, address, numeric, two_way, length } = row;
            PagerDevice { carrier, address, numeric, two_way, length }
        });
        let what = format!("{} is paged by {number}.", self.accounts.address(&account));
        let pager = Pager { number, uid: account.uid, device, at: self.env.now() };
        match self.store.add_pager(pager).await {
            Ok(()) => Ok(Response::Done { what }),
            Err(StoreError::Conflict) => refused("Somebody has this pager number."),
            Err(StoreError::Limit(_)) => refused("This account has as many pagers as one may have."),
            Err(StoreError::Invalid(_)) => refused("The number, the carrier or the address is too long."),
            Err(error) => Err(error.into()),
        }
    }

    async fn list_pagers(&self, account: Option<String>, after: &str) -> Result<Response, AccountError> {
        let uid = match account {
            Some(account) => Some(self.accounts.find(&account).await?.uid),
            None => None,
        };
        let mut pagers = Vec::new();
        for Pager { number, uid, device, .. } in self.store.pagers(uid, after).await? {
            let device = device.map(|device| {
                let PagerDevice { carrier, address, numeric, two_way, length } = device;
                DeviceRow { carrier, address, numeric, two_way, length }
            });
            pagers.push(PagerRow { number, account: self.known(uid).await?, device });
        }
        Ok(Response::Pagers { pagers })
    }
}
