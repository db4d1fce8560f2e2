//! Short messages: letters to phones, STOP, and parts.

use rookery_proto::{Uid, Useq};
use rookery_store::{
    Caps, Desk, DeskItem, Letter, NewSending, PhoneAnswer, PinTried, SendingId, SendingRef, SmsPart, SmsSeen,
    SmsWhole, StoreError, Timestamp, Urgency, Way, limits,
};

use crate::common::*;

const PHONE: &str = "+491711234567";
const CAPS: Caps = Caps { account: 2, server: 3 };

async fn new(f: &Fixture) -> Uid {
    f.store.create_account(account(None)).await.unwrap().uid
}

fn letter(uid: Uid) -> Letter {
    Letter { uid, peer: format!("{PHONE}@sms.example.org"), stanza: "m1".into(), receipt: true }
}

async fn write(f: &Fixture, uid: Uid, at: i64) -> Result<SendingId, StoreError> {
    let sending = NewSending {
        uid,
        way: Way::Sms,
        address: PHONE.into(),
        urgency: Urgency::Normal,
        case: None,
        title: String::new(),
        text: "Hello".into(),
        code: String::new(),
        at: Timestamp(at),
    };
    f.store.queue_letter(0, letter(uid), sending, CAPS).await
}

pub(crate) async fn letters_are_sendings(mut f: Fixture) {
    let (alice, bob) = (new(&f).await, new(&f).await);
    let first = write(&f, alice, 1).await.unwrap();
    f.reopen().await;
    assert_eq!(f.store.letter(first).await.unwrap(), Some(letter(alice)));
    assert_eq!(f.store.letter(SendingId(first.0 + 1)).await.unwrap(), None);
    let sending = f.store.sending(SendingRef::Id(first)).await.unwrap().unwrap();
    assert_eq!((sending.what.address.as_str(), sending.what.case), (PHONE, None));
    assert_eq!(f.store.writer_to(PHONE).await.unwrap(), Some(alice));

    // Caps of the account, then of all; yesterday does not count.
    write(&f, alice, 2).await.unwrap();
    assert!(matches!(write(&f, alice, 3).await, Err(StoreError::Limit(_))));
    write(&f, bob, 3).await.unwrap();
    assert!(matches!(write(&f, bob, 4).await, Err(StoreError::Limit(_))));
    assert_eq!(f.store.writer_to(PHONE).await.unwrap(), Some(bob), "who wrote last");
    write(&f, alice, 5 + limits::SENDING_DAY_MS).await.unwrap();
    assert!(matches!(write(&f, Uid(99_999), 6 + limits::SENDING_DAY_MS).await, Err(StoreError::NotFound)));

    f.store.delete_account(alice).await.unwrap();
    assert_eq!(f.store.letter(first).await.unwrap(), None, "it goes with its account");
    assert_eq!(f.store.writer_to(PHONE).await.unwrap(), None);
}

pub(crate) async fn stop_is_law(mut f: Fixture) {
    let alice = new(&f).await;
    f.store.stop_phone(PHONE, true, Timestamp(1)).await.unwrap();
    f.store.stop_phone(PHONE, true, Timestamp(2)).await.unwrap();
    f.reopen().await;
    assert!(f.store.is_stopped(PHONE).await.unwrap() && !f.store.is_stopped("+491719999999").await.unwrap());
    assert!(matches!(write(&f, alice, 3).await, Err(StoreError::Conflict)));
    assert_eq!(f.store.writer_to(PHONE).await.unwrap(), None, "nothing of it is kept");
    f.store.stop_phone(PHONE, false, Timestamp(4)).await.unwrap();
    write(&f, alice, 5).await.unwrap();
    let long = "1".repeat(limits::SENDING_ADDRESS_BYTES + 1);
    for wrong in ["", long.as_str()] {
        assert!(matches!(f.store.stop_phone(wrong, true, Timestamp(6)).await, Err(StoreError::Invalid(_))));
    }
}

fn whole(reference: u16, total: u8) -> SmsWhole {
    SmsWhole { carrier: "one".into(), phone: PHONE.into(), here: "4711".into(), reference, total }
}

fn part(whole: SmsWhole, number: u8, at: i64) -> SmsPart {
    SmsPart { whole, number, alphabet: 0, bytes: vec![number; 3], at: Timestamp(at) }
}

pub(crate) async fn parts_wait_for_the_others(mut f: Fixture) {
    let keep = async |f: &Fixture, part: SmsPart| {
        let name = format!("{}-{}", part.whole.reference, part.number);
        f.store.keep_sms_part(part.clone(), seen(&name, "a line", part.at.0)).await
    };
    assert_eq!(keep(&f, part(whole(7, 2), 2, 1)).await.unwrap(), None);
    assert_eq!(keep(&f, part(whole(7, 3), 1, 2)).await.unwrap(), None, "another message");
    f.reopen().await;
    assert_eq!(keep(&f, part(whole(7, 2), 2, 3)).await.unwrap(), None, "the same again");
    let both = [part(whole(7, 2), 1, 4), part(whole(7, 2), 2, 1)];
    assert_eq!(keep(&f, part(whole(7, 2), 1, 4)).await.unwrap().as_deref(), Some(&both[..]));
    assert_eq!(f.store.sms_parts(whole(7, 2)).await.unwrap(), both);
    let other = SmsPart { bytes: b"x".to_vec(), ..part(whole(7, 2), 1, 5) };
    assert!(matches!(keep(&f, other).await, Err(StoreError::Conflict)), "the phone has begun anew");
    assert_eq!(f.store.stale_sms(Timestamp(2)).await.unwrap(), [whole(7, 2)]);
    f.store.drop_sms_parts(whole(7, 2)).await.unwrap();
    assert_eq!(f.store.stale_sms(Timestamp(9)).await.unwrap(), [whole(7, 3)]);

    let large = SmsPart { bytes: vec![0; limits::SMS_PART_BYTES + 1], ..part(whole(8, 2), 1, 6) };
    for wrong in [large, part(whole(8, 2), 3, 6), part(whole(8, 2), 0, 6)] {
        assert!(matches!(keep(&f, wrong).await, Err(StoreError::Invalid(_))));
    }
    for reference in 1..limits::SMS_PARTS_OF_PHONE as u16 {
        keep(&f, part(whole(1000 + reference, 2), 1, 7)).await.unwrap();
    }
    assert!(matches!(keep(&f, part(whole(1, 2), 1, 8)).await, Err(StoreError::Limit(_))));
}

fn seen(name: &str, line: &str, at: i64) -> SmsSeen {
    SmsSeen { name: name.into(), line: line.into(), id: format!("{line}-{at}"), at: Timestamp(at) }
}

pub(crate) async fn what_is_brought_again_is_known(mut f: Fixture) {
    let see = async |f: &Fixture, line: &str, at| f.store.see_sms(seen("ok", line, at)).await.unwrap();
    assert_eq!(see(&f, "one", 1).await, "one-1");
    assert_eq!(see(&f, "one", 2).await, "one-2", "by the same connection it is said again");
    f.reopen().await;
    assert_eq!(see(&f, "two", 3).await, "one-2", "by another it is brought again");
    assert_eq!(see(&f, "two", 4).await, "two-4");
    assert_eq!(
        see(&f, "three", 4 + limits::SMS_AGAIN_MS).await,
        format!("three-{}", 4 + limits::SMS_AGAIN_MS)
    );
    let long = "x".repeat(limits::SMS_NAME_BYTES + 1);
    for wrong in ["", &long] {
        assert!(matches!(f.store.see_sms(seen(wrong, "one", 5)).await, Err(StoreError::Invalid(_))));
    }

    // A part of a message that is whole and gone is not the first of another.
    let keep = async |f: &Fixture, number: u8, line: &str, at: i64| {
        let name = number.to_string();
        f.store.keep_sms_part(part(whole(7, 2), number, at), seen(&name, line, at)).await.unwrap()
    };
    let at = 10 + 2 * limits::SMS_AGAIN_MS;
    assert_eq!(keep(&f, 1, "one", at).await, None);
    assert_eq!(keep(&f, 2, "one", at).await.map(|parts| parts.len()), Some(2));
    assert_eq!(keep(&f, 2, "two", at).await.map(|parts| parts.len()), Some(2), "it was not taken yet");
    f.store.drop_sms_parts(whole(7, 2)).await.unwrap();
    assert_eq!(keep(&f, 2, "three", at).await, None);
    assert_eq!(f.store.sms_parts(whole(7, 2)).await.unwrap(), []);
    assert_eq!(keep(&f, 2, "three", at).await, None, "by this connection it is a new one");
    assert_eq!(f.store.sms_parts(whole(7, 2)).await.unwrap().len(), 1);
}

pub(crate) async fn pins_are_tried_a_few_times(mut f: Fixture) {
    let alice = new(&f).await;
    let (right, wrong) = ([7; 32], [8; 32]);
    let tries = async |f: &Fixture, pin, at| {
        f.store.try_phone_pin(vec![(alice, pin)], Timestamp(at)).await.unwrap().0
    };
    assert_eq!(tries(&f, right, 1).await, PinTried::None);
    f.store.set_phone_pin(alice, Some(right)).await.unwrap();
    assert!(matches!(f.store.set_phone_pin(Uid(99_999), Some(right)).await, Err(StoreError::NotFound)));
    f.reopen().await;
    assert!(f.store.has_phone_pin(alice).await.unwrap());
    // A right one forgets wrong ones.
    for _ in 1..limits::PIN_TRIES {
        assert_eq!(tries(&f, wrong, 10).await, PinTried::Wrong);
    }
    assert_eq!(tries(&f, right, 11).await, PinTried::Right);
    for _ in 0..limits::PIN_TRIES {
        assert_eq!(tries(&f, wrong, 20).await, PinTried::Wrong);
    }
    assert_eq!(tries(&f, right, 21).await, PinTried::Locked);
    assert_eq!(tries(&f, right, 20 + limits::PIN_LOCKED_MS).await, PinTried::Right, "for a while");
    for _ in 0..limits::PIN_TRIES {
        tries(&f, wrong, 30).await;
    }
    f.store.set_phone_pin(alice, Some(wrong)).await.unwrap();
    assert_eq!(tries(&f, wrong, 31).await, PinTried::Right, "until there is a new one");
    // Of two who share a phone the right one of one is no wrong one of the other.
    let bob = new(&f).await;
    f.store.set_phone_pin(bob, Some(right)).await.unwrap();
    for _ in 0..=limits::PIN_TRIES {
        let both = vec![(alice, right), (bob, right)];
        assert_eq!(f.store.try_phone_pin(both, Timestamp(40)).await.unwrap(), (PinTried::Right, Some(bob)));
    }
    assert_eq!(tries(&f, wrong, 41).await, PinTried::Right);
    let neither = vec![(alice, [9; 32]), (bob, [9; 32])];
    assert_eq!(f.store.try_phone_pin(neither, Timestamp(42)).await.unwrap(), (PinTried::Wrong, Some(alice)));
    f.store.delete_account(alice).await.unwrap();
    assert!(!f.store.has_phone_pin(alice).await.unwrap(), "it goes with its account");
}

pub(crate) async fn a_phone_is_answered_once(mut f: Fixture) {
    let alice = new(&f).await;
    let peer = jid("bob@example.org");
    let desk = |at| Desk {
        uid: alice,
        listed: vec![DeskItem { peer: peer.clone(), last: Useq(7), unread: 2 }],
        item: 1,
        place: 40,
        at: Timestamp(at),
    };
    let answer = |about: &str, at, desk| PhoneAnswer {
        sending: NewSending {
            uid: alice,
            way: Way::Sms,
            address: PHONE.into(),
            urgency: Urgency::Normal,
            case: None,
            title: String::new(),
            text: "Nothing new.".into(),
            code: String::new(),
            at: Timestamp(at),
        },
        about: about.into(),
        desk,
        displayed: None,
    };
    assert!(f.store.answer_phone(answer("one", 1, Some(desk(1))), CAPS).await.unwrap());
    assert!(!f.store.answer_phone(answer("one", 2, Some(desk(2))), CAPS).await.unwrap(), "once");
    f.reopen().await;
    assert_eq!(f.store.desk(PHONE).await.unwrap(), Some(desk(1)));
    assert!(f.store.answer_phone(answer("two", 3, None), CAPS).await.unwrap());
    assert_eq!(f.store.desk(PHONE).await.unwrap(), Some(desk(1)), "what was shown stays");
    let third = f.store.answer_phone(answer("three", 4, Some(desk(4))), CAPS).await;
    assert!(matches!(third, Err(StoreError::Limit(_))), "it counts as what is written to phones");
    assert_eq!(f.store.desk(PHONE).await.unwrap(), Some(desk(1)));

    // Answers take nothing from what reaches people.
    let reach = NewSending { ..answer("", 5, None).sending };
    f.store.queue_sending(reach, Caps { account: 1, server: 1 }).await.unwrap();

    f.store.stop_phone(PHONE, true, Timestamp(6)).await.unwrap();
    let stopped = f.store.answer_phone(answer("four", 6 + limits::SENDING_DAY_MS, None), CAPS).await;
    assert!(matches!(stopped, Err(StoreError::Conflict)));
    f.store.delete_account(alice).await.unwrap();
    assert_eq!(f.store.desk(PHONE).await.unwrap(), None, "it goes with its account");
}
