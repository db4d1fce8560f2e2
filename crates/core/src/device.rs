//! Devices: the installations of clients that an account signs in with (XEP-0388), and how one is signed out.

use crate::accounts::AccountError;
use crate::session::Session;
use crate::{Core, limits, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::stream::{StreamError, Why};
use rookery_store::{DeviceId, PushFilter, Registrant, StoreError, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a session's client is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Installation {
    /// Which device of the account.
    pub device: DeviceId,
    /// On a machine that others use too it is signed out then.
    pub until: Option<Timestamp>,
}

/// The same in the restart journal.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    device: [u8; 10],
    until: Option<i64>,
}

impl From<&Installation> for Record {
    fn from(installation: &Installation) -> Record {
        Record { device: installation.device.0, until: installation.until.map(|until| until.0) }
    }
}

impl From<Record> for Installation {
    fn from(record: Record) -> Installation {
        Installation { device: DeviceId(record.device), until: record.until.map(Timestamp) }
    }
}

/// Why a session ends that another device ended.
const SIGNED_OUT: &str = "Another of your devices signed this one out.";

/// Why a session ends that its own client ended for good.
const LEFT: &str = "You signed this device out.";

/// Why a session ends on a machine that others use too.
const TIME_OVER: &str = "This device is not yours alone: you are signed out after some hours.";

impl Session {
    /// Whether the session is of this device.
    pub fn is_of(&self, device: DeviceId) -> bool {
        self.installation.as_ref().is_some_and(|installation| installation.device == device)
    }

    /// Whether the session is on a machine that others use too and its time is over.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.installation
            .as_ref()
            .and_then(|installation| installation.until)
            .is_some_and(|until| until <= now)
    }
}

impl Core {
    /// Signs a device out: its tokens and registrations for push are gone, in the store when this returns, and its sessions
    /// end.
    pub async fn sign_out(&self, uid: Uid, device: DeviceId) -> Result<(), StanzaError> {
        self.forget_device(uid, device).await.map_err(store_error)?;
        let sessions = self.router.sessions(uid);
        self.sign_out_sessions(sessions.iter().filter(|session| session.is_of(device))).await;
        Ok(())
    }

    async fn forget_device(&self, uid: Uid, device: DeviceId) -> Result<(), StoreError> {
        self.unregister(uid, |by| by.device == Some(device)).await?;
        self.store.remove_device(uid, device).await.map(|_| ())
    }

    /// What signing a session's client out takes away: the device with its tokens, where it is one, and its registrations for push.
    pub(crate) async fn forget_client(&self, session: &Session) -> Result<(), StoreError> {
        match session.installation.as_deref() {
            Some(installation) => self.forget_device(session.uid, installation.device).await,
            // A client that says not which device it is has registered under its resource.
            None => {
                let own = |by: &Registrant| by.device.is_none() && by.resource == session.resource();
                self.unregister(session.uid, own).await
            }
        }
    }

    /// Ends a session whose client has signed itself out, and the others of the same device.
    pub(crate) async fn quit(&self, session: &Arc<Session>) {
        let device = session.installation.as_deref().map(|installation| installation.device);
        for other in self.router.sessions(session.uid) {
            let same = device.is_some_and(|device| other.is_of(device));
            if same || Arc::ptr_eq(&other, session) {
                self.end(&other, Some(StreamError::with("not-authorized", LEFT))).await;
            }
        }
    }

    /// Changes an account's password. Clients that are gone, and never said which device they are, lose their registrations for
    /// push with what waits for them: nobody could take those away later.
    pub async fn set_password(&self, uid: Uid, password: String) -> Result<(), AccountError> {
        let here = self.router.sessions(uid).iter().map(|session| session.resource().to_owned()).collect();
        let gone = self.accounts.set_password(uid, password, here).await?;
        self.pushes.forget(&gone);
        Ok(())
    }

    /// Removes registrations for push by who made them, and what waits for them.
    pub(crate) async fn unregister(
        &self,
        uid: Uid,
        of: impl Fn(&Registrant) -> bool,
    ) -> Result<(), StoreError> {
        let (pushes, _) = self.store.pushes(uid).await?;
        for push in pushes.iter().filter(|push| of(&push.by)) {
            let gone = self.store.remove_pushes(uid, PushFilter::Id(push.id)).await?;
            self.pushes.forget(&gone);
        }
        Ok(())
    }

    /// The time of a session on another's machine is over: the device is signed out.
    pub(crate) fn dismiss_device(&self, session: &Arc<Session>) {
        let Some(Installation { device, .. }) = session.installation.as_deref().copied() else { return };
        let (core, session) = (self.this.clone(), session.clone());
        tokio::spawn(async move {
            let Some(core) = core.upgrade() else { return };
            // Its tokens are as old as the session: none of them opens any more, whatever the store says.
            if let Err(error) = core.forget_device(session.uid, device).await {
                tracing::warn!(uid = session.uid.0, %error, "a device whose time is over is still listed");
            }
            core.end(&session, Some(StreamError::signed_out(Why::Time, TIME_OVER))).await;
        });
    }

    /// Forgets public devices whose time is over and that have no session: those that have are signed out with it. Called every
    /// few seconds.
    pub async fn forget_public_devices(&self) -> Result<(), StoreError> {
        let before = Timestamp(self.env.now().0 - limits::PUBLIC_LIFE_MS);
        for (uid, device) in self.store.public_devices(before).await? {
            if !self.router.sessions(uid).iter().any(|session| session.is_of(device)) {
                self.forget_device(uid, device).await?;
            }
        }
        Ok(())
    }

    /// Ends sessions that another device has signed out.
    pub async fn sign_out_sessions(&self, sessions: impl Iterator<Item = &Arc<Session>>) {
        for session in sessions {
            self.end(session, Some(StreamError::with("not-authorized", SIGNED_OUT))).await;
        }
    }
}
