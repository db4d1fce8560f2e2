//! The folders themselves.

use rookery_proto::Uid;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Arrived, file, mails, removed};
use crate::sqlite::Tx;
use crate::sqlite::columns::{int, useq};
use crate::timeline::{Direction, Flags};
use crate::{Folder, FolderCounts, FolderId, FolderRole, Result, StoreError, Timestamp, limits};

/// What everybody has, and cannot lose.
const FIRST: [(&str, FolderRole); 6] = [
    ("INBOX", FolderRole::Inbox),
    ("Archive", FolderRole::Archive),
    ("Drafts", FolderRole::Drafts),
    ("Junk", FolderRole::Junk),
    ("Sent", FolderRole::Sent),
    ("Trash", FolderRole::Trash),
];

const FOLDER: &str = "id, name, role, validity, next, modseq, expunged, subscribed";

/// Mails of a slice of the log; an entry is looked for without its peer, as what is not archived is a mail as well.
pub(crate) const UNFILED: &str =
    "SELECT l.useq, l.message, l.direction, l.at, m.raw, l.flags FROM log l CROSS JOIN mail m ON m.message = l.message
     WHERE l.uid = ?1 AND l.useq > ?2 AND l.useq <= ?3 ORDER BY l.useq";

impl ToSql for FolderRole {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok((*self as u8).into())
    }
}

impl FromSql for FolderRole {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<FolderRole> {
        use FolderRole::*;
        let all = [Own, Inbox, Sent, Drafts, Junk, Trash, Archive];
        Ok(all.get(u8::column_result(value)? as usize).copied().unwrap_or_default())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Folder> {
    Ok(Folder {
        id: FolderId(row.get(0)?),
        name: row.get(1)?,
        role: row.get(2)?,
        validity: row.get(3)?,
        next: row.get(4)?,
        modseq: row.get::<_, i64>(5)? as u64,
        expunged: row.get::<_, i64>(6)? as u64,
        subscribed: row.get(7)?,
    })
}

pub(crate) fn open(tx: &mut Tx<'_>, owner: Uid, now: Timestamp) -> Result<bool> {
    let state: Option<(i64, bool)> = tx
        .conn
        .prepare_cached("SELECT filed, whole FROM imap_account WHERE uid = ?1")?
        .query_row([int(owner.0)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let filed = match state {
        Some((_, true)) => return Ok(true),
        Some((filed, false)) => filed,
        None => {
            begin(tx, owner, now)?;
            0
        }
    };
    let head = int(tx.last(owner)?.useq.0);
    let upto = head.min(filed.saturating_add(limits::FILING as i64));
    let mails: Vec<Arrived> = {
        let mut statement = tx.conn.prepare_cached(UNFILED)?;
        let rows = statement.query_map(params![int(owner.0), filed, upto], |row| {
            Ok(Arrived {
                uid: owner,
                useq: useq(row, 0)?,
                message: row.get(1)?,
                direction: if row.get(2)? { Direction::Out } else { Direction::In },
                at: row.get(3)?,
                raw: row.get(4)?,
                junk: row.get::<_, Flags>(5)?.has(Flags::JUNK),
            })
        })?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for mail in &mails {
        file(tx, mail)?;
    }
    let whole = upto == head;
    tx.conn
        .prepare_cached("UPDATE imap_account SET filed = ?2, whole = ?3 WHERE uid = ?1")?
        .execute(params![int(owner.0), upto, whole])?;
    if whole {
        super::flags::as_read(tx, owner)?;
    }
    Ok(whole)
}

fn begin(tx: &mut Tx<'_>, owner: Uid, now: Timestamp) -> Result<()> {
    let here = tx.conn.prepare_cached("SELECT 1 FROM account WHERE uid = ?1")?.exists([int(owner.0)])?;
    if !here {
        return Err(StoreError::NotFound);
    }
    tx.conn
        .prepare_cached("INSERT INTO imap_account (uid, validity, filed, whole) VALUES (?1, 0, 0, 0)")?
        .execute([int(owner.0)])?;
    for (name, role) in FIRST {
        insert(tx, owner, name, role, now)?;
    }
    Ok(())
}

fn insert(tx: &mut Tx<'_>, owner: Uid, name: &str, role: FolderRole, now: Timestamp) -> Result<()> {
    // RFC 9051 §2.3.1.1: greater than any before it, also where a folder of the same name was deleted.
    let validity: u32 = tx
        .conn
        .prepare_cached(
            "UPDATE imap_account SET validity = max(validity + 1, ?2) WHERE uid = ?1 RETURNING validity",
        )?
        .query_row(params![int(owner.0), now.0 / 1_000], |row| row.get(0))?;
    tx.conn
        .prepare_cached("INSERT INTO imap_folder (uid, name, role, validity) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![int(owner.0), name, role, validity])?;
    tx.folders_changed(owner);
    Ok(())
}

pub(crate) fn list(conn: &Connection, owner: Uid) -> Result<Vec<Folder>> {
    let sql = format!("SELECT {FOLDER} FROM imap_folder WHERE uid = ?1 ORDER BY role <> 1, name");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map([int(owner.0)], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn named(conn: &Connection, owner: Uid, name: &str) -> Result<Option<Folder>> {
    let sql = format!("SELECT {FOLDER} FROM imap_folder WHERE uid = ?1 AND name = ?2");
    Ok(conn.prepare_cached(&sql)?.query_row(params![int(owner.0), name], read).optional()?)
}

pub(crate) fn get(conn: &Connection, folder: FolderId) -> Result<Option<Folder>> {
    let sql = format!("SELECT {FOLDER} FROM imap_folder WHERE id = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([folder.0], read).optional()?)
}

/// The folder with this role, which everybody has who has folders.
pub(super) fn of_role(conn: &Connection, owner: Uid, role: FolderRole) -> Result<FolderId> {
    let mut statement =
        conn.prepare_cached("SELECT id FROM imap_folder WHERE uid = ?1 AND role = ?2 LIMIT 1")?;
    Ok(FolderId(statement.query_row(params![int(owner.0), role], |row| row.get(0))?))
}

/// What a folder is for.
pub(super) fn role(conn: &Connection, folder: FolderId) -> Result<FolderRole> {
    let mut statement = conn.prepare_cached("SELECT role FROM imap_folder WHERE id = ?1")?;
    Ok(statement.query_row([folder.0], |row| row.get(0))?)
}

/// Whether a folder is this account's.
pub(super) fn is_of(conn: &Connection, owner: Uid, folder: FolderId) -> Result<bool> {
    let mut statement = conn.prepare_cached("SELECT 1 FROM imap_folder WHERE id = ?1 AND uid = ?2")?;
    Ok(statement.exists([folder.0, int(owner.0)])?)
}

pub(crate) fn counts(conn: &Connection, folder: FolderId) -> Result<FolderCounts> {
    let mut statement = conn.prepare_cached(
        "SELECT count(*), count(*) FILTER (WHERE NOT flags & 1), count(*) FILTER (WHERE flags & 8), total(size)
         FROM imap_mail WHERE folder = ?1",
    )?;
    Ok(statement.query_row([folder.0], |row| {
        Ok(FolderCounts {
            mails: row.get::<_, i64>(0)? as u64,
            unseen: row.get::<_, i64>(1)? as u64,
            deleted: row.get::<_, i64>(2)? as u64,
            size: row.get::<_, f64>(3)? as u64,
        })
    })?)
}

/// Levels with something in them, and nothing that could not be shown or typed.
fn is_name(name: &str) -> bool {
    let level = |level: &str| !level.trim().is_empty() && !level.contains(|c: char| c.is_control());
    name.len() <= limits::FOLDER_NAME_BYTES
        && name.split('/').count() <= limits::FOLDER_DEPTH
        && name.split('/').all(level)
        && !name.contains(['%', '*'])
}

pub(crate) fn make(tx: &mut Tx<'_>, owner: Uid, name: &str, now: Timestamp) -> Result<()> {
    if !is_name(name) {
        return Err(StoreError::Invalid("name of the folder"));
    }
    if named(tx.conn, owner, name)?.is_some() {
        return Err(StoreError::Conflict);
    }
    let ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
    for end in ends {
        let there: i64 = tx
            .conn
            .prepare_cached("SELECT count(*) FROM imap_folder WHERE uid = ?1")?
            .query_row([int(owner.0)], |row| row.get(0))?;
        if named(tx.conn, owner, &name[..end])?.is_some() {
            continue;
        }
        if there >= limits::FOLDERS as i64 {
            return Err(StoreError::Limit("folders"));
        }
        insert(tx, owner, &name[..end], FolderRole::Own, now)?;
    }
    Ok(())
}

pub(crate) fn rename(tx: &mut Tx<'_>, owner: Uid, from: &str, to: &str, now: Timestamp) -> Result<()> {
    let folder = own(tx.conn, owner, from)?;
    if !is_name(to) || to.starts_with(&format!("{from}/")) {
        return Err(StoreError::Invalid("name of the folder"));
    }
    if named(tx.conn, owner, to)?.is_some() {
        return Err(StoreError::Conflict);
    }
    if let Some((above, _)) = to.rsplit_once('/')
        && named(tx.conn, owner, above)?.is_none()
    {
        make(tx, owner, above, now)?;
    }
    let below = format!("{from}/");
    for other in list(tx.conn, owner)? {
        let name = match other.name.strip_prefix(&below) {
            Some(rest) => format!("{to}/{rest}"),
            None if other.id == folder.id => to.to_owned(),
            None => continue,
        };
        if !is_name(&name) || named(tx.conn, owner, &name)?.is_some() {
            return Err(StoreError::Invalid("name of the folder"));
        }
        tx.conn
            .prepare_cached("UPDATE imap_folder SET name = ?2 WHERE id = ?1")?
            .execute(params![other.id.0, name])?;
    }
    tx.folders_changed(owner);
    Ok(())
}

/// A folder that its owner may do away with.
fn own(conn: &Connection, owner: Uid, name: &str) -> Result<Folder> {
    let folder = named(conn, owner, name)?.ok_or(StoreError::NotFound)?;
    if folder.role == FolderRole::Own { Ok(folder) } else { Err(StoreError::Invalid("folder")) }
}

pub(crate) fn remove(tx: &mut Tx<'_>, owner: Uid, name: &str) -> Result<bool> {
    let folder = own(tx.conn, owner, name)?;
    let uids = mails::uids(tx.conn, folder.id, 0, limits::SWEEP)?;
    for n in &uids {
        mails::take(tx, owner, folder.id, *n)?;
    }
    if uids.len() == limits::SWEEP {
        removed(tx, folder.id)?;
        return Ok(false);
    }
    tx.conn.prepare_cached("DELETE FROM imap_folder WHERE id = ?1")?.execute([folder.id.0])?;
    tx.folders_changed(owner);
    Ok(true)
}

pub(crate) fn subscribe(tx: &mut Tx<'_>, owner: Uid, name: &str, wanted: bool) -> Result<bool> {
    let sql = "UPDATE imap_folder SET subscribed = ?3 WHERE uid = ?1 AND name = ?2";
    Ok(tx.conn.prepare_cached(sql)?.execute(params![int(owner.0), name, wanted])? > 0)
}

/// The account is deleted.
pub(crate) fn erase(tx: &Tx<'_>, owner: Uid) -> Result<()> {
    for sql in [
        "DELETE FROM imap_mail WHERE folder IN (SELECT id FROM imap_folder WHERE uid = ?1)",
        "DELETE FROM imap_folder WHERE uid = ?1",
        "DELETE FROM imap_account WHERE uid = ?1",
    ] {
        tx.conn.prepare_cached(sql)?.execute([int(owner.0)])?;
    }
    Ok(())
}
