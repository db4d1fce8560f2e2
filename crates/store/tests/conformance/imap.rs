//! Folders of mail, and how they stand to the timeline.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rookery_store::{
    Append, Blob, Direction, Displayed, FileHash, FilePurpose, FileQuota, FileToken, Filed, Flags,
    FlagsChange, FlagsHow, Folder, Mail, MailFlags, NewFiled, NewUpload, Policy, StoreError, SweepCursor,
    Timestamp, Upto, limits,
};
use smallvec::smallvec;

use crate::common::*;

const NOW: Timestamp = Timestamp(1_000_000_000);

fn peer() -> BareJid {
    jid("juliet\\40verona.example@mail.example.org")
}

/// An account, whose mails these are.
async fn owner(f: &Fixture) -> Uid {
    f.store.create_account(account(Some("romeo"))).await.unwrap().uid
}

async fn mail(f: &Fixture, uid: Uid, direction: Direction, raw: Option<FileToken>) -> u64 {
    mail_as(f, uid, direction, raw, Flags::ARCHIVE | Flags::INSTANT).await
}

async fn mail_as(f: &Fixture, uid: Uid, direction: Direction, raw: Option<FileToken>, flags: Flags) -> u64 {
    let text = raw.map_or("hi".to_owned(), |token| format!("https://x/upload/{token}/m.eml"));
    let pointers = smallvec![pointer(uid, peer(), direction)];
    let append = Append { pointers, flags, ..message(uid, uid, &text, 5_000) };
    let (name, refs, thread) = ("1@x".into(), String::new(), "t".into());
    let mail = Mail {
        uid,
        peer: peer(),
        name,
        refs,
        thread,
        subject: "Hi".into(),
        stanza: "m".into(),
        raw,
        sent: false,
    };
    match f.store.append_mail(append, mail).await.unwrap().await.unwrap() {
        rookery_store::Appended::Stored(useqs) => useqs[0].0,
        rookery_store::Appended::Duplicate => panic!("it is new"),
    }
}

/// A finished upload of five bytes.
async fn upload(f: &Fixture, uid: Uid, letter: u8) -> FileToken {
    let token = FileToken::new(&[letter; FileToken::LEN]).unwrap();
    let (name, media_type) = ("m.eml".into(), "message/rfc822".into());
    let (purpose, at, due) = (FilePurpose::Message, Timestamp(0), Timestamp(10));
    let new = NewUpload { token, uid, name, media_type, size: 5, purpose, at, due };
    f.store.open_upload(new, FileQuota::default()).await.unwrap();
    f.store.expect_blob(FileHash([letter; 32]), 5).await.unwrap();
    let blob = Blob { hash: FileHash([letter; 32]), dimensions: None };
    f.store.finish_upload(token, blob, Some(Timestamp(1_000_000))).await.unwrap();
    token
}

async fn open(f: &Fixture, uid: Uid) {
    while !f.store.open_folders(uid, NOW).await.unwrap() {}
}

async fn folder(f: &Fixture, uid: Uid, name: &str) -> Folder {
    f.store.folder(uid, name).await.unwrap().unwrap()
}

async fn all(f: &Fixture, uid: Uid, name: &str) -> Vec<Filed> {
    let folder = folder(f, uid, name).await;
    let uids = f.store.filed_uids(folder.id, 0).await.unwrap();
    f.store.filed(folder.id, uids).await.unwrap()
}

/// UIDs of a folder with whether they are seen.
async fn seen(f: &Fixture, uid: Uid, name: &str) -> Vec<(u32, bool)> {
    let mails = all(f, uid, name).await;
    mails.iter().map(|mail| (mail.n, mail.flags.has(MailFlags::SEEN))).collect()
}

fn flag(how: FlagsHow, flags: MailFlags) -> FlagsChange {
    FlagsChange { how, flags, keywords: Vec::new(), unchanged_since: None }
}

pub(crate) async fn mails_are_filed_from_the_first_visit_on(mut f: Fixture) {
    let uid = owner(&f).await;
    mail(&f, uid, Direction::In, None).await;
    append(&f.store, message(uid, BOB, "no mail", 1)).await.unwrap();
    mail(&f, uid, Direction::Out, None).await;
    assert_eq!(f.store.folders(uid).await.unwrap(), [], "who has no mail program has no folders");
    assert_eq!(f.store.open_folders(ALICE, NOW).await, Err(StoreError::NotFound));
    open(&f, uid).await;
    let names: Vec<String> = f.store.folders(uid).await.unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"]);
    assert_eq!(seen(&f, uid, "INBOX").await, [(1, true)], "it was answered");
    assert_eq!(seen(&f, uid, "Sent").await, [(1, true)]);

    let mut bell = f.store.folders_bell(uid);
    assert!(!bell.has_changed().unwrap());
    let token = upload(&f, uid, b'a').await;
    mail(&f, uid, Direction::In, Some(token)).await;
    assert!(bell.has_changed().unwrap());
    bell.mark_unchanged();
    append(&f.store, message(uid, BOB, "no mail", 1)).await.unwrap();
    assert!(!bell.has_changed().unwrap());
    f.reopen().await;
    open(&f, uid).await;
    let inbox = all(&f, uid, "INBOX").await;
    assert_eq!((inbox.len(), inbox[1].n, inbox[1].size, inbox[1].raw), (2, 2, 5, Some(token)));
    assert_eq!(inbox[1].at, Timestamp(5_000));
    let state = folder(&f, uid, "INBOX").await;
    assert_eq!((state.next, state.validity >= 1_000_000), (3, true));
    let (known, entry) = f.store.mail_of(uid, inbox[0].message.unwrap()).await.unwrap().unwrap();
    assert_eq!((known.name.as_str(), body(&entry).as_str()), ("1@x", "hi"));
    assert_eq!(f.store.mail_of(BOB, inbox[0].message.unwrap()).await.unwrap(), None, "it is another's");
    let counts = f.store.folder_counts(state.id).await.unwrap();
    assert_eq!((counts.mails, counts.unseen, counts.size), (2, 1, 5));
    assert_eq!(f.store.first_unseen(state.id).await.unwrap(), Some(2));
}

pub(crate) async fn a_long_log_is_filed_in_slices(f: Fixture) {
    let uid = owner(&f).await;
    mail(&f, uid, Direction::In, None).await;
    for _ in 0..limits::FILING {
        drop(f.store.append(message(uid, BOB, "no mail", 1)).await.unwrap());
    }
    mail(&f, uid, Direction::In, None).await;
    assert!(!f.store.open_folders(uid, NOW).await.unwrap());
    mail(&f, uid, Direction::In, None).await;
    assert_eq!(seen(&f, uid, "INBOX").await, [(1, false)], "what comes meanwhile waits for its turn");
    open(&f, uid).await;
    assert_eq!(seen(&f, uid, "INBOX").await, [(1, false), (2, false), (3, false)]);
}

pub(crate) async fn seen_is_what_the_messenger_has_read(f: Fixture) {
    let uid = owner(&f).await;
    open(&f, uid).await;
    let mut useqs = Vec::new();
    for _ in 0..4 {
        useqs.push(mail(&f, uid, Direction::In, None).await);
    }
    let inbox = folder(&f, uid, "INBOX").await.id;
    let read = |upto| Displayed { uid, peer: peer(), upto: Upto::Entry(Useq(upto)) };
    f.store.set_displayed(read(useqs[0])).await.unwrap();
    assert_eq!(seen(&f, uid, "INBOX").await, [(1, true), (2, false), (3, false), (4, false)]);

    // The third is seen by a mail program: the conversation has something unread before it.
    let mark = |n| f.store.change_flags(uid, inbox, n, flag(FlagsHow::Add, MailFlags::SEEN));
    assert_eq!(mark(vec![3]).await.unwrap().read, []);
    assert_eq!(f.store.displayed(uid).await.unwrap(), [(peer(), Useq(useqs[0]))]);
    assert_eq!(mark(vec![2]).await.unwrap().read, [(peer(), Useq(useqs[2]))]);
    assert_eq!(f.store.displayed(uid).await.unwrap(), [(peer(), Useq(useqs[2]))]);
    // What is marked as unread again is unread for mail programs.
    f.store.change_flags(uid, inbox, vec![1], flag(FlagsHow::Remove, MailFlags::SEEN)).await.unwrap();
    assert_eq!(seen(&f, uid, "INBOX").await, [(1, false), (2, true), (3, true), (4, false)]);
    assert_eq!(f.store.displayed(uid).await.unwrap(), [(peer(), Useq(useqs[2]))]);
    // Who answers has read.
    mail(&f, uid, Direction::Out, None).await;
    assert_eq!(seen(&f, uid, "INBOX").await, [(1, true), (2, true), (3, true), (4, true)]);
}

pub(crate) async fn a_mail_leaves_the_timeline_with_its_last_folder(f: Fixture) {
    let uid = owner(&f).await;
    open(&f, uid).await;
    for _ in 0..3 {
        mail(&f, uid, Direction::In, None).await;
    }
    let (inbox, archive) = (folder(&f, uid, "INBOX").await.id, folder(&f, uid, "Archive").await.id);
    let copied = f.store.copy_mails(uid, inbox, archive, vec![1, 2, 9], false).await.unwrap();
    assert_eq!(
        (copied.uids, copied.validity),
        (vec![(1, 1), (2, 2)], folder(&f, uid, "Archive").await.validity)
    );
    let gone = |folder, uids| f.store.expunge(uid, folder, uids);
    assert_eq!(gone(inbox, vec![1, 3]).await.unwrap(), [], "they are not marked");
    let mark = |folder, n| f.store.change_flags(uid, folder, n, flag(FlagsHow::Add, MailFlags::DELETED));
    mark(inbox, vec![1, 3]).await.unwrap();
    assert_eq!(gone(inbox, vec![1, 2, 3]).await.unwrap(), [1, 3]);
    let left = |log: Vec<(u64, String)>| log.into_iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(left(log(&f.store, uid).await), [1, 2], "the first is in the archive");
    mark(archive, vec![1]).await.unwrap();
    assert_eq!(gone(archive, vec![1]).await.unwrap(), [1]);
    assert_eq!(left(log(&f.store, uid).await), [2]);
    // A move is a new UID, and no end.
    let trash = folder(&f, uid, "Trash").await.id;
    let moved = f.store.copy_mails(uid, inbox, trash, vec![2], true).await.unwrap();
    assert_eq!((moved.uids, left(log(&f.store, uid).await)), (vec![(2, 1)], vec![2]));
    assert_eq!(all(&f, uid, "INBOX").await, []);
    // In the messenger it goes from all folders.
    let before = folder(&f, uid, "Trash").await;
    assert_eq!(f.store.drop_pointers(uid, vec![Useq(2)]).await.unwrap(), 1);
    let after = folder(&f, uid, "Trash").await;
    assert!(after.expunged > before.modseq && after.modseq == after.expunged);
    assert_eq!((all(&f, uid, "Trash").await.len(), all(&f, uid, "Archive").await.len()), (0, 0));
    // Another's folders are nobody's.
    assert_eq!(f.store.copy_mails(BOB, inbox, trash, vec![1], true).await, Err(StoreError::NotFound));
    assert_eq!(f.store.expunge(BOB, inbox, vec![1]).await, Err(StoreError::NotFound));
}

/// Flags of the entry at a place of the log; `None`: there is none.
async fn entry_flags(f: &Fixture, uid: Uid, useq: u64) -> Option<Flags> {
    let found = f.store.events_after(uid, Useq(useq - 1), 1).await.unwrap();
    found.first().filter(|entry| entry.useq.0 == useq).map(|entry| entry.flags)
}

pub(crate) async fn junk_stands_apart_and_is_taught(f: Fixture) {
    let uid = owner(&f).await;
    let first = mail_as(&f, uid, Direction::In, None, Flags::JUNK | Flags::INSTANT).await;
    open(&f, uid).await;
    let (inbox, junk) = (folder(&f, uid, "INBOX").await.id, folder(&f, uid, "Junk").await.id);
    let said = || f.store.junk_sender(uid, peer());
    let listed = async || {
        let all = f.store.junk(uid).await.unwrap();
        all.iter().map(|one| (one.peer.to_string(), one.messages)).collect::<Vec<_>>()
    };
    assert_eq!((listed().await, said().await), (vec![(peer().to_string(), 1)], Ok(None)));
    assert_eq!((all(&f, uid, "Junk").await.len(), all(&f, uid, "INBOX").await.len()), (1, 0));
    // Out of the folder it is none, and devices are owed it.
    let moved = f.store.copy_mails(uid, junk, inbox, vec![1], true).await.unwrap();
    assert!(moved.released);
    let delivered = Flags::ARCHIVE | Flags::DELIVER | Flags::OWED;
    assert_eq!(entry_flags(&f, uid, first).await, Some(delivered | Flags::INSTANT));
    assert_eq!((listed().await, said().await), (vec![], Ok(Some(false))));
    // Into it, it is; into Trash it stays so.
    assert!(!f.store.copy_mails(uid, inbox, junk, vec![1], true).await.unwrap().released);
    assert_eq!(entry_flags(&f, uid, first).await, Some(Flags::JUNK | Flags::INSTANT));
    assert_eq!(said().await, Ok(Some(true)));
    let trash = folder(&f, uid, "Trash").await.id;
    assert!(!f.store.copy_mails(uid, junk, trash, vec![2], false).await.unwrap().released);
    assert_eq!(said().await, Ok(Some(true)));
    // From the messenger: all of the sender's, which move in folders as well.
    assert_eq!(f.store.judge_sender(uid, peer(), false).await, Ok(1));
    assert_eq!(f.store.judge_sender(uid, peer(), false).await, Ok(0));
    assert_eq!((all(&f, uid, "Junk").await.len(), all(&f, uid, "INBOX").await.len()), (0, 1));
    let waiting = mail_as(&f, uid, Direction::In, None, Flags::REQUEST | Flags::ARCHIVE).await;
    assert_eq!(f.store.judge_sender(uid, peer(), true).await, Ok(1), "what was delivered stays");
    assert_eq!(entry_flags(&f, uid, waiting).await, Some(Flags::JUNK));
    assert_eq!(all(&f, uid, "Junk").await.len(), 1);
    assert_eq!(f.store.discard_junk(uid, peer()).await, Ok(1));
    assert_eq!((entry_flags(&f, uid, waiting).await, all(&f, uid, "Junk").await.len()), (None, 0));
}

pub(crate) async fn words_about_senders_are_bounded(f: Fixture) {
    let uid = owner(&f).await;
    let sender = |n: usize| jid(&format!("s{n}@mail.example.org"));
    for n in 0..=limits::JUNK_SENDERS {
        f.store.judge_sender(uid, sender(n), true).await.unwrap();
    }
    assert_eq!(f.store.junk_sender(uid, sender(0)).await, Ok(None));
    assert_eq!(f.store.junk_sender(uid, sender(1)).await, Ok(Some(true)));
}

pub(crate) async fn old_junk_goes(f: Fixture) {
    let uid = owner(&f).await;
    mail_as(&f, uid, Direction::In, None, Flags::JUNK).await;
    let sweep = async |now: i64| {
        let mut cursor = Some(SweepCursor::default());
        while let Some(from) = cursor {
            cursor = f.store.sweep(Timestamp(now), Policy::default(), from).await.unwrap().next;
        }
        f.store.junk(uid).await.unwrap().len()
    };
    assert_eq!((sweep(limits::JUNK_KEPT_MS).await, sweep(limits::JUNK_KEPT_MS + 6_000).await), (1, 0));
}

pub(crate) async fn flags_change_unless_they_were_changed(f: Fixture) {
    let uid = owner(&f).await;
    open(&f, uid).await;
    mail(&f, uid, Direction::In, None).await;
    mail(&f, uid, Direction::In, None).await;
    let inbox = folder(&f, uid, "INBOX").await;
    let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
    let change = |keywords, unchanged_since| FlagsChange {
        keywords,
        unchanged_since,
        ..flag(FlagsHow::Add, MailFlags::FLAGGED)
    };
    let set = f.store.change_flags(uid, inbox.id, vec![1], change(words(&["$Work"]), None)).await.unwrap();
    assert_eq!((set.mails[0].flags, set.mails[0].keywords.as_str()), (MailFlags::FLAGGED, "$Work"));
    assert!(set.mails[0].modseq > inbox.modseq);
    let again = f.store.change_flags(uid, inbox.id, vec![1], change(words(&["$work"]), None)).await.unwrap();
    assert_eq!(again.mails[0], set.mails[0], "nothing changed");
    let late = change(words(&["x"]), Some(inbox.modseq));
    let late = f.store.change_flags(uid, inbox.id, vec![1, 2, 7], late).await.unwrap();
    assert_eq!((late.modified, late.mails.len(), late.mails[0].n), (vec![1], 1, 2));
    let news = f.store.filed_since(inbox.id, inbox.modseq).await.unwrap();
    assert_eq!(news.iter().map(|mail| mail.n).collect::<Vec<_>>(), [1, 2]);
    let replace = FlagsChange { keywords: Vec::new(), ..flag(FlagsHow::Replace, MailFlags::ANSWERED) };
    let set = f.store.change_flags(uid, inbox.id, vec![1], replace).await.unwrap();
    assert_eq!((set.mails[0].flags, set.mails[0].keywords.as_str()), (MailFlags::ANSWERED, ""));
    let bad = f.store.change_flags(uid, inbox.id, vec![1], change(words(&["a b"]), None)).await;
    assert!(matches!(bad, Err(StoreError::Invalid(_))));
}

pub(crate) async fn folders_are_made_renamed_and_removed(f: Fixture) {
    let uid = owner(&f).await;
    open(&f, uid).await;
    let names = async || -> Vec<String> {
        let all = f.store.folders(uid).await.unwrap().into_iter();
        all.map(|it| it.name).filter(|name| name.starts_with(['W', 'P'])).collect()
    };
    f.store.make_folder(uid, "Work/2026/May", NOW).await.unwrap();
    assert_eq!(names().await, ["Work", "Work/2026", "Work/2026/May"]);
    assert_eq!(f.store.make_folder(uid, "Work", NOW).await, Err(StoreError::Conflict));
    for bad in ["", "a//b", "/a", "a*", "a\nb", &"x".repeat(256), &"a/".repeat(20)] {
        assert!(matches!(f.store.make_folder(uid, bad, NOW).await, Err(StoreError::Invalid(_))), "{bad}");
    }
    f.store.rename_folder(uid, "Work/2026", "Past/2026", NOW).await.unwrap();
    assert_eq!(names().await, ["Past", "Past/2026", "Past/2026/May", "Work"]);
    assert_eq!(f.store.rename_folder(uid, "Work", "Past", NOW).await, Err(StoreError::Conflict));
    assert!(matches!(f.store.rename_folder(uid, "Past", "Past/x", NOW).await, Err(StoreError::Invalid(_))));
    assert!(matches!(f.store.rename_folder(uid, "Sent", "x", NOW).await, Err(StoreError::Invalid(_))));
    assert!(matches!(f.store.remove_folder(uid, "INBOX").await, Err(StoreError::Invalid(_))));
    assert_eq!(f.store.remove_folder(uid, "x").await, Err(StoreError::NotFound));
    let old = folder(&f, uid, "Work").await.validity;
    mail(&f, uid, Direction::In, None).await;
    let (inbox, work) = (folder(&f, uid, "INBOX").await.id, folder(&f, uid, "Work").await.id);
    f.store.copy_mails(uid, inbox, work, vec![1], true).await.unwrap();
    assert!(f.store.remove_folder(uid, "Work").await.unwrap());
    assert_eq!(log(&f.store, uid).await, [], "its mails went with it");
    f.store.make_folder(uid, "Work", NOW).await.unwrap();
    assert!(folder(&f, uid, "Work").await.validity > old);
    assert!(f.store.subscribe_folder(uid, "Work", false).await.unwrap());
    assert!(!folder(&f, uid, "Work").await.subscribed && folder(&f, uid, "Past").await.subscribed);
    assert!(!f.store.subscribe_folder(uid, "x", true).await.unwrap());
    for n in f.store.folders(uid).await.unwrap().len()..limits::FOLDERS {
        f.store.make_folder(uid, &format!("f{n}"), NOW).await.unwrap();
    }
    assert!(matches!(f.store.make_folder(uid, "more", NOW).await, Err(StoreError::Limit(_))));
}

pub(crate) async fn what_a_program_puts_there_stays_until_it_is_expunged(f: Fixture) {
    let uid = owner(&f).await;
    open(&f, uid).await;
    let (drafts, sent) = (folder(&f, uid, "Drafts").await, folder(&f, uid, "Sent").await);
    let token = upload(&f, uid, b'a').await;
    let new = |raw| NewFiled { raw, at: Timestamp(7), flags: MailFlags::DRAFT, keywords: vec!["a".into()] };
    assert_eq!(f.store.file_mail(uid, drafts.id, new(token)).await.unwrap(), (drafts.validity, 1));
    assert_eq!(f.store.file_mail(BOB, drafts.id, new(token)).await, Err(StoreError::NotFound));
    let missing = FileToken::new(&[b'z'; FileToken::LEN]).unwrap();
    assert_eq!(f.store.file_mail(uid, drafts.id, new(missing)).await, Err(StoreError::NotFound));
    assert_eq!(f.store.upload(token).await.unwrap().unwrap().due, None, "it stays");
    let there = all(&f, uid, "Drafts").await;
    assert_eq!((there.len(), there[0].size, there[0].message, there[0].at), (1, 5, None, Timestamp(7)));
    f.store.copy_mails(uid, drafts.id, sent.id, vec![1], false).await.unwrap();
    for name in ["Drafts", "Sent"] {
        assert_eq!(f.store.upload(token).await.unwrap().unwrap().due, None);
        let id = folder(&f, uid, name).await.id;
        f.store.change_flags(uid, id, vec![1], flag(FlagsHow::Add, MailFlags::DELETED)).await.unwrap();
        f.store.expunge(uid, id, vec![1]).await.unwrap();
    }
    assert_eq!(f.store.upload(token).await.unwrap().unwrap().due, Some(Timestamp(0)));
    // An upload that its owner removes takes its mail along.
    let token = upload(&f, uid, b'b').await;
    f.store.file_mail(uid, drafts.id, new(token)).await.unwrap();
    f.store.remove_upload(token).await.unwrap();
    assert_eq!(all(&f, uid, "Drafts").await, []);
}

pub(crate) async fn folders_go_with_their_account(f: Fixture) {
    let uid = owner(&f).await;
    open(&f, uid).await;
    mail(&f, uid, Direction::In, None).await;
    let inbox = folder(&f, uid, "INBOX").await.id;
    f.store.delete_account(uid).await.unwrap();
    assert_eq!(f.store.folders(uid).await.unwrap(), []);
    assert_eq!(f.store.filed_uids(inbox, 0).await.unwrap(), []);
    assert_eq!(f.store.folder_now(inbox).await.unwrap(), None);
    assert_eq!(f.store.open_folders(uid, NOW).await, Err(StoreError::NotFound));
}

/// Of a folder: its next UID, and its mails as UID, useq, and whether they are seen.
type ModelFolder = (u32, Vec<(u32, u64, bool)>);

/// Whatever mail programs and the messenger do, what the folders say is what a model says: UIDs rise and are never given again,
/// `modseq` tells each change, and a mail is in the timeline as long as it is in a folder.
pub(crate) async fn folders_do_as_a_model_does(f: Fixture) {
    let uid = owner(&f).await;
    open(&f, uid).await;
    let names = ["INBOX", "Archive", "Trash"];
    let mut model: [ModelFolder; 3] = std::array::from_fn(|_| (1, Vec::new()));
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = move |sides: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice % sides as u64) as usize
    };
    for step in 0..400 {
        let (from, to) = (roll(3), roll(3));
        let (here, there) = (folder(&f, uid, names[from]).await, folder(&f, uid, names[to]).await);
        let picked: Vec<u32> = model[from].1.iter().map(|it| it.0).filter(|_| roll(3) == 0).collect();
        match roll(6) {
            0 | 1 => {
                let useq = mail(&f, uid, Direction::In, None).await;
                let (next, mails) = &mut model[0];
                mails.push((*next, useq, false));
                *next += 1;
            }
            2 | 3 => {
                let moving = roll(2) == 0;
                let copied =
                    f.store.copy_mails(uid, here.id, there.id, picked.clone(), moving).await.unwrap();
                assert_eq!(copied.uids.iter().map(|it| it.0).collect::<Vec<_>>(), picked);
                let taken: Vec<_> =
                    model[from].1.iter().copied().filter(|it| picked.contains(&it.0)).collect();
                if moving {
                    model[from].1.retain(|it| !picked.contains(&it.0));
                }
                for (_, useq, seen) in taken {
                    let (next, mails) = &mut model[to];
                    mails.push((*next, useq, seen));
                    *next += 1;
                }
            }
            4 => {
                let marked = flag(FlagsHow::Add, MailFlags::DELETED);
                f.store.change_flags(uid, here.id, picked.clone(), marked).await.unwrap();
                assert_eq!(f.store.expunge(uid, here.id, picked.clone()).await.unwrap(), picked);
                model[from].1.retain(|it| !picked.contains(&it.0));
            }
            _ => {
                let useqs: Vec<u64> = model[from].1.iter().map(|it| it.1).filter(|_| roll(4) == 0).collect();
                f.store.drop_pointers(uid, useqs.iter().map(|it| Useq(*it)).collect()).await.unwrap();
                model.iter_mut().for_each(|(_, mails)| mails.retain(|it| !useqs.contains(&it.1)));
            }
        }
        for (name, (next, mails)) in names.iter().zip(&model) {
            let now = folder(&f, uid, name).await;
            let uids: Vec<u32> = mails.iter().map(|it| it.0).collect();
            assert_eq!(
                (now.next, f.store.filed_uids(now.id, 0).await.unwrap()),
                (*next, uids),
                "step {step}"
            );
        }
        let mut living: Vec<u64> = model.iter().flat_map(|(_, mails)| mails.iter().map(|it| it.1)).collect();
        living.sort_unstable();
        living.dedup();
        let timeline: Vec<u64> = log(&f.store, uid).await.into_iter().map(|it| it.0).collect();
        assert_eq!(timeline, living, "step {step}");
    }
}
