//! One-time links.

use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, params};

use super::columns::int;
use super::{Tx, accounts, push};
use crate::account::Numbers;
use crate::link::{LinkHash, LinkPurpose};
use crate::{Account, Credentials, NewAccount, PushId, Result, StoreError, Timestamp};

pub(crate) fn create(
    tx: &mut Tx<'_>,
    hash: LinkHash,
    purpose: LinkPurpose,
    expires: Timestamp,
) -> Result<()> {
    let uid = match purpose {
        LinkPurpose::Administrator => None,
        LinkPurpose::Recovery(uid) if accounts::get(tx.conn, uid)?.is_none() => {
            return Err(StoreError::NotFound);
        }
        LinkPurpose::Recovery(uid) => Some(int(uid.0)),
    };
    // One a purpose: so there are never more than accounts.
    tx.conn.prepare_cached("DELETE FROM link WHERE uid IS ?1")?.execute([uid])?;
    tx.conn
        .prepare_cached("INSERT INTO link (hash, uid, expires) VALUES (?1, ?2, ?3)")?
        .execute(params![hash.0, uid, expires])?;
    Ok(())
}

pub(crate) fn get(conn: &Connection, hash: LinkHash, now: Timestamp) -> Result<Option<LinkPurpose>> {
    let mut statement = conn.prepare_cached(
        "SELECT uid FROM link WHERE hash = ?1 AND expires > ?2
         AND NOT EXISTS (SELECT 1 FROM account a WHERE a.uid = link.uid AND a.disabled)",
    )?;
    let uid = statement.query_row(params![hash.0, now], |row| row.get::<_, Option<i64>>(0)).optional()?;
    Ok(uid.map(|uid| match uid {
        None => LinkPurpose::Administrator,
        Some(uid) => LinkPurpose::Recovery(Uid(uid as u64)),
    }))
}

pub(crate) fn make_administrator(
    tx: &mut Tx<'_>,
    numbers: &Numbers,
    hash: LinkHash,
    now: Timestamp,
    new: NewAccount,
) -> Result<Account> {
    match get(tx.conn, hash, now)? {
        Some(LinkPurpose::Administrator) => {}
        _ => return Err(StoreError::NotFound),
    }
    let account = accounts::create(tx, numbers, new)?;
    accounts::set_admin(tx, account.uid, true)?;
    remove(tx, hash)?;
    Ok(account)
}

pub(crate) fn recover(
    tx: &mut Tx<'_>,
    hash: LinkHash,
    now: Timestamp,
    credentials: &Credentials,
    here: Option<&[String]>,
) -> Result<(Uid, Vec<PushId>)> {
    let Some(LinkPurpose::Recovery(uid)) = get(tx.conn, hash, now)? else { return Err(StoreError::NotFound) };
    // The link goes with the old password.
    accounts::set_credentials(tx, uid, credentials)?;
    let gone = match here {
        Some(here) => push::remove_lost(tx, uid, here)?,
        None => push::remove_all(tx, uid)?,
    };
    Ok((uid, gone))
}

fn remove(tx: &Tx<'_>, hash: LinkHash) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM link WHERE hash = ?1")?.execute([hash.0])?;
    Ok(())
}

/// Forgets the one that sets the password of this account.
pub(super) fn forget(tx: &Tx<'_>, uid: Uid) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM link WHERE uid = ?1")?.execute([int(uid.0)])?;
    Ok(())
}

/// Forgets those that have expired.
pub(super) fn sweep(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM link WHERE expires <= ?1")?.execute([now])?;
    Ok(())
}
