//! Pager numbers of accounts, and the devices behind them.

use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Tx;
use super::columns::{int, uid};
use crate::{Pager, PagerDevice, Result, StoreError, limits};

const PAGER: &str = "number, uid, carrier, address, numeric, two_way, length, at";

fn read(row: &Row<'_>) -> rusqlite::Result<Pager> {
    let carrier: String = row.get(2)?;
    let device = match carrier.is_empty() {
        true => None,
        false => Some(PagerDevice {
            carrier,
            address: row.get(3)?,
            numeric: row.get(4)?,
            two_way: row.get(5)?,
            length: row.get(6)?,
        }),
    };
    Ok(Pager { number: row.get(0)?, uid: uid(row, 1)?, device, at: row.get(7)? })
}

pub(crate) fn add(tx: &mut Tx<'_>, pager: &Pager) -> Result<()> {
    let Pager { number, uid, device, at } = pager;
    let fits = |text: &str| (1..=limits::PAGER_BYTES).contains(&text.len());
    let whole = device.as_ref().is_none_or(|device| fits(&device.carrier) && fits(&device.address));
    if !fits(number) || number.to_lowercase() != *number || !whole {
        return Err(StoreError::Invalid("pager"));
    }
    if !tx.conn.prepare_cached("SELECT 1 FROM account WHERE uid = ?1")?.exists([int(uid.0)])? {
        return Err(StoreError::NotFound);
    }
    if get(tx.conn, number)?.is_some() {
        return Err(StoreError::Conflict);
    }
    let own: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM pager WHERE uid = ?1")?
        .query_row([int(uid.0)], |row| row.get(0))?;
    if own >= limits::PAGERS as i64 {
        return Err(StoreError::Limit("pagers"));
    }
    let none = PagerDevice {
        carrier: String::new(),
        address: String::new(),
        numeric: false,
        two_way: false,
        length: 0,
    };
    let device = device.as_ref().unwrap_or(&none);
    tx.conn
        .prepare_cached(
            "INSERT INTO pager (number, uid, carrier, address, numeric, two_way, length, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            number,
            int(uid.0),
            device.carrier,
            device.address,
            device.numeric,
            device.two_way,
            device.length,
            at
        ])?;
    Ok(())
}

pub(crate) fn remove(tx: &mut Tx<'_>, number: &str) -> Result<bool> {
    Ok(tx.conn.prepare_cached("DELETE FROM pager WHERE number = ?1")?.execute([number])? > 0)
}

pub(crate) fn get(conn: &Connection, number: &str) -> Result<Option<Pager>> {
    let sql = format!("SELECT {PAGER} FROM pager WHERE number = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([number], read).optional()?)
}

pub(crate) fn list(conn: &Connection, owner: Option<Uid>, after: &str) -> Result<Vec<Pager>> {
    let sql = format!(
        "SELECT {PAGER} FROM pager WHERE (?1 IS NULL OR uid = ?1) AND number > ?2 ORDER BY number LIMIT ?3"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let wanted = params![owner.map(|uid| int(uid.0)), after, limits::PAGERS_LISTED as i64];
    let rows = statement.query_map(wanted, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
