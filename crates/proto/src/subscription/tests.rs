//! Every row of the tables of RFC 6121 Appendix A, with the tables' own words, and the pre-approval of §3.4.

use super::*;

/// The states by the names of Appendix A.1; `Approved` as a suffix is §3.4's flag.
fn state(name: &str) -> State {
    let facts: &[State] = match name {
        "None" => &[],
        "None + Pending Out" => &[State::PENDING_OUT],
        "None + Pending In" => &[State::PENDING_IN],
        "None + Pending Out+In" => &[State::PENDING_OUT, State::PENDING_IN],
        "To" => &[State::TO],
        "To + Pending In" => &[State::TO, State::PENDING_IN],
        "From" => &[State::FROM],
        "From + Pending Out" => &[State::FROM, State::PENDING_OUT],
        "Both" => &[State::TO, State::FROM],
        "None, approved" => &[State::APPROVED],
        "None + Pending Out, approved" => &[State::PENDING_OUT, State::APPROVED],
        "To, approved" => &[State::TO, State::APPROVED],
        other => panic!("no state is called {other:?}"),
    };
    facts.iter().fold(State::NONE, |sum, fact| sum.with(*fact))
}

const NINE: [&str; 9] = [
    "None",
    "None + Pending Out",
    "None + Pending In",
    "None + Pending Out+In",
    "To",
    "To + Pending In",
    "From",
    "From + Pending Out",
    "Both",
];

const SAME: &str = "no state change";

/// Existing state, whether the stanza is routed or delivered, new state.
type Row = (&'static str, &'static str, &'static str);

fn new_state(row: &Row) -> State {
    state(if row.2 == SAME { row.0 } else { row.2 })
}

fn obliged(row: &Row) -> bool {
    match row.1 {
        "MUST" => true,
        "MUST NOT" => false,
        other => panic!("{other:?} is neither MUST nor MUST NOT"),
    }
}

fn check_complete(rows: &[Row]) {
    let names: Vec<_> = rows.iter().map(|row| row.0).collect();
    assert_eq!(names, NINE, "one row for each state, in the standard's order");
}

fn check_outbound(kind: Kind, rows: &[Row]) {
    for row in rows {
        let expected = Outbound { state: new_state(row), route: obliged(row) };
        assert_eq!(outbound(state(row.0), kind), expected, "outbound {} in {}", kind.name(), row.0);
    }
}

fn check_inbound(kind: Kind, replied_in: &[&str], rows: &[Row]) {
    for row in rows {
        let reply = replied_in.contains(&row.0).then_some(Kind::Subscribed);
        let expected = Inbound { state: new_state(row), deliver: obliged(row), reply };
        assert_eq!(inbound(state(row.0), kind), expected, "inbound {} in {}", kind.name(), row.0);
    }
}

#[test]
fn a_2_1_outbound_subscribe() {
    let rows = [
        ("None", "MUST", "None + Pending Out"),
        ("None + Pending Out", "MUST", SAME),
        ("None + Pending In", "MUST", "None + Pending Out+In"),
        ("None + Pending Out+In", "MUST", SAME),
        ("To", "MUST", SAME),
        ("To + Pending In", "MUST", SAME),
        ("From", "MUST", "From + Pending Out"),
        ("From + Pending Out", "MUST", SAME),
        ("Both", "MUST", SAME),
    ];
    check_complete(&rows);
    check_outbound(Kind::Subscribe, &rows);
}

#[test]
fn a_2_2_outbound_unsubscribe() {
    let rows = [
        ("None", "MUST", SAME),
        ("None + Pending Out", "MUST", "None"),
        ("None + Pending In", "MUST", SAME),
        ("None + Pending Out+In", "MUST", "None + Pending In"),
        ("To", "MUST", "None"),
        ("To + Pending In", "MUST", "None + Pending In"),
        ("From", "MUST", SAME),
        ("From + Pending Out", "MUST", "From"),
        ("Both", "MUST", "From"),
    ];
    check_complete(&rows);
    check_outbound(Kind::Unsubscribe, &rows);
}

#[test]
fn a_2_3_outbound_subscribed() {
    // Where the table says "no state change" and §3.4.2 allows it, the stanza approves in advance.
    let rows = [
        ("None", "MUST NOT", "None, approved"),
        ("None + Pending Out", "MUST NOT", "None + Pending Out, approved"),
        ("None + Pending In", "MUST", "From"),
        ("None + Pending Out+In", "MUST", "From + Pending Out"),
        ("To", "MUST NOT", "To, approved"),
        ("To + Pending In", "MUST", "Both"),
        ("From", "MUST NOT", SAME),
        ("From + Pending Out", "MUST NOT", SAME),
        ("Both", "MUST NOT", SAME),
    ];
    check_complete(&rows);
    check_outbound(Kind::Subscribed, &rows);
}

#[test]
fn a_2_4_outbound_unsubscribed() {
    let rows = [
        ("None", "MUST NOT", SAME),
        ("None + Pending Out", "MUST NOT", SAME),
        ("None + Pending In", "MUST", "None"),
        ("None + Pending Out+In", "MUST", "None + Pending Out"),
        ("To", "MUST NOT", SAME),
        ("To + Pending In", "MUST", "To"),
        ("From", "MUST", "None"),
        ("From + Pending Out", "MUST", "None + Pending Out"),
        ("Both", "MUST", "To"),
    ];
    check_complete(&rows);
    check_outbound(Kind::Unsubscribed, &rows);
}

#[test]
fn a_3_1_inbound_subscribe() {
    let rows = [
        ("None", "MUST", "None + Pending In"),
        ("None + Pending Out", "MUST", "None + Pending Out+In"),
        ("None + Pending In", "MUST NOT", SAME),
        ("None + Pending Out+In", "MUST NOT", SAME),
        ("To", "MUST", "To + Pending In"),
        ("To + Pending In", "MUST NOT", SAME),
        ("From", "MUST NOT", SAME),
        ("From + Pending Out", "MUST NOT", SAME),
        ("Both", "MUST NOT", SAME),
    ];
    check_complete(&rows);
    check_inbound(Kind::Subscribe, &["From", "From + Pending Out", "Both"], &rows);
}

#[test]
fn a_3_2_inbound_unsubscribe() {
    let rows = [
        ("None", "MUST NOT", SAME),
        ("None + Pending Out", "MUST NOT", SAME),
        ("None + Pending In", "MUST", "None"),
        ("None + Pending Out+In", "MUST", "None + Pending Out"),
        ("To", "MUST NOT", SAME),
        ("To + Pending In", "MUST", "To"),
        ("From", "MUST", "None"),
        ("From + Pending Out", "MUST", "None + Pending Out"),
        ("Both", "MUST", "To"),
    ];
    check_complete(&rows);
    check_inbound(Kind::Unsubscribe, &[], &rows);
}

#[test]
fn a_3_3_inbound_subscribed() {
    let rows = [
        ("None", "MUST NOT", SAME),
        ("None + Pending Out", "MUST", "To"),
        ("None + Pending In", "MUST NOT", SAME),
        ("None + Pending Out+In", "MUST", "To + Pending In"),
        ("To", "MUST NOT", SAME),
        ("To + Pending In", "MUST NOT", SAME),
        ("From", "MUST NOT", SAME),
        ("From + Pending Out", "MUST", "Both"),
        ("Both", "MUST NOT", SAME),
    ];
    check_complete(&rows);
    check_inbound(Kind::Subscribed, &[], &rows);
}

#[test]
fn a_3_4_inbound_unsubscribed() {
    let rows = [
        ("None", "MUST NOT", SAME),
        ("None + Pending Out", "MUST", "None"),
        ("None + Pending In", "MUST NOT", SAME),
        ("None + Pending Out+In", "MUST", "None + Pending In"),
        ("To", "MUST", "None"),
        ("To + Pending In", "MUST", "None + Pending In"),
        ("From", "MUST NOT", SAME),
        ("From + Pending Out", "MUST", "From"),
        ("Both", "MUST", "From"),
    ];
    check_complete(&rows);
    check_inbound(Kind::Unsubscribed, &[], &rows);
}

#[test]
fn section_3_4_preapproval() {
    check_outbound(
        Kind::Subscribed,
        &[
            ("None, approved", "MUST NOT", SAME),
            ("None + Pending Out, approved", "MUST NOT", SAME),
            ("To, approved", "MUST NOT", SAME),
        ],
    );
    check_outbound(
        Kind::Unsubscribed,
        &[
            ("None, approved", "MUST NOT", "None"),
            ("None + Pending Out, approved", "MUST NOT", "None + Pending Out"),
            ("To, approved", "MUST NOT", "To"),
        ],
    );
    check_outbound(Kind::Subscribe, &[("None, approved", "MUST", "None + Pending Out, approved")]);
    check_outbound(Kind::Unsubscribe, &[("To, approved", "MUST", "None, approved")]);
    check_inbound(
        Kind::Subscribe,
        &["None, approved", "None + Pending Out, approved", "To, approved"],
        &[
            ("None, approved", "MUST NOT", "From"),
            ("None + Pending Out, approved", "MUST NOT", "From + Pending Out"),
            ("To, approved", "MUST NOT", "Both"),
        ],
    );
    check_inbound(Kind::Subscribed, &[], &[("None + Pending Out, approved", "MUST", "To, approved")]);
    check_inbound(Kind::Unsubscribe, &[], &[("None, approved", "MUST NOT", SAME)]);
    check_inbound(Kind::Unsubscribed, &[], &[("To, approved", "MUST", "None, approved")]);
}

#[test]
fn appendix_a_1_what_clients_are_shown() {
    let rows = [
        ("None", "none", false, true),
        ("None + Pending Out", "none", true, true),
        ("None + Pending In", "none", false, false),
        ("None + Pending Out+In", "none", true, true),
        ("To", "to", false, true),
        ("To + Pending In", "to", false, true),
        ("From", "from", false, true),
        ("From + Pending Out", "from", true, true),
        ("Both", "both", false, true),
    ];
    for (name, subscription, ask, shown) in rows {
        let state = state(name);
        assert_eq!((state.subscription(), state.ask(), state.shown()), (subscription, ask, shown), "{name}");
        assert!(!state.approved());
    }
    assert!(state("None, approved").approved() && state("None, approved").shown());
}

#[test]
fn section_2_5_2_removal_ends_what_there_is() {
    use Kind::{Unsubscribe, Unsubscribed};
    let rows: [(&str, &[Kind]); 9] = [
        ("None", &[]),
        ("None + Pending Out", &[Unsubscribe]),
        ("None + Pending In", &[]),
        ("None + Pending Out+In", &[Unsubscribe]),
        ("To", &[Unsubscribe]),
        ("To + Pending In", &[Unsubscribe]),
        ("From", &[Unsubscribed]),
        ("From + Pending Out", &[Unsubscribe, Unsubscribed]),
        ("Both", &[Unsubscribe, Unsubscribed]),
    ];
    for (name, farewell) in rows {
        assert_eq!(state(name).farewell().collect::<Vec<_>>(), farewell, "{name}");
    }
}

/// Whatever two users send each other, each state stays one of the nine (or its pre-approved variant): nobody is
/// subscribed and pending at once.
#[test]
fn no_sequence_leaves_the_states_of_the_standard() {
    let impossible = [
        State::TO.with(State::PENDING_OUT),
        State::FROM.with(State::PENDING_IN),
        State::APPROVED.with(State::FROM),
        State::APPROVED.with(State::PENDING_IN),
    ];
    let valid = |state: State| !impossible.iter().any(|pair| state.has(*pair));
    let kinds = [Kind::Subscribe, Kind::Subscribed, Kind::Unsubscribe, Kind::Unsubscribed];
    for state in (0..32).map(State::from_bits).filter(|s| valid(*s)) {
        for kind in kinds {
            assert!(valid(outbound(state, kind).state), "outbound {kind:?} in {state:?}");
            assert!(valid(inbound(state, kind).state), "inbound {kind:?} in {state:?}");
        }
    }
}
