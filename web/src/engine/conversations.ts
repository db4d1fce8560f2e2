/**
 * What the account needs of the conversations (`engine/messages`), and what they may ask of the account. Messages, unread
 * counts, sending and the archive are theirs; people, groups and bookmarks are the account's.
 */
import type { Api } from '../api/api';
import type { Address, Conversation, Notify } from '../api/model';
import type { El } from '../xmpp/xml';
import type { Context, Names } from './context';

/** The methods of `Api` that are theirs. */
export type ConversationApi = Pick<
  Api,
  | 'open'
  | 'history'
  | 'send'
  | 'retry'
  | 'discard'
  | 'edit'
  | 'retract'
  | 'react'
  | 'knock'
  | 'markRead'
  | 'typing'
  | 'setDraft'
  | 'close'
  | 'search'
  | 'filesOf'
  | 'preview'
>;

export interface Conversations extends ConversationApi {
  /** Rows of the list, for the snapshot. */
  list(): Conversation[];
  /** What was kept in this place is read; before there is a connection. */
  restore(): Promise<void>;
  /** A new session has begun, and the account's own requests are under way. Resolves when the list is as the server has it. */
  begin(): Promise<void>;
  /** The session goes on, and nothing was missed. */
  resumed(): void;
  /** A message that is no notification, invitation or request. Of groups and people, errors too. */
  receive(message: El): void;
  /** Title, picture, notify or pinned of this conversation may be another. */
  changed(address: Address): void;
  /** We have come into the group, or are out of it. Being in it begins with catching up. */
  joined(group: Address, inside: boolean): void;
  /** The conversations that somebody looks at, in any tab. */
  watched(addresses: ReadonlySet<Address>): void;
  /** The session is over: nothing is written any more. With `wipe` nothing stays. */
  stop(wipe: boolean): Promise<void>;
}

/** What conversations are given. */
export interface Surroundings {
  readonly context: Context;
  readonly names: Names;
  /** Whether somebody may know that we are here: receipts and typing tell (XEP-0184 §8). */
  seesUs(address: Address): boolean;
  readonly bookmarks: {
    notify(address: Address): Notify | undefined;
    pinned(address: Address): boolean;
  };
  readonly groups: {
    /** Own nick in a group that we are in. */
    nick(group: Address): string | undefined;
    inside(group: Address): boolean;
    /** The group says that we are not in it. */
    lost(group: Address): void;
    /** The own occupant id (XEP-0421), where the group gives one. */
    occupantId(group: Address): string | undefined;
    /** Who is behind a nick, where the group shows it. */
    realAddress(group: Address, nick: string): Address | undefined;
    avatarOf(group: Address, nick: string): string | undefined;
    /** Groups that are entered by themselves: they have rows. */
    bookmarked(): Address[];
    /** Only members may come in: what is said is in one's own archive, too (docs/groups.md). */
    membersOnly(group: Address): boolean | undefined;
  };
}

export type MakeConversations = (around: Surroundings) => Conversations;
