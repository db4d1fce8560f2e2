//! The directory's cards and the words that they are found by.

use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value};

use super::columns::int;
use super::{Tx, accounts};
use crate::directory::{Card, Findable, Found, Part, beginnings};
use crate::{Result, StoreError, limits};

/// Between interests in their column. No XML document can contain it.
const SEPARATOR: char = '\u{1f}';

fn part(part: Part) -> i64 {
    match part {
        Part::Nick => 0,
        Part::Interest => 1,
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Card> {
    let interests: String = row.get(3)?;
    Ok(Card {
        findable: match row.get(0)? {
            1 => Findable::Exactly,
            2 => Findable::Everybody,
            // What is not understood must not show anybody.
            _ => Findable::Nobody,
        },
        online: row.get(1)?,
        nick: row.get(2)?,
        interests: interests.split_terminator(SEPARATOR).map(str::to_owned).collect(),
    })
}

pub(crate) fn card(conn: &Connection, uid: Uid) -> Result<Card> {
    let mut statement =
        conn.prepare_cached("SELECT findable, online, nick, interests FROM card WHERE uid = ?1")?;
    Ok(statement.query_row([int(uid.0)], read).optional()?.unwrap_or_default())
}

pub(crate) fn set_card(tx: &mut Tx<'_>, uid: Uid, card: &Card) -> Result<()> {
    check(card)?;
    let account = accounts::get(tx.conn, uid)?.ok_or(StoreError::NotFound)?;
    let mut interests = card.interests.join("\u{1f}");
    interests.push(SEPARATOR);
    let findable = match card.findable {
        Findable::Nobody => 0,
        Findable::Exactly => 1,
        Findable::Everybody => 2,
    };
    tx.conn
        .prepare_cached(
            "INSERT OR REPLACE INTO card (uid, findable, online, nick, interests) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![int(uid.0), findable, card.online, card.nick, interests.trim_matches(SEPARATOR)])?;
    tx.conn.prepare_cached("DELETE FROM card_word WHERE uid = ?1")?.execute([int(uid.0)])?;
    if card.findable != Findable::Everybody {
        return Ok(());
    }
    let mut insert =
        tx.conn.prepare_cached("INSERT OR IGNORE INTO card_word (word, part, uid) VALUES (?1, ?2, ?3)")?;
    let nicks = [card.nick.as_deref(), account.name.as_deref()].into_iter().flatten();
    let interests = card.interests.iter().map(|interest| (Part::Interest, interest.as_str()));
    for (of, text) in nicks.map(|nick| (Part::Nick, nick)).chain(interests) {
        for word in beginnings(text) {
            insert.execute(params![word, part(of), int(uid.0)])?;
        }
    }
    Ok(())
}

fn check(card: &Card) -> Result<()> {
    let fits = |text: &String| text.len() <= limits::CARD_TEXT_BYTES;
    if !card.nick.iter().all(fits) {
        return Err(StoreError::Invalid("nickname"));
    }
    if card.interests.len() > limits::INTERESTS {
        return Err(StoreError::Limit("interests"));
    }
    let plain = |text: &String| fits(text) && !text.is_empty() && !text.contains(SEPARATOR);
    if card.interests.iter().all(plain) { Ok(()) } else { Err(StoreError::Invalid("interest")) }
}

pub(crate) fn find(
    conn: &Connection,
    words: &[(Part, String)],
    after: Option<Uid>,
    limit: usize,
) -> Result<Vec<Found>> {
    let words = &words[..words.len().min(limits::SEARCH_WORDS)];
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = "SELECT c.findable, c.online, c.nick, c.interests, c.uid FROM card c
        JOIN account a ON a.uid = c.uid AND NOT a.disabled WHERE c.findable = 2 AND c.uid > ?1"
        .to_owned();
    let mut values = vec![Value::from(after.map_or(0, |uid| int(uid.0)))];
    for (of, word) in words {
        let at = values.len();
        sql.push_str(&format!(
            " AND c.uid IN (SELECT uid FROM card_word WHERE part = ?{} AND word >= ?{} AND word < ?{})",
            at + 1,
            at + 2,
            at + 3
        ));
        // Behind everything that begins with the word.
        values.extend([part(*of).into(), word.clone().into(), format!("{word}{}", char::MAX).into()]);
    }
    sql.push_str(&format!(" ORDER BY c.uid LIMIT {}", limit.min(limits::SEARCH_PAGE)));
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement
        .query_map(params_from_iter(values), |row| Ok((super::columns::uid(row, 4)?, read(row)?)))?;
    let mut found = Vec::new();
    for row in rows {
        let (uid, card) = row?;
        if let Some(account) = accounts::get(conn, uid)? {
            found.push(Found { account, card });
        }
    }
    Ok(found)
}
