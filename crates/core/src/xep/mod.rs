//! One file a feature. What disco announces and the page of supported protocols say is generated from each
//! feature's [`Xep`], never typed twice.

pub mod adhoc;
pub mod avatar;
pub mod bind2;
pub mod blocking;
pub mod bookmarks;
pub mod cam;
pub mod caps;
pub mod carbons;
pub mod csi;
pub mod disco;
pub mod extdisco;
pub mod fast;
pub mod file_info;
pub mod inbox;
pub mod invisible;
pub mod invite;
pub mod last;
pub mod mam;
pub mod notify;
pub mod offline;
pub mod pairing;
pub mod pep;
pub mod ping;
pub mod preview;
pub mod private;
pub mod push;
pub mod reach;
pub mod register;
pub mod reporting;
pub mod roster;
pub mod search;
pub mod serverinfo;
pub mod time;
pub mod upload;
pub mod vcard;
pub mod vcard4;
pub mod version;
pub mod webpush;

use rookery_proto::ns;

/// A standard that is supported, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Xep {
    /// `XEP-0199`, `RFC 6121`.
    pub number: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// The version that was read while this was written.
    pub version: &'static str,
    /// Features that the server announces for itself (XEP-0030).
    pub server: &'static [&'static str],
    /// Features that accounts announce.
    pub account: &'static [&'static str],
    /// What is there and what is missing, honestly.
    pub note: &'static str,
}

impl Xep {
    const fn of(number: &'static str, name: &'static str, version: &'static str, note: &'static str) -> Xep {
        Xep { number, name, version, server: &[], account: &[], note }
    }
}

/// Everything supported, in the order of the numbers.
pub const ALL: &[Xep] = &[
    Xep::of("RFC 6120", "XMPP Core", "2011-03", "Client connections whole; no server connections yet."),
    Xep::of("RFC 6121", "Instant Messaging and Presence", "2011-03", "Whole, within one server."),
    Xep::of(
        "RFC 7395",
        "XMPP Subprotocol for WebSocket",
        "2014-10",
        "Whole; without extensions of WebSocket, so not compressed.",
    ),
    Xep::of("RFC 7622", "Address Format", "2015-09", "Whole, by the `jid` library."),
    webpush::INFO,
    Xep::of("RFC 9266", "Channel Bindings for TLS 1.3", "2022-07", "`tls-exporter`."),
    Xep::of(
        "XEP-0004",
        "Data Forms",
        "2.13.1",
        "Written from one description, and what comes back is checked against it.",
    ),
    last::INFO,
    offline::INFO,
    disco::INFO,
    bookmarks::OLD,
    crate::muc::INFO,
    private::INFO,
    adhoc::INFO,
    vcard::INFO,
    search::INFO,
    Xep::of(
        "XEP-0059",
        "Result Set Management",
        "1.0",
        "`before`, `after`, `index`, `max`, counts; for the archive and for items of nodes.",
    ),
    pep::PUBSUB,
    register::INFO,
    Xep::of("XEP-0080", "User Location", "1.10.0", "A node of PEP."),
    avatar::INFO,
    Xep::of(
        "XEP-0085",
        "Chat State Notifications",
        "2.1",
        "Passed on, never stored, kept from inactive clients.",
    ),
    version::INFO,
    Xep::of("XEP-0107", "User Mood", "1.2.2", "A node of PEP."),
    Xep::of("XEP-0108", "User Activity", "1.3", "A node of PEP."),
    crate::component::INFO,
    caps::INFO,
    Xep::of("XEP-0118", "User Tune", "1.3.0", "A node of PEP."),
    Xep::of(
        "XEP-0124",
        "Bidirectional-streams Over Synchronous HTTP (BOSH)",
        "1.11.2",
        "Sessions of one stream, with pauses, polling and key sequences; no acknowledgement attributes (XEP-0198 does it).",
    ),
    adhoc::ADMIN,
    avatar::IN_PRESENCE,
    Xep::of(
        "XEP-0156",
        "Discovering Alternative XMPP Connection Methods",
        "1.4.0",
        "Both files of host-meta.",
    ),
    serverinfo::CONTACT,
    Xep {
        server: &[ns::OFFLINE],
        ..Xep::of("XEP-0160", "Handling Offline Messages", "1.0.1", "A view of the one timeline.")
    },
    pep::INFO,
    Xep::of("XEP-0172", "User Nickname", "1.1", "A node of PEP; passed on in presence and messages."),
    Xep::of("XEP-0184", "Message Delivery Receipts", "1.4.0", "Passed on and archived."),
    invisible::INFO,
    blocking::INFO,
    Xep::of(
        "XEP-0198",
        "Stream Management",
        "1.6.3",
        "Acknowledgement after the commit; resumption also across a restart, and inside of authentication.",
    ),
    ping::INFO,
    time::INFO,
    Xep::of("XEP-0203", "Delayed Delivery", "2.0", "Stamped on what comes late; forged stamps are removed."),
    Xep::of("XEP-0206", "XMPP Over BOSH", "1.4", "Whole."),
    extdisco::INFO,
    pep::PUBLIC_DATA,
    pep::PRIVATE_DATA,
    crate::export::INFO,
    Xep::of("XEP-0231", "Bits of Binary", "1.1", "Passed on between resources; none are kept here."),
    serverinfo::SOFTWARE,
    Xep::of("XEP-0237", "Roster Versioning", "1.3", "Part of RFC 6121."),
    file_info::THUMBNAILS,
    Xep::of(
        "XEP-0249",
        "Direct MUC Invitations",
        "1.2.1",
        "Passed on and kept as messages. They make nobody a member: an invitation by way of the room does.",
    ),
    carbons::INFO,
    vcard4::INFO,
    Xep::of("XEP-0297", "Stanza Forwarding", "1.0", "In carbons and archive results."),
    crate::muc::UNIQUE,
    Xep::of("XEP-0308", "Last Message Correction", "1.2.1", "Passed on and archived."),
    mam::INFO,
    crate::muc::hats::INFO,
    Xep::of("XEP-0319", "Last User Interaction in Presence", "1.0.2", "Passed on with presence."),
    Xep::of(
        "XEP-0333",
        "Displayed Markers",
        "1.0.0",
        "Passed on and archived; what is displayed is read (XEP-0430).",
    ),
    Xep::of("XEP-0334", "Message Processing Hints", "0.4.0", "All four."),
    csi::INFO,
    push::INFO,
    Xep::of(
        "XEP-0359",
        "Unique and Stable Stanza IDs",
        "0.7.0",
        "On everything archived; forged ids are removed.",
    ),
    upload::INFO,
    Xep::of("XEP-0368", "SRV Records for XMPP over TLS", "1.1.0", "Direct TLS with ALPN."),
    invite::CONTACT,
    reporting::INFO,
    Xep::of(
        "XEP-0380",
        "Explicit Message Encryption",
        "0.4.0",
        "Noted in the log: encrypted messages are not looked into.",
    ),
    bind2::INFO,
    Xep::of(
        "XEP-0388",
        "Extensible SASL Profile",
        "1.0.1",
        "With inline features, user agents and tasks; over TLS only, as all authentication.",
    ),
    avatar::CONVERSION,
    invite::CREATE,
    bookmarks::INFO,
    crate::muc::SELF_PING,
    crate::muc::OCCUPANT_ID,
    Xep::of(
        "XEP-0424",
        "Message Retraction",
        "0.4.2",
        "By the sender alone, in groups by the group's id; the archive keeps a tombstone.",
    ),
    crate::muc::moderation::INFO,
    inbox::INFO,
    mam::SEARCH,
    Xep::of(
        "XEP-0440",
        "SASL Channel-Binding Type Capability",
        "0.4.2",
        "`tls-exporter`, `tls-server-end-point`.",
    ),
    Xep::of("XEP-0444", "Message Reactions", "0.2.1", "Passed on and archived."),
    invite::SIGN_UP,
    file_info::INFO,
    file_info::SHARING,
    serverinfo::OUTAGE,
    Xep::of("XEP-0461", "Message Replies", "0.2.0", "Passed on and archived."),
    pep::SOCIAL_FEED,
    Xep::of(
        "XEP-0474",
        "SASL SCRAM Downgrade Protection",
        "0.5.0",
        "The server's part, in both SASL profiles.",
    ),
    Xep::of("XEP-0478", "Stream Limits Advertisement", "0.2.0", "Whole."),
    Xep::of(
        "XEP-0480",
        "SASL Upgrade Tasks",
        "0.1.0",
        "SCRAM: keys that were made with fewer rounds than the operator asks for now are made anew.",
    ),
    fast::INFO,
    crate::muc::nodes::AVATAR,
    Xep::of(
        "XEP-0490",
        "Message Displayed Synchronization",
        "1.0.1",
        "A node of PEP, private from the start; as many conversations as a roster has contacts. What is displayed is read (XEP-0430).",
    ),
    notify::INFO,
    crate::muc::SLOW_MODE,
    cam::INFO,
    serverinfo::DATA_POLICY,
    preview::INFO,
    pairing::INFO,
    reach::INFO,
];
