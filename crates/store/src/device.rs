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
    /// When it last signed in, or was last there.
    pub last_seen: Timestamp,
    /// From where it last signed in.
    pub address: AddressKind,
    /// It is a machine that others use too.
    pub public: bool,
    /// It has signed in with the password that holds now.
    pub password: bool,
    /// It holds a token.
    pub token: bool,
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
    /// It is a machine that others use too. What was once said to be one stays one.
    pub public: bool,
}

impl Store {
    /// The account's devices, the one seen last at the beginning.
    pub async fn devices(&self, uid: Uid) -> Result<Vec<Device>> {
        self.read(move |conn| devices::list(conn, uid)).await
    }

    /// Public devices that came first at `before` or earlier, those of longest ago first; at most [`crate::limits::DEVICES`].
    pub async fn public_devices(&self, before: Timestamp) -> Result<Vec<(Uid, DeviceId)>> {
        self.read(move |conn| devices::public(conn, before)).await
    }

    /// A device, if there is such a one.
    pub async fn device(&self, uid: Uid, device: DeviceId) -> Result<Option<Device>> {
        self.look_up(move |conn| devices::get(conn, uid, device)).await
    }

    /// Notes when a device was last there; nothing happens if there is no such device.
    pub async fn touch_device(&self, uid: Uid, device: DeviceId, at: Timestamp) -> Result<()> {
        self.write(move |tx| devices::touch(tx, uid, device, at)).await
    }

    /// Forgets a device, its tokens and its registrations for push; false if there is none.
    pub async fn remove_device(&self, uid: Uid, device: DeviceId) -> Result<bool> {
        self.write(move |tx| devices::remove(tx, uid, device)).await
    }
}
