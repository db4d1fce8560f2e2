//! Uploads: room is given before bytes come, bytes are shared by what has the same, and all goes with what names it.

use rookery_proto::Uid;
use rookery_store::{
    Blob, FileHash, FilePurpose, FileQuota, FileToken, FileUsage, NewUpload, Origin, Policy, Room,
    StoreError, Timestamp, UploadFilter, limits,
};

use crate::common::*;

const HOUR: i64 = 3_600_000;

fn token(letter: u8) -> FileToken {
    FileToken::new(&[letter; FileToken::LEN]).unwrap()
}

fn hash(n: u8) -> FileHash {
    FileHash([n; 32])
}

fn new(letter: u8, size: u64) -> NewUpload {
    NewUpload {
        token: token(letter),
        uid: ALICE,
        name: "cat.jpg".into(),
        media_type: "image/jpeg".into(),
        size,
        purpose: FilePurpose::Message,
        at: Timestamp(0),
        due: Timestamp(HOUR),
    }
}

async fn open(f: &Fixture, new: NewUpload) -> Room {
    f.store.open_upload(new, FileQuota::default()).await.unwrap()
}

/// A finished upload of these bytes that goes after a day, if nothing names it.
async fn uploaded(f: &Fixture, new: NewUpload, bytes: FileHash) {
    let (token, size) = (new.token, new.size);
    assert_eq!(open(f, new).await, Room::Given);
    f.store.expect_blob(bytes, size).await.unwrap();
    let blob = Blob { hash: bytes, dimensions: None };
    f.store.finish_upload(token, blob, Some(Timestamp(24 * HOUR))).await.unwrap();
}

fn naming(letters: &[u8], at: i64) -> rookery_store::Append {
    let links =
        letters.iter().map(|letter| format!("https://example.org/upload/{}/cat.jpg ", token(*letter)));
    message(ALICE, BOB, &links.collect::<String>(), at)
}

async fn due(f: &Fixture, letter: u8) -> Option<Option<i64>> {
    Some(f.store.upload(token(letter)).await.unwrap()?.due.map(|due| due.0))
}

pub(crate) async fn an_upload_becomes_a_file(mut f: Fixture) {
    assert_eq!(open(&f, new(b'a', 5)).await, Room::Given);
    f.reopen().await;
    let upload = f.store.upload(token(b'a')).await.unwrap().unwrap();
    assert_eq!((upload.name.as_str(), upload.size, upload.blob), ("cat.jpg", 5, None));
    assert_eq!(upload.due, Some(Timestamp(HOUR)));
    let blob = Blob { hash: hash(1), dimensions: Some((640, 480)) };
    let unexpected = f.store.finish_upload(token(b'a'), blob, None).await;
    assert_eq!(unexpected, Err(StoreError::Invalid("file")));
    f.store.expect_blob(hash(1), 5).await.unwrap();
    f.store.finish_upload(token(b'a'), blob, None).await.unwrap();
    f.reopen().await;
    let upload = f.store.upload(token(b'a')).await.unwrap().unwrap();
    assert_eq!((upload.blob, upload.due), (Some(blob), None));
    assert_eq!(f.store.finish_upload(token(b'a'), blob, None).await, Err(StoreError::NotFound));
    assert_eq!(f.store.upload(token(b'b')).await.unwrap(), None);
}

pub(crate) async fn an_account_has_a_quota_of_its_own(mut f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    assert_eq!(f.store.set_file_quota(Uid(9), Some(1)).await, Err(StoreError::NotFound));
    f.store.set_file_quota(uid, Some(50)).await.unwrap();
    f.reopen().await;
    assert_eq!(f.store.file_quota(uid).await.unwrap(), Some(50));
    let quota = FileQuota { account: Some(100), total: None };
    let ask = async |store: &rookery_store::Store, letter, size| {
        store.open_upload(NewUpload { uid, ..new(letter, size) }, quota).await.unwrap()
    };
    assert_eq!(ask(&f.store, b'a', 51).await, Room::Quota { used: 0, until: None });
    assert_eq!(ask(&f.store, b'a', 50).await, Room::Given);
    f.store.set_file_quota(uid, Some(0)).await.unwrap();
    let full = Room::Quota { used: 50, until: Some(Timestamp(HOUR)) };
    assert_eq!(ask(&f.store, b'b', 1).await, full, "what is stored stays");
    f.store.set_file_quota(uid, None).await.unwrap();
    assert_eq!(ask(&f.store, b'b', 50).await, Room::Given, "as all others again");
    uploaded(&f, NewUpload { uid: BOB, ..new(b'c', 200) }, hash(1)).await;
    let largest = f.store.largest_file_usages().await.unwrap();
    let (bob, own) = (FileUsage { files: 1, bytes: 200 }, FileUsage { files: 2, bytes: 100 });
    assert_eq!(largest, [(BOB, bob), (uid, own)]);
    let space = f.store.space().await.unwrap();
    assert!(space.store > space.free && space.index == 0, "{space:?}");
}

pub(crate) async fn room_is_counted_before_the_bytes_come(f: Fixture) {
    let quota = FileQuota { account: Some(100), total: None };
    let ask = |new: NewUpload| f.store.open_upload(new, quota);
    assert_eq!(ask(new(b'a', 60)).await.unwrap(), Room::Given);
    let until = Some(Timestamp(HOUR));
    assert_eq!(ask(new(b'b', 41)).await.unwrap(), Room::Quota { used: 60, until });
    assert_eq!(ask(new(b'b', 40)).await.unwrap(), Room::Given);
    let of_bob = NewUpload { uid: BOB, ..new(b'c', 100) };
    assert_eq!(ask(of_bob).await.unwrap(), Room::Given, "another has room of its own");
    assert_eq!(f.store.file_usage(ALICE).await.unwrap(), FileUsage { files: 2, bytes: 100 });
    assert!(f.store.remove_upload(token(b'a')).await.unwrap());
    assert_eq!(ask(new(b'd', 60)).await.unwrap(), Room::Given);
    let huge = NewUpload { uid: Uid(9), ..new(b'e', u64::MAX) };
    assert_eq!(ask(huge).await.unwrap(), Room::Quota { used: 0, until: None });
}

pub(crate) async fn all_together_have_so_much_room(f: Fixture) {
    uploaded(&f, new(b'a', 60), hash(1)).await;
    let quota = FileQuota { account: None, total: Some(100) };
    assert_eq!(f.store.open_upload(new(b'b', 41), quota).await.unwrap(), Room::Full);
    assert_eq!(f.store.open_upload(new(b'b', 40), quota).await.unwrap(), Room::Given);
    let of_bob = NewUpload { uid: BOB, ..new(b'c', 1) };
    assert_eq!(
        f.store.open_upload(of_bob.clone(), quota).await.unwrap(),
        Room::Full,
        "what is promised counts"
    );
    assert!(f.store.remove_upload(token(b'b')).await.unwrap());
    assert_eq!(f.store.open_upload(of_bob, quota).await.unwrap(), Room::Given);
    f.store.expect_blob(hash(2), 1).await.unwrap();
    let blob = Blob { hash: hash(2), dimensions: None };
    f.store.finish_upload(token(b'c'), blob, None).await.unwrap();
    assert_eq!(f.store.open_upload(new(b'd', 40), quota).await.unwrap(), Room::Full);
    assert_eq!(f.store.open_upload(new(b'd', 39), quota).await.unwrap(), Room::Given, "and not twice");
}

pub(crate) async fn open_uploads_are_bounded(f: Fixture) {
    let tokens = (0..limits::OPEN_UPLOADS).map(|n| {
        let letters = [b'a' + (n / 26) as u8, b'a' + (n % 26) as u8];
        FileToken::new(&letters.repeat(FileToken::LEN / 2)).unwrap()
    });
    for token in tokens {
        assert_eq!(open(&f, NewUpload { token, ..new(b'z', 1) }).await, Room::Given);
    }
    assert_eq!(open(&f, new(b'z', 1)).await, Room::Busy(Timestamp(HOUR)));
    let later = NewUpload { at: Timestamp(HOUR), due: Timestamp(2 * HOUR), ..new(b'z', 1) };
    assert_eq!(open(&f, later).await, Room::Given, "those whose time is over do not count");
    let long = NewUpload { name: "x".repeat(limits::FILE_NAME_BYTES + 1), ..new(b'z', 1) };
    let refused = f.store.open_upload(long, FileQuota::default()).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))));
}

pub(crate) async fn bytes_are_shared_and_erased_with_the_last(f: Fixture) {
    uploaded(&f, new(b'a', 5), hash(1)).await;
    uploaded(&f, new(b'b', 5), hash(1)).await;
    assert_eq!(f.store.stored_files().await.unwrap(), FileUsage { files: 1, bytes: 5 });
    assert!(f.store.remove_upload(token(b'a')).await.unwrap());
    assert!(!f.store.remove_upload(token(b'a')).await.unwrap());
    assert!(f.store.unused_blobs().await.unwrap().is_empty());
    assert!(!f.store.forget_blob(hash(1)).await.unwrap(), "somebody needs it");
    assert!(f.store.remove_upload(token(b'b')).await.unwrap());
    assert_eq!(f.store.unused_blobs().await.unwrap(), [hash(1)]);
    assert!(f.store.blob_is_unused(hash(1)).await.unwrap());
    // Before they are erased somebody brings them again.
    uploaded(&f, new(b'c', 5), hash(1)).await;
    assert!(!f.store.blob_is_unused(hash(1)).await.unwrap());
    assert!(!f.store.forget_blob(hash(1)).await.unwrap());
    assert!(f.store.remove_upload(token(b'c')).await.unwrap());
    assert!(f.store.forget_blob(hash(1)).await.unwrap());
    assert_eq!(f.store.stored_files().await.unwrap(), FileUsage::default());
    // What was expected and never came is found.
    f.store.expect_blob(hash(2), 7).await.unwrap();
    assert_eq!(f.store.unused_blobs().await.unwrap(), [hash(2)]);
}

pub(crate) async fn what_nobody_names_goes_in_its_time(f: Fixture) {
    assert_eq!(open(&f, new(b'a', 1)).await, Room::Given);
    uploaded(&f, new(b'b', 1), hash(1)).await;
    assert!(f.store.expire_uploads(Timestamp(HOUR - 1)).await.unwrap().is_empty());
    assert_eq!(f.store.expire_uploads(Timestamp(HOUR)).await.unwrap(), [token(b'a')]);
    assert_eq!(f.store.expire_uploads(Timestamp(24 * HOUR)).await.unwrap(), [token(b'b')]);
    assert_eq!(f.store.unused_blobs().await.unwrap(), [hash(1)]);
}

pub(crate) async fn a_file_goes_with_the_last_body_that_names_it(f: Fixture) {
    uploaded(&f, new(b'a', 1), hash(1)).await;
    uploaded(&f, new(b'b', 1), hash(2)).await;
    let both = stored(&f.store, naming(b"ab", 1)).await[0];
    let one = stored(&f.store, naming(b"aa", 2)).await[0];
    assert_eq!((due(&f, b'a').await, due(&f, b'b').await), (Some(None), Some(None)));
    let drop = async |uid, useq| f.store.drop_pointers(uid, vec![rookery_proto::Useq(useq)]).await.unwrap();
    drop(ALICE, both).await;
    assert_eq!(due(&f, b'b').await, Some(None), "bob has the message still");
    drop(BOB, both).await;
    assert_eq!((due(&f, b'a').await, due(&f, b'b').await), (Some(None), Some(Some(0))));
    // Named again before it is gone, it stays.
    let again = stored(&f.store, naming(b"b", 3)).await[0];
    assert_eq!(due(&f, b'b').await, Some(None));
    for useq in [one, again] {
        drop(ALICE, useq).await;
        drop(BOB, useq).await;
    }
    assert_eq!(f.store.expire_uploads(Timestamp(1)).await.unwrap().len(), 2);
    assert_eq!(due(&f, b'a').await, None);
}

pub(crate) async fn a_file_goes_when_its_message_is_taken_back(f: Fixture) {
    uploaded(&f, new(b'a', 1), hash(1)).await;
    let origin = Origin { sender: ALICE, peer: address(BOB), id: "m1".into(), dedup: true };
    stored(&f.store, rookery_store::Append { origin: Some(origin.clone()), ..naming(b"a", 1) }).await;
    assert_eq!(due(&f, b'a').await, Some(None));
    assert!(f.store.retract(origin, bytes::Bytes::from_static(b"gone")).await.unwrap());
    assert_eq!(due(&f, b'a').await, Some(Some(0)));
}

pub(crate) async fn what_others_take_back_does_not_hasten_its_end(f: Fixture) {
    uploaded(&f, new(b'a', 1), hash(1)).await;
    let named_by_bob = async |id: &str| {
        let origin = Origin { sender: BOB, peer: address(ALICE), id: id.into(), dedup: true };
        let text = format!("https://example.org/upload/{}/cat.jpg", token(b'a'));
        let append = rookery_store::Append { origin: Some(origin.clone()), ..message(BOB, ALICE, &text, 1) };
        stored(&f.store, append).await;
        origin
    };
    let gone = bytes::Bytes::from_static(b"gone");
    let bobs = named_by_bob("m1").await;
    assert_eq!(due(&f, b'a').await, Some(None), "whoever names it keeps it");
    assert!(f.store.retract(bobs, gone.clone()).await.unwrap());
    assert_eq!(due(&f, b'a').await, Some(Some(24 * HOUR)), "as if nobody had named it");
    // What its owner has taken back goes when nobody else names it any more.
    let origin = Origin { sender: ALICE, peer: address(BOB), id: "m2".into(), dedup: true };
    stored(&f.store, rookery_store::Append { origin: Some(origin.clone()), ..naming(b"a", 2) }).await;
    let bobs = named_by_bob("m3").await;
    assert!(f.store.retract(origin, gone.clone()).await.unwrap());
    assert_eq!(due(&f, b'a').await, Some(None), "bob names it");
    assert!(f.store.retract(bobs, gone).await.unwrap());
    assert_eq!(due(&f, b'a').await, Some(Some(0)));
}

pub(crate) async fn a_file_goes_with_old_messages(f: Fixture) {
    uploaded(&f, new(b'a', 1), hash(1)).await;
    stored(&f.store, naming(b"a", 1)).await;
    let policy = Policy { days: Some(1), ..Policy::default() };
    let mut from = Some(Default::default());
    while let Some(cursor) = from {
        from = f.store.sweep(Timestamp(48 * HOUR), policy, cursor).await.unwrap().next;
    }
    assert_eq!(due(&f, b'a').await, Some(Some(0)));
}

pub(crate) async fn a_file_may_be_named_before_it_is_there(f: Fixture) {
    assert_eq!(open(&f, new(b'a', 1)).await, Room::Given);
    stored(&f.store, naming(b"a", 1)).await;
    assert_eq!(due(&f, b'a').await, Some(Some(HOUR)), "a slot has its time all the same");
    f.store.expect_blob(hash(1), 1).await.unwrap();
    let blob = Blob { hash: hash(1), dimensions: None };
    f.store.finish_upload(token(b'a'), blob, Some(Timestamp(24 * HOUR))).await.unwrap();
    assert_eq!(due(&f, b'a').await, Some(None));
}

pub(crate) async fn only_files_of_messages_go_with_them(f: Fixture) {
    let purposes = [FilePurpose::Profile, FilePurpose::Ephemeral, FilePurpose::Permanent];
    for (letter, purpose) in (b'a'..).zip(purposes) {
        assert_eq!(open(&f, NewUpload { purpose, ..new(letter, 1) }).await, Room::Given);
        f.store.expect_blob(hash(letter), 1).await.unwrap();
        let due = (purpose == FilePurpose::Ephemeral).then_some(Timestamp(24 * HOUR));
        let blob = Blob { hash: hash(letter), dimensions: None };
        f.store.finish_upload(token(letter), blob, due).await.unwrap();
    }
    let named = stored(&f.store, naming(b"abc", 1)).await[0];
    let expected = [Some(None), Some(Some(24 * HOUR)), Some(None)];
    for drop in [false, true] {
        for uid in [ALICE, BOB].into_iter().filter(|_| drop) {
            f.store.drop_pointers(uid, vec![rookery_proto::Useq(named)]).await.unwrap();
        }
        assert_eq!([due(&f, b'a').await, due(&f, b'b').await, due(&f, b'c').await], expected);
    }
}

pub(crate) async fn files_go_with_their_account(f: Fixture) {
    let uid = f.store.create_account(account(Some("alice"))).await.unwrap().uid;
    uploaded(&f, NewUpload { uid, ..new(b'a', 1) }, hash(1)).await;
    assert_eq!(open(&f, NewUpload { uid, ..new(b'b', 1) }).await, Room::Given);
    stored(&f.store, naming(b"a", 1)).await;
    f.store.delete_account(uid).await.unwrap();
    stored(&f.store, naming(b"a", 2)).await;
    // Bytes that were on their way come too late, and so does who asks.
    let blob = Blob { hash: hash(1), dimensions: None };
    assert_eq!(f.store.finish_upload(token(b'b'), blob, None).await, Err(StoreError::NotFound));
    let late = f.store.open_upload(NewUpload { uid, ..new(b'c', 1) }, FileQuota::default()).await;
    assert_eq!(late, Err(StoreError::NotFound));
    let mut gone = f.store.expire_uploads(Timestamp(1)).await.unwrap();
    gone.sort_by_key(|token| token.as_str().to_owned());
    assert_eq!(gone, [token(b'a'), token(b'b')]);
}

pub(crate) async fn uploads_are_listed(f: Fixture) {
    for letter in b'a'..=b'e' {
        let size = u64::from(letter - b'a');
        let media_type = if letter == b'b' { "text/plain" } else { "image/jpeg" }.to_owned();
        let new = NewUpload { size, media_type, at: Timestamp(size as i64), ..new(letter, size) };
        assert_eq!(open(&f, new).await, Room::Given);
    }
    assert_eq!(open(&f, NewUpload { uid: BOB, ..new(b'f', 9) }).await, Room::Given);
    stored(&f.store, naming(b"ad", 1)).await;
    stored(&f.store, naming(b"a", 2)).await;
    let listed = async |filter, before| f.store.uploads(filter, before).await.unwrap();
    let of_alice = UploadFilter { uid: Some(ALICE), ..UploadFilter::default() };
    let all = listed(UploadFilter::default(), None).await;
    let seen: Vec<_> = all.iter().map(|listed| (listed.upload.token, listed.refs)).collect();
    assert_eq!(seen, b"fedcba".map(|letter| (token(letter), [2, 0, 0, 1, 0, 0][usize::from(letter - b'a')])));
    let letters = async |filter, before| {
        let page = listed(filter, before).await;
        page.iter().map(|it| it.upload.token.as_str()[..1].to_owned()).collect::<String>()
    };
    assert!(f.store.remove_upload(token(b'c')).await.unwrap());
    assert_eq!(letters(of_alice.clone(), Some(all[3].number)).await, "ba", "also after one that is gone");
    let filter = of_alice.clone();
    assert_eq!(letters(UploadFilter { at_least: 3, ..filter.clone() }, None).await, "ed");
    assert_eq!(letters(UploadFilter { unnamed: true, ..filter.clone() }, None).await, "eb");
    assert_eq!(letters(UploadFilter { before: Some(Timestamp(3)), ..filter.clone() }, None).await, "ba");
    for (kind, expected) in [("text/", "b"), ("text/plain", "b"), ("%", ""), ("image/", "eda")] {
        let filter = UploadFilter { media_type: Some(kind.into()), ..filter.clone() };
        assert_eq!(letters(filter, None).await, expected, "{kind}");
    }
    let usages = f.store.file_usages(Uid(0), 10).await.unwrap();
    let alices = FileUsage { files: 4, bytes: 8 };
    assert_eq!(usages, [(ALICE, alices), (BOB, FileUsage { files: 1, bytes: 9 })]);
    assert_eq!(f.store.file_usages(ALICE, 10).await.unwrap().len(), 1);
    assert_eq!(f.store.file_usages(Uid(0), 1).await.unwrap().len(), 1);
}

pub(crate) async fn what_is_no_name_names_nothing(f: Fixture) {
    uploaded(&f, new(b'a', 1), hash(1)).await;
    let a = token(b'a');
    let nearly = [
        format!("https://example.org/download/{a}/x"),
        format!("https://example.org/upload/{}/x", &a.as_str()[1..]),
        format!("https://example.org/upload/{}", a.as_str().to_uppercase()),
        "https://example.org/upload/".to_owned(),
        format!("https://example.org/upload/{}/x", token(b'b')),
    ];
    for text in nearly {
        stored(&f.store, message(ALICE, BOB, &text, 1)).await;
    }
    assert_eq!(due(&f, b'a').await, Some(Some(24 * HOUR)));
}
