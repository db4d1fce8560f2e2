//! Who has a part in a publish-subscribe node: affiliations and subscriptions.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Tx;
use super::columns::{int, jid};
use super::pubsub::{find, number};
use crate::pubsub::{Affiliate, AffiliateChange, Affiliation, Subscription};
use crate::{Result, StoreError, limits};

const PART: &str = "jid, affiliation, subscribed, deliver";

fn read(row: &Row<'_>) -> rusqlite::Result<Affiliate> {
    let affiliation = match row.get::<_, i64>(1)? {
        1 => Affiliation::Member,
        2 => Affiliation::Publisher,
        3 => Affiliation::Outcast,
        4 => Affiliation::Owner,
        5 => Affiliation::PublishOnly,
        _ => Affiliation::None,
    };
    let subscription = match row.get::<_, i64>(2)? {
        1 => Subscription::Subscribed,
        2 => Subscription::Pending,
        _ => Subscription::None,
    };
    Ok(Affiliate { jid: jid(row, 0)?, affiliation, subscription, deliver: row.get(3)? })
}

fn of_affiliation(affiliation: Affiliation) -> i64 {
    match affiliation {
        Affiliation::None => 0,
        Affiliation::Member => 1,
        Affiliation::Publisher => 2,
        Affiliation::Outcast => 3,
        Affiliation::Owner => 4,
        Affiliation::PublishOnly => 5,
    }
}

fn of_subscription(subscription: Subscription) -> i64 {
    match subscription {
        Subscription::None => 0,
        Subscription::Subscribed => 1,
        Subscription::Pending => 2,
    }
}

pub(crate) fn all(conn: &Connection, uid: Uid, node: &str) -> Result<Vec<Affiliate>> {
    let Some((node, _)) = find(conn, uid, node)? else { return Ok(Vec::new()) };
    let sql = format!("SELECT {PART} FROM pubsub_affiliate WHERE node = ?1 ORDER BY jid");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map([node], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn one(conn: &Connection, uid: Uid, node: &str, jid: &BareJid) -> Result<Affiliate> {
    match find(conn, uid, node)? {
        Some((node, _)) => of_node(conn, node, jid),
        None => Ok(Affiliate::nobody(jid.clone())),
    }
}

/// The part of `jid` in the node of this number.
pub(super) fn of_node(conn: &Connection, node: i64, jid: &BareJid) -> Result<Affiliate> {
    let sql = format!("SELECT {PART} FROM pubsub_affiliate WHERE node = ?1 AND jid = ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_row(params![node, jid.as_str()], read).optional()?;
    Ok(found.unwrap_or_else(|| Affiliate::nobody(jid.clone())))
}

pub(crate) fn of(conn: &Connection, uid: Uid, jid: &BareJid) -> Result<Vec<(String, Affiliate)>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {PART}, n.name FROM pubsub_affiliate a JOIN pubsub_node n ON n.id = a.node
         WHERE a.jid = ?2 AND n.uid = ?1 ORDER BY a.subscribed = 0, n.name LIMIT ?3"
    ))?;
    let rows = statement.query_map(params![int(uid.0), jid.as_str(), limits::PARTS as i64], |row| {
        Ok((row.get(4)?, read(row)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes somebody an owner of a node that was just made.
pub(super) fn own(tx: &Tx<'_>, node: i64, owner: &BareJid) -> Result<()> {
    set(tx, node, &AffiliateChange::affiliation(owner.clone(), Affiliation::Owner))
}

fn set(tx: &Tx<'_>, node: i64, change: &AffiliateChange) -> Result<()> {
    let AffiliateChange { jid, affiliation, subscription, deliver } = change;
    // Who subscribes anew is told again, whatever it wanted before.
    let deliver = deliver.or((*subscription == Some(Subscription::None)).then_some(true));
    tx.conn
        .prepare_cached(
            "INSERT INTO pubsub_affiliate (node, jid, affiliation, subscribed, deliver)
             VALUES (?1, ?2, coalesce(?3, 0), coalesce(?4, 0), coalesce(?5, 1)) ON CONFLICT (node, jid) DO UPDATE
             SET affiliation = coalesce(?3, affiliation), subscribed = coalesce(?4, subscribed),
                 deliver = coalesce(?5, deliver)",
        )?
        .execute(params![
            node,
            jid.as_str(),
            affiliation.map(of_affiliation),
            subscription.map(of_subscription),
            deliver,
        ])?;
    Ok(())
}

pub(crate) fn change(tx: &mut Tx<'_>, uid: Uid, node: &str, changes: &[AffiliateChange]) -> Result<()> {
    let node = number(tx.conn, uid, node)?;
    for change in changes {
        set(tx, node, change)?;
        if change.subscription.is_some_and(|subscription| subscription != Subscription::None) {
            bounded(tx, uid, &change.jid)?;
        }
    }
    tx.conn
        .prepare_cached(
            "DELETE FROM pubsub_affiliate WHERE node = ?1 AND affiliation = 0 AND subscribed = 0",
        )?
        .execute([node])?;
    let count: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM pubsub_affiliate WHERE node = ?1")?
        .query_row([node], |row| row.get(0))?;
    if count > limits::NODE_AFFILIATES as i64 {
        Err(StoreError::Limit("affiliates of the node"))
    } else {
        Ok(())
    }
}

/// That somebody has not subscribed to too many nodes in one place.
fn bounded(tx: &Tx<'_>, uid: Uid, jid: &BareJid) -> Result<()> {
    let count: i64 = tx
        .conn
        .prepare_cached(
            "SELECT count(*) FROM pubsub_affiliate a JOIN pubsub_node n ON n.id = a.node
             WHERE a.jid = ?2 AND a.subscribed > 0 AND n.uid = ?1",
        )?
        .query_row(params![int(uid.0), jid.as_str()], |row| row.get(0))?;
    if count > limits::PARTS as i64 { Err(StoreError::Limit("subscriptions")) } else { Ok(()) }
}

pub(crate) fn forget(tx: &mut Tx<'_>, jid: &BareJid) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM pubsub_affiliate WHERE jid = ?1")?.execute([jid.as_str()])?;
    Ok(())
}
