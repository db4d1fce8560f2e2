//! Notices and announcements.

use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, params};

use super::Tx;
use super::columns::{int, uid};
use crate::{Announcement, Notice, NoticeKind, Result, StoreError, Timestamp, limits};

fn name(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Motd => "motd",
        NoticeKind::Welcome => "welcome",
    }
}

fn check(text: &str) -> Result<()> {
    if text.len() <= limits::NOTICE_BYTES { Ok(()) } else { Err(StoreError::Invalid("text")) }
}

pub(crate) fn get(conn: &Connection, kind: NoticeKind) -> Result<Option<Notice>> {
    let mut statement = conn.prepare_cached("SELECT text, at FROM notice WHERE name = ?1")?;
    let notice = statement.query_row([name(kind)], |row| Ok(Notice { text: row.get(0)?, at: row.get(1)? }));
    Ok(notice.optional()?)
}

pub(crate) fn set(tx: &mut Tx<'_>, kind: NoticeKind, notice: Option<&Notice>) -> Result<()> {
    match notice {
        Some(notice) => {
            check(&notice.text)?;
            tx.conn
                .prepare_cached("INSERT OR REPLACE INTO notice (name, text, at) VALUES (?1, ?2, ?3)")?
                .execute(params![name(kind), notice.text, notice.at])?;
        }
        None => {
            tx.conn.prepare_cached("DELETE FROM notice WHERE name = ?1")?.execute([name(kind)])?;
        }
    }
    Ok(())
}

pub(crate) fn announce(
    tx: &mut Tx<'_>,
    subject: String,
    text: String,
    at: Timestamp,
) -> Result<Announcement> {
    check(&subject)?;
    check(&text)?;
    let under_way: i64 =
        tx.conn.prepare_cached("SELECT count(*) FROM announcement")?.query_row([], |row| row.get(0))?;
    if under_way >= limits::ANNOUNCEMENTS as i64 {
        return Err(StoreError::Limit("announcements under way"));
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO announcement (subject, text, at, after, sent) VALUES (?1, ?2, ?3, 0, 0)",
        )?
        .execute(params![subject, text, at])?;
    let id = tx.conn.last_insert_rowid() as u64;
    Ok(Announcement { id, subject, text, at, after: Uid(0), sent: 0 })
}

pub(crate) fn announcements(conn: &Connection) -> Result<Vec<Announcement>> {
    let mut statement =
        conn.prepare_cached("SELECT id, subject, text, at, after, sent FROM announcement ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        Ok(Announcement {
            id: row.get::<_, i64>(0)? as u64,
            subject: row.get(1)?,
            text: row.get(2)?,
            at: row.get(3)?,
            after: uid(row, 4)?,
            sent: row.get::<_, i64>(5)? as u64,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn announced(tx: &mut Tx<'_>, id: u64, after: Uid, sent: u64) -> Result<()> {
    tx.conn.prepare_cached("UPDATE announcement SET after = ?2, sent = ?3 WHERE id = ?1")?.execute([
        int(id),
        int(after.0),
        int(sent),
    ])?;
    Ok(())
}

pub(crate) fn end(tx: &mut Tx<'_>, id: u64) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM announcement WHERE id = ?1")?.execute([int(id)])?;
    Ok(())
}
