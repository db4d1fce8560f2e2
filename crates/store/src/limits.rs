//! Every bound of the store, each with its reason.

/// Jobs that wait for the writer. Above it a caller waits for room, so that a stalled disk slows its senders instead
/// of filling the memory: 1,024 stanzas of the largest usual size (64 KB) are 64 MB.
pub const QUEUE: usize = 1_024;

/// Jobs in one transaction. Group commit gains little above this (measured), and a batch is the longest time a
/// neighbour waits.
pub const BATCH: usize = 256;

/// Read-only connections, and so queries at the same time. Queries are short; more would only share the same cores.
pub const READERS: usize = 4;

/// Users whose head the writer remembers (about 40 bytes each). Others cost one index look-up.
pub const HEADS_CACHED: usize = 65_536;

/// Entries in one page or one read of events: what a session can take at once.
pub const PAGE: usize = 256;

/// Bytes of stanzas after which a page or a read of events ends early (at least one entry is returned): 256 large
/// stanzas must not be in memory for one slow reader.
pub const PAGE_BYTES: usize = 1 << 20;

/// Entries counted for a page's `count` and `first_index`; above it they are left out (XEP-0059 lets the count be
/// left out or approximate), for counting is linear.
pub const COUNT: u64 = 2_000;

/// Members of a group that each have what is said there in their own log: above it a group's log is all there is.
pub const SMALL_GROUP: usize = 100;

/// Conversations of one account that its inbox shows, and whose reading is remembered; of more, the first of the alphabet.
/// Twice a full roster: an inbox of so many takes some ten milliseconds of a reader.
pub const CONVERSATIONS: usize = 10_000;

/// Unread messages that are counted in one conversation: nobody wants to know more exactly.
pub const UNREAD: u64 = 1_000;

/// Entries of one conversation that an inbox looks at: twice what it counts, as receipts and markers lie between.
pub const INBOX_SCAN: usize = 2_000;

/// The same of all conversations together: some hundred milliseconds of a reader.
pub const INBOX_SCAN_ALL: usize = 100_000;

/// The same of each conversation, also when the bound of all is reached: enough to find the latest message.
pub const INBOX_SCAN_LEAST: usize = 16;

/// Groups of one account that its inbox reads in their own logs: as many as a client can be in.
pub const INBOX_GROUPS: usize = 256;

/// Entries among which a displayed one is looked for by its sender's name: people read the end of a conversation.
pub const DISPLAYED_SCAN: usize = 256;

/// Bytes of what somebody looks for: a sentence in any script.
pub const TYPED_BYTES: usize = 1_024;

/// Words in it, or characters where words are not divided.
pub const TYPED_WORDS: usize = 64;

/// Letters from which on a word is found by its beginning; of less, too much would be found.
pub const PREFIX_CHARS: usize = 3;

/// Letters of a word that are looked at: longer than any word, shorter than what is none.
pub const WORD_CHARS: usize = 64;

/// Bytes of a message's text that are indexed: a chapter of a book.
pub const TEXT_INDEXED: usize = 64 * 1_024;

/// What one search looks at of what the index finds: some hundred milliseconds of a reader at most.
pub const SEARCH_SCAN: usize = 2_000;

/// Slices of the index that a search waits for: what was said in the last moments.
pub const SEARCH_CATCH_UP: usize = 4;

/// Messages in one slice of the index: some ten milliseconds.
pub const INDEX_BATCH: usize = 500;

/// The same in bytes of stanzas.
pub const INDEX_BYTES: usize = 4 << 20;

/// Log pointers of one appended body: both sides of a conversation, or a small group and its members.
pub const POINTERS: usize = SMALL_GROUP + 1;

/// For how long (ms) a sender's origin-id stays unique: longer than any client keeps an unacknowledged message.
pub const DEDUP_WINDOW_MS: i64 = 7 * 86_400_000;

/// For how long (ms) a delivered entry that is not for the archive is kept, for a session that lags behind.
pub const PASSING_KEPT_MS: i64 = 86_400_000;

/// Roster items of one account. The largest real rosters have some thousand; the whole roster is sent at login.
pub const ROSTER_ITEMS: usize = 5_000;

/// Subscription requests waiting for an answer, so that strangers cannot fill an account.
pub const ROSTER_REQUESTS: usize = 1_000;

/// Groups of one roster item.
pub const ROSTER_GROUPS: usize = 32;

/// Bytes of a roster item's name or of one group's name.
pub const ROSTER_NAME_BYTES: usize = 1_023;

/// Removed roster items that are remembered for roster versioning; who has an older version gets the whole roster.
pub const ROSTER_REMOVED: usize = 200;

/// Bytes of a subscription request that is kept until answered.
pub const REQUEST_BYTES: usize = 8 * 1_024;

/// Blocked addresses of one account: the list is read on each login.
pub const BLOCKS: usize = 5_000;

/// Addresses in each of the two lists of archive preferences.
pub const PREFS: usize = 1_000;

/// Rules about who sees an account: a roster full of them, as they are read on each login.
pub const VISIBILITY: usize = ROSTER_ITEMS;

/// Strangers that an account has answered and that are remembered for it; beyond it who was answered longest ago is a
/// stranger again.
pub const ANSWERED: usize = 1_000;

/// Senders of mail of whom an account has said whether it is junk; beyond it the oldest word is forgotten.
pub const JUNK_SENDERS: usize = 1_000;

/// For how long (ms) junk is kept after it came: whoever misses a mail asks for it within some weeks.
pub const JUNK_KEPT_MS: i64 = 30 * 86_400_000;

/// Strangers in the list of requests.
pub const REQUESTS: usize = 1_000;

/// Bytes of a nickname, an account's name or a last status.
pub const TEXT_BYTES: usize = 1_023;

/// Bytes of an account's credentials.
pub const CREDENTIALS_BYTES: usize = 16 * 1_024;

/// Accounts that administer the server: a handful in practice, and all are shown in one form.
pub const ADMINS: usize = 100;

/// Bytes of a notice or an announcement: what fits into one form, and is read by everybody.
pub const NOTICE_BYTES: usize = 16 * 1_024;

/// Announcements on their way at a time; each is a message to every account.
pub const ANNOUNCEMENTS: usize = 4;

/// Log rows that one read of an archive's size goes through: some milliseconds of a reader.
pub const SIZE_SLICE: usize = 4_096;

/// Devices of one account: twice its sessions, as some are seldom used. Each is a few hundred bytes.
pub const DEVICES: usize = 64;

/// A device that was seen so lately (ms) need not be noted again when it signs in: in its list an hour more or less says
/// nothing, and a storm of returning clients needs no transaction for each. The end of a session is always noted.
pub const SEEN_LATELY_MS: i64 = 3_600_000;

/// Bytes of what a device says it is called.
pub const DEVICE_TEXT_BYTES: usize = 255;

/// Registrations for push of one account: as many as people have devices. Each message may go to all of them.
pub const PUSHES: usize = 16;

/// Bytes of one registration: an endpoint (some hundred bytes), or a node and the secrets of an app server.
pub const PUSH_BYTES: usize = 4 * 1_024;

/// Accounts in one transaction of an import.
pub const IMPORT: usize = 4_096;

/// Accounts in one page of the list.
pub const ACCOUNTS_PAGE: usize = 1_000;

/// Resumable streams of one account: more than its sessions, as dead ones wait to be resumed.
pub const STREAMS: usize = 64;

/// Entries that one session leaves to others when it ends; of more, the newest wait in the archive only. More than a
/// session may have under way.
pub const OWED: usize = 1_024;

/// Log entries that one slice of the sweeper or of an account's deletion removes: some milliseconds of the writer.
pub const SWEEP: usize = 2_000;

/// Accounts and groups with a retention of their own that one slice of the sweeper looks at: each is one look-up or two.
pub const SWEEP_ACCOUNTS: usize = 256;

/// By how much (ms) a clock may go back and the log still keep its order by time: more than any correction of a running
/// clock, less than a wrong date.
pub const CLOCK_SKEW_MS: i64 = 3_600_000;

/// Invitations that are listed, and that may exist.
pub const INVITES: usize = 10_000;

/// For how long (ms) after its end an invitation is kept for who has shown it in time and is still filling in the form
/// (XEP-0445 §4): longer than a connection may take to sign in, or a person over a page.
pub const INVITE_SHOWN_MS: i64 = 3_600_000;

/// Bytes of the journal after which it is written anew with what lives (or twice that, if more): some hundred thousand
/// records, read and written in some ten milliseconds.
pub const JOURNAL_SEGMENT: u64 = 16 << 20;

/// Bytes of a session's state in the journal: a record's length has 16 bits.
pub const JOURNAL_SNAPSHOT: usize = 60 * 1_024;

/// Bytes of a stanza that is kept in the journal, as it is in no log: chat states and the like are some hundred.
pub const JOURNAL_STANZA: usize = 2 * 1_024;

/// Stanzas in one record of the journal: of the largest, these are below 64 KiB.
pub const JOURNAL_SENT: usize = 30;

/// Publish-subscribe nodes of one account, and as many that it made at the service: clients make some twenty, and one for each device that encrypts; a blog has one
/// for the comments of each article.
pub const NODES: usize = 1_000;

/// Items of one node, whatever its configuration wants: read positions and bookmarks are one a conversation, as contacts.
pub const NODE_ITEMS: usize = 5_000;

/// Bytes of one item's payload: an avatar of more than 100 KB in base64, the largest that a stanza carries.
pub const ITEM_BYTES: usize = 256 * 1_024;

/// Bytes of all items of one account, and as many in the nodes that it made at the service: some hundred times what people have.
pub const ITEMS_BYTES: usize = 16 << 20;

/// Bytes of a node's name or an item's id: as an address (RFC 7622 §3.1), of which many are made.
pub const NODE_NAME_BYTES: usize = 3_071;

/// Bytes of a node's configuration: a title, a description, some roster groups.
pub const NODE_CONFIG_BYTES: usize = 16 * 1_024;

/// Others who have a part in one node: each publication reads the list.
pub const NODE_AFFILIATES: usize = 1_000;

/// Nodes of one account or of the service that somebody is subscribed to: more than anybody reads, and shown in one answer.
pub const PARTS: usize = 1_000;

/// Verified capabilities that are remembered: more than all clients' versions together.
pub const CAPS: usize = 10_000;

/// Bytes that are kept of one client's capabilities.
pub const CAPS_BYTES: usize = 16 * 1_024;

/// Bytes of what a group is set to: a name, a description, some switches.
pub const GROUP_CONFIG_BYTES: usize = 16 * 1_024;

/// Groups that one account has made and that still are: far more than people keep, and few enough that nobody takes all
/// numbers.
pub const GROUPS_MADE: usize = 200;

/// People in the lists of one group; all of them are in memory while the group is in use.
pub const GROUP_AFFILIATES: usize = 20_000;

/// Hats of one group (XEP-0317): all are in one form.
pub const HATS: usize = 64;

/// Hats that people wear in one group; all of them are in memory while the group is in use.
pub const HATS_WORN: usize = 5_000;

/// Groups in the list of those that one account stands to.
pub const GROUPS_OF: usize = 1_000;

/// Bytes of an uploaded file's name, as most file systems allow.
pub const FILE_NAME_BYTES: usize = 255;

/// Bytes of a media type: both of its names are at most 127 long (RFC 6838 §4.2), and in practice far shorter together.
pub const MEDIA_TYPE_BYTES: usize = 127;

/// Uploads that one account has asked for and that have not come: a person who shares an album asks for each picture.
pub const OPEN_UPLOADS: usize = 100;

/// Uploads of one account: their sizes are added up when it asks for one more, in about a millisecond.
pub const UPLOADS: usize = 20_000;

/// Uploads in one page of an account's list.
pub const FILES_PAGE: usize = 100;

/// Uploads that one slice of their sweeper removes, and bytes that it erases.
pub const SWEEP_FILES: usize = 200;

/// Uploads that one body names; what it names beyond is not kept for it. People share some ten pictures at once.
pub const FILES_NAMED: usize = 64;
/// Reports that are kept, waiting and closed: more than administrators can read. With their copies below 400 MB.
pub const REPORTS: usize = 5_000;

/// Waiting reports of one account: who reports more than a person meets does not push out the reports of others.
pub const REPORTS_OF_ACCOUNT: usize = 50;

/// Reports in one page of the queue.
pub const REPORTS_PAGE: usize = 100;

/// Messages that are copied for one report: enough to see what it is about.
pub const REPORT_MESSAGES: usize = 10;

/// Bytes of messages that are copied for one report, of which the first may be larger.
pub const REPORT_BYTES: usize = 64 * 1_024;

/// Bytes of what a reporter says: what fits into one form.
pub const REPORT_TEXT_BYTES: usize = 2 * 1_024;

/// For how long (ms) a closed report is kept: who is reported again within a quarter has a record.
pub const REPORT_KEPT_MS: i64 = 90 * 86_400_000;

/// Servers and addresses that this server has nothing to do with: they are all in memory, at some hundred bytes each.
pub const DENIED: usize = 10_000;

/// Bytes of one block list at a service, as it is kept: some 250,000 hashes.
pub const BLOCK_LIST_BYTES: usize = 8 << 20;

/// Bytes of a nickname or of an interest in the directory: what fits into a line.
pub const CARD_TEXT_BYTES: usize = 255;

/// Interests of one account in the directory.
pub const INTERESTS: usize = 8;

/// Words of one text of a card that it is found by: as many as there are Chinese characters in the longest.
pub const CARD_WORDS: usize = CARD_TEXT_BYTES / 3;

/// Words of one search; each is a look-up.
pub const SEARCH_WORDS: usize = 6;

/// Accounts in one page of a search: more than are shown, as not all of them are.
pub const SEARCH_PAGE: usize = 200;

/// Accounts in the list of those that store most: what fits onto a page.
pub const LARGEST: usize = 25;
/// Messages of one account that wait for a gateway: it takes them within moments, and one that does not is broken.
pub const OUTBOX: usize = 1000;

/// Mails of one account in the queue: more are a mailing list's, and that is no use of a messenger.
pub const MAIL_QUEUE: usize = 1000;

/// Bytes of one account's mails in the queue, where each recipient's is kept for itself: a large file to a dozen people.
pub const MAIL_QUEUE_BYTES: usize = 400 << 20;

/// Folders of one account: more than people make, and all are in one answer.
pub const FOLDERS: usize = 500;

/// Bytes of a folder's name, with those above it.
pub const FOLDER_NAME_BYTES: usize = 255;

/// Levels of folders.
pub const FOLDER_DEPTH: usize = 16;

/// Mails that a mail program can see in one folder, and put there: a program's connection knows the number of each of them, four
/// bytes a mail.
pub const FOLDER_MAILS: usize = 200_000;

/// Entries of a log that one slice of its filing into folders looks at: some ten milliseconds of the writer.
pub const FILING: usize = 5_000;

/// Keywords of one mail, and bytes of one: programs use some five, and make few letters do.
pub const KEYWORDS: usize = 32;
/// See [`KEYWORDS`].
pub const KEYWORD_BYTES: usize = 64;

/// Mails that are listed or tried at a time.
pub const MAIL_PAGE: usize = 50;

/// Bytes of a Message-ID, a subject, a thread or the words of an error: a line of a mail (RFC 5322 §2.1.1).
pub const MAIL_NAME_BYTES: usize = 998;

/// Bytes of the References of a mail: some dozens of long Message-IDs.
pub const MAIL_REFS_BYTES: usize = 8192;

/// Sendings of one account that wait or are under way: caps are smaller, and a carrier that is away for days needs no more.
pub const SENDINGS_WAITING: usize = 50;

/// Codes and tests that one account may have sent in a day: whose address it is, is not known before.
pub const SENDING_PROOFS: usize = 8;

/// Sendings that are listed at a time.
pub const SENDINGS_LISTED: usize = 100;

/// Bytes of the address of a sending, or of a carrier's name for it: a mail address (RFC 5321 §4.5.3.1).
pub const SENDING_ADDRESS_BYTES: usize = 320;

/// Bytes of the line that a sending is about, and of the words of its last trouble.
pub const SENDING_TITLE_BYTES: usize = 400;

/// Bytes of what a sending says: a mail of several messages; other ways shorten it.
pub const SENDING_TEXT_BYTES: usize = 8 << 10;

/// Bytes of the code that acknowledges a sending: digits that are typed on a pager.
pub const SENDING_CODE_BYTES: usize = 12;

/// The time (ms) within which sendings count towards the caps: a day.
pub const SENDING_DAY_MS: i64 = 86_400_000;

/// For how long (ms) it is known what became of a sending: carriers report after days, and people ask within weeks.
pub const SENDING_KEPT_MS: i64 = 30 * 86_400_000;

/// Rules of one account: each is a step, and nobody is reached by the tenth.
pub const REACH_RULES: usize = 16;

/// People whom one account lets be urgent.
pub const REACH_ALLOWED: usize = 200;

/// Addresses at which one account can be reached.
pub const REACH_ADDRESSES: usize = 10;

/// Accounts that share an address which are looked at: the phone of a ward.
pub const REACH_SHARED: usize = 20;

/// The most seconds after which a rule applies: what was not read for a day is told in the morning after.
pub const REACH_AFTER: u32 = 86_400;

/// Messages of one case that are looked at: what a mail tells of.
pub const REACH_MESSAGES: usize = 20;

/// Bytes of the name of a time zone: the longest has 32.
pub const ZONE_BYTES: usize = 64;

/// Wrong codes that may be typed for one address: of a million codes, ten are no guess.
pub const REACH_TRIES: i64 = 10;

/// For how long (ms) a code is good that proves an address: mail may take a while.
pub const REACH_CODE_MS: i64 = 24 * 3_600_000;
/// For how long (ms) a page from outside is remembered whose sender asks what became of it: who has not asked within a week
/// does not ask any more.
pub const CALL_MILLIS: i64 = 7 * 86_400_000;

/// Pages of one account that are remembered at a time: one in ten minutes, all week.
pub const CALLS: usize = 1000;

/// Answers to choose from that a page can have: a pager's menu.
pub const CALL_CHOICES: usize = 20;

/// Bytes of all answers to choose from, and of the one that was given.
pub const CALL_BYTES: usize = 2048;

/// Pager numbers of one account.
pub const PAGERS: usize = 16;

/// Bytes of a pager number, of a carrier's name, and of what a carrier calls a device.
pub const PAGER_BYTES: usize = 64;

/// Pager numbers that are listed at a time.
pub const PAGERS_LISTED: usize = 200;

/// Bytes of a part of a short message: what one holds, however it is written.
pub const SMS_PART_BYTES: usize = 255;

/// Bytes of what a short message that a carrier brings is known by: a digest and more.
pub const SMS_NAME_BYTES: usize = 64;

/// For how long (ms) a short message that comes by another connection of its carrier is the same again: carriers try again within
/// minutes, and what somebody really says twice should not be lost for long.
pub const SMS_AGAIN_MS: i64 = 15 * 60_000;

/// Conversations in a list on a phone: numbers of one digit.
pub const DESK_LISTED: usize = 9;

/// For how long (ms) what a phone was shown last is kept: who reads in the morning answers in the evening.
pub const DESK_KEPT_MS: i64 = 24 * 3_600_000;

/// Wrong PINs from phones within [`PIN_LOCKED_MS`], before none is looked at for that time: of a million PINs.
pub const PIN_TRIES: i64 = 5;
/// See [`PIN_TRIES`].
pub const PIN_LOCKED_MS: i64 = 24 * 3_600_000;

/// Parts of short messages that wait for others, of one phone and of all: a long message of some phones, and of a town.
pub const SMS_PARTS_OF_PHONE: usize = 300;
/// See [`SMS_PARTS_OF_PHONE`].
pub const SMS_PARTS: usize = 20_000;

/// Reminders of one account: three for each day of a month.
pub const REMINDERS: usize = 100;

/// Bytes of what a reminder says: a paragraph.
pub const REMINDER_BYTES: usize = 1000;

/// Groups of people of whom one is on duty: those of a large clinic.
pub const DUTIES: usize = 200;

/// People who take turns in one group.
pub const DUTY_PEOPLE: usize = 50;

/// Times at which somebody else of a group is on duty, past ones too until they are removed.
pub const DUTY_COVERS: usize = 100;
