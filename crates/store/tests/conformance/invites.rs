//! Invitations, and what becomes of who takes them up.

use rookery_proto::Uid;
use rookery_proto::subscription::State;
use rookery_store::{
    GroupAffiliate, GroupAffiliation, Invite, InviteHash, Item, NewAccount, Node, Offer, Party, Shown, Store,
    StoreError, Timestamp, limits,
};

use crate::common::*;

const DOMAIN: &str = "example.org";

fn shown(hash: u8, at: i64) -> Option<Shown> {
    Some(Shown { hash: InviteHash([hash; 32]), at: Timestamp(at) })
}

async fn keep(store: &Store, invite: Invite) -> Result<(), StoreError> {
    store.create_invite(invite, Timestamp(0), 9).await
}

/// Signs up by name with an invitation.
async fn sign_up(
    store: &Store,
    name: Option<&str>,
    invite: Option<Shown>,
) -> Result<rookery_store::SignedUp, StoreError> {
    store.sign_up(NewAccount { invite, ..account(name) }, Vec::new(), DOMAIN.to_owned(), false).await
}

async fn made(store: &Store, name: &str) -> Party {
    let account = store.create_account(account(Some(name))).await.unwrap();
    Party { jid: account.address(DOMAIN).unwrap(), uid: Some(account.uid) }
}

async fn state(store: &Store, uid: Uid, other: &Party) -> Option<State> {
    store.roster_item(uid, &other.jid).await.unwrap().map(|item| item.state)
}

const BOTH: Option<State> = Some(State::TO.with(State::FROM));

fn contact(by: &Party, account: bool) -> Invite {
    let offer = Offer { account, contact: true, ..Offer::default() };
    Invite { created_by: by.uid, offer, ..invite(3, 2_000) }
}

pub(crate) async fn an_invitation_is_used_up(f: Fixture) {
    let twice = Invite { uses: 2, ..invite(3, 2_000) };
    let hash = twice.hash;
    keep(&f.store, twice.clone()).await.unwrap();
    assert_eq!(keep(&f.store, twice.clone()).await, Err(StoreError::Conflict));
    sign_up(&f.store, Some("a"), shown(3, 1_999)).await.unwrap();
    let refused = async |name, shown| sign_up(&f.store, Some(name), shown).await.unwrap_err();
    assert_eq!(refused("b", shown(3, 2_000)).await, StoreError::InvalidInvite, "expired");
    assert_eq!(refused("a", shown(3, 1_000)).await, StoreError::Conflict);
    assert_eq!(f.store.invite(hash).await.unwrap().unwrap().uses, 1, "a refusal uses nothing up");
    let last = sign_up(&f.store, Some("b"), shown(3, 1_000)).await.unwrap();
    assert_eq!(last.invite, Some(Invite { uses: 0, ..twice.clone() }));
    assert_eq!(refused("c", shown(3, 1_000)).await, StoreError::InvalidInvite, "used up");
    assert_eq!(refused("c", shown(4, 1_000)).await, StoreError::InvalidInvite, "unknown");

    keep(&f.store, invite(9, 1)).await.unwrap();
    assert_eq!(f.store.invites(None).await.unwrap(), [invite(9, 1), Invite { uses: 0, ..twice }]);
    assert!(f.store.revoke_invite(hash, None).await.unwrap());
    assert!(!f.store.revoke_invite(hash, None).await.unwrap());
    assert_eq!(f.store.invite(hash).await.unwrap(), None);
}

pub(crate) async fn what_was_shown_in_time_is_good(f: Fixture) {
    keep(&f.store, invite(3, 2_000)).await.unwrap();
    let late = NewAccount { created: Timestamp(9_000), invite: shown(3, 1_999), ..account(None) };
    assert!(f.store.sign_up(late, Vec::new(), DOMAIN.to_owned(), false).await.is_ok());
}

pub(crate) async fn a_name_is_kept_for_whom_it_is_meant(mut f: Fixture) {
    let offer = Offer { account: true, name: Some("juliet".to_owned()), ..Offer::default() };
    let meant = Invite { offer, ..invite(3, 2_000) };
    keep(&f.store, meant.clone()).await.unwrap();
    assert_eq!(
        keep(&f.store, Invite { hash: InviteHash([4; 32]), ..meant.clone() }).await,
        Err(StoreError::Conflict)
    );
    f.reopen().await;
    assert_eq!(f.store.invite(meant.hash).await.unwrap(), Some(meant));
    let refused = async |name, shown| sign_up(&f.store, name, shown).await.unwrap_err();
    assert_eq!(refused(Some("juliet"), None).await, StoreError::Conflict);
    assert_eq!(refused(Some("romeo"), shown(3, 1_000)).await, StoreError::InvalidInvite);
    assert_eq!(refused(None, shown(3, 1_000)).await, StoreError::InvalidInvite);
    let expired = NewAccount { created: Timestamp(2_000), ..account(Some("juliet")) };
    assert!(sign_up(&f.store, Some("juliet"), shown(3, 1_000)).await.is_ok());
    assert_eq!(f.store.create_account(expired).await, Err(StoreError::Conflict));

    let offer = Offer { account: true, name: Some("nurse".to_owned()), ..Offer::default() };
    keep(&f.store, Invite { offer: offer.clone(), ..invite(5, 2_000) }).await.unwrap();
    let late = NewAccount { created: Timestamp(2_000), ..account(Some("nurse")) };
    f.store.create_account(late).await.unwrap();
    assert_eq!(keep(&f.store, Invite { offer, ..invite(6, 2_000) }).await, Err(StoreError::Conflict));
}

pub(crate) async fn who_invites_becomes_a_contact(mut f: Fixture) {
    let romeo = made(&f.store, "romeo").await;
    keep(&f.store, contact(&romeo, true)).await.unwrap();
    let signed_up = sign_up(&f.store, None, shown(3, 1_000)).await.unwrap();
    let friends = signed_up.friends.unwrap();
    let uid = signed_up.account.uid;
    assert_eq!(Some(friends.inviter), romeo.uid);
    let pushed = friends.inviter_change.unwrap().item.unwrap();
    assert_eq!((pushed.jid, Some(pushed.state)), (address(uid), BOTH));
    f.reopen().await;
    assert_eq!(state(&f.store, uid, &romeo).await, BOTH);
    assert_eq!(state(&f.store, romeo.uid.unwrap(), &Party { jid: address(uid), uid: None }).await, BOTH);
}

pub(crate) async fn an_offer_of_contact_makes_no_account(f: Fixture) {
    let romeo = made(&f.store, "romeo").await;
    keep(&f.store, contact(&romeo, false)).await.unwrap();
    assert_eq!(sign_up(&f.store, None, shown(3, 1_000)).await, Err(StoreError::InvalidInvite));
    assert_eq!(f.store.invites(None).await.unwrap()[0].uses, 1);
}

pub(crate) async fn a_contact_is_taken_up(f: Fixture) {
    let (romeo, juliet, paris) =
        (made(&f.store, "romeo").await, made(&f.store, "juliet").await, made(&f.store, "paris").await);
    keep(&f.store, contact(&romeo, false)).await.unwrap();
    keep(&f.store, Invite { created_by: paris.uid, ..invite(4, 2_000) }).await.unwrap();
    let take = async |hash: u8, at: i64, by: &Party, of: &Party| {
        let hash = InviteHash([hash; 32]);
        f.store.take_up(hash, Timestamp(at), by.clone(), of.clone()).await.unwrap()
    };
    assert_eq!(take(3, 1_000, &juliet, &paris).await, None, "another's");
    assert_eq!(take(3, 2_000, &juliet, &romeo).await, None, "expired");
    assert_eq!(take(4, 1_000, &juliet, &paris).await, None, "it offers no contact");
    assert_eq!(take(5, 1_000, &juliet, &romeo).await, None, "unknown");
    let (invite, friends) = take(3, 1_999, &juliet, &romeo).await.unwrap();
    assert_eq!((invite.uses, Some(friends.inviter)), (0, romeo.uid));
    assert!(friends.inviter_change.is_some() && friends.taker_change.is_some());
    assert_eq!(state(&f.store, juliet.uid.unwrap(), &romeo).await, BOTH);
    assert_eq!(state(&f.store, romeo.uid.unwrap(), &juliet).await, BOTH);
    assert_eq!(take(3, 1_000, &paris, &romeo).await, None, "used up");
    assert_eq!(state(&f.store, paris.uid.unwrap(), &romeo).await, None);
}

pub(crate) async fn contacts_use_nothing_up(f: Fixture) {
    let (romeo, juliet) = (made(&f.store, "romeo").await, made(&f.store, "juliet").await);
    keep(&f.store, Invite { uses: 2, ..contact(&romeo, false) }).await.unwrap();
    let take = async || {
        let hash = InviteHash([3; 32]);
        f.store.take_up(hash, Timestamp(1_000), juliet.clone(), romeo.clone()).await.unwrap()
    };
    assert!(take().await.is_some());
    assert_eq!(take().await, None);
    assert_eq!(f.store.invites(None).await.unwrap()[0].uses, 1);
}

pub(crate) async fn invitations_of_one_account_are_bounded(f: Fixture) {
    let romeo = made(&f.store, "romeo").await;
    let of = |n: u8, expires| Invite { created_by: romeo.uid, ..invite(n, expires) };
    let make = async |n, expires, now| f.store.create_invite(of(n, expires), Timestamp(now), 2).await;
    make(1, 1_000, 0).await.unwrap();
    make(2, 2_000, 0).await.unwrap();
    sign_up(&f.store, None, shown(2, 0)).await.unwrap();
    assert_eq!(make(3, 9_000, 999).await, Err(StoreError::Limit("invitations")), "those used up count");
    make(3, 9_000, 1_000).await.unwrap();
    assert_eq!(make(4, 9_000, 1_000).await, Err(StoreError::Limit("invitations")));
    let revoke = async |n: u8| f.store.revoke_invite(InviteHash([n; 32]), romeo.uid).await.unwrap();
    assert!(!revoke(2).await, "used up");
    assert!(revoke(3).await);
    keep(&f.store, invite(7, 9_000)).await.unwrap();
    assert!(!revoke(7).await, "another's");
    make(4, 9_000, 1_000).await.unwrap();
    assert_eq!(f.store.invites(romeo.uid).await.unwrap().len(), 3);
    for n in f.store.invites(None).await.unwrap().len()..limits::INVITES {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&n.to_le_bytes());
        keep(&f.store, Invite { hash: InviteHash(hash), ..invite(0, 9_000) }).await.unwrap();
    }
    assert_eq!(keep(&f.store, invite(8, 9_000)).await, Err(StoreError::Limit("invitations")));
}

pub(crate) async fn the_disabled_invite_nobody(f: Fixture) {
    let romeo = made(&f.store, "romeo").await;
    keep(&f.store, contact(&romeo, true)).await.unwrap();
    f.store.set_disabled(romeo.uid.unwrap(), true).await.unwrap();
    assert_eq!(sign_up(&f.store, None, shown(3, 0)).await, Err(StoreError::InvalidInvite));
    assert_eq!(f.store.invite(InviteHash([3; 32])).await.unwrap(), None);
    f.store.set_disabled(romeo.uid.unwrap(), false).await.unwrap();
    assert!(sign_up(&f.store, None, shown(3, 0)).await.is_ok());
}

pub(crate) async fn an_invitation_leads_into_a_group(f: Fixture) {
    let group = f.store.create_group(super::groups::new(None)).await.unwrap().uid;
    let offer = Offer { group: Some(jid("700001@groups.example.org")), ..Offer::default() };
    keep(&f.store, Invite { offer, ..invite(3, 2_000) }).await.unwrap();
    keep(&f.store, invite(4, 2_000)).await.unwrap();
    let bob = GroupAffiliate {
        jid: jid("bob@example.org"),
        affiliation: GroupAffiliation::Member,
        nick: None,
        reason: None,
    };
    let take_up = async |hash, at| {
        let shown = Shown { hash: InviteHash([hash; 32]), at: Timestamp(at) };
        f.store.take_up_group(shown, group, bob.clone()).await
    };
    assert_eq!(take_up(4, 1).await, Err(StoreError::InvalidInvite), "it leads nowhere");
    assert_eq!(f.store.invite(InviteHash([4; 32])).await.unwrap().unwrap().uses, 1, "and is not used up");
    assert_eq!(take_up(3, 2_000).await, Err(StoreError::InvalidInvite), "expired");
    take_up(3, 1_999).await.unwrap();
    assert!(f.store.group_affiliates(group).await.unwrap().contains(&bob));
    assert_eq!(take_up(3, 1_999).await, Err(StoreError::InvalidInvite), "used up");
}

pub(crate) async fn a_new_account_has_items(f: Fixture) {
    let node = Node { name: "nick".into(), kept: 1, config: "c".into(), creator: None };
    let item = Item { id: "1".into(), at: Timestamp(5), publisher: String::new(), payload: "<nick/>".into() };
    let items = vec![(node, item.clone())];
    let made = f.store.sign_up(account(None), items, DOMAIN.to_owned(), false).await.unwrap();
    let address = made.account.address(DOMAIN).unwrap().to_string();
    let kept = f.store.items_by_id(made.account.uid, "nick", vec!["1".into()]).await.unwrap();
    assert_eq!(kept, [Item { publisher: address, ..item }]);
}
