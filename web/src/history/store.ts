/**
 * Where history is kept: `memory` in public-computer mode, IndexedDB in one's own place. Both pass the same tests. All values
 * are immutable: who changes something puts a new object.
 */
import type { Address } from '../api/model';
import type { Book, Scope } from './book';
import type { Entry } from './facts';

/** The things that others than the history keep in the same store, so that one transaction can hold all. */
export interface Shelves {
  /** Rows of the list of conversations, by address. */
  rows: unknown;
  /** What is to be sent, by key. */
  outbox: unknown;
  /** Anything else that is small, by name. */
  notes: unknown;
}

/** One transaction. Nothing but its own methods may be awaited while it is open: IndexedDB would close it. */
export interface Tx {
  scope(archive: string): Promise<Scope | undefined>;
  putScope(scope: Scope): Promise<void>;
  book(conversation: Address): Promise<Book | undefined>;
  putBook(book: Book): Promise<void>;
  books(): Promise<Book[]>;

  at(conversation: Address, pos: number): Promise<Entry | undefined>;
  byId(conversation: Address, id: string): Promise<Entry | undefined>;
  byKey(conversation: Address, key: string): Promise<Entry | undefined>;
  /** Messages that others may speak of by this id. */
  byRef(conversation: Address, ref: string): Promise<Entry[]>;
  /** Changes of what goes by this id. */
  changes(conversation: Address, target: string): Promise<Entry[]>;
  /** The nearest entry before (`-1`) or after a position, not at it. */
  neighbour(conversation: Address, pos: number, direction: -1 | 1): Promise<Entry | undefined>;
  /** The entry before which `n` others stand. */
  nth(conversation: Address, n: number): Promise<Entry | undefined>;
  /** Messages (not changes) from `from` to `to`, both included; the nearest to `from` when going down begins at `to`. */
  messages(conversation: Address, from: number, to: number, limit: number, direction: -1 | 1): Promise<Entry[]>;
  put(entry: Entry): Promise<void>;
  /** Removes what stands from `from` to `to`, both included, and says how many that were. */
  remove(conversation: Address, from: number, to: number): Promise<number>;

  get<T>(shelf: keyof Shelves, key: string): Promise<T | undefined>;
  all<T>(shelf: keyof Shelves): Promise<T[]>;
  set(shelf: keyof Shelves, key: string, value: unknown): Promise<void>;
  unset(shelf: keyof Shelves, key: string): Promise<void>;
}

export interface Store {
  /** All of it is kept, or nothing; resolves when it is kept. Transactions that write come one after the other. */
  transaction<T>(mode: 'read' | 'write', work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): void;
  /** Nothing stays. */
  wipe(): Promise<void>;
}

/** Entries kept of one conversation; beyond it the oldest go, and are read from the archive again when they are wanted. */
export const MAX_ENTRIES = { memory: 5_000, idb: 50_000 } as const;
