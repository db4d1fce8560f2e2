//! Invitations: XEP-0401 makes them by commands ([`super::adhoc`]), XEP-0445 shows them before signing up (the server's
//! negotiation), XEP-0379 takes them up with a subscription request ([`crate::presence`]).

use super::Xep;

/// XEP-0379.
pub const CONTACT: Xep = Xep::of(
    "XEP-0379",
    "Pre-Authenticated Roster Subscription",
    "0.1.1",
    "The server takes up its own invitations for who made them: both are contacts at once. Tokens of clients are passed on.",
);

/// XEP-0401.
pub const CREATE: Xep = Xep::of(
    "XEP-0401",
    "Ad-hoc Account Invitation Generation",
    "0.6.0",
    "Both commands, with names that are kept for whom they are meant, and the landing page.",
);

/// XEP-0445.
pub const SIGN_UP: Xep = Xep::of(
    "XEP-0445",
    "Pre-Authenticated In-Band Registration",
    "0.2.0",
    "Whole; a token that was valid when it was shown is good for the form that follows.",
);
