//! A deleted account leaves nothing behind. Looks at the tables themselves, so that one which is added later is covered on
//! the day that it is added: each that has a column for an account's number gets a row of the account, and afterwards its
//! number is in no column of any table.

mod common;

use common::*;
use rookery_proto::Uid;
use rookery_store::{Policy, SweepCursor, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// What columns are called that hold the number of the account whose row it is.
const OWNERS: [&str; 3] = ["uid", "reporter", "creator"];

/// A column of a table.
struct Column {
    name: String,
    kind: String,
}

/// Every table with its columns.
fn tables(conn: &Connection) -> Vec<(String, Vec<Column>)> {
    let mut statement = conn
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        )
        .unwrap();
    let names: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let columns = |table: &str| -> Vec<Column> {
        let mut statement = conn.prepare("SELECT name, type FROM pragma_table_info(?1)").unwrap();
        let rows =
            statement.query_map([table], |row| Ok(Column { name: row.get(0)?, kind: row.get(1)? })).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    names.into_iter().map(|name| (name.clone(), columns(&name))).collect()
}

/// Gives the account a row in each table that has rows of accounts; which tables these are.
fn fill(conn: &Connection, uid: Uid) -> Vec<String> {
    let mut filled = Vec::new();
    for (table, columns) in tables(conn) {
        // What has a number of its own is no account's: a group, and what is gone.
        if ["deleted", "room"].contains(&table.as_str())
            || !columns.iter().any(|column| OWNERS.contains(&column.name.as_str()))
        {
            continue;
        }
        let values: Vec<Value> = columns
            .iter()
            .map(|column| match column.kind.as_str() {
                name if OWNERS.contains(&column.name.as_str()) => {
                    assert_eq!(name, "INTEGER", "{table}");
                    Value::Integer(uid.0 as i64)
                }
                "TEXT" if column.name == "token" => Value::Text("a".repeat(26)),
                "INTEGER" => Value::Integer(1),
                "BLOB" => Value::Blob(vec![7; 16]),
                _ => Value::Text("somebody@example.org".to_owned()),
            })
            .collect();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let marks = vec!["?"; names.len()].join(", ");
        // A table that will have none of these needs a row of its own here.
        let sql = format!("INSERT OR REPLACE INTO {table} ({}) VALUES ({marks})", names.join(", "));
        conn.execute(&sql, params_from_iter(values)).unwrap_or_else(|error| panic!("{table}: {error}"));
        filled.push(table);
    }
    filled
}

/// The columns in which the number stands.
fn traces(conn: &Connection, uid: Uid) -> Vec<String> {
    let mut traces = Vec::new();
    for (table, columns) in tables(conn) {
        for column in columns.iter().filter(|column| column.kind == "INTEGER") {
            let sql = format!("SELECT count(*) FROM {table} WHERE {} = ?1", column.name);
            let count: i64 = conn.query_row(&sql, [uid.0 as i64], |row| row.get(0)).unwrap();
            if count > 0 {
                traces.push(format!("{table}.{}", column.name));
            }
        }
    }
    traces
}

#[tokio::test]
async fn no_table_knows_the_number_of_a_deleted_account() {
    let mut f = sqlite().await;
    // A number that nothing else is by chance: the columns of the rows that are made here are all 1.
    let gone = f.store.create_account(account(Some("gone"))).await.unwrap().uid;
    let stays = f.store.create_account(account(Some("stays"))).await.unwrap().uid;
    append(&f.store, named(gone, stays, "hello", 1)).await.unwrap();
    append(&f.store, named(stays, gone, "welcome", 2)).await.unwrap();
    append(&f.store, named(gone, gone, "to myself", 3)).await.unwrap();
    f.store.close().await.unwrap();
    let conn = Connection::open(&f.options.path).unwrap();
    // The account itself, its log and its nodes are there already, and are as they must be.
    let filled = fill(&conn, gone);
    assert!(filled.len() > 15, "{filled:?}");
    drop(conn);

    f.reopen().await;
    f.store.delete_account(gone).await.unwrap();
    let mut from = Some(SweepCursor::default());
    while let Some(cursor) = from {
        from = f.store.sweep(Timestamp(4), Policy::default(), cursor).await.unwrap().next;
    }
    // Files go with their bytes, at their own pace.
    while !f.store.expire_uploads(Timestamp(4)).await.unwrap().is_empty() {}
    assert_eq!(log(&f.store, stays).await, [(1, "hello".into()), (2, "welcome".into())], "theirs stays");
    f.store.close().await.unwrap();

    let conn = Connection::open(&f.options.path).unwrap();
    assert_eq!(
        traces(&conn, gone),
        ["deleted.uid"],
        "the number is not given again, and nothing else is known"
    );
    let bodies: i64 = conn.query_row("SELECT count(*) FROM message", [], |row| row.get(0)).unwrap();
    assert_eq!(bodies, 2, "a body goes with its last pointer");
    let orphans: i64 = conn
        .query_row(
            "SELECT count(*) FROM pubsub_item WHERE node NOT IN (SELECT id FROM pubsub_node)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(orphans, 0);
}
