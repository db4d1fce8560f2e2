//! Mails in folders.

use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{changed, folders, removed};
use crate::sqlite::Tx;
use crate::sqlite::columns::{int, useq};
use crate::sqlite::junk;
use crate::sqlite::timeline::{ENTRY, drop_pointers, entry};
use crate::timeline::{Entry, MessageId};
use crate::{
    Copied, FileToken, Filed, FolderId, FolderRole, Mail, MailFlags, NewFiled, Result, StoreError, Timestamp,
    limits,
};

const FILED: &str = "n, message, raw, size, at, modseq, flags, keywords";

/// One's own mails are made of messages that were sent a moment ago, or stand where a folder says.
pub(crate) const SOURCE: &str = "SELECT useq FROM imap_mail WHERE message = ?1 LIMIT 1";

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Filed> {
    Ok(Filed {
        n: row.get(0)?,
        message: row.get::<_, Option<i64>>(1)?.map(|id| MessageId(id as u64)),
        raw: row.get(2)?,
        size: row.get::<_, i64>(3)? as u64,
        at: row.get(4)?,
        modseq: row.get::<_, i64>(5)? as u64,
        flags: MailFlags(row.get(6)?),
        keywords: row.get(7)?,
    })
}

pub(crate) fn uids(conn: &Connection, folder: FolderId, after: u32, most: usize) -> Result<Vec<u32>> {
    let sql = "SELECT n FROM imap_mail WHERE folder = ?1 AND n > ?2 ORDER BY n LIMIT ?3";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(params![folder.0, after, most as i64], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn first_unseen(conn: &Connection, folder: FolderId) -> Result<Option<u32>> {
    let sql = "SELECT min(n) FROM imap_mail WHERE folder = ?1 AND NOT flags & 1";
    Ok(conn.prepare_cached(sql)?.query_row([folder.0], |row| row.get(0))?)
}

pub(super) fn one(conn: &Connection, folder: FolderId, n: u32) -> Result<Option<Filed>> {
    let sql = format!("SELECT {FILED} FROM imap_mail WHERE folder = ?1 AND n = ?2");
    Ok(conn.prepare_cached(&sql)?.query_row(params![folder.0, n], read).optional()?)
}

pub(crate) fn by_uids(conn: &Connection, folder: FolderId, uids: &[u32]) -> Result<Vec<Filed>> {
    let mut mails = Vec::with_capacity(uids.len().min(limits::PAGE));
    for n in uids.iter().take(limits::PAGE) {
        mails.extend(one(conn, folder, *n)?);
    }
    Ok(mails)
}

pub(crate) fn since(conn: &Connection, folder: FolderId, modseq: u64) -> Result<Vec<Filed>> {
    let sql = format!(
        "SELECT {FILED} FROM imap_mail WHERE folder = ?1 AND modseq > ?2 ORDER BY modseq, n LIMIT ?3"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params![folder.0, int(modseq), limits::PAGE as i64], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn source(conn: &Connection, owner: Uid, message: MessageId) -> Result<Option<(Mail, Entry)>> {
    let id = int(message.0);
    let Some(mail) = crate::sqlite::mail::get(conn, owner, id)? else { return Ok(None) };
    let place: Option<Useq> = conn.prepare_cached(SOURCE)?.query_row([id], |row| useq(row, 0)).optional()?;
    let Some(place) = place else { return Ok(None) };
    let sql = format!("SELECT {ENTRY} WHERE l.uid = ?1 AND l.useq = ?2");
    let found =
        conn.prepare_cached(&sql)?.query_row(params![int(owner.0), int(place.0)], entry).optional()?;
    Ok(found.map(|entry| (mail, entry)))
}

/// The UID of a folder's next mail, and the modseq with which it comes.
pub(super) fn next(tx: &mut Tx<'_>, owner: Uid, folder: FolderId) -> Result<(u32, i64)> {
    let (n, modseq) = tx
        .conn
        .prepare_cached(
            "UPDATE imap_folder SET next = next + 1, modseq = modseq + 1 WHERE id = ?1
             RETURNING next - 1, modseq",
        )?
        .query_row([folder.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    tx.folders_changed(owner);
    Ok((n, modseq))
}

/// Whether so many more have room in a folder.
fn check_room(conn: &Connection, folder: FolderId, more: usize) -> Result<()> {
    let there: i64 = conn
        .prepare_cached("SELECT count(*) FROM imap_mail WHERE folder = ?1")?
        .query_row([folder.0], |row| row.get(0))?;
    if there as usize + more > limits::FOLDER_MAILS {
        return Err(StoreError::Limit("mails in the folder"));
    }
    Ok(())
}

pub(crate) fn put(tx: &mut Tx<'_>, owner: Uid, folder: FolderId, new: &NewFiled) -> Result<(u32, u32)> {
    if !folders::is_of(tx.conn, owner, folder)? {
        return Err(StoreError::NotFound);
    }
    check_room(tx.conn, folder, 1)?;
    // No message names it, so it stays for itself.
    let size: Option<i64> = tx
        .conn
        .prepare_cached(
            "UPDATE upload SET due = NULL, purpose = 3 WHERE token = ?1 AND uid = ?2 AND blob IS NOT NULL
             RETURNING size",
        )?
        .query_row(params![new.raw, int(owner.0)], |row| row.get(0))
        .optional()?;
    let size = size.ok_or(StoreError::NotFound)?;
    let (n, modseq) = next(tx, owner, folder)?;
    let keywords = super::flags::joined("", &new.keywords);
    tx.conn
        .prepare_cached(
            "INSERT INTO imap_mail (folder, n, raw, size, at, modseq, flags, keywords)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![folder.0, n, new.raw, size, new.at, modseq, new.flags.0, keywords])?;
    Ok((validity(tx.conn, folder)?, n))
}

fn validity(conn: &Connection, folder: FolderId) -> Result<u32> {
    let mut statement = conn.prepare_cached("SELECT validity FROM imap_folder WHERE id = ?1")?;
    Ok(statement.query_row([folder.0], |row| row.get(0))?)
}

/// What a mail program copies or moves. Into Junk and out of it that says something of a mail and of its sender; what goes from there to
/// Trash stays what it is.
pub(crate) fn copy(
    tx: &mut Tx<'_>,
    owner: Uid,
    from: FolderId,
    to: FolderId,
    uids: &[u32],
    moving: bool,
) -> Result<Copied> {
    let mut copied = transfer(tx, owner, from, to, uids, moving)?;
    let junk = match (folders::role(tx.conn, from)?, folders::role(tx.conn, to)?) {
        (FolderRole::Junk, FolderRole::Junk | FolderRole::Trash) => return Ok(copied),
        (_, FolderRole::Junk) => true,
        (FolderRole::Junk, _) => false,
        _ => return Ok(copied),
    };
    for &(_, n) in &copied.uids {
        let sql = "SELECT useq FROM imap_mail WHERE folder = ?1 AND n = ?2 AND message IS NOT NULL";
        let place =
            tx.conn.prepare_cached(sql)?.query_row(params![to.0, n], |row| useq(row, 0)).optional()?;
        if let Some(place) = place {
            copied.released |= junk::judge(tx, owner, place, junk)?;
        }
    }
    Ok(copied)
}

/// Moves the mail at a place of the log from one folder to another, if it is there.
pub(in crate::sqlite) fn refile(
    tx: &mut Tx<'_>,
    owner: Uid,
    place: Useq,
    from: FolderRole,
    to: FolderRole,
) -> Result<()> {
    if !super::is_filing(tx.conn, owner)? {
        return Ok(());
    }
    let (from, to) = (folders::of_role(tx.conn, owner, from)?, folders::of_role(tx.conn, owner, to)?);
    let sql = "SELECT i.n FROM log l CROSS JOIN imap_mail i ON i.message = l.message
         WHERE l.uid = ?1 AND l.useq = ?2 AND i.folder = ?3";
    let there = params![int(owner.0), int(place.0), from.0];
    let n = tx.conn.prepare_cached(sql)?.query_row(there, |row| row.get(0)).optional()?;
    if let Some(n) = n {
        transfer(tx, owner, from, to, &[n], true)?;
    }
    Ok(())
}

fn transfer(
    tx: &mut Tx<'_>,
    owner: Uid,
    from: FolderId,
    to: FolderId,
    uids: &[u32],
    moving: bool,
) -> Result<Copied> {
    if uids.len() > limits::SWEEP {
        return Err(StoreError::Limit("mails at a time"));
    }
    if !folders::is_of(tx.conn, owner, from)? || !folders::is_of(tx.conn, owner, to)? {
        return Err(StoreError::NotFound);
    }
    check_room(tx.conn, to, uids.len())?;
    let mut copied = Copied { validity: validity(tx.conn, to)?, ..Copied::default() };
    for &n in uids {
        let there = one(tx.conn, from, n)?.is_some();
        if !there {
            continue;
        }
        let (new, modseq) = next(tx, owner, to)?;
        tx.conn
            .prepare_cached(
                "INSERT INTO imap_mail (folder, n, message, useq, raw, size, at, modseq, flags, keywords)
                 SELECT ?3, ?4, message, useq, raw, size, at, ?5, flags, keywords FROM imap_mail
                 WHERE folder = ?1 AND n = ?2",
            )?
            .execute(params![from.0, n, to.0, new, modseq])?;
        if moving {
            tx.conn
                .prepare_cached("DELETE FROM imap_mail WHERE folder = ?1 AND n = ?2")?
                .execute(params![from.0, n])?;
        }
        copied.uids.push((n, new));
    }
    if moving && !copied.uids.is_empty() {
        removed(tx, from)?;
    }
    Ok(copied)
}

pub(crate) fn expunge(tx: &mut Tx<'_>, owner: Uid, folder: FolderId, uids: &[u32]) -> Result<Vec<u32>> {
    if uids.len() > limits::SWEEP {
        return Err(StoreError::Limit("mails at a time"));
    }
    if !folders::is_of(tx.conn, owner, folder)? {
        return Err(StoreError::NotFound);
    }
    let mut expunged = Vec::new();
    for &n in uids {
        if one(tx.conn, folder, n)?.is_some_and(|mail| mail.flags.has(MailFlags::DELETED)) {
            take(tx, owner, folder, n)?;
            expunged.push(n);
        }
    }
    if !expunged.is_empty() {
        removed(tx, folder)?;
    }
    Ok(expunged)
}

/// Takes a mail out of a folder; with its last folder it is gone.
pub(super) fn take(tx: &mut Tx<'_>, owner: Uid, folder: FolderId, n: u32) -> Result<()> {
    let row: Option<(Option<i64>, Option<i64>, Option<FileToken>)> = tx
        .conn
        .prepare_cached("DELETE FROM imap_mail WHERE folder = ?1 AND n = ?2 RETURNING message, useq, raw")?
        .query_row(params![folder.0, n], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match row {
        Some((Some(message), Some(place), _)) => {
            let sql = "SELECT 1 FROM imap_mail WHERE message = ?1";
            if !tx.conn.prepare_cached(sql)?.exists([message])? {
                drop_pointers(tx, owner, &[Useq(place as u64)])?;
            }
        }
        Some((None, _, Some(raw))) => {
            let sql = "SELECT 1 FROM imap_mail WHERE raw = ?1 AND message IS NULL";
            if !tx.conn.prepare_cached(sql)?.exists([raw])? {
                let sql = "UPDATE upload SET due = ?2, purpose = 2 WHERE token = ?1";
                tx.conn.prepare_cached(sql)?.execute(params![raw, Timestamp(0)])?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// A mail is another now.
pub(super) fn set(tx: &mut Tx<'_>, folder: FolderId, mail: &mut Filed) -> Result<()> {
    let modseq = changed(tx, folder)?;
    mail.modseq = modseq as u64;
    tx.conn
        .prepare_cached(
            "UPDATE imap_mail SET flags = ?3, keywords = ?4, modseq = ?5 WHERE folder = ?1 AND n = ?2",
        )?
        .execute(params![folder.0, mail.n, mail.flags.0, mail.keywords, modseq])?;
    Ok(())
}
