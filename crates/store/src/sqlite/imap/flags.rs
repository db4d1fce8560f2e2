//! Flags, and how \Seen stands to the places up to which conversations were read.

use std::collections::BTreeSet;

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, OptionalExtension, params};

use super::{changed, folders, mails};
use crate::sqlite::Tx;
use crate::sqlite::columns::{int, jid, useq};
use crate::sqlite::inbox;
use crate::timeline::Flags;
use crate::{Filed, FlagsChange, FlagsChanged, FlagsHow, FolderId, MailFlags, Result, StoreError, limits};

/// Unread mails of an account up to a place, with their correspondents.
pub(crate) const UNREAD: &str = "SELECT f.id, i.n FROM imap_folder f
     CROSS JOIN imap_mail i ON i.folder = f.id AND NOT i.flags & 1 AND i.useq <= ?3
     CROSS JOIN mail m ON m.message = i.message WHERE f.uid = ?1 AND m.peer = ?2";

/// A conversation after a place, with whether a mail of it is seen in some folder.
pub(crate) const FORWARD: &str = "SELECT l.useq, l.flags, l.direction,
         EXISTS (SELECT 1 FROM imap_mail i WHERE i.message = l.message AND i.flags & 1) FROM log l
     WHERE l.uid = ?1 AND l.peer = ?2 AND l.useq > ?3 AND l.flags & 2 ORDER BY l.useq LIMIT ?4";

pub(crate) fn change(
    tx: &mut Tx<'_>,
    owner: Uid,
    folder: FolderId,
    uids: &[u32],
    change: &FlagsChange,
) -> Result<FlagsChanged> {
    if uids.len() > limits::SWEEP {
        return Err(StoreError::Limit("mails at a time"));
    }
    let keyword = |word: &String| {
        word.len() <= limits::KEYWORD_BYTES && word.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if !change.keywords.iter().all(keyword) {
        return Err(StoreError::Invalid("keyword"));
    }
    if !folders::is_of(tx.conn, owner, folder)? {
        return Err(StoreError::NotFound);
    }
    let mut done = FlagsChanged::default();
    let mut read = BTreeSet::new();
    for &n in uids {
        let Some(mut mail) = mails::one(tx.conn, folder, n)? else { continue };
        if change.unchanged_since.is_some_and(|since| mail.modseq > since) {
            done.modified.push(n);
            continue;
        }
        let before = (mail.flags, mail.keywords.clone());
        apply(&mut mail, change);
        if (mail.flags, &mail.keywords) != (before.0, &before.1) {
            mails::set(tx, folder, &mut mail)?;
            if mail.flags.has(MailFlags::SEEN) && !before.0.has(MailFlags::SEEN) {
                read.extend(correspondent(tx.conn, &mail)?);
            }
        }
        done.mails.push(mail);
    }
    for peer in read {
        done.read.extend(was_read(tx, owner, &peer)?);
    }
    Ok(done)
}

fn apply(mail: &mut Filed, change: &FlagsChange) {
    match change.how {
        FlagsHow::Replace => {
            mail.flags = change.flags;
            mail.keywords = joined("", &change.keywords);
        }
        FlagsHow::Add => {
            mail.flags = mail.flags | change.flags;
            mail.keywords = joined(&mail.keywords, &change.keywords);
        }
        FlagsHow::Remove => {
            mail.flags = MailFlags(mail.flags.0 & !change.flags.0);
            let gone = |word: &&str| !change.keywords.iter().any(|other| other.eq_ignore_ascii_case(word));
            mail.keywords = mail.keywords.split(' ').filter(gone).collect::<Vec<_>>().join(" ");
        }
    }
}

/// Keywords with others, each once: in whatever case it is the same (RFC 9051 §2.3.2).
pub(super) fn joined(old: &str, new: &[String]) -> String {
    let mut all: Vec<&str> = old.split(' ').filter(|word| !word.is_empty()).collect();
    for word in new {
        if all.len() < limits::KEYWORDS && !all.iter().any(|other| other.eq_ignore_ascii_case(word)) {
            all.push(word);
        }
    }
    all.join(" ")
}

fn correspondent(conn: &Connection, mail: &Filed) -> Result<Option<BareJid>> {
    let Some(message) = mail.message else { return Ok(None) };
    let mut statement = conn.prepare_cached("SELECT peer FROM mail WHERE message = ?1")?;
    Ok(statement.query_row([int(message.0)], |row| jid(row, 0)).optional()?)
}

/// A mail of a conversation was read. Its place moves as far as nothing before it is unread: a place is the end of what was read
/// without a gap.
fn was_read(tx: &mut Tx<'_>, owner: Uid, peer: &BareJid) -> Result<Option<(BareJid, Useq)>> {
    let from: Option<Useq> = tx
        .conn
        .prepare_cached("SELECT useq FROM displayed WHERE uid = ?1 AND peer = ?2")?
        .query_row(params![int(owner.0), peer.as_str()], |row| useq(row, 0))
        .optional()?;
    let mut upto = None;
    {
        let mut statement = tx.conn.prepare_cached(FORWARD)?;
        let from = int(from.unwrap_or_default().0);
        let mut rows =
            statement.query(params![int(owner.0), peer.as_str(), from, limits::INBOX_SCAN as i64])?;
        while let Some(row) = rows.next()? {
            let (flags, own, seen): (Flags, bool, bool) = (row.get(1)?, row.get(2)?, row.get(3)?);
            if !own && flags.has(Flags::INSTANT) && !seen {
                break;
            }
            upto = Some(useq(row, 0)?);
        }
    }
    let Some(upto) = upto else { return Ok(None) };
    Ok(inbox::raise(tx, owner, peer.as_str(), upto)?.then(|| (peer.clone(), upto)))
}

/// A conversation was read up to a place, wherever that was: so are its mails.
pub(crate) fn read_upto(tx: &mut Tx<'_>, owner: Uid, peer: &str, upto: Useq) -> Result<()> {
    let has = tx.conn.prepare_cached("SELECT 1 FROM imap_account WHERE uid = ?1")?.exists([int(owner.0)])?;
    if !has {
        return Ok(());
    }
    let unread: Vec<(FolderId, u32)> = {
        let mut statement = tx.conn.prepare_cached(UNREAD)?;
        let rows = statement.query_map(params![int(owner.0), peer, int(upto.0)], |row| {
            Ok((FolderId(row.get(0)?), row.get(1)?))
        })?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for (folder, n) in unread {
        let modseq = changed(tx, folder)?;
        tx.conn
            .prepare_cached(
                "UPDATE imap_mail SET flags = flags | 1, modseq = ?3 WHERE folder = ?1 AND n = ?2",
            )?
            .execute(params![folder.0, n, modseq])?;
    }
    Ok(())
}

/// The mails of an account that was just filed are as read as its conversations are.
pub(super) fn as_read(tx: &mut Tx<'_>, owner: Uid) -> Result<()> {
    let mut places: Vec<(String, Useq)> = {
        let mut statement = tx.conn.prepare_cached(
            "SELECT d.peer, d.useq FROM displayed d
             WHERE d.uid = ?1 AND EXISTS (SELECT 1 FROM mail m WHERE m.uid = ?1 AND m.peer = d.peer)",
        )?;
        let rows = statement.query_map([int(owner.0)], |row| Ok((row.get(0)?, useq(row, 1)?)))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    // Who answers has read.
    let answered: Vec<(String, Useq)> = {
        let mut statement = tx.conn.prepare_cached(
            "SELECT m.peer, max(i.useq) FROM imap_folder f CROSS JOIN imap_mail i ON i.folder = f.id
             CROSS JOIN mail m ON m.message = i.message WHERE f.uid = ?1 AND f.role = 2 GROUP BY m.peer",
        )?;
        let rows = statement.query_map([int(owner.0)], |row| Ok((row.get(0)?, useq(row, 1)?)))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    places.extend(answered);
    for (peer, upto) in places {
        read_upto(tx, owner, &peer, upto)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_known_in_any_case_and_bounded() {
        assert_eq!(joined("$Junk a", &["$JUNK".into(), "b".into()]), "$Junk a b");
        let many: Vec<String> = (0..100).map(|n| format!("k{n}")).collect();
        assert_eq!(joined("", &many).split(' ').count(), limits::KEYWORDS);
        assert_eq!(joined("", &[]), "");
    }
}
