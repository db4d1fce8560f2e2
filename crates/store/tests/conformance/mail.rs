//! Mail beside the timeline, what gateways are to hand on, and the queue of mails.

use bytes::Bytes;
use rookery_proto::Useq;
use rookery_store::{
    Append, Appended, Blob, Direction, FileHash, FilePurpose, FileQuota, FileToken, Flags, Mail, NewQueued,
    NewUpload, Origin, Room, StoreError, Timestamp, limits,
};
use smallvec::smallvec;

use crate::common::*;

const HOST: &str = "mail.example.org";

fn peer() -> rookery_proto::jid::BareJid {
    jid("juliet\\40verona.example@mail.example.org")
}

fn one(direction: Direction, text: &str) -> Append {
    let pointers = smallvec![pointer(ALICE, peer(), direction)];
    Append { pointers, ..message(ALICE, ALICE, text, 1) }
}

fn mail(name: &str, thread: &str) -> Mail {
    let (refs, subject, stanza) = ("0@x".into(), "Hi".into(), "m1".into());
    let (name, thread) = (name.into(), thread.into());
    Mail { uid: ALICE, peer: peer(), name, refs, thread, subject, stanza, raw: None, sent: true }
}

fn queued(at: i64) -> NewQueued {
    NewQueued {
        uid: ALICE,
        peer: peer().to_string(),
        stanza: "m1".into(),
        sender: "alice@example.org".into(),
        recipient: "juliet@verona.example".into(),
        domain: "verona.example".into(),
        at: Timestamp(at),
        envelope: "e".into(),
        receipt: true,
        program: false,
        data: Bytes::from_static(b"From: alice"),
    }
}

pub(crate) async fn mail_is_known_by_its_names_and_goes_with_its_message(mut f: Fixture) {
    let put = async |f: &Fixture, text: &str, mail| {
        f.store.append_mail(one(Direction::In, text), mail).await.unwrap().await.unwrap()
    };
    put(&f, "1", mail("1@x", "a")).await;
    put(&f, "2", mail("2@x", "b")).await;
    put(&f, "3", mail("3@x", "a")).await;
    f.reopen().await;
    assert_eq!(f.store.mail_named(ALICE, "2@x").await.unwrap(), Some(mail("2@x", "b")));
    assert_eq!(f.store.mail_named(BOB, "2@x").await.unwrap(), None, "it is another's");
    let latest = async |f: &Fixture, thread: Option<&str>| {
        let found = f.store.latest_mail(ALICE, peer(), thread.map(str::to_owned)).await.unwrap();
        found.map(|mail| mail.name)
    };
    assert_eq!(latest(&f, None).await.as_deref(), Some("3@x"));
    assert_eq!(latest(&f, Some("b")).await.as_deref(), Some("2@x"));
    assert_eq!(latest(&f, Some("c")).await, None);
    assert_eq!(f.store.latest_mail(ALICE, jid("other@mail"), None).await.unwrap(), None);
    assert_eq!(f.store.drop_pointers(ALICE, vec![Useq(3)]).await.unwrap(), 1);
    assert_eq!(latest(&f, None).await.as_deref(), Some("2@x"));
    let long = Mail { subject: "x".repeat(limits::MAIL_NAME_BYTES + 1), ..mail("4@x", "a") };
    let refused = f.store.append_mail(one(Direction::In, "4"), long).await.unwrap().await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))));
    assert_eq!(log(&f.store, ALICE).await.len(), 2, "nothing of it is stored");
}

/// Whoever receives a mail owns the upload with it: it goes at once when the message goes.
pub(crate) async fn the_whole_mail_goes_with_its_message(f: Fixture) {
    let token = FileToken::new(&[b'a'; FileToken::LEN]).unwrap();
    let upload = NewUpload {
        token,
        uid: ALICE,
        name: "mail.eml".into(),
        media_type: "message/rfc822".into(),
        size: 5,
        purpose: FilePurpose::Message,
        at: Timestamp(0),
        due: Timestamp(10),
    };
    assert_eq!(f.store.open_upload(upload, FileQuota::default()).await.unwrap(), Room::Given);
    f.store.expect_blob(FileHash([1; 32]), 5).await.unwrap();
    let blob = Blob { hash: FileHash([1; 32]), dimensions: None };
    f.store.finish_upload(token, blob, Some(Timestamp(1_000_000))).await.unwrap();
    let body = format!("<mail url='https://x/upload/{token}/mail.eml'/>");
    let raw = Mail { raw: Some(token), ..mail("1@x", "a") };
    f.store.append_mail(one(Direction::In, &body), raw.clone()).await.unwrap().await.unwrap();
    assert_eq!(f.store.upload(token).await.unwrap().unwrap().due, None);
    assert_eq!(f.store.mail_named(ALICE, "1@x").await.unwrap(), Some(raw));
    assert_eq!(f.store.file_usage(ALICE).await.unwrap().bytes, 5, "it counts");
    f.store.drop_pointers(ALICE, vec![Useq(1)]).await.unwrap();
    assert_eq!(f.store.upload(token).await.unwrap().unwrap().due, Some(Timestamp(0)));
    assert_eq!(f.store.mail_named(ALICE, "1@x").await.unwrap(), None);
}

pub(crate) async fn what_goes_out_waits_until_its_gateway_has_it(mut f: Fixture) {
    let sent = one(Direction::Out, "hi");
    let stored = f.store.append_outbound(sent, None, HOST).await.unwrap().await.unwrap();
    assert!(matches!(stored, Appended::Stored(_)));
    f.reopen().await;
    assert_eq!(f.store.outbox("sms.example.org", 10).await.unwrap(), []);
    let waiting = f.store.outbox(HOST, 10).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].uid, &waiting[0].stanza[..]), (1, ALICE, b"hi".as_slice()));
    let first = &waiting[0];
    f.store.queue_mail(first.id, first.message, mail("out@x", "a"), queued(5)).await.unwrap();
    assert_eq!(f.store.outbox(HOST, 10).await.unwrap(), []);
    assert!(f.store.mail_named(ALICE, "out@x").await.unwrap().is_some());
    // What was taken before a kill is not queued twice.
    f.store.queue_mail(first.id, first.message, mail("out@x", "a"), queued(5)).await.unwrap();
    assert_eq!(f.store.mail_queue(0).await.unwrap().len(), 1);

    for _ in 0..limits::OUTBOX {
        drop(f.store.append_outbound(one(Direction::Out, "x"), None, HOST).await.unwrap());
    }
    let more = f.store.append_outbound(one(Direction::Out, "x"), None, HOST).await.unwrap().await;
    assert!(matches!(more, Err(StoreError::Limit(_))));
    let next = f.store.outbox(HOST, 1).await.unwrap();
    f.store.drop_outbound(next[0].id).await.unwrap();
    f.store.append_outbound(one(Direction::Out, "x"), None, HOST).await.unwrap().await.unwrap();
}

/// What its gateway refuses is told to its sender once, whatever happens in between.
pub(crate) async fn what_is_refused_on_its_way_out_is_told_once(f: Fixture) {
    f.store.append_outbound(one(Direction::Out, "hi"), None, HOST).await.unwrap().await.unwrap();
    let waiting = f.store.outbox(HOST, 10).await.unwrap();
    let refused = async || {
        let append = Append { flags: Flags::DELIVER, ..one(Direction::In, "no") };
        f.store.refuse_outbound(waiting[0].id, append).await.unwrap().await.unwrap()
    };
    assert!(matches!(refused().await, Appended::Stored(_)));
    assert_eq!(refused().await, Appended::Duplicate);
    assert_eq!(f.store.outbox(HOST, 10).await.unwrap(), []);
    assert_eq!(log(&f.store, ALICE).await.len(), 2);
}

/// What a mail program hands in is in the log and in the queue, once for each recipient, or in neither.
pub(crate) async fn what_programs_send_is_queued_with_its_message(mut f: Fixture) {
    let other = |recipient: &str| NewQueued { recipient: recipient.into(), program: true, ..queued(5) };
    let origin = Origin { sender: ALICE, peer: peer(), id: "m1".into(), dedup: true };
    let sent = || Append { origin: Some(origin.clone()), ..one(Direction::Out, "hi") };
    let two = vec![other("a@x.org"), other("b@x.org")];
    for outcome in [Appended::Stored(smallvec![Useq(1)]), Appended::Duplicate] {
        let pending = f.store.submit_mail(sent(), mail("1@x", "a"), two.clone()).await.unwrap();
        assert_eq!(pending.await.unwrap(), outcome);
    }
    f.reopen().await;
    for expected in two {
        let due = f.store.mail_due("verona.example", Timestamp(5)).await.unwrap().unwrap();
        assert_eq!(due.mail, expected);
        assert!(f.store.unqueue_mail(due.id).await.unwrap());
    }
    assert_eq!(f.store.mail_due("verona.example", Timestamp(5)).await.unwrap(), None, "each of them once");
    f.store
        .submit_mail(one(Direction::Out, "hi"), mail("9@x", "a"), vec![queued(5); 2])
        .await
        .unwrap()
        .await
        .unwrap();
    assert!(f.store.has_sent_mail(ALICE).await.unwrap());

    let many = vec![other("c@x.org"); limits::MAIL_QUEUE - 1];
    let refused = f.store.submit_mail(one(Direction::Out, "2"), mail("2@x", "a"), many).await.unwrap().await;
    assert!(matches!(refused, Err(StoreError::Limit(_))));
    let heavy = NewQueued { data: vec![b'x'; limits::MAIL_QUEUE_BYTES].into(), ..queued(5) };
    let heavy = f.store.submit_mail(one(Direction::Out, "3"), mail("3@x", "a"), vec![heavy]).await.unwrap();
    assert!(matches!(heavy.await, Err(StoreError::Limit(_))));
    assert_eq!(log(&f.store, ALICE).await.len(), 2, "nothing of them is stored");
}

pub(crate) async fn mails_are_tried_when_they_are_due(mut f: Fixture) {
    for text in ["1", "2"] {
        f.store.append_outbound(one(Direction::Out, text), None, HOST).await.unwrap().await.unwrap();
    }
    for (outbound, at) in f.store.outbox(HOST, 10).await.unwrap().iter().zip([20, 10]) {
        f.store.queue_mail(outbound.id, outbound.message, mail("x@x", "a"), queued(at)).await.unwrap();
    }
    f.reopen().await;
    let domains = async |f: &Fixture| f.store.mail_domains(10).await.unwrap();
    assert_eq!(domains(&f).await, [("verona.example".to_owned(), Timestamp(10))]);
    assert_eq!(f.store.mail_due("verona.example", Timestamp(9)).await.unwrap(), None);
    assert_eq!(f.store.mail_due("other.example", Timestamp(99)).await.unwrap(), None);
    let oldest = f.store.mail_due("verona.example", Timestamp(20)).await.unwrap().unwrap();
    assert_eq!(oldest.mail, queued(10));
    let mut due = f.store.mail_queue(0).await.unwrap();
    due.sort_by_key(|mail| mail.mail.at);
    assert_eq!(due.iter().map(|mail| mail.mail.at.0).collect::<Vec<_>>(), [10, 20], "the oldest first");
    f.store.defer_mail(due[0].id, Timestamp(99), &"é".repeat(1000)).await.unwrap();
    assert!(f.store.unqueue_mail(due[1].id).await.unwrap());
    assert!(!f.store.unqueue_mail(due[1].id).await.unwrap());
    let listed = f.store.mail_queue(0).await.unwrap();
    assert_eq!((listed.len(), listed[0].attempts, listed[0].next), (1, 1, Timestamp(99)));
    assert_eq!((listed[0].trouble.len(), listed[0].mail.data.len()), (limits::MAIL_NAME_BYTES, 0));

    let late = || Append { flags: Flags::DELIVER, ..one(Direction::In, "late") };
    let delay =
        async |at| f.store.delay_mail(due[0].id, Timestamp(at), "full", late(), None).await.unwrap().await;
    assert!(matches!(delay(199).await, Ok(Appended::Stored(_))));
    assert!(matches!(delay(299).await, Ok(Appended::Duplicate)), "once is enough");
    let listed = f.store.mail_queue(0).await.unwrap();
    assert_eq!((listed[0].told, listed[0].attempts, listed[0].next), (true, 3, Timestamp(299)));
    assert!(f.store.has_sent_mail(ALICE).await.unwrap() && !f.store.has_sent_mail(BOB).await.unwrap());

    assert_eq!(f.store.hurry_mail(Some(999), Timestamp(50)).await.unwrap(), 0);
    assert_eq!(f.store.hurry_mail(None, Timestamp(50)).await.unwrap(), 1);
    assert_eq!(domains(&f).await, [("verona.example".to_owned(), Timestamp(50))]);

    let failure = || Append { flags: Flags::DELIVER, ..one(Direction::In, "failed") };
    let stored = f.store.fail_mail(due[0].id, failure(), None).await.unwrap().await.unwrap();
    assert!(matches!(stored, Appended::Stored(_)));
    assert_eq!(
        f.store.fail_mail(due[0].id, failure(), None).await.unwrap().await.unwrap(),
        Appended::Duplicate
    );
    assert_eq!(log(&f.store, ALICE).await.len(), 4, "it failed once");
    assert_eq!(domains(&f).await, []);
}
