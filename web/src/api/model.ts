/**
 * What the page knows of the account: plain data, as it crosses from the engine (in a worker) to the page.
 * Times are milliseconds since 1970, as the server told them. Addresses are bare JIDs unless said otherwise.
 */

/** A bare JID, in its prepared (lower-case) form: of a person, a group, or a service. */
export type Address = string;

/** Whether this computer is its owner's. Decides whether anything may stay on it. */
export type Place = 'public' | 'own';

/** The connection, as the small chip shows it. */
export type Connection =
  | { state: 'offline' }
  | { state: 'connecting' }
  /** `resumed`: nothing was missed, nothing is to be fetched again. */
  | { state: 'online'; resumed: boolean }
  /** Will be tried again at `retryAt`. */
  | { state: 'waiting'; retryAt: number };

/** Presence as people choose it. `invisible` only for oneself (XEP-0186), `offline` only for others. */
export type Show = 'online' | 'chat' | 'away' | 'xa' | 'dnd' | 'invisible' | 'offline';

/** Who one is, and how one appears. */
export interface Me {
  address: Address;
  /** The number, without leading zeros. */
  number: string;
  /** What the account is called besides its number (`alice` of `alice@domain`). */
  name?: string;
  nick: string;
  /** Hash of the avatar (XEP-0084), for `Api.avatar`. */
  avatar?: string;
  show: Show;
  status: string;
  place: Place;
  /** May use the administration pages. */
  admin: boolean;
}

/** Somebody on the roster. */
export interface Contact {
  address: Address;
  number?: string;
  /** Own name for the contact (the roster's name), or nothing. */
  remark: string;
  /** What the contact calls itself (XEP-0172). */
  nick: string;
  avatar?: string;
  /** Categories (roster groups); none: it is shown under "Contacts". */
  categories: string[];
  subscription: 'none' | 'to' | 'from' | 'both';
  /** We asked to see the contact and wait for the answer. */
  asked: boolean;
  show: Show;
  status: string;
  /** Since when nobody touched the keyboard (XEP-0319). */
  idleSince?: number;
  /** How we are seen by the contact (per-contact rule of visibility). */
  visibility: 'usual' | 'visible' | 'invisible';
  blocked: boolean;
}

/** Somebody who wants to add us. */
export interface ContactRequest {
  address: Address;
  nick: string;
  avatar?: string;
  /** What was written with the request. */
  text: string;
  at: number;
}

/** An invitation into a group (XEP-0249, mediated). */
export interface GroupInvitation {
  group: Address;
  from: Address;
  reason: string;
  password?: string;
  at: number;
}

/** What the invitation behind a link is for. */
export interface Invitation {
  /** Whose it is; missing: the operator's. */
  from?: Address;
  nick: string;
  /** Both become contacts. */
  contact: boolean;
  /** One becomes a member of this group. */
  group?: Address;
  groupName: string;
}

/** What anybody may see of a person or a group: search results, cards, profiles. */
export interface Card {
  address: Address;
  number?: string;
  name?: string;
  nick: string;
  avatar?: string;
  about: string;
  /** Fields of the vCard that one shows; free text. */
  fullName?: string;
  birthday?: string;
  location?: string;
  interests: string[];
  email?: string;
  phone?: string;
  website?: string;
  kind: 'person' | 'group';
  /** Groups: how many people are in it, if it says so. */
  members?: number;
  /** For directory results of people who show it. */
  online?: boolean;
}

/** When a conversation makes itself heard (XEP-0492). */
export type Notify = 'always' | 'on-mention' | 'never';

/** A row of the list of chats. */
export interface Conversation {
  address: Address;
  kind: 'person' | 'group';
  /** Remark, nick, subject or number: what the row is headed with. */
  title: string;
  avatar?: string;
  /** The newest thing said, if anything was. */
  last?: { key: string; mine: boolean; sender?: string; text: string; kind: Message['kind']; state: SendState };
  /** When it last moved; orders the list. */
  at: number;
  /** Messages of others after the displayed marker (XEP-0490), one definition everywhere. */
  unread: number;
  /** Of these, how many mention us, reply to us, or are urgent. In a conversation with a person: all. */
  mentions: number;
  notify: Notify;
  pinned: boolean;
  draft: string;
  /** Names of those who are typing now (XEP-0085). */
  typing: string[];
  /** Groups: whether we are in it at the moment. */
  joined?: boolean;
}

/** How far something of ours has come. Never goes back. */
export type SendState = 'sending' | 'stored' | 'delivered' | 'read' | 'failed';

/** Why something failed; the parts of an `ApiError`. */
export interface Failure {
  code: string;
  text: string;
  values?: Record<string, string | number>;
}

/** A file in a message (XEP-0446, XEP-0447). */
export interface FileInfo {
  url: string;
  name: string;
  type: string;
  size?: number;
  width?: number;
  height?: number;
  /** Milliseconds, of sound and moving pictures. */
  duration?: number;
  thumbnail?: { url: string; width: number; height: number; type: string };
}

/** A reaction (XEP-0444), with who gave it. */
export interface Reaction {
  emoji: string;
  /** Names to show. */
  names: string[];
  mine: boolean;
}

/** A message as it is shown. `key` never changes, whatever becomes of the message. */
export interface Message {
  key: string;
  conversation: Address;
  /** The id that the archive gave (XEP-0359); missing until the server has it. */
  stanzaId?: string;
  at: number;
  /** Orders the conversation, as its archive does: more is later. Times may go back. What waits to be sent stands behind all. */
  order: number;
  mine: boolean;
  /** Bare address of who sent it, where it is known (anonymous groups: the occupant's full JID). */
  from: Address;
  /** The name to show: in groups the nick; empty in conversations with a person. */
  sender: string;
  avatar?: string;
  kind: 'text' | 'files' | 'voice' | 'sticker' | 'knock' | 'invitation' | 'encrypted' | 'event';
  /** Text without what only stands for the other parts (fallbacks of replies, files, reactions are taken out). */
  body: string;
  files: FileInfo[];
  /** Name of the sticker, if it is one of ours; others are a picture in `files`. */
  sticker?: string;
  /** What it answers (XEP-0461). `key` if that message is known here. */
  replyTo?: { id: string; key?: string; sender: string; text: string };
  /** Ranges of `body`, in UTF-16 units, that mention somebody (XEP-0372). */
  mentions: { begin: number; end: number; address: Address; me: boolean }[];
  /** Of kind `invitation`: into which group. */
  invitation?: { group: Address };
  edited: boolean;
  /** Taken back, by its sender or a moderator; `body` is empty then. */
  retracted?: { by: string; reason: string; moderated: boolean };
  reactions: Reaction[];
  urgency: 'normal' | 'important' | 'urgent';
  state: SendState;
  /** Why, when `state` is `failed`. */
  error?: Failure;
  /** Of ours: how its reader, who was not here, was told of it. */
  reached?: Reached[];
  preview?: LinkPreview;
}

/** How one wants to be reached while one is not here (docs/reach.md). */
export interface ReachSettings {
  active: boolean;
  /** The time zone of all hours; empty: none was chosen. */
  zone: string;
  urgent: 'named' | 'contacts';
  tells: 'nothing' | 'sender' | 'text';
  quiet?: Hours;
  /** The ways that the server has: `mail`, `sms`, `pager`. */
  ways: string[];
  addresses: { way: string; address: string; verified: boolean }[];
  rules: ReachRule[];
  /** Who may be urgent beside contacts. */
  allowed: Address[];
}

export interface ReachRule {
  way: string;
  address: string;
  /** Seconds after the message. */
  after: number;
  least: Message['urgency'];
  /** Also while one is at a device. */
  unread: boolean;
  hours?: Hours;
}

/** `22:00` to `07:00` */
export interface Hours {
  from: string;
  to: string;
}

/** One way by which somebody who was not here was told of a message; or, without a way, that nobody was reached. */
export interface Reached {
  /** Names the attempt; empty for the end. */
  attempt: string;
  /** `mail`, `sms`, `pager`; empty for the end. */
  way: string;
  /** `queued`, `accepted`, `unknown`, `failed`, `delivered`, `read`, `acknowledged`; `nobody` for the end. */
  state: string;
  at: number;
}

/** What the server found behind the first link of a message. */
export interface LinkPreview {
  url: string;
  title: string;
  description: string;
  site: string;
  image?: { url: string; width: number; height: number };
}

/** A contiguous piece of a conversation, oldest first: nothing is missing between its messages. */
export interface Page {
  messages: Message[];
  /** There is nothing before / after, proven by the archive. */
  atStart: boolean;
  atEnd: boolean;
  /**
   * There is more on that side, but it could not be had now (no connection): the page is shorter than asked for.
   * It is filled when the connection is back; an event `history` says so.
   */
  cutBefore: boolean;
  cutAfter: boolean;
}

/** Which piece of a conversation. `key`s are `Message.key`, `at` milliseconds. */
export type Where = { latest: true } | { before: string } | { after: string } | { around: string } | { at: number };

/** Something to send. */
export interface Outgoing {
  body: string;
  replyTo?: string;
  mentions?: { begin: number; end: number; address: Address }[];
  urgency?: Message['urgency'];
  files?: OutgoingFile[];
  /** Name of one of our stickers. */
  sticker?: string;
}

/** A file before it is uploaded. */
export interface OutgoingFile {
  blob: Blob;
  name: string;
  type: string;
  width?: number;
  height?: number;
  duration?: number;
  voice?: boolean;
  /** A smaller picture to show at once. */
  thumbnail?: { blob: Blob; width: number; height: number };
}

export type Affiliation = 'owner' | 'admin' | 'member' | 'none' | 'outcast';
export type Role = 'moderator' | 'participant' | 'visitor' | 'none';

/** Somebody who is in a group now, or belongs to it. */
export interface Member {
  /** Key of the row: the occupant id (XEP-0421), or the bare address of who is away. */
  id: string;
  nick: string;
  /** Where the group shows it to us. */
  address?: Address;
  avatar?: string;
  affiliation: Affiliation;
  role: Role;
  show: Show;
  status: string;
  hats: { uri: string; title: string; hue?: number }[];
  me: boolean;
}

/** A group, as its panel shows it. */
export interface Group {
  address: Address;
  number?: string;
  name: string;
  about: string;
  subject: string;
  avatar?: string;
  myNick: string;
  myAffiliation: Affiliation;
  myRole: Role;
  occupants: number;
  /** Only members may come in. */
  membersOnly: boolean;
  moderated: boolean;
  /** Addresses of those present are shown to everybody. */
  open: boolean;
  persistent: boolean;
  public: boolean;
  hasPassword: boolean;
  /** Least time between two messages of a participant, in seconds (XEP-0500). */
  slow?: number;
  /** The group's notices, newest first. */
  notices: { id: string; text: string; by: string; at: number }[];
  /** People who ask to be let in; for those who may answer. */
  requests: { address: Address; nick: string; text: string }[];
}

/** A client or device that has access (XEP-0494). */
export interface Device {
  id: string;
  name: string;
  software: string;
  firstSeen?: number;
  lastSeen?: number;
  connected: boolean;
  current: boolean;
  public: boolean;
  address?: 'local' | 'ipv4' | 'ipv6';
}

/** Who signs in, and with what. */
export interface Entrant {
  /** Number, name or address. */
  user: string;
  place: Place;
  password?: string;
  /** In place of a password, from a device that let this one in: good for one sign-in at once. */
  pass?: { agent: string; token: string };
}

/** A device that wants to be let in by this one. */
export interface Newcomer {
  id: string;
  /** Nine digits, to compare. */
  code: string;
  device: string;
  software: string;
  /** The address that it asks from. */
  address: string;
  public: boolean;
}

/** A hit of the search in messages: the message and the places in its `body`. */
export interface Hit {
  message: Message;
  title: string;
}

/** A field of a form (XEP-0004), as the administration pages and group settings show it. */
export interface Field {
  name: string;
  type:
    | 'text'
    | 'secret'
    | 'long'
    | 'toggle'
    | 'choice'
    | 'choices'
    | 'lines'
    | 'addresses'
    | 'address'
    | 'fixed'
    | 'hidden';
  label: string;
  help: string;
  required: boolean;
  values: string[];
  options: { label: string; value: string }[];
}

/** A form, or a table of results where `rows` is there. */
export interface Form {
  title: string;
  instructions: string;
  fields: Field[];
  columns?: { name: string; label: string }[];
  rows?: Record<string, string[]>[];
}
