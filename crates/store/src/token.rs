//! Tokens that devices sign in with (XEP-0484), and the one transaction of a sign-in.
//!
//! A device has at most two: the one it uses, and a newer one that it was sent and has not used yet. What is kept of a
//! token opens nothing: it is the part of it that was random, and the rest is a secret outside of the store.

use rookery_proto::Uid;

use crate::sqlite::tokens;
use crate::store::Store;
use crate::{Credentials, DeviceId, Result, Seen, Timestamp};

/// What was random in a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenSeed(pub [u8; 16]);

impl std::fmt::Debug for TokenSeed {
    // With the server's secret it is the token: it is not for the log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenSeed({:02x}…)", self.0[0])
    }
}

/// A token, without what makes it one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// What was random in it.
    pub seed: TokenSeed,
    /// The mechanism that it is good for; opaque to the store.
    pub mechanism: u8,
    /// Since when it exists.
    pub issued: Timestamp,
    /// From when on it is not valid. The store gives it out nevertheless: its owner is told.
    pub expires: Timestamp,
}

/// What somebody who signs in has proven to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proof {
    /// The password: these were the credentials.
    Password(Credentials),
    /// A token of the device.
    Token {
        /// Which one.
        seed: TokenSeed,
        /// How often the device says it has used the token (XEP-0484 §3.4): it must have grown, and who has counted
        /// once goes on counting.
        count: Option<u32>,
        /// The device wants to be signed out after this: none of its tokens is good any more.
        invalidate: bool,
    },
}

/// A sign-in that is about to succeed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignIn {
    /// What was proven.
    pub proof: Proof,
    /// The device that comes in, where the client says which it is: without one there are no tokens.
    pub seen: Option<Seen>,
    /// A token that the device is given.
    pub issue: Option<Token>,
}

impl Store {
    /// The device's tokens, at most two, the newest first.
    pub async fn tokens(&self, uid: Uid, device: DeviceId) -> Result<Vec<Token>> {
        self.look_up(move |conn| tokens::list(conn, uid, device)).await
    }

    /// The last word on a sign-in, all in one transaction: what was proven still holds, the device (if any) is noted, a token that
    /// was used makes older ones void, and a new one takes the place of another that was not used. Where all is noted already,
    /// and the device was seen within [`crate::limits::SEEN_LATELY_MS`], it is only looked at.
    ///
    /// [`crate::StoreError::NotFound`]: the account is gone or disabled, its password was changed or the token revoked
    /// meanwhile. [`crate::StoreError::Conflict`]: the count has been there before.
    pub async fn sign_in(&self, uid: Uid, sign_in: SignIn) -> Result<()> {
        if sign_in.seen.is_none() {
            // Nothing is to be noted.
            return self.look_up(move |conn| tokens::check_password(conn, uid, &sign_in.proof)).await;
        }
        let (known, sign_in) =
            self.look_up(move |conn| Ok((tokens::is_known(conn, uid, &sign_in)?, sign_in))).await?;
        if known {
            return Ok(());
        }
        self.write(move |tx| tokens::sign_in(tx, uid, &sign_in)).await
    }

    /// Notes a device that another let in, with the token that it is to come with.
    ///
    /// [`crate::StoreError::NotFound`]: the account is gone or disabled.
    pub async fn enroll(&self, uid: Uid, seen: Seen, token: Token) -> Result<()> {
        self.write(move |tx| tokens::enroll(tx, uid, &seen, &token)).await
    }
}
