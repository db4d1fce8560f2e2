//! Pages from outside whose senders ask what became of them.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Tx;
use super::columns::{int, jid, uid, useq};
use super::{outbox, timeline};
use crate::timeline::{Append, Appended};
use crate::{Call, CallAnswer, Choice, NewCall, Result, StoreError, limits};

const CALL: &str = "c.tag, c.pass, c.uid, c.peer, c.stanza, c.at, c.choices, c.useq,
    c.useq <= coalesce((SELECT delivered FROM position p WHERE p.uid = c.uid), 0),
    c.useq <= coalesce((SELECT useq FROM displayed d WHERE d.uid = c.uid AND d.peer = c.peer), 0),
    c.answered, c.choice, c.answer, c.reply";

fn read(row: &Row<'_>) -> rusqlite::Result<Call> {
    let choices: String = row.get(6)?;
    let choice = |line: &str| {
        let (code, text) = line.split_once(' ').unwrap_or((line, ""));
        Choice { code: code.to_owned(), text: text.to_owned() }
    };
    let answer = match row.get(10)? {
        Some(at) => Some(CallAnswer { at, choice: row.get(11)?, text: row.get(12)? }),
        None => None,
    };
    Ok(Call {
        call: NewCall {
            tag: row.get::<_, i64>(0)? as u64,
            pass: row.get::<_, i64>(1)? as u64,
            uid: uid(row, 2)?,
            peer: jid(row, 3)?,
            stanza: row.get(4)?,
            at: row.get(5)?,
            choices: choices.lines().map(choice).collect(),
            reply: row.get(13)?,
        },
        useq: useq(row, 7)?,
        delivered: row.get(8)?,
        read: row.get(9)?,
        answer,
    })
}

/// A [`super::Kind::Checked`] job: what can refuse comes before the first write.
pub(crate) fn append(tx: &mut Tx<'_>, append: Append, call: &NewCall) -> Result<Appended> {
    let broken = |choice: &Choice| {
        choice.code.is_empty()
            || choice.code.contains([' ', '\n', '\r'])
            || choice.text.contains(['\n', '\r'])
    };
    let lines: Vec<String> = call.choices.iter().map(|it| format!("{} {}", it.code, it.text)).collect();
    let choices = lines.join("\n");
    if lines.len() > limits::CALL_CHOICES
        || choices.len() > limits::CALL_BYTES
        || call.choices.iter().any(broken)
    {
        return Err(StoreError::Invalid("answers to choose from"));
    }
    let remembered: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM call WHERE uid = ?1 AND at > ?2")?
        .query_row(params![int(call.uid.0), call.at.0 - limits::CALL_MILLIS], |row| row.get(0))?;
    if remembered >= limits::CALLS as i64 {
        return Err(StoreError::Limit("pages that are remembered"));
    }
    if tx.conn.prepare_cached("SELECT 1 FROM call WHERE tag = ?1")?.exists([int(call.tag)])? {
        return Err(StoreError::Invalid("tag"));
    }
    let appended = timeline::append(tx, append)?;
    let Appended::Stored(useqs) = &appended else { return Ok(appended) };
    let Some(useq) = useqs.first() else { return Ok(appended) };
    tx.conn
        .prepare_cached("DELETE FROM call WHERE tag IN (SELECT tag FROM call WHERE at <= ?1 LIMIT ?2)")?
        .execute(params![call.at.0 - limits::CALL_MILLIS, limits::BATCH as i64])?;
    tx.conn
        .prepare_cached(
            "INSERT INTO call (tag, pass, uid, useq, peer, stanza, at, choices, reply)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            int(call.tag),
            int(call.pass),
            int(call.uid.0),
            int(useq.0),
            call.peer.as_str(),
            call.stanza,
            call.at,
            choices,
            call.reply
        ])?;
    Ok(appended)
}

pub(crate) fn get(conn: &Connection, tag: u64) -> Result<Option<Call>> {
    let sql = format!("SELECT {CALL} FROM call c WHERE c.tag = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([int(tag)], read).optional()?)
}

pub(crate) fn waiting(
    conn: &Connection,
    owner: Uid,
    peer: &BareJid,
    stanza: Option<&str>,
) -> Result<Option<Call>> {
    let sql = format!(
        "SELECT {CALL} FROM call c WHERE c.uid = ?1 AND c.peer = ?2 AND c.answered IS NULL AND (?3 IS NULL OR c.stanza = ?3)
         ORDER BY c.useq DESC LIMIT 1"
    );
    let wanted = params![int(owner.0), peer.as_str(), stanza];
    Ok(conn.prepare_cached(&sql)?.query_row(wanted, read).optional()?)
}

pub(crate) fn answer(tx: &mut Tx<'_>, tag: u64, outbound: u64, answer: &CallAnswer) -> Result<()> {
    set_answer(tx, tag, answer)?;
    outbox::remove(tx, outbound).map(drop)
}

/// The first answer is the one that counts.
pub(super) fn set_answer(tx: &Tx<'_>, tag: u64, answer: &CallAnswer) -> Result<()> {
    let text = &answer.text[..answer.text.floor_char_boundary(limits::CALL_BYTES)];
    tx.conn
        .prepare_cached(
            "UPDATE call SET answered = ?2, choice = ?3, answer = ?4 WHERE tag = ?1 AND answered IS NULL",
        )?
        .execute(params![int(tag), answer.at, answer.choice, text])?;
    Ok(())
}

pub(crate) fn withdraw(tx: &mut Tx<'_>, tag: u64) -> Result<()> {
    let Some(call) = get(tx.conn, tag)? else { return Ok(()) };
    timeline::drop_pointers(tx, call.call.uid, &[call.useq])?;
    tx.conn.prepare_cached("DELETE FROM call WHERE tag = ?1")?.execute([int(tag)])?;
    Ok(())
}
