//! Uploads, the bytes behind them, and what names them.

use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, Row, params};
use smallvec::SmallVec;

use super::columns::{int, uid};
use super::{Tx, imap};
use crate::file::{
    Blob, FileHash, FilePurpose, FileQuota, FileToken, FileUsage, ListedUpload, NewUpload, Room, Upload,
    UploadFilter, named,
};
use crate::timeline::{Append, Direction};
use crate::{Result, StoreError, Timestamp, limits};

const UPLOAD: &str =
    "u.token, u.uid, u.name, u.media_type, u.size, u.purpose, u.at, u.due, b.hash, b.width, b.height";
const FROM: &str = "FROM upload u LEFT JOIN blob b ON b.id = u.blob";

/// What all files take is counted as they come and go: adding it up would read every row. What was asked for and has not
/// come is promised.
const FILES: &str = "files";
const BYTES: &str = "file_bytes";
const PROMISED: &str = "file_bytes_promised";

fn read(row: &Row<'_>) -> rusqlite::Result<Upload> {
    let hash: Option<FileHash> = row.get(8)?;
    let (width, height): (Option<u32>, Option<u32>) = (row.get(9)?, row.get(10)?);
    Ok(Upload {
        token: row.get(0)?,
        uid: uid(row, 1)?,
        name: row.get(2)?,
        media_type: row.get(3)?,
        size: row.get::<_, i64>(4)? as u64,
        purpose: row.get(5)?,
        at: row.get(6)?,
        due: row.get(7)?,
        blob: hash.map(|hash| Blob { hash, dimensions: width.zip(height) }),
    })
}

pub(crate) fn open(tx: &mut Tx<'_>, new: &NewUpload, quota: FileQuota) -> Result<Room> {
    if new.name.len() > limits::FILE_NAME_BYTES || new.media_type.len() > limits::MEDIA_TYPE_BYTES {
        return Err(StoreError::Invalid("name of the file"));
    }
    if tx.conn.prepare_cached("SELECT 1 FROM deleted WHERE uid = ?1")?.exists([int(new.uid.0)])? {
        return Err(StoreError::NotFound);
    }
    if let Some(refused) = refused(tx.conn, new, quota)? {
        return Ok(refused);
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO upload (token, uid, name, media_type, size, purpose, at, due)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            new.token,
            int(new.uid.0),
            new.name,
            new.media_type,
            int(new.size),
            new.purpose,
            new.at,
            new.due
        ])?;
    add(tx, PROMISED, int(new.size))?;
    Ok(Room::Given)
}

/// Why there is no room, if there is none.
fn refused(conn: &Connection, new: &NewUpload, quota: FileQuota) -> Result<Option<Room>> {
    let owner = int(new.uid.0);
    let (open, until): (i64, Option<Timestamp>) = conn
        .prepare_cached("SELECT count(*), min(due) FROM upload WHERE uid = ?1 AND blob IS NULL AND due > ?2")?
        .query_row(params![owner, new.at], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if open >= limits::OPEN_UPLOADS as i64 {
        return Ok(Some(Room::Busy(until.unwrap_or(new.at))));
    }
    let FileUsage { files, bytes: used } = usage(conn, new.uid)?;
    let most = self::quota(conn, new.uid)?.or(quota.account);
    let more = most.is_some_and(|most| used.saturating_add(new.size) > most);
    if more || files >= limits::UPLOADS as u64 {
        let until = conn
            .prepare_cached("SELECT min(due) FROM upload WHERE uid = ?1 AND due > ?2")?
            .query_row(params![owner, new.at], |row| row.get(0))?;
        return Ok(Some(Room::Quota { used, until }));
    }
    let full = |most| -> Result<bool> {
        let taken = stored(conn)?.bytes.saturating_add(counted(conn, PROMISED)?);
        Ok(taken.saturating_add(new.size) > most)
    };
    Ok(quota.total.map(full).transpose()?.unwrap_or(false).then_some(Room::Full))
}

pub(crate) fn upload(conn: &Connection, token: FileToken) -> Result<Option<Upload>> {
    let sql = format!("SELECT {UPLOAD} {FROM} WHERE u.token = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([token], read).optional()?)
}

pub(crate) fn uploads(
    conn: &Connection,
    filter: &UploadFilter,
    before: Option<u64>,
) -> Result<Vec<ListedUpload>> {
    let sql = format!(
        "SELECT {UPLOAD}, u.id, (SELECT count(*) FROM upload_ref r WHERE r.upload = u.id) {FROM}
         WHERE (?1 IS NULL OR u.id < ?1) AND (?2 IS NULL OR u.uid = ?2) AND u.size >= ?3
             AND (?4 IS NULL OR substr(u.media_type, 1, length(?4)) = ?4) AND (?5 IS NULL OR u.at < ?5)
             AND NOT (?6 AND EXISTS (SELECT 1 FROM upload_ref r WHERE r.upload = u.id))
         ORDER BY u.id DESC LIMIT ?7"
    );
    let UploadFilter { uid, at_least, media_type, before: at, unnamed } = filter;
    let wanted = params![
        before.map(int),
        uid.map(|uid| int(uid.0)),
        int(*at_least),
        media_type,
        at,
        unnamed,
        limits::FILES_PAGE as i64
    ];
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(wanted, |row| {
        let (number, refs): (i64, i64) = (row.get(11)?, row.get(12)?);
        Ok(ListedUpload { number: number as u64, upload: read(row)?, refs: refs as u64 })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn quota(conn: &Connection, uid: Uid) -> Result<Option<u64>> {
    let bytes: Option<i64> = conn
        .prepare_cached("SELECT bytes FROM file_quota WHERE uid = ?1")?
        .query_row([int(uid.0)], |row| row.get(0))
        .optional()?;
    Ok(bytes.map(|bytes| bytes as u64))
}

pub(crate) fn set_quota(tx: &mut Tx<'_>, uid: Uid, bytes: Option<u64>) -> Result<()> {
    if !tx.conn.prepare_cached("SELECT 1 FROM account WHERE uid = ?1")?.exists([int(uid.0)])? {
        return Err(StoreError::NotFound);
    }
    match bytes {
        Some(bytes) => tx
            .conn
            .prepare_cached("INSERT OR REPLACE INTO file_quota (uid, bytes) VALUES (?1, ?2)")?
            .execute([int(uid.0), int(bytes)])?,
        None => tx.conn.prepare_cached("DELETE FROM file_quota WHERE uid = ?1")?.execute([int(uid.0)])?,
    };
    Ok(())
}

pub(crate) fn largest(conn: &Connection) -> Result<Vec<(Uid, FileUsage)>> {
    // The index is all that is read: of who uploads much there are few rows, of all others fewer.
    let mut statement = conn.prepare_cached(
        "SELECT uid, count(*), sum(size) AS bytes FROM upload GROUP BY uid ORDER BY bytes DESC, uid LIMIT ?1",
    )?;
    let rows = statement.query_map([limits::LARGEST as i64], usage_of)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn usage_of(row: &Row<'_>) -> rusqlite::Result<(Uid, FileUsage)> {
    let (files, bytes): (i64, i64) = (row.get(1)?, row.get(2)?);
    Ok((uid(row, 0)?, FileUsage { files: files as u64, bytes: bytes as u64 }))
}

pub(crate) fn usages(conn: &Connection, after: Uid, limit: usize) -> Result<Vec<(Uid, FileUsage)>> {
    let mut statement = conn.prepare_cached(
        "SELECT uid, count(*), sum(size) FROM upload WHERE uid > ?1 GROUP BY uid ORDER BY uid LIMIT ?2",
    )?;
    let rows = statement.query_map(params![int(after.0), limit as i64], usage_of)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn expect(tx: &mut Tx<'_>, hash: FileHash, size: u64) -> Result<()> {
    let new = tx
        .conn
        .prepare_cached(
            "INSERT INTO blob (hash, size, refs) VALUES (?1, ?2, 0) ON CONFLICT (hash) DO NOTHING",
        )?
        .execute(params![hash, int(size)])?;
    if new > 0 { count(tx, 1, int(size)) } else { Ok(()) }
}

pub(crate) fn finish(tx: &mut Tx<'_>, token: FileToken, blob: Blob, due: Option<Timestamp>) -> Result<()> {
    let id: Option<i64> = tx
        .conn
        .prepare_cached(
            "UPDATE blob SET refs = refs + 1, width = ?2, height = ?3 WHERE hash = ?1 RETURNING id",
        )?
        .query_row(
            params![blob.hash, blob.dimensions.map(|it| it.0), blob.dimensions.map(|it| it.1)],
            |row| row.get(0),
        )
        .optional()?;
    let id = id.ok_or(StoreError::Invalid("file"))?;
    let size: Option<i64> = tx
        .conn
        .prepare_cached(
            "UPDATE upload SET blob = ?2, term = ?3, due = CASE
                 WHEN purpose = 0 AND EXISTS (SELECT 1 FROM upload_ref r WHERE r.upload = upload.id) THEN NULL
                 ELSE ?3 END
             WHERE token = ?1 AND blob IS NULL AND NOT EXISTS (SELECT 1 FROM deleted WHERE uid = upload.uid)
             RETURNING size",
        )?
        .query_row(params![token, id, due], |row| row.get(0))
        .optional()?;
    add(tx, PROMISED, -size.ok_or(StoreError::NotFound)?)
}

pub(crate) fn expire(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<FileToken>> {
    let due: Vec<FileToken> = {
        let mut statement =
            tx.conn.prepare_cached("SELECT token FROM upload WHERE due <= ?1 ORDER BY due LIMIT ?2")?;
        let rows = statement.query_map(params![now, limits::SWEEP_FILES as i64], |row| row.get(0))?;
        rows.collect::<Result<_, _>>()?
    };
    for token in &due {
        remove(tx, *token)?;
    }
    Ok(due)
}

pub(crate) fn remove(tx: &mut Tx<'_>, token: FileToken) -> Result<bool> {
    let row: Option<(i64, Option<i64>, i64)> = tx
        .conn
        .prepare_cached("DELETE FROM upload WHERE token = ?1 RETURNING id, blob, size")?
        .query_row([token], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((id, blob, size)) = row else { return Ok(false) };
    if blob.is_none() {
        add(tx, PROMISED, -size)?;
    }
    tx.conn.prepare_cached("DELETE FROM upload_ref WHERE upload = ?1")?.execute([id])?;
    tx.conn.prepare_cached("UPDATE blob SET refs = refs - 1 WHERE id = ?1")?.execute([blob])?;
    imap::forget_raw(tx, token)?;
    Ok(true)
}

pub(crate) fn unused(conn: &Connection) -> Result<Vec<FileHash>> {
    let mut statement = conn.prepare_cached("SELECT hash FROM blob WHERE refs = 0 ORDER BY id LIMIT ?1")?;
    let rows = statement.query_map([limits::SWEEP_FILES as i64], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn is_unused(conn: &Connection, hash: FileHash) -> Result<bool> {
    Ok(conn.prepare_cached("SELECT 1 FROM blob WHERE hash = ?1 AND refs = 0")?.exists([hash])?)
}

pub(crate) fn forget(tx: &mut Tx<'_>, hash: FileHash) -> Result<bool> {
    let size: Option<i64> = tx
        .conn
        .prepare_cached("DELETE FROM blob WHERE hash = ?1 AND refs = 0 RETURNING size")?
        .query_row([hash], |row| row.get(0))
        .optional()?;
    let Some(size) = size else { return Ok(false) };
    count(tx, -1, -size)?;
    Ok(true)
}

fn count(tx: &Tx<'_>, files: i64, bytes: i64) -> Result<()> {
    add(tx, FILES, files)?;
    add(tx, BYTES, bytes)
}

fn add(tx: &Tx<'_>, name: &str, more: i64) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO counter (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = value + ?2",
        )?
        .execute(params![name, more])?;
    Ok(())
}

fn counted(conn: &Connection, name: &str) -> Result<u64> {
    let value: Option<i64> = conn
        .prepare_cached("SELECT value FROM counter WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(value.unwrap_or(0).max(0) as u64)
}

pub(crate) fn stored(conn: &Connection) -> Result<FileUsage> {
    Ok(FileUsage { files: counted(conn, FILES)?, bytes: counted(conn, BYTES)? })
}

pub(crate) fn usage(conn: &Connection, uid: Uid) -> Result<FileUsage> {
    let mut statement =
        conn.prepare_cached("SELECT count(*), coalesce(sum(size), 0) FROM upload WHERE uid = ?1")?;
    Ok(statement.query_row([int(uid.0)], |row| {
        Ok(FileUsage { files: row.get::<_, i64>(0)? as u64, bytes: row.get::<_, i64>(1)? as u64 })
    })?)
}

/// The account is deleted: its files go at the next round, whoever names them.
pub(crate) fn abandon(tx: &Tx<'_>, uid: Uid) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE upload SET due = 0, purpose = ?2 WHERE uid = ?1")?
        .execute(params![int(uid.0), FilePurpose::Ephemeral])?;
    Ok(())
}

/// Notes what a new body names: it stays as long as the body does.
pub(super) fn refer(tx: &Tx<'_>, message: i64, append: &Append) -> Result<()> {
    for token in named(&append.stanza) {
        let upload: Option<(i64, Uid)> = tx
            .conn
            .prepare_cached("SELECT id, uid FROM upload WHERE token = ?1")?
            .query_row([token], |row| Ok((row.get(0)?, uid(row, 1)?)))
            .optional()?;
        let Some((upload, owner)) = upload else { continue };
        tx.conn
            .prepare_cached("INSERT INTO upload_ref (message, upload, own) VALUES (?1, ?2, ?3)")?
            .execute(params![message, upload, is_of(append, owner)])?;
        tx.conn
            .prepare_cached("UPDATE upload SET due = NULL WHERE id = ?1 AND purpose = 0 AND blob IS NOT NULL AND due IS NOT NULL")?
            .execute([upload])?;
    }
    Ok(())
}

/// Whether this account is known to have sent a message.
fn is_of(append: &Append, uid: Uid) -> bool {
    append.origin.as_ref().is_some_and(|origin| origin.sender == uid)
        || append.pointers.iter().any(|it| it.uid == uid && it.direction == Direction::Out)
}

/// A body is gone, or empty. What it alone named goes at the next round if it was its owner's body; the body of another
/// takes nothing away but the reason to stay beyond the upload's term.
pub(super) fn unrefer(tx: &Tx<'_>, message: i64) -> Result<()> {
    let named: SmallVec<[(i64, bool); 1]> = {
        let mut statement =
            tx.conn.prepare_cached("DELETE FROM upload_ref WHERE message = ?1 RETURNING upload, own")?;
        let rows = statement.query_map([message], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<_, _>>()?
    };
    for (upload, own) in named {
        let term = if own { "0" } else { "term" };
        tx.conn
            .prepare_cached(&format!(
                "UPDATE upload SET term = {term}, due = CASE
                     WHEN EXISTS (SELECT 1 FROM upload_ref r WHERE r.upload = ?1) THEN due
                     ELSE {term} END
                 WHERE id = ?1 AND purpose = 0 AND blob IS NOT NULL"
            ))?
            .execute([upload])?;
    }
    Ok(())
}
