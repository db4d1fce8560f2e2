//! The directory: who is found, and by what.

use rookery_proto::Uid;
use rookery_store::{Card, Findable, Part, Store, StoreError, limits, words};

use crate::common::*;

fn card(nick: &str, interests: &[&str]) -> Card {
    Card {
        findable: Findable::Everybody,
        online: false,
        nick: Some(nick.to_owned()),
        interests: interests.iter().map(|interest| (*interest).to_owned()).collect(),
    }
}

async fn made(store: &Store, name: Option<&str>, card: Card) -> Uid {
    let uid = store.create_account(account(name)).await.unwrap().uid;
    store.set_card(uid, card).await.unwrap();
    uid
}

async fn find(store: &Store, nick: &str, interest: &str) -> Vec<Uid> {
    let wanted = words(nick).map(|word| (Part::Nick, word));
    let wanted = wanted.chain(words(interest).map(|word| (Part::Interest, word))).collect();
    let found = store.find(wanted, None, 9).await.unwrap();
    found.into_iter().map(|found| found.account.uid).collect()
}

pub(crate) async fn a_card_is_kept(mut f: Fixture) {
    let wanted = Card { online: true, ..card("Romeo", &["fencing", "old music"]) };
    let uid = made(&f.store, Some("romeo"), wanted.clone()).await;
    f.reopen().await;
    assert_eq!(f.store.card(uid).await.unwrap(), wanted);
    assert_eq!(f.store.card(Uid(5)).await.unwrap(), Card::default());
    assert_eq!(f.store.set_card(Uid(5), wanted).await, Err(StoreError::NotFound));
    f.store.delete_account(uid).await.unwrap();
    assert_eq!(f.store.card(uid).await.unwrap(), Card::default());
}

pub(crate) async fn who_agreed_is_found(f: Fixture) {
    let romeo = made(&f.store, Some("romeo"), card("Der Romeo", &["Old Music"])).await;
    let juliet = made(&f.store, Some("juliet"), card("Julia R.", &["music", "birds"])).await;
    assert_eq!(find(&f.store, "rom", "").await, [romeo]);
    assert_eq!(find(&f.store, "ROMEO", "").await, [romeo]);
    assert_eq!(find(&f.store, "ＲＯＭ", "").await, [romeo]);
    assert_eq!(find(&f.store, "juliet", "").await, [juliet], "by the name, too");
    assert_eq!(find(&f.store, "", "musi").await, [romeo, juliet]);
    assert_eq!(find(&f.store, "omeo", "").await, []);
    assert_eq!(find(&f.store, "music", "").await, [], "an interest is no nick");
    f.store.set_card(romeo, card("Montague", &[])).await.unwrap();
    assert_eq!(find(&f.store, "der", "").await, [], "of another time");
    assert_eq!(find(&f.store, "mont", "").await, [romeo]);
}

pub(crate) async fn who_did_not_agree_is_not_found(f: Fixture) {
    let romeo = made(&f.store, Some("romeo"), card("Romeo", &["music"])).await;
    for findable in [Findable::Exactly, Findable::Nobody] {
        f.store.set_card(romeo, Card { findable, ..card("Romeo", &["music"]) }).await.unwrap();
        assert_eq!(find(&f.store, "romeo", "").await, []);
        assert_eq!(find(&f.store, "", "music").await, []);
    }
    f.store.set_card(romeo, card("Romeo", &[])).await.unwrap();
    f.store.set_disabled(romeo, true).await.unwrap();
    assert_eq!(find(&f.store, "romeo", "").await, [], "nobody can use it");
    assert_eq!(find(&f.store, "", "").await, [], "nothing finds nobody");
}

pub(crate) async fn any_part_of_a_chinese_name_is_found(f: Fixture) {
    let wang = made(&f.store, None, card("王小明", &["围棋"])).await;
    for nick in ["王小明", "小明", "王小", "王", "明"] {
        assert_eq!(find(&f.store, nick, "").await, [wang], "{nick}");
    }
    assert_eq!(find(&f.store, "王明", "").await, []);
    assert_eq!(find(&f.store, "", "围棋").await, [wang]);
}

pub(crate) async fn all_words_must_be_there(f: Fixture) {
    let one = made(&f.store, None, card("Anna Maria", &["chess"])).await;
    let other = made(&f.store, None, card("Anna", &["chess"])).await;
    assert_eq!(find(&f.store, "anna", "chess").await, [one, other]);
    assert_eq!(find(&f.store, "mar ann", "chess").await, [one]);
    assert_eq!(find(&f.store, "anna", "go").await, []);
}

pub(crate) async fn pages_follow_the_numbers(f: Fixture) {
    let mut made_so_far = Vec::new();
    for _ in 0..5 {
        made_so_far.push(made(&f.store, None, card("Anna", &[])).await);
    }
    let page = async |after: Option<Uid>| -> Vec<Uid> {
        let found = f.store.find(vec![(Part::Nick, "anna".to_owned())], after, 3).await.unwrap();
        found.into_iter().map(|found| found.account.uid).collect()
    };
    assert_eq!(page(None).await, made_so_far[..3]);
    assert_eq!(page(Some(made_so_far[2])).await, made_so_far[3..]);
}

pub(crate) async fn cards_are_bounded(f: Fixture) {
    let uid = made(&f.store, None, card("Anna", &[])).await;
    let set = async |card| f.store.set_card(uid, card).await;
    let long = "x".repeat(limits::CARD_TEXT_BYTES + 1);
    assert_eq!(set(card(&long, &[])).await, Err(StoreError::Invalid("nickname")));
    assert_eq!(set(card("Anna", &[&long])).await, Err(StoreError::Invalid("interest")));
    assert_eq!(set(card("Anna", &[""])).await, Err(StoreError::Invalid("interest")));
    let many = vec!["x"; limits::INTERESTS + 1];
    assert_eq!(set(card("Anna", &many)).await, Err(StoreError::Limit("interests")));
    assert_eq!(find(&f.store, "anna", "").await, [uid], "what was refused changed nothing");
}
