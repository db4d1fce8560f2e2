//! Every bound of core in one place, each with its reason.

use std::time::Duration;

/// Log entries that wait for one connection in memory; what comes beyond waits in the log.
pub const OUTBOX_ENTRIES: usize = 128;

/// The same in bytes: large messages wait in the log sooner.
pub const OUTBOX_LOGGED: usize = 512 << 10;

/// Stanzas that are nowhere else (presence, IQ, chat states) and wait for one connection. A login next to a full
/// roster brings thousands at once; a reader that lets more pile up is cut off.
pub const OUTBOX_STANZAS: usize = 8192;

/// The same in bytes.
pub const OUTBOX_BYTES: usize = 4 << 20;

/// Stanzas kept for a session that waits for its resumption, beside presence ([`HELD_PRESENCES`]): beyond this it cannot be
/// resumed, and its client learns everything anew.
pub const DETACHED_STANZAS: usize = 256;

/// Places that a session's empty queues keep: enough for a conversation, while what a login brought is given back.
pub const QUEUE_KEPT: usize = 4;

/// Stanzas written and not yet acknowledged (XEP-0198): beyond this the session pauses until the client answers.
pub const UNACKED: usize = 1024;

/// The same in bytes; log entries count, as a resumption reads them all again. A client that answers each request is
/// not slowed: this is more than the line holds.
pub const UNACKED_BYTES: usize = 2 << 20;

/// A connection stops reading while this many bytes wait to be written to it.
pub const WRITE_BACKLOG: usize = 256 * 1024;

/// Bytes rendered into one write.
pub const WRITE_CHUNK: usize = 64 * 1024;

/// Messages of one connection whose commit is under way; enough to fill the batches of a fast sender.
pub const IN_FLIGHT: usize = 32;

/// Log entries that other sessions left, and that are given to one and not yet settled in the store: as many as one
/// session leaves.
pub const OWED: usize = rookery_store::limits::OWED;

/// Log entries read at a time by a session that is behind.
pub const CATCH_UP: usize = 64;

/// Resources of one account: many devices and a few that were forgotten. The oldest makes room for one more.
pub const RESOURCES: usize = 32;

/// Presence sent directly to entities outside the roster (RFC 6121 §4.6), per session.
pub const DIRECTED: usize = 256;

/// Bytes of a stream's language that is passed on: longer than any tag that means something (RFC 5646 §4.4.1).
pub const LANG_BYTES: usize = 64;

/// Presences held back for a client that is inactive (XEP-0352) or away, one per sender: the devices of a large company that
/// come and go within the window of a resumption.
pub const HELD_PRESENCES: usize = 2048;

/// The same in bytes: that many of the usual size.
pub const HELD_BYTES: usize = 1 << 20;

/// Accounts whose blocks and preferences are kept in memory.
pub const MEMBERS_CACHED: usize = 100_000;

/// Rosters kept in memory.
pub const ROSTERS_CACHED: usize = 50_000;

/// The largest page of an archive query (XEP-0313); what a client asks beyond it is cut.
pub const ARCHIVE_PAGE: u32 = 250;

/// The same in bytes of messages: well below what may wait for a connection, so that an archive of large messages can be
/// read.
pub const ARCHIVE_PAGE_BYTES: usize = OUTBOX_BYTES / 4;

/// The page of a query that names no size.
pub const ARCHIVE_PAGE_DEFAULT: u32 = 50;

/// Headers of waiting messages in one answer (XEP-0013 §2.3): some 200 KB; what is beyond is on the next page.
pub const OFFLINE_HEADERS: usize = 1024;

/// After it was asked for a sign of life, a silent client has this long.
pub const IDLE_GRACE: Duration = Duration::from_secs(90);

/// From the first byte to a bound resource; TLS and authentication included.
pub const NEGOTIATION: Duration = Duration::from_secs(60);

/// Connections of one listener that have not signed in yet.
pub const NEGOTIATIONS: usize = 4096;

/// Longest resource that a client may ask for, in bytes (RFC 7622 §3.4 allows 1023).
pub const RESOURCE_BYTES: usize = 512;

/// How long (ms) a token is good (XEP-0484): a device that is not used for a month asks for the password again.
pub const TOKEN_LIFE_MS: i64 = 30 * 86_400_000;

/// A token of this age (ms) is replaced when it is used: what was stolen is good for about a day of its owner's use.
pub const TOKEN_ROTATION_MS: i64 = 86_400_000;

/// Failed authentications on one connection before it is ended (RFC 6120 §6.4.5).
pub const AUTH_TRIES: u32 = 5;

/// Stanzas that wait for one component: what a busy gateway takes in some seconds.
pub const COMPONENT_QUEUE: usize = 4096;

/// The same in bytes; one stanza may go beyond it.
pub const COMPONENT_QUEUE_BYTES: usize = 4 << 20;

/// Messages of one component whose commit is under way.
pub const COMPONENT_IN_FLIGHT: usize = 64;

/// Connections of components at a time, those that have not said who they are included.
pub const COMPONENT_CONNECTIONS: usize = 64;

/// A component that takes nothing of what it is written for so long is cut off.
pub const COMPONENT_STALL: Duration = Duration::from_secs(60);

/// Accounts that an announcement goes to at a time: their appends share a few transactions, and a session that sends
/// meanwhile waits for no more than these.
pub const ANNOUNCE_BATCH: usize = 64;

/// Accounts in one answer of an administrator's command.
pub const ADMIN_LIST: usize = 200;

/// Commands (XEP-0050) that wait for a form, of all accounts: with the forms filled in before some 16 MB.
pub const COMMANDS: usize = 1024;

/// The same of one account; the oldest makes room for one more.
pub const COMMANDS_OF_ACCOUNT: usize = 4;

/// Bytes of one filled-in form of a command: a long text, or some hundred addresses.
pub const COMMAND_BYTES: usize = 16 << 10;

/// How long a command waits for its next form: a person may be called away.
pub const COMMAND_WAITS: Duration = Duration::from_secs(600);

/// Bytes of a room's name, password or related node: a long line.
pub const ROOM_TEXT: usize = 512;

/// Bytes of a room's description: a page.
pub const ROOM_DESCRIPTION: usize = 4096;

/// Addresses to turn to that a room names.
pub const ROOM_CONTACTS: usize = 16;

/// Messages that a room shows to who enters, at most: the archive has the rest.
pub const ROOM_HISTORY: u32 = 100;

/// The same where the owner has said nothing: a screen.
pub const ROOM_HISTORY_DEFAULT: u32 = 25;

/// Changes in one request to a room: a class of a school at once; each is a row in one transaction and a presence.
pub const ROOM_CHANGES: usize = 128;

/// Invitations in one message: a table of friends; each is a message in somebody's log.
pub const ROOM_INVITATIONS: usize = 16;

/// Requests to become a member of a room that wait; beyond it the oldest is forgotten.
pub const ROOM_REQUESTS: usize = 256;

/// Admins and owners who are written to about such a request: somebody of them will see it, and more is a nuisance.
pub const ROOM_ASKED: usize = 16;

/// How long (ms) who has asked for voice waits before asking again: a moderator needs some time.
pub const ROOM_ASK_AGAIN_MS: i64 = 60_000;

/// Seconds of a room's slow mode (XEP-0500): a day.
pub const ROOM_SLOW_SECONDS: u32 = 86_400;

/// Days for which a room keeps what is said, where it says so itself: a century.
pub const ROOM_RETENTION_DAYS: u32 = 36_500;

/// Bytes of a hat's hue: an angle with more digits than anybody sees.
pub const HUE_BYTES: usize = 16;

/// Rooms of which is remembered that they were in use before they are tidied up.
pub const ROOMS_KEPT: usize = 64;

/// Numbers that were given for rooms which are not made yet (XEP-0307), of all accounts.
pub const ROOMS_PROMISED: usize = 1024;

/// Rooms that one session is in: more than anybody reads, and a snapshot of the session names them all.
pub const ROOMS_OF_SESSION: usize = 256;

/// Events of one room that wait to be handed out: some seconds of a busy room. Messages beyond are read from its log.
pub const ROOM_EVENTS: usize = 256;

/// Occupants of one room, whatever it is set to.
pub const ROOM_OCCUPANTS: usize = 20_000;

/// From so many occupants on, only the presence of moderators is shown to all.
pub const ROOM_CROWD: usize = 1_000;

/// Occupants that a session is shown when it enters a room: beside what was said before and in other rooms these fit into what
/// may wait for a connection.
pub const ROOM_INTRODUCED: usize = OUTBOX_STANZAS / 4;

/// No more occupants are shown while this many bytes wait for a connection: half of what ends it.
pub const ROOM_INTRODUCED_BACKLOG: usize = OUTBOX_BYTES / 2;

/// Sessions of one account under one nick: as many as it may have.
pub const ROOM_SEATS: usize = RESOURCES;

/// Bytes of a nick in a room: a long name, and short enough for every message to carry it.
pub const NICK_BYTES: usize = 256;

/// Bytes of what a room is about.
pub const ROOM_SUBJECT: usize = 4096;

/// Bytes of what an occupant says of its presence, which every other is sent.
pub const ROOM_PRESENCE: usize = 8 << 10;

/// Groups in one page of the list of groups.
pub const GROUPS_LISTED: usize = 100;

/// Verified capabilities kept in memory; the store has more.
pub const CAPS_CACHED: usize = 4096;

/// Bytes of what a presence claims as capabilities: a hash of 64 bytes, and the address of a program.
pub const CAPS_CLAIM: usize = 512;

/// Nodes that one client wants notifications of; clients want some ten.
pub const NOTIFY_NODES: usize = 128;

/// The same in bytes: names of nodes are namespaces.
pub const NOTIFY_BYTES: usize = 8 * 1_024;

/// Sessions beside the contacts' whose presence an account was sent, and which hear of its open nodes.
pub const FOLLOWERS: usize = 256;

/// Items of a node in one answer; what is beyond is on the next page.
pub const ITEMS_PAGE: usize = 256;

/// Nodes in one page of the service's list, or of one read of an account's.
pub const NODES_PAGE: usize = 256;

/// Such reads for one answer: nodes that are not for the asker are passed over.
pub const NODES_PAGES: usize = 8;

/// Owners of a node who are written to when somebody wants to subscribe, as [`ROOM_ASKED`].
pub const OWNERS_ASKED: usize = 16;

/// How often a publication looks at its node again because somebody else has just changed it.
pub const PUBLISH_TRIES: usize = 3;

/// Accounts whose last items are read at a time for a session that comes online.
pub const LAST_ITEMS_CHUNK: usize = 32;

/// Last items that a session is sent when it comes online: beside the presences of a large roster these fit into what may
/// wait for a connection.
pub const LAST_ITEMS: usize = OUTBOX_STANZAS / 4;

/// No more last items are sent while this many bytes wait for a connection: half of what ends it.
pub const LAST_ITEMS_BACKLOG: usize = OUTBOX_BYTES / 2;

/// How long (ms) a one-time link is good that makes an administrator or sets a password: until tomorrow, for who gets it by
/// a call in the evening.
pub const LINK_MS: i64 = 86_400_000;

/// The same for a link that was sent by mail: whoever reads the mailbox later must find nothing that is good. A mail that a
/// server puts off for the first time (greylisting) still comes in time.
pub const MAILED_LINK_MS: i64 = 3_600_000;

/// How long (ms) one comes in by a letter that tells of a message: until the evening of the day on which one read it.
pub const TICKET_ENTER_MS: i64 = 12 * 3_600_000;

/// How long (ms) such a letter can be answered: who is on holiday finds it within two weeks.
pub const TICKET_ANSWER_MS: i64 = 14 * 86_400_000;

/// Groups that one page of a search in them looks at: some tens of milliseconds.
pub const GROUPS_SEARCHED: usize = 5_000;

/// Messages of a group that are counted for the list of groups: what there are more is not worth the time.
pub const GROUP_COUNTED: u64 = 100_000;

/// Megabytes of files that can be given to one account: as many as there are in a petabyte.
pub const QUOTA_MEGABYTES: u32 = 1_000_000_000;

/// Invitations of one account that have not expired, used up or not: with [`INVITE_DAYS`] more people than anybody brings
/// along in a week, and less than a spammer needs.
pub const INVITES_OF_ACCOUNT: usize = 20;

/// People whom one link brings into a group at most: a class, or everybody of an office.
pub const INVITE_USES_OF_GROUP: u32 = 20;

/// Days that an invitation is valid where nobody says: time enough to react (XEP-0379 §5.2).
pub const INVITE_DAYS: u32 = 7;

/// The most that can be said: what must last longer is a setting, not an invitation.
pub const INVITE_DAYS_MOST: u32 = 3_650;

/// How often one invitation can be taken up at most: a large organisation that comes with one link.
pub const INVITE_USES_MOST: u32 = 100_000;
/// How long (ms) after it was asked for an upload may be finished, in as many attempts as it takes (XEP-0363 §7): a large
/// file over a slow line.
pub const SLOT_MS: i64 = 3_600_000;
/// Reports of spam and abuse in one form, so that it can be read.
pub const REPORTS_SHOWN: usize = 25;

/// Bytes of one reported message that are shown: its beginning says what it is.
pub const EVIDENCE_SHOWN: usize = 2_000;

/// Reports that come within this time are told to the administrators together.
pub const REPORTS_GATHER: Duration = Duration::from_secs(30);

/// Administrators are told of new reports no more often than this: a wave of them is one message.
pub const REPORTS_PAUSE: Duration = Duration::from_secs(600);

/// Blocked servers and addresses that are edited as one text: as many as come back in one form.
pub const DENIED_IN_FORM: usize = 250;
/// Exports that are ordered, written or waiting to be fetched: they are written one after the other, and each takes the
/// room of an archive on the disk.
pub const EXPORTS: usize = 16;

/// How long a client waits for its export before it is told to ask again: what it sends meanwhile waits too.
pub const EXPORT_PATIENCE: Duration = Duration::from_secs(8);

/// How long a written export waits to be fetched: somebody has asked for it just now.
pub const EXPORT_KEPT: Duration = Duration::from_secs(30 * 60);

/// Searches of one account in an hour: one every two minutes, or some dozen at a stretch.
pub const SEARCHES_PER_HOUR: u32 = 30;

/// People that one search shows: who finds more has not said whom it looks for.
pub const SEARCH_SHOWN: usize = 20;

/// People that an account finds in an hour, so that a directory of thousands takes days to be copied.
pub const FOUND_PER_HOUR: u32 = 200;

/// Pages of the directory that one search goes through for those who are online.
pub const SEARCH_PAGES: usize = 5;

/// Addresses of strangers that an account asks for by another of their addresses in an hour: an old list of contacts that
/// is typed in, and no range of numbers.
pub const ALIASES_PER_HOUR: u32 = 60;

/// Accounts whose searches are counted at a time; beyond it the least busy begin anew.
pub const HARVESTERS: usize = 20_000;
/// Entries of logs that wait to be looked at for push: some seconds of a busy server. They are in memory anyway while they
/// are delivered.
pub const PUSH_EVENTS: usize = 8192;

/// Registrations for which something waits.
pub const PUSH_LANES: usize = 65_536;

/// Notifications of one account that are under way at a time: most people have two devices that are away, and who names
/// endpoints that do not answer takes no more of what all share.
pub const PUSH_AT_ONCE: usize = 2;

/// Conversations that wait for one registration; of more, the oldest are not told. More than a person reads on a locked
/// screen.
pub const PUSH_CONVERSATIONS: usize = 16;

/// Bytes of a text that a notification shows: what fits on a locked screen, and into a message of Web Push (RFC 8291 §4:
/// 3,993 bytes) when each of them is escaped.
pub const PUSH_BODY: usize = 480;

/// A device that is connected is told over push if it has not taken a message by then: longer than any line takes to
/// acknowledge, not longer than a person waits.
pub const PUSH_PATIENCE: Duration = Duration::from_secs(20);

/// The same for a client that nobody looks at (XEP-0352): its system may have put it to sleep.
pub const PUSH_PATIENCE_INACTIVE: Duration = Duration::from_secs(5);

/// How long an answer to a notification is waited for.
pub const PUSH_ANSWER: Duration = Duration::from_secs(30);

/// The pause after a notification that failed; it doubles with each further one.
pub const PUSH_PAUSE: Duration = Duration::from_secs(10);

/// It grows up to this.
pub const PUSH_PAUSE_MAX: Duration = Duration::from_secs(3600);

/// The longest pause that is granted to who asks for one (RFC 9110 §10.2.3).
pub const PUSH_PAUSE_ASKED: Duration = Duration::from_secs(6 * 3600);

/// After so many refusals in a row a registration is removed (XEP-0357 §7.1).
pub const PUSH_REFUSALS: u32 = 3;

/// What could not be told for so long is not told any more.
pub const PUSH_AGE: Duration = Duration::from_secs(86_400);

/// How long (ms) a device that others use too stays signed in: a working day.
pub const PUBLIC_LIFE_MS: i64 = 8 * 3_600_000;

/// How long a session on such a device waits for its client to come back.
pub const PUBLIC_RESUMPTION: Duration = Duration::from_secs(60);
/// Seconds of the steady pace that an account may send at once: a client that comes back sends again what was not
/// acknowledged, [`UNACKED`] stanzas with the default.
pub const MESSAGES_AT_ONCE: u32 = 20;

/// Rooms that an account may enter at once: several devices with all their bookmarks.
pub const JOINS_AT_ONCE: u32 = 300;

/// Rooms that an account may enter in a minute, in the long run: faster than by hand.
pub const JOINS_PER_MINUTE: u32 = 60;

/// Links that an account may have looked at at once: a conversation full of them, as it is opened.
pub const PREVIEWS_AT_ONCE: u32 = 60;

/// The same in a minute, in the long run: more than anybody reads, too few to trouble somebody's site with.
pub const PREVIEWS_PER_MINUTE: u32 = 30;

/// Bytes of a link that is looked at: browsers show no longer ones.
pub const LINK_BYTES: usize = 2_048;

/// Accounts whose pace is remembered, at some hundred bytes each; who was longest idle is forgotten first.
pub const PACED: usize = 50_000;

/// Pairs of people who have had to do with each other that are remembered; others are looked up.
pub const ACQUAINTANCES: usize = 200_000;

/// Addresses in one block list: many times the largest that are known, some 20 MB.
pub const LISTED: usize = 250_000;

/// How long after a change of a block list at a service it is kept: what changes together is written once.
pub const LISTS_GATHER: Duration = Duration::from_secs(5);

/// Items that are asked for at once of a block list at a service: some 40 KB, less than a component may send.
pub const LIST_PAGE: usize = 250;

/// Bytes of a message's text that the operator's program is given: what it is about stands at the beginning.
pub const QUESTION_BYTES: usize = 16 << 10;
/// Width and height of a small copy of a picture, pixels: what a conversation shows of it on a sharp screen.
pub const THUMBNAIL_EDGE: u32 = 320;

/// Pixels of a picture that a small copy is made of: what most cameras of telephones take, in a hundred megabytes of memory.
/// Larger ones have none.
pub const THUMBNAIL_PIXELS: u64 = 25_000_000;

/// Width and height of what is taken for a picture at all, pixels: the formats allow no more.
pub const PICTURE_EDGE: u32 = 65_535;
/// After administrators were told of accounts that wait, they are not told again for this long.
pub const REVIEW_PAUSE: Duration = Duration::from_secs(900);

/// Accounts that such a message names; of more it says that there are more.
pub const REVIEW_NAMED: usize = 10;

/// Time between two samples of how the server is.
pub const HEALTH_EVERY: Duration = Duration::from_secs(60);

/// Samples of how the server is that are kept: two hours, and some 25 KB when an administrator looks at them.
pub const HEALTH_SAMPLES: usize = 120;

/// For so long a session administers after it has proven the second factor, and for so long wrong codes are remembered.
pub const CONFIRMED_MS: i64 = 15 * 60 * 1_000;

/// Codes of a second factor that an account may get wrong in that time: of a million, so guessing goes on for months.
pub const WRONG_CODES: u32 = 10;

/// Devices that wait to be let in by another, on the whole server: some hundred bytes each.
pub const PAIRINGS: usize = 4096;

/// The same of one address, or one network of IPv6: a reading room whose people all come at once.
pub const PAIRINGS_OF_PLACE: usize = 16;

/// How long (ms) such a device waits, and how long what it is given is good: time to take a phone out and unlock it.
pub const PAIRING_MS: i64 = 120_000;

/// Codes of waiting devices that an account may type in at once, mistyped ones included.
pub const CODES_AT_ONCE: u32 = 10;

/// The same in a minute, in the long run: of a thousand million codes, so that nobody guesses one that waits.
pub const CODES_PER_MINUTE: u32 = 2;

/// How long somebody has not touched a device before it counts as left alone (XEP-0319).
pub const REACH_IDLE: Duration = Duration::from_secs(300);

/// Cases of an account among which the one of a traced message is looked for, and sendings of it that are shown.
pub const REACH_TRACED: usize = 50;
