//! Hats (XEP-0317): what people are in a group beside their affiliation.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;

use crate::Result;
use crate::sqlite::hats;
use crate::store::Store;

/// A hat that a group has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hat {
    /// Names it to programs, in one group only one.
    pub uri: String,
    /// Names it to people.
    pub title: String,
    /// Its colour, as an angle in degrees.
    pub hue: Option<String>,
}

/// The hats of a group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hats {
    /// In the order of their URIs.
    pub known: Vec<Hat>,
    /// Who wears the hat of which URI.
    pub worn: Vec<(BareJid, String)>,
}

impl Store {
    /// The hats of a group, and who wears them.
    pub async fn hats(&self, group: Uid) -> Result<Hats> {
        self.read(move |conn| hats::all(conn, group)).await
    }

    /// Makes a hat, or changes the one of its URI. [`crate::StoreError::Limit`]: the group has
    /// [`crate::limits::HATS`] already. [`crate::StoreError::NotFound`]: there is no such group.
    pub async fn set_hat(&self, group: Uid, hat: Hat) -> Result<()> {
        self.write(move |tx| hats::set(tx, group, &hat)).await
    }

    /// Removes a hat; nobody wears it any more. False: there was none.
    pub async fn remove_hat(&self, group: Uid, uri: String) -> Result<bool> {
        self.write(move |tx| hats::remove(tx, group, &uri)).await
    }

    /// Gives a hat to somebody, or takes it away; whether that is news. [`crate::StoreError::NotFound`]: there is no such hat.
    /// [`crate::StoreError::Limit`]: [`crate::limits::HATS_WORN`] are given already.
    pub async fn wear_hat(&self, group: Uid, uri: String, who: BareJid, wears: bool) -> Result<bool> {
        self.write(move |tx| hats::wear(tx, group, &uri, &who, wears)).await
    }
}
