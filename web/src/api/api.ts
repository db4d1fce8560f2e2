/**
 * Everything the page asks of the engine. The page holds an `Api` and knows nothing of XMPP; whether the engine runs in a
 * shared worker or beside it makes no difference. All methods reject with an `ApiError` only.
 */
import type * as m from './model';
import type { Listener } from './events';

/** Why something did not work. `text` is one plain sentence, in the page's language where the page knows `code`. */
export class ApiError extends Error {
  constructor(
    /** Stable name: an XMPP condition (`not-authorized`, `item-not-found` ...), or one of ours: `offline`, `timeout`, `too-large`, `quota`. */
    readonly code: string,
    /** What the server said, if it said something for people. */
    readonly text = '',
    /** Values that belong to the sentence, e.g. the limit. */
    readonly values: Record<string, string | number> = {},
  ) {
    super(text || code);
    this.name = 'ApiError';
  }
}

/** What the page shows when it attaches: everything at once, then events. */
export interface Snapshot {
  signedIn: boolean;
  /** A token is kept on this computer, so it can sign in without a password. Only in one's own place. */
  remembered?: { address: m.Address; nick: string };
  connection: m.Connection;
  me?: m.Me;
  contacts: m.Contact[];
  conversations: m.Conversation[];
  requests: m.ContactRequest[];
  invitations: m.GroupInvitation[];
}

export interface Api {
  /** Attach: the state as it is; events follow from exactly there. */
  attach(listener: Listener): Promise<Snapshot>;
  /** Says whether somebody looks at this tab (XEP-0352, and who is notified). */
  focus(state: { visible: boolean; conversation?: m.Address }): void;

  // --- coming and going
  signIn(who: m.Entrant): Promise<void>;
  /** With the token that is kept here. */
  signInRemembered(): Promise<void>;
  /** In-band registration; `invitation` is the token of an invite link. Signs in afterwards. */
  signUp(who: { nick: string; password: string; name?: string; invitation?: string; place: m.Place }): Promise<m.Me>;
  /** Nothing stays on this computer. */
  signOut(): Promise<void>;
  /** Whether whoever sits here knows the password: to unlock a public computer. Rejects with `not-authorized`. */
  unlock(password: string): Promise<void>;
  changePassword(old: string, fresh: string): Promise<void>;
  deleteAccount(password: string): Promise<void>;
  /** Try now, instead of waiting for `retryAt`. */
  reconnect(): void;

  // --- oneself
  setPresence(show: m.Show, status: string): Promise<void>;
  profile(address: m.Address): Promise<m.Card>;
  setProfile(card: Partial<m.Card>): Promise<void>;
  setAvatar(picture: { blob: Blob; width: number; height: number } | null): Promise<void>;
  /** The picture with this hash, or null. Kept where the place allows. */
  avatar(address: m.Address, hash: string): Promise<Blob | null>;
  /** Free for the owner: a link to the archive of everything, good for a short time. */
  exportLink(): Promise<string>;
  privacy(): Promise<m.Form>;
  setPrivacy(form: m.Form): Promise<void>;
  reach(): Promise<m.ReachSettings>;
  /** All but ways and addresses. */
  setReach(settings: m.ReachSettings): Promise<void>;
  /** Adds an address (a code goes there), proves it by the code, removes it, or sends a test there. */
  reachAddress(
    what: 'address' | 'prove' | 'remove' | 'test',
    way: string,
    address: string,
    code?: string,
  ): Promise<void>;
  devices(): Promise<m.Device[]>;
  signOutDevice(id: string | 'all'): Promise<void>;
  /** What wants to be let in (docs/extensions.md), by what its QR code says or by its digits. */
  newcomer(which: { id: string } | { code: string }): Promise<m.Newcomer>;
  answerNewcomer(id: string, accept: boolean): Promise<void>;

  // --- people
  /** `invitation` is the token of the contact's own invitation: then both are contacts at once (XEP-0379). */
  addContact(
    address: m.Address,
    more: { remark: string; categories: string[]; text: string; invitation?: string },
  ): Promise<void>;
  answerRequest(address: m.Address, accept: boolean): Promise<void>;
  removeContact(address: m.Address): Promise<void>;
  setContact(address: m.Address, change: { remark?: string; categories?: string[] }): Promise<void>;
  setVisibility(address: m.Address, visibility: m.Contact['visibility']): Promise<void>;
  renameCategory(from: string, to: string): Promise<void>;
  block(address: m.Address, on: boolean): Promise<void>;
  report(address: m.Address, reason: 'spam' | 'abuse', text: string, messages: string[]): Promise<void>;
  /** A number, a name or an address, as somebody types it: who is it? Rejects with `item-not-found`. */
  lookUp(input: string): Promise<m.Card>;
  findPeople(words: string): Promise<m.Card[]>;
  /** Public groups of this server that match. */
  findGroups(words: string): Promise<m.Card[]>;
  /** A link that adds us as a contact, or makes members of the group of those who open it. */
  inviteLink(group?: m.Address): Promise<{ url: string; expires?: number }>;
  /** What an invitation of somebody else's is for; rejects with `item-not-found` if it is not good (any more). */
  invitation(token: string): Promise<m.Invitation>;
  /** Takes it up: one is a contact, or a member of the group, and has not entered it yet. */
  takeUp(token: string): Promise<void>;

  // --- conversations
  /** Makes a row for it, and starts to know its newest page. */
  open(address: m.Address): Promise<m.Conversation>;
  history(address: m.Address, where: m.Where, limit: number): Promise<m.Page>;
  /** Resolves when it is kept and queued, with the row that is shown; its states follow as events. */
  send(address: m.Address, what: m.Outgoing): Promise<m.Message>;
  retry(address: m.Address, key: string): Promise<void>;
  discard(address: m.Address, key: string): Promise<void>;
  edit(address: m.Address, key: string, body: string, mentions?: m.Outgoing['mentions']): Promise<void>;
  /** For everyone. In groups also somebody else's, where one may. */
  retract(address: m.Address, key: string, reason?: string): Promise<void>;
  react(address: m.Address, key: string, emojis: string[]): Promise<void>;
  knock(address: m.Address): Promise<void>;
  /** Everything up to this message has been seen. */
  markRead(address: m.Address, key: string): Promise<void>;
  typing(address: m.Address, on: boolean): void;
  setDraft(address: m.Address, text: string): void;
  setPinned(address: m.Address, on: boolean): Promise<void>;
  setNotify(address: m.Address, notify: m.Notify): Promise<void>;
  /** Takes the row out of the list; the history stays. */
  close(address: m.Address): Promise<void>;
  search(text: string, address?: m.Address, before?: string): Promise<{ hits: m.Hit[]; more?: string }>;
  /** Files and pictures that were sent in a conversation, newest first. */
  filesOf(address: m.Address, before?: string): Promise<{ messages: m.Message[]; more?: string }>;
  preview(url: string): Promise<m.LinkPreview | null>;

  // --- groups
  createGroup(what: { name: string; about: string; private: boolean; invite: m.Address[] }): Promise<m.Address>;
  join(address: m.Address, how: { nick?: string; password?: string }): Promise<void>;
  /** Ask to be let into a members-only group. */
  askToJoin(address: m.Address, text: string): Promise<void>;
  answerInvitation(group: m.Address, accept: boolean): Promise<void>;
  leave(address: m.Address): Promise<void>;
  group(address: m.Address): Promise<m.Group>;
  members(address: m.Address): Promise<m.Member[]>;
  invite(group: m.Address, who: m.Address, reason: string): Promise<void>;
  setSubject(group: m.Address, subject: string): Promise<void>;
  setNick(group: m.Address, nick: string): Promise<void>;
  groupSettings(group: m.Address): Promise<m.Form>;
  setGroupSettings(group: m.Address, form: m.Form): Promise<void>;
  setGroupAvatar(group: m.Address, picture: { blob: Blob; width: number; height: number } | null): Promise<void>;
  setAffiliation(group: m.Address, who: m.Address, affiliation: m.Affiliation, reason?: string): Promise<void>;
  setRole(group: m.Address, nick: string, role: m.Role, reason?: string): Promise<void>;
  answerMembership(group: m.Address, who: m.Address, accept: boolean): Promise<void>;
  addNotice(group: m.Address, text: string): Promise<void>;
  removeNotice(group: m.Address, id: string): Promise<void>;
  destroyGroup(group: m.Address, reason: string): Promise<void>;

  // --- this browser
  /** The key for `PushManager.subscribe`, or null where the server has no Web Push. */
  pushKey(): Promise<string | null>;
  pushSubscribe(subscription: { endpoint: string; p256dh: string; auth: string }): Promise<void>;
  pushUnsubscribe(endpoint: string): Promise<void>;

  // --- administration (ad-hoc commands, XEP-0050)
  commands(): Promise<{ node: string; name: string }[]>;
  /** One step of a command; the first without `form`. */
  command(step: {
    node: string;
    session?: string;
    action?: 'execute' | 'next' | 'prev' | 'complete' | 'cancel';
    form?: m.Form;
  }): Promise<{
    status: 'executing' | 'completed' | 'canceled';
    session: string;
    form?: m.Form;
    notes: { type: 'info' | 'warn' | 'error'; text: string }[];
    actions: string[];
  }>;
}
