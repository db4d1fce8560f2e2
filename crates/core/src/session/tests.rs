use super::*;
use rookery_store::{ArchivePrefs, Direction, Flags, MessageId};
use std::collections::HashSet;

const NOW: Timestamp = Timestamp(0);

fn session() -> Session {
    let address = BareJid::new("romeo@localhost").expect("an address");
    let member = Member {
        uid: Uid(10001),
        address: address.clone(),
        epoch: 0,
        disabled: false,
        admin: false,
        blocked: HashSet::new(),
        prefs: ArchivePrefs::default(),
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
        session.offer(&Arc::new(Entry {
            useq: Useq(useq),
            message: MessageId(useq),
            peer: BareJid::new("juliet@localhost").expect("an address"),
            peer_resource: None,
            direction: Direction::In,
            resource: Some("orchard".into()),
            at: NOW,
            flags: Flags::DELIVER,
            stanza: stanza(10),
        }));
    }
    let mut state = session.state();
    assert_eq!((state.timeline.last(), state.position()), (Useq(3), Useq(0)));
    let mut out = Vec::new();
    assert_eq!(state.take(usize::MAX >> 1, &mut out), None, "<enabled/> itself is not counted");
    assert_eq!(state.take(1, &mut out), Some(1));
    assert_eq!(state.position(), Useq(1));
}
