//! Publish-subscribe nodes and their items.

use bytes::Bytes;
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::int;
use super::{Tx, affiliates, inbox};
use crate::pubsub::{Item, ItemChange, ItemPage, ItemWindow, LastItem, Listed, Node};
use crate::{Result, StoreError, limits};

const NODE: &str = "name, kept, config, id, creator FROM pubsub_node";

fn read_node(row: &Row<'_>) -> rusqlite::Result<(i64, Node)> {
    let (kept, creator): (i64, Option<i64>) = (row.get(1)?, row.get(4)?);
    let creator = creator.map(|creator| Uid(creator as u64));
    Ok((row.get(3)?, Node { name: row.get(0)?, kept: kept as usize, config: row.get(2)?, creator }))
}

const ITEM: &str = "id, at, publisher, payload, n FROM pubsub_item";

fn read_item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let payload: Vec<u8> = row.get(3)?;
    Ok(Item { id: row.get(0)?, at: row.get(1)?, publisher: row.get(2)?, payload: Bytes::from(payload) })
}

/// Takes items from rows until they are too many bytes; one at least.
fn take_items(rows: impl Iterator<Item = rusqlite::Result<Item>>) -> Result<Vec<Item>> {
    let (mut items, mut bytes) = (Vec::new(), 0);
    for item in rows {
        let item = item?;
        bytes += item.payload.len();
        if bytes > limits::PAGE_BYTES && !items.is_empty() {
            break;
        }
        items.push(item);
    }
    Ok(items)
}

pub(super) fn find(conn: &Connection, uid: Uid, name: &str) -> Result<Option<(i64, Node)>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {NODE} WHERE uid = ?1 AND name = ?2"))?;
    Ok(statement.query_row(params![int(uid.0), name], read_node).optional()?)
}

/// The number of a node that must be there.
pub(super) fn number(conn: &Connection, uid: Uid, name: &str) -> Result<i64> {
    Ok(find(conn, uid, name)?.ok_or(StoreError::NotFound)?.0)
}

pub(crate) fn nodes(conn: &Connection, uid: Uid) -> Result<Vec<Node>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {NODE} WHERE uid = ?1 ORDER BY name"))?;
    let rows = statement.query_map([int(uid.0)], read_node)?;
    Ok(rows.map(|row| row.map(|(_, node)| node)).collect::<Result<_, _>>()?)
}

pub(crate) fn nodes_after(
    conn: &Connection,
    uid: Uid,
    after: u64,
    max: usize,
    reader: &BareJid,
) -> Result<Vec<Listed>> {
    let mut statement =
        conn.prepare_cached(&format!("SELECT {NODE} WHERE uid = ?1 AND id > ?2 ORDER BY id LIMIT ?3"))?;
    let rows = statement.query_map(params![int(uid.0), int(after), max as i64], read_node)?;
    rows.map(|row| {
        let (number, node) = row?;
        Ok(Listed { number: number as u64, node, part: affiliates::of_node(conn, number, reader)? })
    })
    .collect()
}

pub(crate) fn nodes_of_creator(conn: &Connection, uid: Uid, creator: Uid) -> Result<Vec<Node>> {
    let mut statement =
        conn.prepare_cached(&format!("SELECT {NODE} WHERE creator = ?2 AND uid = ?1 ORDER BY name"))?;
    let rows = statement.query_map([int(uid.0), int(creator.0)], read_node)?;
    Ok(rows.map(|row| row.map(|(_, node)| node)).collect::<Result<_, _>>()?)
}

pub(crate) fn node(conn: &Connection, uid: Uid, name: &str) -> Result<Option<Node>> {
    Ok(find(conn, uid, name)?.map(|(_, node)| node))
}

pub(crate) fn create(tx: &mut Tx<'_>, uid: Uid, node: &Node, owner: Option<&BareJid>) -> Result<()> {
    if find(tx.conn, uid, &node.name)?.is_some() {
        return Err(StoreError::Conflict);
    }
    let number = insert(tx, uid, node)?;
    match owner {
        Some(owner) => affiliates::own(tx, number, owner),
        None => Ok(()),
    }
}

/// Makes a node that is not there; its number. [`StoreError::NotFound`]: the account was deleted.
fn insert(tx: &Tx<'_>, uid: Uid, node: &Node) -> Result<i64> {
    check_config(node)?;
    if node.name.is_empty() || node.name.len() > limits::NODE_NAME_BYTES {
        return Err(StoreError::Invalid("name of the node"));
    }
    let payer = int(node.creator.unwrap_or(uid).0);
    if tx.conn.prepare_cached("SELECT 1 FROM deleted WHERE uid = ?1")?.exists([payer])? {
        return Err(StoreError::NotFound);
    }
    let creator = node.creator.map(|creator| int(creator.0));
    let count: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM pubsub_node WHERE creator IS ?2 AND uid = ?1")?
        .query_row(params![int(uid.0), creator], |row| row.get(0))?;
    if count >= limits::NODES as i64 {
        return Err(StoreError::Limit("nodes"));
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO pubsub_node (uid, name, kept, config, creator) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![int(uid.0), node.name, int(node.kept as u64), node.config, creator])?;
    Ok(tx.conn.last_insert_rowid())
}

fn check_config(node: &Node) -> Result<()> {
    let fits = node.kept <= limits::NODE_ITEMS && node.config.len() <= limits::NODE_CONFIG_BYTES;
    if fits { Ok(()) } else { Err(StoreError::Invalid("configuration of the node")) }
}

pub(crate) fn configure(tx: &mut Tx<'_>, uid: Uid, known: &Node, node: &Node) -> Result<()> {
    check_config(node)?;
    let (number, is) = find(tx.conn, uid, &node.name)?.ok_or(StoreError::NotFound)?;
    if is != *known {
        return Err(StoreError::Conflict);
    }
    tx.conn
        .prepare_cached("UPDATE pubsub_node SET kept = ?2, config = ?3 WHERE id = ?1")?
        .execute(params![number, int(node.kept as u64), node.config])?;
    trim(tx, number, node.kept)
}

pub(crate) fn delete(tx: &mut Tx<'_>, uid: Uid, name: &str) -> Result<()> {
    let number = number(tx.conn, uid, name)?;
    for sql in [
        "DELETE FROM pubsub_item WHERE node = ?1",
        "DELETE FROM pubsub_affiliate WHERE node = ?1",
        "DELETE FROM pubsub_node WHERE id = ?1",
    ] {
        tx.conn.prepare_cached(sql)?.execute([number])?;
    }
    Ok(())
}

pub(crate) fn purge(tx: &mut Tx<'_>, uid: Uid, name: &str) -> Result<()> {
    let number = number(tx.conn, uid, name)?;
    trim(tx, number, 0)
}

/// Removes all items but the latest.
fn trim(tx: &Tx<'_>, node: i64, kept: usize) -> Result<()> {
    remove(
        tx,
        node,
        "DELETE FROM pubsub_item WHERE n IN
             (SELECT n FROM pubsub_item WHERE node = ?1 ORDER BY n DESC LIMIT -1 OFFSET ?2) RETURNING size",
        int(kept as u64),
    )
    .map(|_| ())
}

/// Deletes items by a statement that returns their sizes, and gives their room back; whether there were any.
fn remove(tx: &Tx<'_>, node: i64, sql: &str, which: impl rusqlite::ToSql) -> Result<bool> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    let sizes = statement.query_map(params![node, which], |row| row.get::<_, i64>(0))?;
    let sizes: Vec<i64> = sizes.collect::<Result<_, _>>()?;
    if !sizes.is_empty() {
        grow(tx, node, -sizes.iter().sum::<i64>())?;
    }
    Ok(!sizes.is_empty())
}

fn grow(tx: &Tx<'_>, node: i64, by: i64) -> Result<()> {
    tx.conn.prepare_cached("UPDATE pubsub_node SET bytes = bytes + ?2 WHERE id = ?1")?.execute([node, by])?;
    Ok(())
}

pub(crate) fn change(tx: &mut Tx<'_>, uid: Uid, changes: &[ItemChange]) -> Result<Vec<bool>> {
    changes
        .iter()
        .map(|change| match change {
            ItemChange::Publish(node, item) => publish(tx, uid, node, item, true),
            ItemChange::Add(node, item) => publish(tx, uid, node, item, false),
            ItemChange::Retract { node, id } => retract(tx, uid, node, id),
            ItemChange::Displayed(displayed) => inbox::displayed(tx, displayed),
        })
        .collect()
}

/// Whether the node was made for it.
fn publish(tx: &Tx<'_>, uid: Uid, node: &Node, item: &Item, make: bool) -> Result<bool> {
    if item.id.is_empty() || item.id.len() > limits::NODE_NAME_BYTES {
        return Err(StoreError::Invalid("id of the item"));
    }
    if item.payload.len() > limits::ITEM_BYTES {
        return Err(StoreError::Limit("bytes in one item"));
    }
    let (number, made) = match find(tx.conn, uid, &node.name)? {
        Some((number, known)) if known == *node => (number, false),
        Some(_) => return Err(StoreError::Conflict),
        None if make => (insert(tx, uid, node)?, true),
        None => return Err(StoreError::NotFound),
    };
    if node.kept == 0 {
        return Ok(made);
    }
    retract_from(tx, number, &item.id)?;
    let size = (item.payload.len() + item.id.len()) as i64;
    tx.conn
        .prepare_cached(
            "INSERT INTO pubsub_item (node, id, at, publisher, size, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![number, item.id, item.at, item.publisher, size, &item.payload[..]])?;
    grow(tx, number, size)?;
    trim(tx, number, node.kept)?;
    let creator = node.creator.map(|creator| int(creator.0));
    let bytes: i64 = tx
        .conn
        .prepare_cached("SELECT sum(bytes) FROM pubsub_node WHERE creator IS ?2 AND uid = ?1")?
        .query_row(params![int(uid.0), creator], |row| row.get(0))?;
    if bytes > limits::ITEMS_BYTES as i64 {
        Err(StoreError::Limit("bytes of personal data"))
    } else {
        Ok(made)
    }
}

/// Whether it was there.
fn retract(tx: &Tx<'_>, uid: Uid, node: &str, id: &str) -> Result<bool> {
    match find(tx.conn, uid, node)? {
        Some((number, _)) => retract_from(tx, number, id),
        None => Ok(false),
    }
}

fn retract_from(tx: &Tx<'_>, node: i64, id: &str) -> Result<bool> {
    remove(tx, node, "DELETE FROM pubsub_item WHERE node = ?1 AND id = ?2 RETURNING size", id)
}

pub(crate) fn items(
    conn: &Connection,
    uid: Uid,
    node: &str,
    window: &ItemWindow,
    max: usize,
) -> Result<Option<ItemPage>> {
    let Some((node, _)) = find(conn, uid, node)? else { return Ok(None) };
    let count: i64 = conn
        .prepare_cached("SELECT count(*) FROM pubsub_item WHERE node = ?1")?
        .query_row([node], |row| row.get(0))?;
    let position = |id: &str| -> Result<Option<i64>> {
        let mut statement = conn.prepare_cached("SELECT n FROM pubsub_item WHERE node = ?1 AND id = ?2")?;
        Ok(statement.query_row(params![node, id], |row| row.get(0)).optional()?)
    };
    // What is between `from` and `to`, both left out, beginning at one end.
    let (from, to, skip, forward) = match window {
        ItemWindow::First => (0, i64::MAX, 0, true),
        ItemWindow::Last => (0, i64::MAX, 0, false),
        ItemWindow::Index(index) => (0, i64::MAX, int(*index), true),
        ItemWindow::After(id) => match position(id)? {
            Some(n) => (n, i64::MAX, 0, true),
            None => return Ok(None),
        },
        ItemWindow::Before(id) => match position(id)? {
            Some(n) => (0, n, 0, false),
            None => return Ok(None),
        },
    };
    let order = if forward { "ASC" } else { "DESC" };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {ITEM} WHERE node = ?1 AND n > ?2 AND n < ?3 ORDER BY n {order} LIMIT ?4 OFFSET ?5"
    ))?;
    let max = max.min(limits::PAGE) as i64;
    let mut items = take_items(statement.query_map(params![node, from, to, max, skip], read_item)?)?;
    if !forward {
        items.reverse();
    }
    let first_index = match items.first() {
        None => 0,
        Some(first) => conn
            .prepare_cached(
                "SELECT count(*) FROM pubsub_item WHERE node = ?1 AND n <
                     (SELECT n FROM pubsub_item WHERE node = ?1 AND id = ?2)",
            )?
            .query_row(params![node, first.id], |row| row.get::<_, i64>(0))?,
    };
    Ok(Some(ItemPage { items, first_index: first_index as u64, count: count as u64 }))
}

pub(crate) fn items_by_id(conn: &Connection, uid: Uid, node: &str, ids: &[String]) -> Result<Vec<Item>> {
    let Some((node, _)) = find(conn, uid, node)? else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(&format!("SELECT {ITEM} WHERE node = ?1 AND id = ?2"))?;
    let ids = ids.iter().take(limits::PAGE);
    take_items(ids.filter_map(|id| statement.query_row(params![node, id], read_item).optional().transpose()))
}

pub(crate) fn last_items(
    conn: &Connection,
    uids: &[Uid],
    names: &[String],
    reader: &BareJid,
) -> Result<Vec<LastItem>> {
    let mut all = conn.prepare_cached(&format!("SELECT {NODE} WHERE uid = ?1 AND kept > 0"))?;
    let mut last = conn.prepare_cached(&format!("SELECT {ITEM} WHERE node = ?1 ORDER BY n DESC LIMIT 1"))?;
    let mut found = Vec::new();
    // Each account has its share, so that one with large items hides nobody else's.
    let share = limits::PAGE_BYTES / uids.len().max(1);
    for &uid in uids {
        let mut room = share;
        let rows = all.query_map([int(uid.0)], read_node)?;
        for row in rows {
            let (number, node) = row?;
            if !names.contains(&node.name) {
                continue;
            }
            let Some(item) = last.query_row([number], read_item).optional()? else { continue };
            if item.payload.len() > room {
                continue;
            }
            room -= item.payload.len();
            found.push(LastItem { uid, node, item, part: affiliates::of_node(conn, number, reader)? });
        }
    }
    Ok(found)
}

pub(crate) fn last_items_subscribed(
    conn: &Connection,
    uid: Uid,
    reader: &BareJid,
    max: usize,
) -> Result<Vec<LastItem>> {
    let mut nodes = conn.prepare_cached(&format!(
        "SELECT {NODE} WHERE uid = ?1 AND kept > 0
             AND id IN (SELECT node FROM pubsub_affiliate WHERE jid = ?2 AND subscribed = 1 AND deliver = 1)
         ORDER BY id DESC"
    ))?;
    let mut last = conn.prepare_cached(&format!("SELECT {ITEM} WHERE node = ?1 ORDER BY n DESC LIMIT 1"))?;
    let (mut found, mut room) = (Vec::new(), limits::PAGE_BYTES);
    let mut rows = nodes.query(params![int(uid.0), reader.as_str()])?;
    while found.len() < max
        && let Some(row) = rows.next()?
    {
        let (number, node) = read_node(row)?;
        let Some(item) = last.query_row([number], read_item).optional()? else { continue };
        if item.payload.len() > room {
            break;
        }
        room -= item.payload.len();
        found.push(LastItem { uid, node, item, part: affiliates::of_node(conn, number, reader)? });
    }
    Ok(found)
}

/// Takes back the item with this id in the nodes of this name of all groups.
pub(super) fn retract_in_groups(tx: &Tx<'_>, name: &str, id: &str) -> Result<()> {
    let mut statement = tx
        .conn
        .prepare_cached("SELECT n.id FROM room r JOIN pubsub_node n ON n.uid = r.uid WHERE n.name = ?1")?;
    let nodes: Vec<i64> = statement.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?;
    nodes.into_iter().try_for_each(|node| retract_from(tx, node, id).map(|_| ()))
}

/// Removes all nodes of an account, and those that it made at the service.
pub(super) fn erase(tx: &Tx<'_>, uid: Uid) -> Result<()> {
    for sql in [
        "DELETE FROM pubsub_item WHERE node IN (SELECT id FROM pubsub_node WHERE uid = ?1 OR creator = ?1)",
        "DELETE FROM pubsub_affiliate WHERE node IN (SELECT id FROM pubsub_node WHERE uid = ?1 OR creator = ?1)",
        "DELETE FROM pubsub_node WHERE uid = ?1 OR creator = ?1",
    ] {
        tx.conn.prepare_cached(sql)?.execute([int(uid.0)])?;
    }
    Ok(())
}
