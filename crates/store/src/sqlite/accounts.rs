//! Accounts and last activity.

use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::{int, uid};
use super::{Tx, invites, links, tokens};
use crate::account::Numbers;
use crate::{
    Account, AccountFilter, Credentials, Last, LoginName, NewAccount, Primary, Result, StoreError, limits,
};

const ACCOUNT: &str = "uid, name, primary_name, nick, created, disabled, epoch FROM account";

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        uid: uid(row, 0)?,
        name: row.get(1)?,
        primary: if row.get(2)? { Primary::Name } else { Primary::Number },
        nick: row.get(3)?,
        created: row.get(4)?,
        disabled: row.get(5)?,
        epoch: row.get(6)?,
    })
}

/// Makes one account. Refuses before it writes, so that an import can go on after a refusal.
pub(crate) fn create(tx: &mut Tx<'_>, numbers: &Numbers, new: NewAccount) -> Result<Account> {
    check(&new)?;
    if let Some(name) = &new.name {
        let mine = new.invite.map(|shown| shown.hash);
        if by_name(tx.conn, name)?.is_some() || invites::is_kept(tx.conn, name, new.created, mine)? {
            return Err(StoreError::Conflict);
        }
    }
    if let Some(shown) = new.invite {
        let invite = invites::get(tx.conn, shown.hash)?.ok_or(StoreError::InvalidInvite)?;
        let meant = invite.offer.name.is_none() || invite.offer.name == new.name;
        if !(invite.offer.account && meant) {
            return Err(StoreError::InvalidInvite);
        }
        invites::spend(tx, shown)?;
    }
    let uid = next_number(tx, numbers)?;
    tx.conn
        .prepare_cached(
            "INSERT INTO account (uid, name, primary_name, nick, created, epoch, credentials)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            int(uid.0),
            new.name,
            new.primary == Primary::Name,
            new.nick,
            new.created,
            new.epoch,
            new.credentials.0,
        ])?;
    let NewAccount { name, primary, nick, created, epoch, .. } = new;
    Ok(Account { uid, name, primary, nick, created, disabled: false, epoch })
}

/// Makes many; one that is refused does not hinder the others.
pub(crate) fn import(
    tx: &mut Tx<'_>,
    numbers: &Numbers,
    new: Vec<NewAccount>,
) -> Result<Vec<Result<Account>>> {
    let mut made = Vec::with_capacity(new.len());
    for new in new {
        match create(tx, numbers, new) {
            Err(fault) if fault.is_fault() => return Err(fault),
            answer => made.push(answer),
        }
    }
    Ok(made)
}

fn check(new: &NewAccount) -> Result<()> {
    if let Some(name) = &new.name {
        // A name of digits would be taken for a number (invariant 4).
        let number = name.bytes().all(|byte| byte.is_ascii_digit());
        if number || name.len() > limits::TEXT_BYTES {
            return Err(StoreError::Invalid("name"));
        }
    } else if new.primary == Primary::Name {
        return Err(StoreError::Invalid("primary address"));
    }
    check_nick(new.nick.as_deref())?;
    check_credentials(&new.credentials)
}

fn check_nick(nick: Option<&str>) -> Result<()> {
    let fits = nick.is_none_or(|nick| nick.len() <= limits::TEXT_BYTES);
    if fits { Ok(()) } else { Err(StoreError::Invalid("nickname")) }
}

fn check_credentials(credentials: &Credentials) -> Result<()> {
    let fits = credentials.0.len() <= limits::CREDENTIALS_BYTES;
    if fits { Ok(()) } else { Err(StoreError::Invalid("credentials")) }
}

/// Gives the next number that is nobody's, never was and is not kept back.
fn next_number(tx: &Tx<'_>, numbers: &Numbers) -> Result<Uid> {
    let last: Option<i64> = tx
        .conn
        .prepare_cached("SELECT value FROM counter WHERE name = 'uid'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let number = numbers.after(last.unwrap_or(0) as u64);
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO counter (name, value) VALUES ('uid', ?1)")?
        .execute([int(number)])?;
    Ok(Uid(number))
}

pub(crate) fn get(conn: &Connection, uid: Uid) -> Result<Option<Account>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {ACCOUNT} WHERE uid = ?1"))?;
    Ok(statement.query_row([int(uid.0)], account).optional()?)
}

pub(crate) fn by_name(conn: &Connection, name: &str) -> Result<Option<Account>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {ACCOUNT} WHERE name = ?1"))?;
    Ok(statement.query_row([name], account).optional()?)
}

pub(crate) fn list(
    conn: &Connection,
    after: Option<Uid>,
    filter: &AccountFilter,
    limit: usize,
) -> Result<Vec<Account>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {ACCOUNT} WHERE uid > ?1 AND (?2 IS NULL OR disabled = ?2)
         AND (?3 IS NULL OR substr(name, 1, length(?3)) = ?3)
         AND (?4 IS NULL OR instr(uid, ?4) = 1 OR instr(name, ?4) OR instr(lower(nick), ?4))
         ORDER BY uid LIMIT ?5"
    ))?;
    let words = filter.words.as_ref().map(|words| words.to_ascii_lowercase());
    let limit = limit.min(limits::ACCOUNTS_PAGE) as i64;
    let after = after.map_or(0, |uid| int(uid.0));
    let rows =
        statement.query_map(params![after, filter.disabled, filter.name_prefix, words, limit], account)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn count(conn: &Connection) -> Result<u64> {
    let count: i64 = conn.prepare_cached("SELECT count(*) FROM account")?.query_row([], |row| row.get(0))?;
    Ok(count as u64)
}

pub(crate) fn disabled_count(conn: &Connection) -> Result<u64> {
    let mut statement = conn.prepare_cached("SELECT count(*) FROM account WHERE disabled")?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
}

pub(crate) fn credentials(conn: &Connection, uid: Uid) -> Result<Option<Credentials>> {
    let mut statement = conn.prepare_cached("SELECT credentials FROM account WHERE uid = ?1")?;
    Ok(statement.query_row([int(uid.0)], |row| row.get(0).map(Credentials)).optional()?)
}

pub(crate) fn login(conn: &Connection, name: &LoginName) -> Result<Option<(Uid, Credentials)>> {
    let mut statement = conn
        .prepare_cached("SELECT uid, credentials FROM account WHERE uid = ?1 UNION ALL SELECT uid, credentials FROM account WHERE name = ?2")?;
    let (number, name) = match name {
        LoginName::Number(uid) => (Some(int(uid.0)), None),
        LoginName::Name(name) => (None, Some(name)),
    };
    let found =
        statement.query_row(params![number, name], |row| Ok((uid(row, 0)?, Credentials(row.get(1)?))));
    Ok(found.optional()?)
}

pub(crate) fn set_credentials(tx: &mut Tx<'_>, uid: Uid, credentials: &Credentials) -> Result<()> {
    check_credentials(credentials)?;
    tokens::revoke_all(tx, uid)?;
    // Who has a password again needs no link any more; nor should somebody else.
    links::forget(tx, uid)?;
    // What devices know is an old password now.
    tx.conn.prepare_cached("UPDATE device SET password = 0 WHERE uid = ?1")?.execute([int(uid.0)])?;
    found(
        tx.conn
            .prepare_cached("UPDATE account SET credentials = ?2 WHERE uid = ?1")?
            .execute(params![int(uid.0), credentials.0])?,
    )
}

pub(crate) fn upgrade_credentials(
    tx: &mut Tx<'_>,
    uid: Uid,
    old: &Credentials,
    new: &Credentials,
) -> Result<()> {
    check_credentials(new)?;
    let changed = tx
        .conn
        .prepare_cached("UPDATE account SET credentials = ?3 WHERE uid = ?1 AND credentials = ?2")?
        .execute(params![int(uid.0), old.0, new.0])?;
    if changed == 0 { Err(StoreError::Conflict) } else { Ok(()) }
}

pub(crate) fn set_disabled(tx: &mut Tx<'_>, uid: Uid, disabled: bool) -> Result<()> {
    if disabled {
        tokens::revoke_all(tx, uid)?;
    }
    found(
        tx.conn
            .prepare_cached("UPDATE account SET disabled = ?2 WHERE uid = ?1")?
            .execute(params![int(uid.0), disabled])?,
    )
}

pub(crate) fn new_epochs(tx: &mut Tx<'_>, by: u32) -> Result<()> {
    if by == 0 {
        return Err(StoreError::Invalid("number"));
    }
    tx.conn.prepare_cached("UPDATE account SET epoch = (epoch + ?1) & 4294967295")?.execute([by])?;
    tx.conn.prepare_cached("UPDATE room SET epoch = (epoch + ?1) & 4294967295")?.execute([by])?;
    Ok(())
}

pub(crate) fn set_nick(tx: &mut Tx<'_>, uid: Uid, nick: Option<&str>) -> Result<()> {
    check_nick(nick)?;
    found(
        tx.conn
            .prepare_cached("UPDATE account SET nick = ?2 WHERE uid = ?1")?
            .execute(params![int(uid.0), nick])?,
    )
}

pub(crate) fn set_admin(tx: &mut Tx<'_>, uid: Uid, admin: bool) -> Result<()> {
    if get(tx.conn, uid)?.is_none() {
        return Err(StoreError::NotFound);
    }
    if !admin {
        tx.conn.prepare_cached("DELETE FROM admin WHERE uid = ?1")?.execute([int(uid.0)])?;
        return Ok(());
    }
    if !is_admin(tx.conn, uid)? && admins(tx.conn)?.len() >= limits::ADMINS {
        return Err(StoreError::Limit("administrators"));
    }
    tx.conn.prepare_cached("INSERT OR IGNORE INTO admin (uid) VALUES (?1)")?.execute([int(uid.0)])?;
    Ok(())
}

pub(crate) fn set_unlimited(tx: &mut Tx<'_>, uid: Uid, unlimited: bool) -> Result<()> {
    if get(tx.conn, uid)?.is_none() {
        return Err(StoreError::NotFound);
    }
    let sql = match unlimited {
        true => "INSERT OR IGNORE INTO unlimited (uid) VALUES (?1)",
        false => "DELETE FROM unlimited WHERE uid = ?1",
    };
    tx.conn.prepare_cached(sql)?.execute([int(uid.0)])?;
    Ok(())
}

pub(crate) fn is_unlimited(conn: &Connection, uid: Uid) -> Result<bool> {
    Ok(conn.prepare_cached("SELECT 1 FROM unlimited WHERE uid = ?1")?.exists([int(uid.0)])?)
}

pub(crate) fn is_admin(conn: &Connection, uid: Uid) -> Result<bool> {
    Ok(conn.prepare_cached("SELECT 1 FROM admin WHERE uid = ?1")?.exists([int(uid.0)])?)
}

pub(crate) fn admins(conn: &Connection) -> Result<Vec<Uid>> {
    let mut statement = conn.prepare_cached("SELECT uid FROM admin ORDER BY uid LIMIT ?1")?;
    let rows = statement.query_map([limits::ADMINS as i64], |row| self::uid(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn found(changed: usize) -> Result<()> {
    if changed == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}

/// Removes the account and all that is its own but its log, which [`super::sweep`] erases in slices.
pub(crate) fn delete(tx: &mut Tx<'_>, uid: Uid) -> Result<()> {
    found(tx.conn.prepare_cached("DELETE FROM account WHERE uid = ?1")?.execute([int(uid.0)])?)?;
    for owned in [
        "DELETE FROM last WHERE uid = ?1",
        "DELETE FROM admin WHERE uid = ?1",
        "DELETE FROM factor WHERE uid = ?1",
        "DELETE FROM unlimited WHERE uid = ?1",
        "DELETE FROM stream WHERE uid = ?1",
        "DELETE FROM device WHERE uid = ?1",
        "DELETE FROM token WHERE uid = ?1",
        "DELETE FROM push WHERE uid = ?1",
        "DELETE FROM push_content WHERE uid = ?1",
        "DELETE FROM archive_default WHERE uid = ?1",
        "DELETE FROM archive_rule WHERE uid = ?1",
        "DELETE FROM retention WHERE uid = ?1",
        "DELETE FROM file_quota WHERE uid = ?1",
        "DELETE FROM block WHERE uid = ?1",
        "DELETE FROM privacy WHERE uid = ?1",
        "DELETE FROM visibility WHERE uid = ?1",
        "DELETE FROM answered WHERE uid = ?1",
        "DELETE FROM junk_sender WHERE uid = ?1",
        "DELETE FROM card WHERE uid = ?1",
        "DELETE FROM review WHERE uid = ?1",
        "DELETE FROM card_word WHERE uid = ?1",
        "DELETE FROM displayed WHERE uid = ?1",
        "DELETE FROM displayed_group WHERE uid = ?1",
        "DELETE FROM roster WHERE uid = ?1",
        "DELETE FROM roster_item WHERE uid = ?1",
        "DELETE FROM invite WHERE created_by = ?1",
        "DELETE FROM link WHERE uid = ?1",
        "DELETE FROM mail WHERE uid = ?1",
        "DELETE FROM outbox WHERE uid = ?1",
        "DELETE FROM mail_queue WHERE uid = ?1",
        "DELETE FROM sending WHERE uid = ?1",
        "DELETE FROM reach_plan WHERE uid = ?1",
        "DELETE FROM reach_rule WHERE uid = ?1",
        "DELETE FROM reach_allowed WHERE uid = ?1",
        "DELETE FROM reach_address WHERE uid = ?1",
        "DELETE FROM reach_case WHERE uid = ?1",
        "DELETE FROM call WHERE uid = ?1",
        "DELETE FROM pager WHERE uid = ?1",
        "DELETE FROM reminder WHERE uid = ?1",
        "DELETE FROM duty_person WHERE uid = ?1",
        "DELETE FROM duty_cover WHERE uid = ?1",
        "DELETE FROM duty_told WHERE uid = ?1",
        "UPDATE duty_page SET caller = 0 WHERE caller = ?1",
        "DELETE FROM sms_letter WHERE uid = ?1",
        "DELETE FROM sms_talk WHERE uid = ?1",
        "DELETE FROM phone_pin WHERE uid = ?1",
        "DELETE FROM phone_desk WHERE uid = ?1",
        // What it reported is the administrators' now; who it was is nobody's business any more.
        "UPDATE report SET reporter = 0 WHERE reporter = ?1",
        "INSERT INTO deleted (uid, erased) VALUES (?1, 0)",
    ] {
        tx.conn.prepare_cached(owned)?.execute([int(uid.0)])?;
    }
    super::imap::folders::erase(tx, uid)?;
    super::pubsub::erase(tx, uid)?;
    super::files::abandon(tx, uid)?;
    tx.forget(uid);
    Ok(())
}

pub(crate) fn set_last(tx: &mut Tx<'_>, uid: Uid, last: &Last) -> Result<()> {
    if last.status.as_ref().is_some_and(|status| status.len() > limits::TEXT_BYTES) {
        return Err(StoreError::Invalid("status"));
    }
    // The account may have been deleted while its last session ended.
    tx.conn
        .prepare_cached(
            "INSERT OR REPLACE INTO last (uid, at, status)
             SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM account WHERE uid = ?1)",
        )?
        .execute(params![int(uid.0), last.at, last.status])?;
    Ok(())
}

pub(crate) fn last(conn: &Connection, uid: Uid) -> Result<Option<Last>> {
    let mut statement = conn.prepare_cached("SELECT at, status FROM last WHERE uid = ?1")?;
    let last = statement.query_row([int(uid.0)], |row| Ok(Last { at: row.get(0)?, status: row.get(1)? }));
    Ok(last.optional()?)
}
