//! The status codes of XEP-0045 (§15.6).

/// Entering: every occupant may see one's full address.
pub const NON_ANONYMOUS_ROOM: u16 = 100;
/// The affiliation was changed while its holder was not in the room.
pub const AFFILIATION_CHANGED: u16 = 101;
/// The configuration was changed in what does not concern privacy.
pub const CONFIG_CHANGED: u16 = 104;
/// The presence is one's own.
pub const SELF: u16 = 110;
/// What is said is kept from now on, or is being kept.
pub const LOGGED: u16 = 170;
/// What is said is not kept any more.
pub const NOT_LOGGED: u16 = 171;
/// From now on every occupant may see the others' full addresses.
pub const NON_ANONYMOUS: u16 = 172;
/// From now on only moderators see full addresses.
pub const SEMI_ANONYMOUS: u16 = 173;
/// The room was made by this.
pub const CREATED: u16 = 201;
/// The room gave or changed the nick.
pub const NICK_ASSIGNED: u16 = 210;
/// Banned.
pub const BANNED: u16 = 301;
/// The nick was changed.
pub const NICK_CHANGED: u16 = 303;
/// Kicked.
pub const KICKED: u16 = 307;
/// Removed because of a change of affiliation.
pub const NOT_AFFILIATED: u16 = 321;
/// Removed because the room is for members only now.
pub const MEMBERS_ONLY: u16 = 322;
/// Removed because the service is shut down.
pub const SHUT_DOWN: u16 = 332;
/// Removed because of a technical problem.
pub const BROKEN: u16 = 333;
