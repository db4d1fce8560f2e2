//! Namespace names, called as the standards call them.

/// Namespaces in XML: `xml:lang`.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// Namespaces in XML: reserved for declarations.
pub const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// RFC 6120: the stream itself, its features and errors.
pub const STREAM: &str = "http://etherx.jabber.org/streams";
/// RFC 6120: stanzas between client and server.
pub const CLIENT: &str = "jabber:client";
/// RFC 6120: stanzas between servers.
pub const SERVER: &str = "jabber:server";
/// XEP-0114: stanzas between a component and its server.
pub const COMPONENT: &str = "jabber:component:accept";
/// RFC 7395: opening and closing a stream over WebSocket.
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
/// RFC 6120 §4.9: conditions of stream errors.
pub const STREAMS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// RFC 6120 §8.3: conditions of stanza errors.
pub const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// RFC 6120 §5: STARTTLS.
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// RFC 6120 §6: SASL.
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// RFC 6120 §7: resource binding.
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// RFC 3921 §3: session establishment, kept for old clients.
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// XEP-0388: the newer SASL profile.
pub const SASL2: &str = "urn:xmpp:sasl:2";
/// XEP-0386: binding along with authentication.
pub const BIND2: &str = "urn:xmpp:bind:0";
/// XEP-0484: tokens for fast authentication.
pub const FAST: &str = "urn:xmpp:fast:0";
/// XEP-0480: better credentials, as part of authentication.
pub const SASL_UPGRADE: &str = "urn:xmpp:sasl:upgrade:0";
/// XEP-0480: those of SCRAM.
pub const SCRAM_UPGRADE: &str = "urn:xmpp:scram-upgrade:0";
/// XEP-0440: the channel bindings that the server supports.
pub const SASL_CB: &str = "urn:xmpp:sasl-cb:0";
/// XEP-0478: limits that a stream announces.
pub const LIMITS: &str = "urn:xmpp:stream-limits:0";
/// XEP-0198: acknowledgement and resumption.
pub const SM: &str = "urn:xmpp:sm:3";
/// XEP-0352: client state.
pub const CSI: &str = "urn:xmpp:csi:0";
/// XEP-0124: BOSH.
pub const BOSH: &str = "http://jabber.org/protocol/httpbind";
/// XEP-0206: XMPP over BOSH.
pub const XBOSH: &str = "urn:xmpp:xbosh";

/// RFC 6121 §2: the roster.
pub const ROSTER: &str = "jabber:iq:roster";
/// RFC 6121 §2.6: roster versions, as a stream feature.
pub const ROSTERVER: &str = "urn:xmpp:features:rosterver";
/// RFC 6121 §3.4: approval in advance, as a stream feature.
pub const PRE_APPROVAL: &str = "urn:xmpp:features:pre-approval";
/// XEP-0191: blocking.
pub const BLOCKING: &str = "urn:xmpp:blocking";
/// XEP-0191: the condition of an error for a blocked contact.
pub const BLOCKING_ERRORS: &str = "urn:xmpp:blocking:errors";
/// XEP-0186.
pub const INVISIBLE: &str = "urn:xmpp:invisible:1";
/// XEP-0377: reporting spam and abuse.
pub const REPORTING: &str = "urn:xmpp:reporting:1";
/// XEP-0172: nicknames.
pub const NICK: &str = "http://jabber.org/protocol/nick";
/// XEP-0054: vCard.
pub const VCARD: &str = "vcard-temp";
/// XEP-0153: the avatar's hash in presence.
pub const VCARD_UPDATE: &str = "vcard-temp:x:update";
/// XEP-0292: vCard 4.
pub const VCARD4: &str = "urn:ietf:params:xml:ns:vcard-4.0";
/// XEP-0084: avatar images.
pub const AVATAR_DATA: &str = "urn:xmpp:avatar:data";
/// XEP-0084: avatar descriptions.
pub const AVATAR_METADATA: &str = "urn:xmpp:avatar:metadata";
/// XEP-0398: avatars in PEP and vCard are the same.
pub const PEP_VCARD_CONVERSION: &str = "urn:xmpp:pep-vcard-conversion:0";

/// XEP-0030: what an entity is and supports.
pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
/// XEP-0030: what belongs to an entity.
pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
/// XEP-0115: entity capabilities.
pub const CAPS: &str = "http://jabber.org/protocol/caps";
/// XEP-0390: entity capabilities, second form.
pub const CAPS2: &str = "urn:xmpp:caps";
/// XEP-0004: forms.
pub const DATA_FORMS: &str = "jabber:x:data";
/// XEP-0050: commands.
pub const COMMANDS: &str = "http://jabber.org/protocol/commands";
/// XEP-0059: paging through results.
pub const RSM: &str = "http://jabber.org/protocol/rsm";
/// XEP-0055: search.
pub const SEARCH: &str = "jabber:iq:search";
/// XEP-0199: ping.
pub const PING: &str = "urn:xmpp:ping";
/// XEP-0092: software version.
pub const VERSION: &str = "jabber:iq:version";
/// XEP-0202: entity time.
pub const TIME: &str = "urn:xmpp:time";
/// XEP-0012: last activity.
pub const LAST: &str = "jabber:iq:last";
/// XEP-0013: offline messages, retrieved one by one.
pub const FLEXIBLE_OFFLINE: &str = "http://jabber.org/protocol/offline";
/// XEP-0319: since when a user is idle.
pub const IDLE: &str = "urn:xmpp:idle:1";
/// XEP-0049: private storage.
pub const PRIVATE: &str = "jabber:iq:private";
/// XEP-0215: external services, such as TURN.
pub const EXT_DISCO: &str = "urn:xmpp:extdisco:2";

/// XEP-0077: registration, in a stanza.
pub const REGISTER: &str = "jabber:iq:register";
/// XEP-0077: registration, as a stream feature.
pub const REGISTER_FEATURE: &str = "http://jabber.org/features/iq-register";
/// XEP-0379, XEP-0445: the token that an invited user shows.
pub const PREAUTH: &str = "urn:xmpp:pars:0";
/// XEP-0445: registration with a token, as a stream feature.
pub const IBR_TOKEN: &str = "urn:xmpp:ibr-token:0";
/// XEP-0401: the command that makes an invitation to the server.
pub const INVITE: &str = "urn:xmpp:invite#invite";
/// XEP-0401: the command that makes an account by invitation.
pub const INVITE_CREATE_ACCOUNT: &str = "urn:xmpp:invite#create-account";

/// XEP-0227: an account for another server.
pub const PIE: &str = "urn:xmpp:pie:0";
/// XEP-0227: keys of its password.
pub const PIE_SCRAM: &str = "urn:xmpp:pie:0#scram";
/// XEP-0227: its archive.
pub const PIE_MAM: &str = "urn:xmpp:pie:0#mam";
/// XEP-0280: carbons.
pub const CARBONS: &str = "urn:xmpp:carbons:2";
/// XEP-0297: forwarded stanzas.
pub const FORWARD: &str = "urn:xmpp:forward:0";
/// XEP-0313: the archive.
pub const MAM: &str = "urn:xmpp:mam:2";
/// XEP-0313 §6: more ways to ask the archive.
pub const MAM_EXTENDED: &str = "urn:xmpp:mam:2#extended";
/// XEP-0313 §4.1.6: the filter `include-groupchat` is there.
pub const MAM_GROUPCHAT: &str = "urn:xmpp:mam:2#groupchat-field";
/// XEP-0313 §4.1.6: and archives have messages of groups.
pub const MAM_GROUPCHAT_KEPT: &str = "urn:xmpp:mam:2#groupchat-available";
/// XEP-0431: the archive can be searched.
pub const FULL_TEXT: &str = "urn:xmpp:fulltext:0";
/// XEP-0359: unique and stable ids.
pub const SID: &str = "urn:xmpp:sid:0";
/// XEP-0334: hints how to treat a message.
pub const HINTS: &str = "urn:xmpp:hints";
/// XEP-0203: when a stanza was sent first.
pub const DELAY: &str = "urn:xmpp:delay";
/// XEP-0357: push notifications.
pub const PUSH: &str = "urn:xmpp:push:0";
/// XEP-0357: what a notification says.
pub const PUSH_SUMMARY: &str = "urn:xmpp:push:summary";
/// Ours: subscriptions to Web Push (RFC 8030).
pub const WEB_PUSH: &str = "https://rookery.im/protocol/webpush";
/// XEP-0492: when a conversation rings.
pub const NOTIFICATIONS: &str = "urn:xmpp:notification-settings:1";
/// XEP-0492 before version 0.2.0.
pub const NOTIFICATIONS_OLD: &str = "urn:xmpp:notification-settings:0";
/// XEP-0494: who has access to an account.
pub const CAM: &str = "urn:xmpp:cam:0";
/// Ours: more about who has access.
pub const CLIENTS: &str = "https://rookery.im/protocol/clients";
/// XEP-0430: the inbox.
pub const INBOX: &str = "urn:xmpp:inbox:1";
/// XEP-0472: feeds of posts.
pub const SOCIAL_FEED: &str = "urn:xmpp:pubsub-social-feed:1";
/// XEP-0472 §5.2: an account's own feed.
pub const MICROBLOG: &str = "urn:xmpp:microblog:0";
/// XEP-0490: what was displayed, kept in step between devices.
pub const MDS: &str = "urn:xmpp:mds:displayed:0";
/// XEP-0160: messages kept for later, as a disco feature.
pub const OFFLINE: &str = "msgoffline";
/// XEP-0363: upload of files by HTTP.
pub const HTTP_UPLOAD: &str = "urn:xmpp:http:upload:0";
/// XEP-0363: what an uploaded file is for.
pub const UPLOAD_PURPOSE: &str = "urn:xmpp:http:upload:purpose:0";
/// XEP-0363: files that messages name.
pub const UPLOAD_MESSAGE: &str = "urn:xmpp:http:upload:purpose:0#message";
/// XEP-0363: files that a profile shows.
pub const UPLOAD_PROFILE: &str = "urn:xmpp:http:upload:purpose:0#profile";
/// XEP-0363: files that go after a short while.
pub const UPLOAD_EPHEMERAL: &str = "urn:xmpp:http:upload:purpose:0#ephemeral";
/// XEP-0363: files that stay.
pub const UPLOAD_PERMANENT: &str = "urn:xmpp:http:upload:purpose:0#permanent";
/// What the server knows of an uploaded file: our own.
pub const FILE_INFO: &str = "https://rookery.im/file";
/// XEP-0446: what is known of a file.
pub const FILE_METADATA: &str = "urn:xmpp:file:metadata:0";
/// XEP-0264: small copies of pictures.
pub const THUMBS: &str = "urn:xmpp:thumbs:1";
/// XEP-0300: hashes.
pub const HASHES: &str = "urn:xmpp:hashes:2";

/// XEP-0184: receipts.
pub const RECEIPTS: &str = "urn:xmpp:receipts";
/// XEP-0333: markers.
pub const MARKERS: &str = "urn:xmpp:chat-markers:0";
/// XEP-0085: chat states.
pub const CHATSTATES: &str = "http://jabber.org/protocol/chatstates";
/// XEP-0308: correction of a message.
pub const CORRECT: &str = "urn:xmpp:message-correct:0";
/// XEP-0444: reactions.
pub const REACTIONS: &str = "urn:xmpp:reactions:0";
/// XEP-0461: replies.
pub const REPLY: &str = "urn:xmpp:reply:0";
/// XEP-0424: retraction.
pub const RETRACT: &str = "urn:xmpp:message-retract:1";
/// XEP-0425: retraction by a moderator.
pub const MODERATE: &str = "urn:xmpp:message-moderate:1";
/// XEP-0425 before version 0.3.
pub const MODERATE_OLD: &str = "urn:xmpp:message-moderate:0";
/// XEP-0424 before version 0.4.
pub const RETRACT_OLD: &str = "urn:xmpp:message-retract:0";
/// XEP-0422: fastening.
pub const FASTEN: &str = "urn:xmpp:fasten:0";
/// XEP-0428: what of a body is a fallback.
pub const FALLBACK: &str = "urn:xmpp:fallback:0";
/// XEP-0372: references.
pub const REFERENCE: &str = "urn:xmpp:reference:0";
/// XEP-0066: a link beside a message.
pub const OOB: &str = "jabber:x:oob";
/// XEP-0071: rich text.
pub const XHTML_IM: &str = "http://jabber.org/protocol/xhtml-im";
/// XEP-0380: how a message is encrypted.
pub const EME: &str = "urn:xmpp:eme:0";
/// XEP-0384 before version 0.4, as most clients speak it.
pub const OMEMO_AXOLOTL: &str = "eu.siacs.conversations.axolotl";
/// XEP-0384: OMEMO.
pub const OMEMO: &str = "urn:xmpp:omemo:2";
/// XEP-0373: OpenPGP.
pub const OPENPGP: &str = "urn:xmpp:openpgp:0";
/// XEP-0027: OpenPGP as of old.
pub const PGP_ENCRYPTED: &str = "jabber:x:encrypted";
/// XEP-0353: a call is proposed.
pub const JINGLE_MESSAGE: &str = "urn:xmpp:jingle-message:0";

/// XEP-0045: rooms.
pub const MUC: &str = "http://jabber.org/protocol/muc";
/// XEP-0045: what occupants see.
pub const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
/// XEP-0045: what moderators and administrators do.
pub const MUC_ADMIN: &str = "http://jabber.org/protocol/muc#admin";
/// XEP-0045: what owners do.
pub const MUC_OWNER: &str = "http://jabber.org/protocol/muc#owner";
/// XEP-0249: direct invitations.
pub const MUC_DIRECT: &str = "jabber:x:conference";
/// XEP-0410: is the occupant still in the room?
pub const MUC_SELF_PING: &str = "http://jabber.org/protocol/muc#self-ping-optimization";
/// XEP-0307: a name for a room that is nobody's, as of old.
pub const MUC_UNIQUE: &str = "http://jabber.org/protocol/muc#unique";
/// XEP-0317: hats.
pub const HATS: &str = "urn:xmpp:hats:0";
/// XEP-0421: occupants' stable ids.
pub const OCCUPANT_ID: &str = "urn:xmpp:occupant-id:0";
/// Why a command for administrators is refused: a second factor is to be proven.
pub const SECOND_FACTOR: &str = "https://rookery.im/protocol/second-factor";
/// Ours: why a session was signed out.
pub const ENDED: &str = "https://rookery.im/protocol/ended";
/// Notices of a group: a node of ours.
pub const NOTICES: &str = "https://rookery.im/protocol/notices";
/// Ours: a device lets another in.
pub const PAIRING: &str = "https://rookery.im/protocol/pairing";
/// Link previews, in a way of ours.
pub const PREVIEW: &str = "https://rookery.im/protocol/preview";
/// How urgent a message is, in a way of ours.
pub const URGENCY: &str = "https://rookery.im/protocol/urgency";
/// Ours: what a mail says beyond a message, and what became of one.
pub const MAIL: &str = "https://rookery.im/protocol/mail";
/// Ours: how people are reached who are not here, and what becomes of it.
pub const REACH: &str = "https://rookery.im/protocol/reach";
/// Ours: what the secretary reminds of.
pub const REMINDERS: &str = "https://rookery.im/protocol/reminders";
/// XEP-0402: bookmarks.
pub const BOOKMARKS: &str = "urn:xmpp:bookmarks:1";
/// XEP-0048: bookmarks as of old.
pub const BOOKMARKS_OLD: &str = "storage:bookmarks";

/// XEP-0060: publish-subscribe.
pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// XEP-0060: what owners of nodes do.
pub const PUBSUB_OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
/// XEP-0060: notifications.
pub const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// XEP-0060: conditions of errors.
pub const PUBSUB_ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";
/// XEP-0060 §7.1.5: preconditions of a publication.
pub const PUBSUB_PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";

/// XEP-0224: attention.
pub const ATTENTION: &str = "urn:xmpp:attention:0";
/// XEP-0122: validation of form fields.
pub const VALIDATE: &str = "http://jabber.org/protocol/xdata-validate";
