//! Devices, their tokens, and the transaction of a sign-in.

use rookery_proto::Uid;
use rookery_store::{
    AddressKind, Credentials, Device, DeviceId, LoginName, Proof, Seen, SignIn, StoreError, Timestamp, Token,
    TokenSeed, limits,
};

use crate::common::*;

const PHONE: DeviceId = DeviceId([1; 10]);
const DESK: DeviceId = DeviceId([2; 10]);

fn seen(id: DeviceId, at: i64) -> Seen {
    Seen { id, software: None, name: None, at: Timestamp(at), address: AddressKind::V4, public: false }
}

fn token(n: u8) -> Token {
    Token { seed: TokenSeed([n; 16]), mechanism: 7, issued: Timestamp(n.into()), expires: Timestamp(100) }
}

fn password() -> Proof {
    Proof::Password(Credentials(b"keys".to_vec()))
}

fn by(n: u8, count: Option<u32>) -> Proof {
    Proof::Token { seed: TokenSeed([n; 16]), count, invalidate: false }
}

async fn alice(f: &Fixture) -> Uid {
    f.store.create_account(account(Some("alice"))).await.unwrap().uid
}

async fn sign_in(f: &Fixture, uid: Uid, proof: Proof, issue: Option<Token>) -> Result<(), StoreError> {
    f.store.sign_in(uid, SignIn { proof, seen: Some(seen(PHONE, 5)), issue }).await
}

/// A device signs in with the password, and wants no token.
async fn enter(f: &Fixture, uid: Uid, seen: Seen) -> Result<(), StoreError> {
    f.store.sign_in(uid, SignIn { proof: password(), seen: Some(seen), issue: None }).await
}

async fn seeds(f: &Fixture, uid: Uid) -> Vec<u8> {
    f.store.tokens(uid, PHONE).await.unwrap().iter().map(|token| token.seed.0[0]).collect()
}

pub(crate) async fn devices_are_listed_and_forgotten(mut f: Fixture) {
    let uid = alice(&f).await;
    let named = Seen {
        software: Some("Chat".into()),
        name: Some("Phone".into()),
        address: AddressKind::V6,
        ..seen(PHONE, 5)
    };
    enter(&f, uid, named).await.unwrap();
    enter(&f, uid, Seen { public: true, ..seen(DESK, 7) }).await.unwrap();
    enter(&f, uid, seen(PHONE, 8)).await.unwrap();
    f.store.touch_device(uid, PHONE, Timestamp(9)).await.unwrap();
    f.store.touch_device(uid, DESK, Timestamp(3)).await.unwrap();
    f.reopen().await;
    let phone = Device {
        id: PHONE,
        software: Some("Chat".into()),
        name: Some("Phone".into()),
        first_seen: Timestamp(5),
        last_seen: Timestamp(9),
        address: AddressKind::V4,
        public: false,
        password: true,
        token: false,
    };
    let listed = f.store.devices(uid).await.unwrap();
    assert_eq!(listed[0], phone);
    assert_eq!(listed.iter().map(|d| (d.id, d.public)).collect::<Vec<_>>(), [(PHONE, false), (DESK, true)]);
    assert_eq!(listed[1].last_seen, Timestamp(7), "time does not go back");
    assert_eq!(f.store.devices(BOB).await.unwrap(), []);
    enter(&f, uid, seen(DESK, 8)).await.unwrap();
    assert!(f.store.device(uid, DESK).await.unwrap().unwrap().public, "it stays what it was said to be");
    f.store.set_credentials(uid, Credentials(b"keys".to_vec()), Vec::new()).await.unwrap();
    assert!(!f.store.device(uid, PHONE).await.unwrap().unwrap().password, "it knows an old password");
    sign_in(&f, uid, password(), Some(token(1))).await.unwrap();
    let phone = f.store.device(uid, PHONE).await.unwrap().unwrap();
    assert!(phone.password && phone.token);
    assert!(f.store.remove_device(uid, PHONE).await.unwrap());
    assert!(!f.store.remove_device(uid, PHONE).await.unwrap());
    assert_eq!(seeds(&f, uid).await, [0; 0]);
    assert_eq!(f.store.device(uid, PHONE).await.unwrap(), None);
    f.store.touch_device(uid, PHONE, Timestamp(9)).await.unwrap();
    assert_eq!(f.store.device(uid, PHONE).await.unwrap(), None, "what is gone is not made again");
    let long = Seen { name: Some("x".repeat(limits::DEVICE_TEXT_BYTES + 1)), ..seen(PHONE, 1) };
    assert_eq!(enter(&f, uid, long).await, Err(StoreError::Invalid("device")));
}

pub(crate) async fn the_device_not_seen_for_longest_makes_room(f: Fixture) {
    let uid = alice(&f).await;
    sign_in(&f, uid, password(), Some(token(1))).await.unwrap();
    for n in 0..limits::DEVICES as u8 {
        enter(&f, uid, seen(DeviceId([n + 10; 10]), 10 + i64::from(n))).await.unwrap();
    }
    let listed = f.store.devices(uid).await.unwrap();
    assert_eq!(listed.len(), limits::DEVICES);
    assert!(!listed.iter().any(|device| device.id == PHONE));
    assert_eq!(seeds(&f, uid).await, [0; 0], "its tokens are gone with it");
    // Even with a clock that has gone back, the one that signs in is not the one that goes.
    enter(&f, uid, seen(PHONE, 1)).await.unwrap();
    assert!(f.store.devices(uid).await.unwrap().iter().any(|device| device.id == PHONE));
}

pub(crate) async fn a_newer_token_voids_the_older_when_it_is_used(mut f: Fixture) {
    let uid = alice(&f).await;
    sign_in(&f, uid, password(), Some(token(1))).await.unwrap();
    sign_in(&f, uid, by(1, None), Some(token(2))).await.unwrap();
    f.reopen().await;
    assert_eq!(f.store.tokens(uid, PHONE).await.unwrap(), [token(2), token(1)]);
    assert_eq!(f.store.tokens(uid, DESK).await.unwrap(), []);
    // The client never saw the second: the first is still good, and a third takes the second's place.
    sign_in(&f, uid, by(1, None), Some(token(3))).await.unwrap();
    assert_eq!(seeds(&f, uid).await, [3, 1]);
    assert_eq!(sign_in(&f, uid, by(2, None), None).await, Err(StoreError::NotFound));
    sign_in(&f, uid, by(3, None), None).await.unwrap();
    assert_eq!(seeds(&f, uid).await, [3]);
    assert_eq!(sign_in(&f, uid, by(1, None), None).await, Err(StoreError::NotFound));
    let out = Proof::Token { seed: TokenSeed([3; 16]), count: None, invalidate: true };
    sign_in(&f, uid, out, None).await.unwrap();
    assert_eq!(seeds(&f, uid).await, [0; 0]);
}

pub(crate) async fn a_count_is_good_once(mut f: Fixture) {
    let uid = alice(&f).await;
    sign_in(&f, uid, password(), Some(token(1))).await.unwrap();
    sign_in(&f, uid, by(1, None), None).await.unwrap();
    assert_eq!(
        sign_in(&f, uid, by(1, Some(0)), None).await,
        Err(StoreError::Conflict),
        "counts are positive"
    );
    sign_in(&f, uid, by(1, Some(3)), None).await.unwrap();
    f.reopen().await;
    for count in [Some(3), Some(1), None] {
        assert_eq!(
            sign_in(&f, uid, by(1, count), Some(token(2))).await,
            Err(StoreError::Conflict),
            "{count:?}"
        );
    }
    assert_eq!(seeds(&f, uid).await, [1], "nothing came of it");
    sign_in(&f, uid, by(1, Some(4)), Some(token(2))).await.unwrap();
    sign_in(&f, uid, by(2, Some(1)), None).await.unwrap();
    sign_in(&f, uid, by(2, Some(u32::MAX)), None).await.unwrap();
}

pub(crate) async fn what_was_proven_must_still_hold(f: Fixture) {
    let uid = alice(&f).await;
    let other = Credentials(b"other".to_vec());
    let tokens = async || sign_in(&f, uid, password(), Some(token(1))).await;
    tokens().await.unwrap();
    f.store.set_credentials(uid, other.clone(), Vec::new()).await.unwrap();
    assert_eq!(seeds(&f, uid).await, [0; 0], "another password revokes");
    assert_eq!(tokens().await, Err(StoreError::NotFound), "the old password was proven");
    assert_eq!(sign_in(&f, uid, by(1, None), None).await, Err(StoreError::NotFound));

    let back = Credentials(b"keys".to_vec());
    assert_eq!(
        f.store.upgrade_credentials(uid, back.clone(), other.clone()).await,
        Err(StoreError::Conflict)
    );
    f.store.set_credentials(uid, back.clone(), Vec::new()).await.unwrap();
    tokens().await.unwrap();
    f.store.upgrade_credentials(uid, back.clone(), other.clone()).await.unwrap();
    assert_eq!(seeds(&f, uid).await, [1], "the password is the same");
    f.store.upgrade_credentials(uid, other, back).await.unwrap();

    f.store.set_disabled(uid, true).await.unwrap();
    assert_eq!(seeds(&f, uid).await, [0; 0], "nobody can sign in");
    assert_eq!(tokens().await, Err(StoreError::NotFound));
    f.store.set_disabled(uid, false).await.unwrap();
    tokens().await.unwrap();
    f.store.set_disabled(uid, false).await.unwrap();
    assert_eq!(seeds(&f, uid).await, [1]);

    f.store.delete_account(uid).await.unwrap();
    assert_eq!(tokens().await, Err(StoreError::NotFound));
    assert_eq!(seeds(&f, uid).await, [0; 0]);
    assert_eq!(f.store.devices(uid).await.unwrap(), []);
}

pub(crate) async fn a_device_is_let_in_by_another(mut f: Fixture) {
    let uid = alice(&f).await;
    let named = Seen { name: Some("Library".into()), public: true, ..seen(PHONE, 5) };
    f.store.enroll(uid, named, token(1)).await.unwrap();
    f.reopen().await;
    let device = f.store.device(uid, PHONE).await.unwrap().unwrap();
    assert!(device.public && device.token && !device.password);
    assert_eq!(device.name.as_deref(), Some("Library"));
    let once = Proof::Token { seed: TokenSeed([1; 16]), count: None, invalidate: true };
    sign_in(&f, uid, once.clone(), Some(token(2))).await.unwrap();
    assert_eq!(seeds(&f, uid).await, [2], "what was used up makes room for what it brought");
    assert_eq!(sign_in(&f, uid, once, None).await, Err(StoreError::NotFound));
    assert!(f.store.device(uid, PHONE).await.unwrap().unwrap().public);

    f.store.set_disabled(uid, true).await.unwrap();
    assert_eq!(f.store.enroll(uid, seen(DESK, 6), token(3)).await, Err(StoreError::NotFound));
    assert_eq!(f.store.enroll(Uid(77), seen(DESK, 6), token(3)).await, Err(StoreError::NotFound));
    assert_eq!(f.store.device(uid, DESK).await.unwrap(), None);
}

pub(crate) async fn one_without_a_device_is_looked_at_too(f: Fixture) {
    let uid = alice(&f).await;
    let enters = async |proof, issue| f.store.sign_in(uid, SignIn { proof, seen: None, issue }).await;
    enters(password(), Some(token(1))).await.unwrap();
    assert_eq!(f.store.devices(uid).await.unwrap(), []);
    assert_eq!(seeds(&f, uid).await, [0; 0]);
    sign_in(&f, uid, password(), Some(token(1))).await.unwrap();
    assert_eq!(enters(by(1, None), None).await, Err(StoreError::NotFound), "a token is a device's");
    f.store.set_credentials(uid, Credentials(b"other".to_vec()), Vec::new()).await.unwrap();
    assert_eq!(enters(password(), None).await, Err(StoreError::NotFound), "the old password was proven");
}

pub(crate) async fn a_login_is_one_query(f: Fixture) {
    let uid = alice(&f).await;
    let found = Some((uid, Credentials(b"keys".to_vec())));
    let name = |name: &str| LoginName::Name(name.to_owned());
    for (login, expected) in [
        (name("alice"), found.clone()),
        (LoginName::Number(uid), found),
        (name("bob"), None),
        (name("10001"), None),
        (LoginName::Number(Uid(u64::MAX)), None),
    ] {
        let before = f.store.stats().reads;
        assert_eq!(f.store.login(login.clone()).await.unwrap(), expected, "{login:?}");
        assert_eq!(f.store.stats().reads, before + 1);
    }
}
