//! The subscription machine of RFC 6121 §3 and Appendix A: pure state and its transitions.
//!
//! Each side of a subscription has its own [`State`]. A subscription stanza passes two of them: the sender's by
//! [`outbound`] and, if that routes it, the recipient's by [`inbound`]. Neither ever fails: what the tables forbid is
//! neither routed nor delivered, and changes nothing.

/// One side's view of a subscription: five independent facts that make the nine states of RFC 6121 Appendix A.1
/// and the pre-approval of §3.4.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct State(u8);

impl State {
    /// Neither side has anything of the other.
    pub const NONE: State = State(0);
    /// The user receives the contact's presence.
    pub const TO: State = State(1);
    /// The contact receives the user's presence.
    pub const FROM: State = State(2);
    /// The user has asked and waits for the answer (`ask='subscribe'`).
    pub const PENDING_OUT: State = State(4);
    /// The contact has asked and waits for the user's answer; not shown in the roster.
    pub const PENDING_IN: State = State(8);
    /// The user has approved the contact in advance (RFC 6121 §3.4). Spent by the request that it answers.
    pub const APPROVED: State = State(16);

    /// From the number that [`State::bits`] gave; unknown bits are dropped.
    pub fn from_bits(bits: u8) -> State {
        State(bits & 31)
    }

    /// The number under which a store keeps the state.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether all facts of `other` hold.
    pub const fn has(self, other: State) -> bool {
        self.0 & other.0 == other.0
    }

    /// This state, and the facts of `other` hold too.
    pub const fn with(self, other: State) -> State {
        State(self.0 | other.0)
    }

    /// This state, and no fact of `other` holds.
    pub const fn without(self, other: State) -> State {
        State(self.0 & !other.0)
    }

    /// Whether the state lets the item be sent to clients: a contact that merely asks is no roster item until the user
    /// answers (RFC 6121 Appendix A.1, "None + Pending In").
    pub fn shown(self) -> bool {
        self != State::PENDING_IN
    }

    /// The value of the roster item's `subscription` attribute (RFC 6121 §2.1.2.5).
    pub fn subscription(self) -> &'static str {
        match (self.has(State::TO), self.has(State::FROM)) {
            (false, false) => "none",
            (true, false) => "to",
            (false, true) => "from",
            (true, true) => "both",
        }
    }

    /// Whether the roster item carries `ask='subscribe'` (RFC 6121 §2.1.2.2).
    pub fn ask(self) -> bool {
        self.has(State::PENDING_OUT)
    }

    /// Whether the roster item carries `approved='true'` (RFC 6121 §2.1.2.1).
    pub fn approved(self) -> bool {
        self.has(State::APPROVED)
    }

    /// What the server sends to the contact in the user's name when the user removes the item (RFC 6121 §2.5.2). An
    /// unanswered request of the contact stays unanswered: it is not part of the item.
    pub fn farewell(self) -> impl Iterator<Item = Kind> {
        let to = self.has(State::TO) || self.has(State::PENDING_OUT);
        let from = self.has(State::FROM);
        [to.then_some(Kind::Unsubscribe), from.then_some(Kind::Unsubscribed)].into_iter().flatten()
    }
}

/// The four presence types that manage subscriptions (RFC 6121 §3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Asks for the other's presence.
    Subscribe,
    /// Grants one's own presence, or approves it in advance.
    Subscribed,
    /// Ends one's subscription to the other.
    Unsubscribe,
    /// Refuses a request, ends the other's subscription, or takes back an approval.
    Unsubscribed,
}

impl Kind {
    /// The `type` attribute's value.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Subscribe => "subscribe",
            Kind::Subscribed => "subscribed",
            Kind::Unsubscribe => "unsubscribe",
            Kind::Unsubscribed => "unsubscribed",
        }
    }

    /// The kind that a `type` attribute names, if it is one of the four.
    pub fn from_name(name: &str) -> Option<Kind> {
        [Kind::Subscribe, Kind::Subscribed, Kind::Unsubscribe, Kind::Unsubscribed]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// What an outbound subscription stanza does at its sender's server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outbound {
    /// The sender's state afterwards; a difference is pushed to the sender's resources.
    pub state: State,
    /// Whether the stanza goes on to the contact.
    pub route: bool,
}

/// What an inbound subscription stanza does at its recipient's server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inbound {
    /// The recipient's state afterwards. Where [`State::FROM`] was lost, the server also sends unavailable presence of
    /// the recipient's resources to the contact (RFC 6121 §3.3.3).
    pub state: State,
    /// Whether the stanza is shown to the recipient.
    pub deliver: bool,
    /// The answer that the server gives in the recipient's name.
    pub reply: Option<Kind>,
}

/// RFC 6121 Appendix A.2 and §3.4.2: the user, in `state` towards the contact, sends `kind`.
pub fn outbound(state: State, kind: Kind) -> Outbound {
    use State as S;
    match kind {
        // A.2.1: always routed, so that a request lost on the way can be repeated.
        Kind::Subscribe if state.has(S::TO) => Outbound { state, route: true },
        Kind::Subscribe => Outbound { state: state.with(S::PENDING_OUT), route: true },
        // A.2.2: always routed, so that a contact's server that thinks otherwise is set right.
        Kind::Unsubscribe => Outbound { state: state.without(S::TO).without(S::PENDING_OUT), route: true },
        // A.2.3: an answer to a request; without one it is an approval in advance (§3.4.2), told to nobody.
        Kind::Subscribed if state.has(S::PENDING_IN) => {
            Outbound { state: state.without(S::PENDING_IN).with(S::FROM), route: true }
        }
        Kind::Subscribed if state.has(S::FROM) => Outbound { state, route: false },
        Kind::Subscribed => Outbound { state: state.with(S::APPROVED), route: false },
        // A.2.4: routed if it takes something from the contact; an approval in advance was never told.
        Kind::Unsubscribed => Outbound {
            state: state.without(S::FROM).without(S::PENDING_IN).without(S::APPROVED),
            route: state.has(S::FROM) || state.has(S::PENDING_IN),
        },
    }
}

/// RFC 6121 Appendix A.3 and §3.4.2: the user, in `state` towards the contact, is sent `kind` by the contact.
pub fn inbound(state: State, kind: Kind) -> Inbound {
    use State as S;
    let ignored = Inbound { state, deliver: false, reply: None };
    let delivered = |state| Inbound { state, deliver: true, reply: None };
    match kind {
        // A.3.1, note 1: who is subscribed already is told so.
        Kind::Subscribe if state.has(S::FROM) => Inbound { reply: Some(Kind::Subscribed), ..ignored },
        // §3.4.2: the approval given in advance answers, and is spent.
        Kind::Subscribe if state.has(S::APPROVED) => Inbound {
            state: state.without(S::APPROVED).with(S::FROM),
            deliver: false,
            reply: Some(Kind::Subscribed),
        },
        Kind::Subscribe if state.has(S::PENDING_IN) => ignored,
        Kind::Subscribe => delivered(state.with(S::PENDING_IN)),
        // A.3.2
        Kind::Unsubscribe if state.has(S::FROM) || state.has(S::PENDING_IN) => {
            delivered(state.without(S::FROM).without(S::PENDING_IN))
        }
        // A.3.3
        Kind::Subscribed if state.has(S::PENDING_OUT) => delivered(state.without(S::PENDING_OUT).with(S::TO)),
        // A.3.4
        Kind::Unsubscribed if state.has(S::TO) || state.has(S::PENDING_OUT) => {
            delivered(state.without(S::TO).without(S::PENDING_OUT))
        }
        Kind::Unsubscribe | Kind::Subscribed | Kind::Unsubscribed => ignored,
    }
}

#[cfg(test)]
mod tests;
