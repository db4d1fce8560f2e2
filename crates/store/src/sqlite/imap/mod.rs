//! Folders of mail. A folder's `modseq` rises with each change in it; `expunged` is the modseq of the last removal.

pub(crate) mod flags;
pub(crate) mod folders;
pub(crate) mod mails;

use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, OptionalExtension, params};

use super::Tx;
use super::columns::{int, uid};
use crate::timeline::Direction;
use crate::{FileToken, FolderId, FolderRole, MailFlags, NewFiled, Result, Timestamp};

/// A mail of the timeline that is to be filed.
pub(super) struct Arrived {
    pub(super) uid: Uid,
    pub(super) message: i64,
    pub(super) useq: Useq,
    pub(super) direction: Direction,
    pub(super) at: Timestamp,
    pub(super) raw: Option<FileToken>,
    pub(super) junk: bool,
}

/// Whether mails of an account are filed as they come. While its folders are being filled they come with the others.
pub(super) fn is_filing(conn: &Connection, owner: Uid) -> Result<bool> {
    let sql = "SELECT 1 FROM imap_account WHERE uid = ?1 AND whole = 1";
    Ok(conn.prepare_cached(sql)?.exists([int(owner.0)])?)
}

/// Into the inbox, to junk, or to what was sent.
pub(super) fn file(tx: &mut Tx<'_>, mail: &Arrived) -> Result<()> {
    let (role, flags) = match mail.direction {
        Direction::In if mail.junk => (FolderRole::Junk, MailFlags::default()),
        Direction::In => (FolderRole::Inbox, MailFlags::default()),
        Direction::Out => (FolderRole::Sent, MailFlags::SEEN),
    };
    let id = folders::of_role(tx.conn, mail.uid, role)?;
    let (n, modseq) = mails::next(tx, mail.uid, id)?;
    let size: Option<i64> = tx
        .conn
        .prepare_cached("SELECT size FROM upload WHERE token = ?1")?
        .query_row([mail.raw], |row| row.get(0))
        .optional()?;
    tx.conn
        .prepare_cached(
            "INSERT INTO imap_mail (folder, n, message, useq, raw, size, at, modseq, flags, keywords)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '')",
        )?
        .execute(params![
            id.0,
            n,
            mail.message,
            int(mail.useq.0),
            mail.raw.filter(|_| size.is_some()),
            size.unwrap_or(0),
            mail.at,
            modseq,
            flags.0
        ])?;
    Ok(())
}

/// A mail that is no message, into the inbox of who has folders.
pub(super) fn put_into_inbox(tx: &mut Tx<'_>, owner: Uid, new: &NewFiled) -> Result<()> {
    if !is_filing(tx.conn, owner)? {
        return Ok(());
    }
    let inbox = folders::of_role(tx.conn, owner, FolderRole::Inbox)?;
    mails::put(tx, owner, inbox, new).map(drop)
}

/// A body is gone, or empty: so is the mail, from all folders.
pub(super) fn forget(tx: &mut Tx<'_>, message: i64) -> Result<()> {
    gone(tx, "DELETE FROM imap_mail WHERE message = ?1 RETURNING folder", message)
}

/// An upload is gone, and with it a mail that was nothing else.
pub(super) fn forget_raw(tx: &mut Tx<'_>, raw: FileToken) -> Result<()> {
    gone(tx, "DELETE FROM imap_mail WHERE raw = ?1 AND message IS NULL RETURNING folder", raw)
}

fn gone(tx: &mut Tx<'_>, sql: &str, which: impl rusqlite::ToSql) -> Result<()> {
    let folders: Vec<i64> = {
        let mut statement = tx.conn.prepare_cached(sql)?;
        let rows = statement.query_map([which], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for folder in folders {
        removed(tx, FolderId(folder))?;
    }
    Ok(())
}

/// Something was removed from a folder.
fn removed(tx: &mut Tx<'_>, folder: FolderId) -> Result<()> {
    let sql = "UPDATE imap_folder SET modseq = modseq + 1, expunged = modseq + 1 WHERE id = ?1 RETURNING uid";
    let owner = tx.conn.prepare_cached(sql)?.query_row([folder.0], |row| uid(row, 0)).optional()?;
    owner.into_iter().for_each(|owner| tx.folders_changed(owner));
    Ok(())
}

/// The modseq of a change in a folder.
fn changed(tx: &mut Tx<'_>, folder: FolderId) -> Result<i64> {
    let sql = "UPDATE imap_folder SET modseq = modseq + 1 WHERE id = ?1 RETURNING uid, modseq";
    let (owner, modseq) =
        tx.conn.prepare_cached(sql)?.query_row([folder.0], |row| Ok((uid(row, 0)?, row.get(1)?)))?;
    tx.folders_changed(owner);
    Ok(modseq)
}
