//! Invitations.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::int;
use super::{Tx, accounts, groups, pubsub, review, subscriptions};
use crate::account::Numbers;
use crate::invite::{Friends, Invite, InviteHash, Offer, Shown, SignedUp};
use crate::roster::Party;
use crate::{GroupAffiliate, Item, ItemChange, NewAccount, Node, Result, StoreError, Timestamp, limits};

/// An account that nobody can use invites nobody.
const INVITE: &str = "hash, expires, uses, created_by, account, contact, name, room FROM invite
    WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.uid = created_by AND a.disabled)";

fn invite(row: &Row<'_>) -> rusqlite::Result<Invite> {
    let created_by: Option<i64> = row.get(3)?;
    let group: Option<String> = row.get(7)?;
    let group = group.map(|jid| BareJid::new(&jid)).transpose();
    Ok(Invite {
        hash: row.get(0)?,
        expires: row.get(1)?,
        uses: row.get(2)?,
        created_by: created_by.map(|uid| Uid(uid as u64)),
        offer: Offer {
            account: row.get(4)?,
            contact: row.get(5)?,
            name: row.get(6)?,
            group: group
                .map_err(|error| rusqlite::Error::FromSqlConversionFailure(7, Type::Text, error.into()))?,
        },
    })
}

pub(crate) fn create(tx: &mut Tx<'_>, invite: &Invite, now: Timestamp, most: usize) -> Result<()> {
    let count: i64 =
        tx.conn.prepare_cached("SELECT count(*) FROM invite")?.query_row([], |row| row.get(0))?;
    let own: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM invite WHERE created_by = ?1 AND expires > ?2")?
        .query_row(params![invite.created_by.map(|uid| int(uid.0)), now], |row| row.get(0))?;
    if count >= limits::INVITES as i64 || own >= most as i64 {
        return Err(StoreError::Limit("invitations"));
    }
    if let Some(name) = &invite.offer.name {
        let taken = accounts::by_name(tx.conn, name)?.is_some();
        if taken || is_kept(tx.conn, name, now, None)? {
            return Err(StoreError::Conflict);
        }
    }
    let made = tx
        .conn
        .prepare_cached(
            "INSERT INTO invite (hash, expires, uses, created_by, account, contact, name, room)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            invite.hash,
            invite.expires,
            invite.uses,
            invite.created_by.map(|uid| int(uid.0)),
            invite.offer.account,
            invite.offer.contact,
            invite.offer.name,
            invite.offer.group.as_ref().map(|jid| jid.as_str()),
        ])?;
    if made == 0 { Err(StoreError::Conflict) } else { Ok(()) }
}

/// Whether an invitation other than `mine` keeps a name for who takes it up (XEP-0401 §6.2).
pub(super) fn is_kept(
    conn: &Connection,
    name: &str,
    now: Timestamp,
    mine: Option<InviteHash>,
) -> Result<bool> {
    let mut statement = conn.prepare_cached(
        "SELECT 1 FROM invite WHERE name = ?1 AND uses > 0 AND expires > ?2 AND hash IS NOT ?3",
    )?;
    Ok(statement.exists(params![name, now, mine])?)
}

pub(crate) fn get(conn: &Connection, hash: InviteHash) -> Result<Option<Invite>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {INVITE} AND hash = ?1"))?;
    Ok(statement.query_row([hash], invite).optional()?)
}

pub(crate) fn list(conn: &Connection, of: Option<Uid>) -> Result<Vec<Invite>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {INVITE} AND (?1 IS NULL OR created_by = ?1) ORDER BY expires, hash LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![of.map(|uid| int(uid.0)), limits::INVITES as i64], invite)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn revoke(tx: &mut Tx<'_>, hash: InviteHash, of: Option<Uid>) -> Result<bool> {
    let revoked = tx
        .conn
        .prepare_cached(
            "DELETE FROM invite WHERE hash = ?1 AND (?2 IS NULL OR created_by = ?2 AND uses > 0)",
        )?
        .execute(params![hash, of.map(|uid| int(uid.0))])?;
    Ok(revoked > 0)
}

/// Uses an invitation once; what it is then.
pub(super) fn spend(tx: &Tx<'_>, shown: Shown) -> Result<Invite> {
    let valid = |invite: &Invite| invite.uses > 0 && invite.expires > shown.at;
    let mut invite = get(tx.conn, shown.hash)?.filter(valid).ok_or(StoreError::InvalidInvite)?;
    invite.uses -= 1;
    tx.conn
        .prepare_cached("UPDATE invite SET uses = ?2 WHERE hash = ?1")?
        .execute(params![invite.hash, invite.uses])?;
    Ok(invite)
}

pub(crate) fn sign_up(
    tx: &mut Tx<'_>,
    numbers: &Numbers,
    new: NewAccount,
    items: Vec<(Node, Item)>,
    domain: &str,
    waits: bool,
) -> Result<SignedUp> {
    let shown = new.invite;
    let account = accounts::create(tx, numbers, new)?;
    if waits {
        review::begin(tx, account.uid)?;
    }
    let address = account.address(domain)?;
    let published = |(node, item)| ItemChange::Publish(node, Item { publisher: address.to_string(), ..item });
    let items: Vec<_> = items.into_iter().map(published).collect();
    pubsub::change(tx, account.uid, &items)?;
    let invite = match shown {
        Some(shown) => get(tx.conn, shown.hash)?,
        None => None,
    };
    let inviter = invite.as_ref().filter(|invite| invite.offer.contact).and_then(|invite| invite.created_by);
    let friends = match inviter {
        Some(uid) => {
            let inviter = accounts::get(tx.conn, uid)?.ok_or(StoreError::InvalidInvite)?;
            let inviter = Party { jid: inviter.address(domain)?, uid: Some(uid) };
            let taker = Party { jid: account.address(domain)?, uid: Some(account.uid) };
            befriend(tx, &inviter, &taker)?
        }
        None => None,
    };
    Ok(SignedUp { account, invite, friends })
}

pub(crate) fn take_up(
    tx: &mut Tx<'_>,
    shown: Shown,
    taker: &Party,
    inviter: &Party,
) -> Result<Option<(Invite, Friends)>> {
    let theirs = |invite: &Invite| invite.offer.contact && invite.created_by == inviter.uid;
    if inviter.uid.is_none() || !get(tx.conn, shown.hash)?.is_some_and(|invite| theirs(&invite)) {
        return Ok(None);
    }
    let invite = match spend(tx, shown) {
        Err(StoreError::InvalidInvite) => return Ok(None),
        spent => spent?,
    };
    match befriend(tx, inviter, taker)? {
        Some(friends) => Ok(Some((invite, friends))),
        None => {
            tx.conn
                .prepare_cached("UPDATE invite SET uses = uses + 1 WHERE hash = ?1")?
                .execute([shown.hash])?;
            Ok(None)
        }
    }
}

pub(crate) fn take_up_group(tx: &mut Tx<'_>, shown: Shown, group: Uid, who: GroupAffiliate) -> Result<()> {
    if spend(tx, shown)?.offer.group.is_none() {
        return Err(StoreError::InvalidInvite);
    }
    groups::affiliate(tx, group, &[who])
}

/// Puts two accounts into each other's roster, with presence both ways; `None` if they were there so.
fn befriend(tx: &mut Tx<'_>, inviter: &Party, taker: &Party) -> Result<Option<Friends>> {
    let Some(uid) = inviter.uid else { return Ok(None) };
    let inviter_change = subscriptions::befriend(tx, inviter, taker)?;
    let taker_change = subscriptions::befriend(tx, taker, inviter)?;
    let changed = inviter_change.is_some() || taker_change.is_some();
    Ok(changed.then_some(Friends { inviter: uid, inviter_change, taker_change }))
}
