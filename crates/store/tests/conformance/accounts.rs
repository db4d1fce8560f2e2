//! Accounts, invitations, last activity.

use rookery_proto::{Uid, Useq};
use rookery_store::{
    Account, AccountFilter, ArchiveDefault, ArchivePrefs, Audience, Credentials, Invite, Last, NewAccount,
    Primary, Privacy, PrivacySettings, StoreError, StreamId, Timestamp, limits,
};

use crate::common::*;

pub(crate) async fn numbers_skip_what_is_reserved(mut f: Fixture) {
    let mut numbers = Vec::new();
    for _ in 0..3 {
        numbers.push(f.store.create_account(account(None)).await.unwrap().uid.0);
    }
    f.reopen().await;
    numbers.push(f.store.create_account(account(None)).await.unwrap().uid.0);
    assert_eq!(numbers, [10_001, 10_002, 10_005, 10_007]);
}

pub(crate) async fn names_are_unique(f: Fixture) {
    let alice = f.store.create_account(account(Some("alice"))).await.unwrap();
    assert_eq!(f.store.create_account(account(Some("alice"))).await, Err(StoreError::Conflict));
    assert_eq!(f.store.account_by_name("alice").await.unwrap(), Some(alice.clone()));
    assert_eq!(f.store.account_by_name("bob").await.unwrap(), None);
    assert_eq!(f.store.account(alice.uid).await.unwrap(), Some(alice));
    assert_eq!(f.store.account(Uid(1)).await.unwrap(), None);
    assert_eq!(f.store.account(Uid(u64::MAX)).await.unwrap(), None);
    assert_eq!(f.store.account_count().await.unwrap(), 1);
}

pub(crate) async fn a_number_is_no_name(f: Fixture) {
    for name in ["10001", "007", ""] {
        let refused = f.store.create_account(account(Some(name))).await;
        assert_eq!(refused, Err(StoreError::Invalid("name")));
    }
    let nameless = NewAccount { primary: Primary::Name, ..account(None) };
    assert_eq!(f.store.create_account(nameless).await, Err(StoreError::Invalid("primary address")));
    let large =
        NewAccount { credentials: Credentials(vec![0; limits::CREDENTIALS_BYTES + 1]), ..account(None) };
    assert_eq!(f.store.create_account(large).await, Err(StoreError::Invalid("credentials")));
}

pub(crate) async fn a_deleted_number_is_not_given_again(mut f: Fixture) {
    let first = f.store.create_account(account(Some("alice"))).await.unwrap().uid;
    f.store.delete_account(first).await.unwrap();
    f.reopen().await;
    let second = f.store.create_account(account(Some("alice"))).await.unwrap().uid;
    assert!(second > first, "the name is free again, the number is not");
    assert_eq!(f.store.delete_account(first).await, Err(StoreError::NotFound));
}

pub(crate) async fn deletion_takes_all_that_is_theirs(f: Fixture) {
    let uid = f.store.create_account(account(Some("alice"))).await.unwrap().uid;
    let store = &f.store;
    stored(store, message(uid, BOB, "hello", 1)).await;
    store.roster_set(uid, &address(BOB), None, Vec::new()).await.unwrap();
    store.block(uid, vec!["spam.example".into()]).await.unwrap();
    let prefs = ArchivePrefs {
        default: ArchiveDefault::Never,
        always: vec![address(BOB)],
        never: vec![jid("x@example.org")],
    };
    store.set_archive_prefs(uid, prefs).await.unwrap();
    store.set_retention_days(uid, Some(3)).await.unwrap();
    let hidden = PrivacySettings { presence: Audience::Nobody, ..PrivacySettings::default() };
    store.set_privacy(uid, hidden).await.unwrap();
    store.set_visibility(uid, address(BOB), Some(true)).await.unwrap();
    store.answer(uid, address(BOB)).await.unwrap();
    store.set_last(uid, Last { at: Timestamp(5), status: None }).await.unwrap();
    store.open_stream(StreamId([1; 16]), uid).await.unwrap();
    store.create_invite(Invite { created_by: Some(uid), ..invite(1, 9) }, Timestamp(0), 9).await.unwrap();

    store.delete_account(uid).await.unwrap();

    assert_eq!(store.account(uid).await.unwrap(), None);
    assert_eq!(store.account_by_name("alice").await.unwrap(), None);
    assert_eq!(store.credentials(uid).await.unwrap(), None);
    assert_eq!(log(store, uid).await, []);
    assert_eq!(store.head(uid).await.unwrap().head, Useq(0));
    assert_eq!(store.roster(uid).await.unwrap().items, []);
    assert_eq!(store.blocklist(uid).await.unwrap(), [""; 0]);
    assert_eq!(store.archive_prefs(uid).await.unwrap(), None);
    assert_eq!(store.retention_days(uid).await.unwrap(), None);
    assert_eq!(store.privacy(uid).await.unwrap(), Privacy::default());
    store.set_last(uid, Last { at: Timestamp(6), status: None }).await.unwrap();
    assert_eq!(store.last(uid).await.unwrap(), None);
    assert_eq!(store.stream(StreamId([1; 16])).await.unwrap(), None);
    assert_eq!(store.invites(None).await.unwrap(), []);
    assert_eq!(log(store, BOB).await, [(1, "hello".into())], "the other side keeps its copy");
}

pub(crate) async fn an_import_refuses_one_by_one(f: Fixture) {
    f.store.create_account(account(Some("taken"))).await.unwrap();
    let mut new: Vec<NewAccount> =
        (0..limits::IMPORT + 10).map(|n| account(Some(&format!("user{n}")))).collect();
    new[1].name = Some("taken".into());
    new[5].name = Some("user4".into());
    new[6].name = Some("123".into());
    let made = f.store.import_accounts(new).await.unwrap();
    assert_eq!(made.len(), limits::IMPORT + 10);
    for (n, answer) in made.iter().enumerate() {
        match n {
            1 | 5 => assert_eq!(*answer, Err(StoreError::Conflict)),
            6 => assert_eq!(*answer, Err(StoreError::Invalid("name"))),
            _ => assert_eq!(answer.as_ref().unwrap().name, Some(format!("user{n}"))),
        }
    }
    assert_eq!(f.store.account_count().await.unwrap() as usize, 1 + limits::IMPORT + 10 - 3);
    let last = made.last().unwrap().clone().unwrap();
    assert_eq!(f.store.account(last.uid).await.unwrap(), Some(last));
}

pub(crate) async fn accounts_are_listed(f: Fixture) {
    for name in [Some("anna"), None, Some("anton"), Some("bert")] {
        f.store.create_account(account(name)).await.unwrap();
    }
    f.store.set_disabled(Uid(10_002), true).await.unwrap();
    let list = async |after: Option<u64>, prefix: Option<&str>, disabled, limit| -> Vec<u64> {
        let filter = AccountFilter { name_prefix: prefix.map(str::to_owned), disabled, words: None };
        let accounts = f.store.accounts(after.map(Uid), filter, limit).await.unwrap();
        accounts.iter().map(|account| account.uid.0).collect()
    };
    assert_eq!(list(None, None, None, 9).await, [10_001, 10_002, 10_005, 10_007]);
    assert_eq!(list(Some(10_001), None, None, 2).await, [10_002, 10_005]);
    assert_eq!(list(None, Some("an"), None, 9).await, [10_001, 10_005]);
    assert_eq!(list(None, None, Some(true), 9).await, [10_002]);
    assert_eq!(list(None, None, Some(false), 9).await, [10_001, 10_005, 10_007]);
    f.store.set_nick(Uid(10_002), Some("The ANTS".into())).await.unwrap();
    let find = async |words: &str| -> Vec<u64> {
        let filter = AccountFilter { words: Some(words.to_owned()), ..AccountFilter::default() };
        let accounts = f.store.accounts(None, filter, 9).await.unwrap();
        accounts.iter().map(|account| account.uid.0).collect()
    };
    assert_eq!(find("Ant").await, [10_002, 10_005]);
    assert_eq!(find("1000").await, [10_001, 10_002, 10_005, 10_007]);
    assert_eq!(find("0001").await, [0; 0], "numbers by how they begin");
    assert_eq!(find("%").await, [0; 0]);
}

pub(crate) async fn fields_change(mut f: Fixture) {
    let new = NewAccount { nick: Some("Ali".into()), epoch: u32::MAX, ..account(Some("alice")) };
    let uid = f.store.create_account(new).await.unwrap().uid;
    let expected = Account {
        uid,
        name: Some("alice".into()),
        primary: Primary::Name,
        nick: Some("Ali".into()),
        created: Timestamp(1_000),
        disabled: false,
        epoch: u32::MAX,
    };
    assert_eq!(f.store.account(uid).await.unwrap().as_ref(), Some(&expected));
    assert_eq!(f.store.credentials(uid).await.unwrap(), Some(Credentials(b"keys".to_vec())));
    f.store.set_credentials(uid, Credentials(b"new".to_vec()), Vec::new()).await.unwrap();
    f.store.set_disabled(uid, true).await.unwrap();
    f.store.set_nick(uid, None).await.unwrap();
    f.reopen().await;
    let changed = Account { nick: None, disabled: true, ..expected };
    assert_eq!(f.store.account(uid).await.unwrap(), Some(changed));
    assert_eq!(f.store.credentials(uid).await.unwrap(), Some(Credentials(b"new".to_vec())));
    f.store.new_epochs(2).await.unwrap();
    assert_eq!(f.store.account(uid).await.unwrap().map(|account| account.epoch), Some(1), "it goes round");
    assert_eq!(f.store.new_epochs(0).await, Err(StoreError::Invalid("number")));
    let nobody = Uid(5);
    assert_eq!(
        f.store.set_credentials(nobody, Credentials(Vec::new()), Vec::new()).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(f.store.set_disabled(nobody, true).await, Err(StoreError::NotFound));
    assert_eq!(f.store.set_nick(nobody, None).await, Err(StoreError::NotFound));
}

pub(crate) async fn the_disabled_are_counted(f: Fixture) {
    for name in ["anna", "bert"] {
        let uid = f.store.create_account(account(Some(name))).await.unwrap().uid;
        f.store.set_disabled(uid, name == "bert").await.unwrap();
    }
    assert_eq!((f.store.account_count().await.unwrap(), f.store.disabled_count().await.unwrap()), (2, 1));
}

pub(crate) async fn last_activity_is_kept(f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    assert_eq!(f.store.last(uid).await.unwrap(), None);
    for status in [Some("bye".to_owned()), None] {
        let last = Last { at: Timestamp(5), status };
        f.store.set_last(uid, last.clone()).await.unwrap();
        assert_eq!(f.store.last(uid).await.unwrap(), Some(last));
    }
}

pub(crate) async fn administrators_are_a_set(mut f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    assert!(!f.store.is_admin(uid).await.unwrap());
    for admin in [true, true, false, true] {
        f.store.set_admin(uid, admin).await.unwrap();
        assert_eq!(f.store.is_admin(uid).await.unwrap(), admin);
    }
    f.reopen().await;
    assert_eq!(f.store.admins().await.unwrap(), [uid]);
    assert_eq!(f.store.set_admin(Uid(5), true).await, Err(StoreError::NotFound));
    for _ in 1..limits::ADMINS {
        let uid = f.store.create_account(account(None)).await.unwrap().uid;
        f.store.set_admin(uid, true).await.unwrap();
    }
    let one_more = f.store.create_account(account(None)).await.unwrap().uid;
    assert_eq!(f.store.set_admin(one_more, true).await, Err(StoreError::Limit("administrators")));
    f.store.delete_account(uid).await.unwrap();
    assert!(!f.store.is_admin(uid).await.unwrap());
}
