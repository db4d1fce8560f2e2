//! Tokens, and the transaction of a sign-in.

use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::int;
use super::{Tx, devices};
use crate::{DeviceId, Proof, Result, Seen, SignIn, StoreError, Token, TokenSeed};

/// The slot of the token that a device uses, and of the one that it has not used yet (XEP-0484 §5.1).
const CURRENT: u8 = 0;
const NEW: u8 = 1;

fn token(row: &Row<'_>) -> rusqlite::Result<Token> {
    Ok(Token { seed: row.get(0)?, mechanism: row.get(1)?, issued: row.get(2)?, expires: row.get(3)? })
}

pub(crate) fn list(conn: &Connection, uid: Uid, device: DeviceId) -> Result<Vec<Token>> {
    let mut statement = conn.prepare_cached(
        "SELECT seed, mechanism, issued, expires FROM token WHERE uid = ?1 AND device = ?2 ORDER BY slot DESC",
    )?;
    let rows = statement.query_map(params![int(uid.0), device], token)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether somebody who comes without a device may come in: with the password that the account still has.
pub(crate) fn check_password(conn: &Connection, uid: Uid, proof: &Proof) -> Result<()> {
    match proof {
        Proof::Password(proven) if proven.0 == credentials(conn, uid)? => Ok(()),
        _ => Err(StoreError::NotFound),
    }
}

pub(crate) fn sign_in(tx: &mut Tx<'_>, uid: Uid, sign_in: &SignIn) -> Result<()> {
    let Some(seen) = &sign_in.seen else { return check_password(tx.conn, uid, &sign_in.proof) };
    match &sign_in.proof {
        Proof::Password(_) => check_password(tx.conn, uid, &sign_in.proof)?,
        Proof::Token { seed, count, invalidate } => {
            credentials(tx.conn, uid)?;
            spend(tx, uid, seen.id, *seed, *count)?;
            if *invalidate {
                revoke(tx, uid, seen.id)?;
            }
        }
    }
    devices::enter(tx, uid, seen, matches!(sign_in.proof, Proof::Password(_)))?;
    match &sign_in.issue {
        Some(token) => issue(tx, uid, seen.id, token),
        None => Ok(()),
    }
}

/// Whether a sign-in is good and nothing is to be noted of it: the device is known as it comes, was seen lately, and uses its
/// current token, without counting. A reconnecting client mostly comes so, and costs no transaction.
pub(crate) fn is_known(conn: &Connection, uid: Uid, sign_in: &SignIn) -> Result<bool> {
    let SignIn { proof, seen: Some(seen), issue: None } = sign_in else { return Ok(false) };
    match proof {
        Proof::Password(_) => check_password(conn, uid, proof)?,
        Proof::Token { seed, count: None, invalidate: false } => {
            credentials(conn, uid)?;
            let current = conn
                .prepare_cached(
                    "SELECT 1 FROM token WHERE uid = ?1 AND device = ?2 AND slot = ?3 AND seed = ?4 AND count = 0",
                )?
                .exists(params![int(uid.0), seen.id, CURRENT, seed])?;
            if !current {
                return Ok(false);
            }
        }
        Proof::Token { .. } => return Ok(false),
    }
    devices::is_known(conn, uid, seen, matches!(proof, Proof::Password(_)))
}

/// Keys of an account that somebody may sign in to.
fn credentials(conn: &Connection, uid: Uid) -> Result<Vec<u8>> {
    let mut statement =
        conn.prepare_cached("SELECT credentials FROM account WHERE uid = ?1 AND NOT disabled")?;
    statement.query_row([int(uid.0)], |row| row.get(0)).optional()?.ok_or(StoreError::NotFound)
}

pub(crate) fn enroll(tx: &mut Tx<'_>, uid: Uid, seen: &Seen, token: &Token) -> Result<()> {
    credentials(tx.conn, uid)?;
    devices::enter(tx, uid, seen, false)?;
    issue(tx, uid, seen.id, token)
}

/// A token was used: it is the device's current one from now on, and all older ones are void.
fn spend(tx: &Tx<'_>, uid: Uid, device: DeviceId, seed: TokenSeed, count: Option<u32>) -> Result<()> {
    let found: Option<(u8, u32)> = tx
        .conn
        .prepare_cached("SELECT slot, count FROM token WHERE uid = ?1 AND device = ?2 AND seed = ?3")?
        .query_row(params![int(uid.0), device, seed], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (slot, last) = found.ok_or(StoreError::NotFound)?;
    // XEP-0484 §3.4: a count is good once. Who has never counted need not begin.
    if count.unwrap_or(0) <= last && !(count.is_none() && last == 0) {
        return Err(StoreError::Conflict);
    }
    if slot == NEW {
        let older = "DELETE FROM token WHERE uid = ?1 AND device = ?2 AND slot = ?3";
        tx.conn.prepare_cached(older)?.execute(params![int(uid.0), device, CURRENT])?;
    }
    tx.conn
        .prepare_cached(
            "UPDATE token SET slot = ?4, count = ?5 WHERE uid = ?1 AND device = ?2 AND slot = ?3",
        )?
        .execute(params![int(uid.0), device, slot, CURRENT, count.unwrap_or(last)])?;
    Ok(())
}

/// Gives the device a new token; the one it uses stays good until this one is used (XEP-0484 §3.5). The first one is at once the
/// one it uses.
fn issue(tx: &Tx<'_>, uid: Uid, device: DeviceId, token: &Token) -> Result<()> {
    let Token { seed, mechanism, issued, expires } = token;
    tx.conn
        .prepare_cached(
            "INSERT OR REPLACE INTO token (uid, device, slot, seed, mechanism, issued, expires, count)
             SELECT ?1, ?2, CASE WHEN EXISTS (SELECT 1 FROM token WHERE uid = ?1 AND device = ?2 AND slot = ?3)
                 THEN ?4 ELSE ?3 END, ?5, ?6, ?7, ?8, 0",
        )?
        .execute(params![int(uid.0), device, CURRENT, NEW, seed, mechanism, issued, expires])?;
    Ok(())
}

/// Makes all tokens of a device void.
pub(crate) fn revoke(tx: &Tx<'_>, uid: Uid, device: DeviceId) -> Result<()> {
    tx.conn
        .prepare_cached("DELETE FROM token WHERE uid = ?1 AND device = ?2")?
        .execute(params![int(uid.0), device])?;
    Ok(())
}

/// Makes all tokens of an account void.
pub(crate) fn revoke_all(tx: &Tx<'_>, uid: Uid) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM token WHERE uid = ?1")?.execute([int(uid.0)])?;
    Ok(())
}
