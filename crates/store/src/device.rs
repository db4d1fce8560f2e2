//! Devices: the applications that an account signs in with (XEP-0388: user agents), for its owner to look through and to
//! sign out.

use rookery_proto::Uid;

use crate::sqlite::devices;
use crate::store::Store;
use crate::{Result, Timestamp};

/// Which device of its account: made from what the application calls itself, which is not kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DeviceId(pub [u8; 10]);

/// What sort of address a device came from. The address itself is not kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AddressKind {
    /// Of the same machine or network.
    Local,
    /// A public IPv4 address.
    V4,
    /// A public IPv6 address.
    V6,
}

/// A device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// Which one.
    pub id: DeviceId,
    /// What the application is called.
    pub software: Option<String>,
    /// What its owner calls the machine.
    pub name: Option<String>,
    /// When it first signed in.
    pub first_seen: Timestamp,
    /// When it last signed in.
    pub last_seen: Timestamp,
    /// From where it last signed in.
    pub address: AddressKind,
}

/// A device that signs in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Which one.
    pub id: DeviceId,
    /// What the application is called; nothing leaves what was said before.
    pub software: Option<String>,
    /// What its owner calls the machine; nothing leaves what was said before.
    pub name: Option<String>,
    /// Now.
    pub at: Timestamp,
    /// From where.
    pub address: AddressKind,
}

impl Store {
    /// The account's devices, the one seen last at the beginning, at most `limit`.
    pub async fn devices(&self, uid: Uid, limit: usize) -> Result<Vec<Device>> {
        self.read(move |conn| devices::list(conn, uid, limit)).await
    }

    /// Notes that a device signs in. Beyond [`crate::limits::DEVICES`] the one that was not seen for longest goes, and
    /// its tokens with it. [`crate::StoreError::NotFound`]: there is no such account.
    pub async fn touch_device(&self, uid: Uid, seen: Seen) -> Result<()> {
        self.write(move |tx| devices::touch(tx, uid, &seen)).await
    }

    /// Forgets a device, and revokes its tokens; false if there is none.
    pub async fn remove_device(&self, uid: Uid, device: DeviceId) -> Result<bool> {
        self.write(move |tx| devices::remove(tx, uid, device)).await
    }
}
