use super::*;
use rookery_store::{ArchivePrefs, Direction, Flags, MessageId};
use std::collections::BTreeSet;

const NOW: Timestamp = Timestamp(0);

fn session() -> Session {
    let address = BareJid::new("romeo@localhost").expect("an address");
    let member = Member {
        uid: Uid(10001),
        address: address.clone(),
        epoch: 0,
        disabled: false,
        waits: false,
        admin: false,
        unlimited: false,
        blocked: BTreeSet::new(),
        prefs: ArchivePrefs::default(),
        privacy: Default::default(),
        reach: None,
    };
    Session::new(address.with_resource_str("orchard").expect("a resource"), &member, NOW)
}

fn managed() -> Session {
    let session = session();
    {
        let mut state = session.state();
        state.attach(NOW);
        state.sm = Some(Box::new(StreamManagement::new(Some(StreamId([0; 16])))));
        state.queue(Out::Enabled(Bytes::new()));
    }
    session
}

/// A message to the session's own address.
fn entry(useq: u64) -> Entry {
    Entry {
        useq: Useq(useq),
        message: MessageId(useq),
        peer: BareJid::new("juliet@localhost").expect("an address"),
        peer_resource: None,
        direction: Direction::In,
        resource: Some("orchard".into()),
        at: NOW,
        flags: Flags::DELIVER,
        stanza: stanza(10),
    }
}

fn stanza(size: usize) -> Bytes {
    vec![b'x'; size].into()
}

#[test]
fn what_is_forgotten_of_a_waiting_session_ends_its_resumption() {
    let session = managed();
    session.state().take(1, &mut Vec::new());
    session.detach(NOW);
    for _ in 0..limits::DETACHED_STANZAS {
        session.push(stanza(1));
    }
    assert!(session.state().is_whole());
    session.push(stanza(1));
    assert!(!session.state().is_whole());
}

#[test]
fn a_paused_session_still_listens_for_what_it_waits_for() {
    let session = managed();
    let size = limits::WRITE_BACKLOG / limits::UNACKED + 1;
    let mut state = session.state();
    for _ in 0..2 * limits::UNACKED {
        state.queue(Out::Stanza(stanza(size)));
    }
    assert!(!state.may_ask(), "there is enough to read");
    let mut out = Vec::new();
    while state.sm.as_ref().is_some_and(|sm| sm.unacked() < limits::UNACKED) {
        state.take(limits::WRITE_CHUNK, &mut out);
    }
    assert!(!state.has_output() && state.may_ask());
}

#[test]
fn what_waits_in_the_outbox_is_not_behind_the_session() {
    let session = managed();
    session.state().timeline.carbons = true;
    for useq in 1..=3 {
        session.offer(&Arc::new(entry(useq)));
    }
    let mut state = session.state();
    assert_eq!((state.timeline.last(), state.position()), (Useq(3), Useq(0)));
    let mut out = Vec::new();
    assert_eq!(state.take(usize::MAX >> 1, &mut out), None, "<enabled/> itself is not counted");
    assert_eq!(state.take(1, &mut out), Some(1));
    assert_eq!(state.position(), Useq(1));
}

fn presence(number: usize) -> Bytes {
    format!("<presence id='{number}'/>").into()
}

#[test]
fn a_busy_roster_does_not_end_a_resumption() {
    let session = managed();
    session.state().take(1, &mut Vec::new());
    session.detach(NOW);
    let contacts = limits::DETACHED_STANZAS + 50;
    let mut state = session.state();
    for number in 0..20 * contacts {
        state.queue_presence(&format!("contact{}@localhost/phone", number % contacts), presence(number));
    }
    assert!(state.is_whole());
    state.attach(NOW);
    let mut out = Vec::new();
    state.take(usize::MAX >> 1, &mut out);
    assert_eq!(out.len(), contacts, "the newest of each");
    let newest = |out: &Out| matches!(out, Out::Stanza(bytes) if (19 * contacts..20 * contacts).any(|n| *bytes == presence(n)));
    assert!(out.iter().all(newest));
    drop(state);

    session.detach(NOW);
    let mut state = session.state();
    for number in 0..=limits::HELD_PRESENCES {
        assert!(state.is_whole());
        state.queue_presence(&format!("contact{number}@localhost/phone"), presence(number));
    }
    assert!(!state.is_whole(), "there is a bound");
}

#[test]
fn held_presence_is_bounded_in_bytes() {
    let session = managed();
    session.state().take(1, &mut Vec::new());
    session.detach(NOW);
    let mut state = session.state();
    let large = stanza(limits::HELD_BYTES / 2);
    for _ in 0..3 {
        state.queue_presence("one@localhost/phone", large.clone());
    }
    state.queue_presence("two@localhost/phone", large.clone());
    assert!(state.is_whole(), "an older one makes room");
    state.queue_presence("three@localhost/phone", large);
    assert!(!state.is_whole());
}

#[test]
fn chat_states_are_not_kept_for_one_who_is_away() {
    let session = managed();
    session.state().take(1, &mut Vec::new());
    session.detach(NOW);
    let mut typing = entry(0);
    typing.flags = Flags::DELIVER | flags::STATE;
    let typing = Arc::new(typing);
    for _ in 0..2 * limits::DETACHED_STANZAS {
        session.offer(&typing);
    }
    let mut state = session.state();
    assert!(state.is_whole() && state.queued() == 0);
    state.attach(NOW);
    drop(state);
    session.offer(&typing);
    assert!(session.state().queued() > 0);
}
