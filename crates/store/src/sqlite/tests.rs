//! What only the inside can show: jobs that fail beside others, the plans of queries, the schema's version.

use std::sync::Arc;

use parking_lot::Mutex;
use rookery_proto::Uid;
use rusqlite::Connection;

use super::columns::int;
use super::tx::Last;
use super::{Kind, delivery, imap, inbox, junk, page, privacy, sweep, timeline};
use crate::{Options, Result, Store, StoreError, Timestamp};

type Rung = Arc<Mutex<Vec<u64>>>;

async fn open(dir: &tempfile::TempDir) -> Result<(Store, Rung)> {
    let rung = Rung::default();
    let ring = Arc::clone(&rung);
    let doorbell = Box::new(move |_, entry: Arc<crate::Entry>| ring.lock().push(entry.useq.0));
    let store = Store::open(Options::new(dir.path().join("store.db")), doorbell).await?;
    Ok((store, rung))
}

/// A job that adds a roster version and moves a head, and then ends as told.
async fn job(store: &Store, uid: u64, end: fn() -> Result<()>) -> crate::Pending<u64> {
    job_of(Kind::Guarded, store, uid, end).await
}

async fn job_of(kind: Kind, store: &Store, uid: u64, end: fn() -> Result<()>) -> crate::Pending<u64> {
    let work = move |tx: &mut super::Tx<'_>| {
        let last = tx.last(Uid(uid))?;
        let next = Last { useq: last.useq.next(), at: Timestamp(0) };
        tx.conn.execute(
            "INSERT INTO log (uid, useq, message, at, flags, direction, peer) VALUES (?1, ?2, 0, 0, 2, 0, 'a@b')",
            [int(uid), int(next.useq.0)],
        )?;
        tx.set_last(Uid(uid), next);
        end()?;
        Ok(next.useq.0)
    };
    store.enqueue(kind, work).await.expect("there is room")
}

/// Takes some hundred times what a look-up may.
const SLOW: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT count(*) FROM n";

#[tokio::test]
async fn look_ups_leave_their_thread_after_slow_ones() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir).await.unwrap();
    for _ in 0..3 {
        let slow = store.look_up(|conn| Ok(conn.query_row(SLOW, [], |row| row.get::<_, i64>(0))?));
        assert_eq!(slow.await, Ok(1_000_000));
    }
    let elsewhere = store.look_up(|_| Ok(std::thread::current().id())).await.unwrap();
    assert_ne!(elsewhere, std::thread::current().id());
    store.close().await.unwrap();
    assert_eq!(store.look_up(|_| Ok(())).await, Err(StoreError::Closed));
}

#[tokio::test]
async fn a_look_up_that_panics_is_an_error_to_who_asked() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir).await.unwrap();
    let defect = store.look_up(|_| -> Result<()> { panic!("a defect") });
    assert_eq!(defect.await, Err(StoreError::Internal));
    assert_eq!(store.look_up(|_| Ok(7)).await, Ok(7));
}

#[tokio::test]
async fn a_failing_job_does_not_harm_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir).await.unwrap();
    let ends: [fn() -> Result<()>; 5] =
        [|| Ok(()), || Err(StoreError::Conflict), || Ok(()), || panic!("a defect"), || Ok(())];
    let mut pending = Vec::new();
    // In one batch: the runtime has one thread, and the writer's task does not run before the first await.
    for end in ends {
        pending.push(job(&store, 1, end).await);
    }
    let mut answers = Vec::new();
    for answer in pending {
        answers.push(answer.await);
    }
    assert_eq!(answers, [Ok(1), Err(StoreError::Conflict), Ok(2), Err(StoreError::Internal), Ok(3)]);
    assert_eq!(store.stats().commits, 1, "they shared a transaction");
}

#[tokio::test]
async fn a_fault_fails_the_batch_and_forgets_its_heads() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir).await.unwrap();
    let first = job(&store, 1, || Ok(())).await;
    let second = job(&store, 1, || Err(StoreError::Full)).await;
    assert_eq!((first.await, second.await), (Err(StoreError::Full), Err(StoreError::Full)));
    assert_eq!(job(&store, 1, || Ok(())).await.await, Ok(1));
}

#[tokio::test]
async fn a_job_that_breaks_its_word_fails_the_batch() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir).await.unwrap();
    let neighbour = job(&store, 1, || Ok(())).await;
    let broken = job_of(Kind::Checked, &store, 2, || Err(StoreError::Conflict)).await;
    assert_eq!((neighbour.await, broken.await), (Err(StoreError::Internal), Err(StoreError::Internal)));
    assert_eq!(job(&store, 1, || Ok(())).await.await, Ok(1));
    assert_eq!(job(&store, 2, || Ok(())).await.await, Ok(1));
}

#[tokio::test]
async fn a_job_that_refuses_first_harms_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir).await.unwrap();
    let neighbour = job(&store, 1, || Ok(())).await;
    let refusal = store.enqueue(Kind::Checked, |_| Err::<(), _>(StoreError::Conflict)).await.unwrap();
    assert_eq!((neighbour.await, refusal.await), (Ok(1), Err(StoreError::Conflict)));
}

#[tokio::test]
async fn another_process_is_kept_out() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir).await.unwrap();
    assert_eq!(open(&dir).await.err(), Some(StoreError::Busy));
    store.close().await.unwrap();
    open(&dir).await.unwrap();
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir).await.unwrap();
    store.close().await.unwrap();
    store.close().await.unwrap();
    assert_eq!(store.account_count().await, Err(StoreError::Closed));
    assert_eq!(store.set_disabled(Uid(1), true).await, Err(StoreError::Closed));
}

#[tokio::test]
async fn what_waits_is_committed_before_closing() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir).await.unwrap();
    let waiting = job(&store, 1, || Ok(())).await;
    store.close().await.unwrap();
    assert_eq!(waiting.await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_waits_for_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir).await.unwrap();
    let answer = async { job(&store, 1, || Ok(())).await.await };
    // The clock would jump to the end of the timeout if the store's work did not hold it.
    let answer = tokio::time::timeout(std::time::Duration::from_millis(1), answer).await;
    assert_eq!(answer, Ok(Ok(1)));
}

#[tokio::test]
async fn a_newer_schema_and_a_strange_file_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    let (store, _) = open(&dir).await.unwrap();
    store.close().await.unwrap();
    let change = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();

    change("PRAGMA user_version = 99");
    let refused = open(&dir).await.err();
    assert!(matches!(refused, Some(StoreError::NewerSchema { found: 99, .. })), "{refused:?}");
    change("PRAGMA application_id = 1; PRAGMA user_version = 1");
    assert_eq!(open(&dir).await.err(), Some(StoreError::Corrupt));
    std::fs::write(&path, "no database at all, but long enough to be looked at".repeat(20)).unwrap();
    assert_eq!(open(&dir).await.err(), Some(StoreError::Corrupt));
}

/// Each query with what its plan must use. A scan of a table or a sort would be linear in the archive.
#[tokio::test]
async fn queries_go_by_their_index() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir).await.unwrap();
    let mut queries = vec![
        (sweep::passing_sql(), "log_passing"),
        (delivery::owed_sql(), "log_owed"),
        (delivery::OWED_COUNT.to_owned(), "log_owed"),
        (sweep::candidates_sql("WHERE l.uid = ?1 ORDER BY l.useq LIMIT ?2"), "log_position"),
        (
            format!("SELECT {} WHERE l.uid = ?1 AND l.useq > ?2 ORDER BY l.useq LIMIT ?3", timeline::ENTRY),
            "log_position",
        ),
        (
            "SELECT at FROM message WHERE sender = ?1 AND origin = ?2 ORDER BY id DESC LIMIT 1".to_owned(),
            "message_origin",
        ),
        (page::PEER.to_owned(), "log_peer"),
        (page::events_with_sql(), "log_peer"),
        (sweep::ANONYMOUS.to_owned(), "message_origin"),
        (privacy::REQUEST.to_owned(), "log_request"),
        (privacy::REQUESTS.to_owned(), "log_request"),
        (junk::LIST.to_owned(), "log_junk"),
        (junk::OF.to_owned(), "log_junk"),
        (page::MESSAGES_WITH.to_owned(), "log_peer"),
        (inbox::NEXT_PEER.to_owned(), "log_peer"),
        (inbox::BACKWARD.to_owned(), "log_peer"),
        (inbox::GROUP_BACKWARD.to_owned(), "log_position"),
        (inbox::NAMES.to_owned(), "log_peer"),
        (imap::flags::UNREAD.to_owned(), "imap_mail_unseen"),
        (imap::flags::FORWARD.to_owned(), "log_peer"),
        (imap::folders::UNFILED.to_owned(), "log_position"),
        (imap::mails::SOURCE.to_owned(), "imap_mail_message"),
    ];
    for (with, resource, index) in
        [(false, false, "log_position"), (true, false, "log_peer"), (true, true, "log_peer")]
    {
        let condition = page::condition(with, resource);
        for backward in [false, true] {
            queries.push((page::page_sql(condition, backward), index));
        }
        queries.push((page::count_sql(condition), index));
    }
    for (sql, index) in queries {
        let explained = sql.clone();
        let plan = store.read(move |conn| {
            let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {explained}"))?;
            let (mut rows, mut plan) = (statement.raw_query(), String::new());
            while let Some(row) = rows.next()? {
                plan.push_str(&row.get::<_, String>(3)?);
                plan.push('\n');
            }
            Ok(plan)
        });
        let plan = plan.await.unwrap();
        // Counting a bounded subquery scans just that.
        let linear = plan.replace("SCAN (subquery-1)", "");
        assert!(plan.contains(index), "{sql}\n{plan}");
        assert!(!linear.contains("SCAN") && !linear.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}
