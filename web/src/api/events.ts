/** What the engine tells the page, in the order in which it happened. */
import type { Snapshot } from './api';
import type * as m from './model';

export type Event =
  | { type: 'connection'; connection: m.Connection }
  | { type: 'me'; me: m.Me }
  | { type: 'contacts'; changed: m.Contact[]; removed: m.Address[] }
  | { type: 'requests'; requests: m.ContactRequest[]; invitations: m.GroupInvitation[] }
  | { type: 'conversations'; changed: m.Conversation[]; removed: m.Address[] }
  /** Messages that are new or have changed, in their place; whoever shows another part of the conversation ignores them. */
  | { type: 'messages'; conversation: m.Address; changed: m.Message[]; removed: string[] }
  /**
   * What is proven of the conversation has changed: a gap was filled. Pages that were cut can be asked for again; `anew`: all that is
   * shown, since it may stand in another order.
   */
  | { type: 'history'; conversation: m.Address; anew: boolean }
  | { type: 'group'; group: m.Group }
  | { type: 'members'; conversation: m.Address; changed: m.Member[]; removed: string[] }
  /** A file of a message of ours on its way: bytes. */
  | { type: 'upload'; key: string; sent: number; total: number }
  /** Something came that makes itself heard: sound, badge, notification. */
  | { type: 'alert'; conversation: m.Address; message: m.Message }
  /** A contact came online. */
  | { type: 'arrival'; address: m.Address }
  /** Somebody has signed in, here or in another tab of the same engine: everything at once; events follow from exactly there. */
  | { type: 'signed-in'; snapshot: Snapshot }
  /** A newer build runs in another tab, and has the account: this page is to be loaded again. */
  | { type: 'outdated' }
  /** The session is over, and nothing of it is kept here. */
  | {
      type: 'signed-out';
      reason: 'asked' | 'elsewhere' | 'password' | 'expired' | 'deleted' | 'account' | 'administrator' | 'time';
    };

export type Listener = (events: Event[]) => void;
