/**
 * The history of all conversations: takes what comes live, reads pages of the archive where something is missing, and never
 * shows two messages as neighbours that are not proven to be. Does not speak to the network itself.
 *
 * Everything that changes is one transaction of the store, so a worker that is killed at any point leaves what it had proven,
 * and nothing else.
 */
import type { Address, Where } from '../api/model';
import { Forgotten, Unreachable, type Archive, type Found, type Query } from './archive';
import { emptyBook, intervalAt, liveInterval, normalized, type Book, type Interval, type Scope } from './book';
import { Draft, type Change, type Piece } from './draft';
import type { Entry, Said } from './facts';
import { MAX_ENTRIES, type Store, type Tx } from './store';

/** A contiguous piece of a conversation, oldest first; as `Page`, before names and pictures. */
export interface Slice {
  entries: Entry[];
  /** The others have seen our messages up to this position. */
  seen: number;
  /** We have seen everything up to this position. */
  read: number;
  atStart: boolean;
  atEnd: boolean;
  cutBefore: boolean;
  cutAfter: boolean;
}

/** What others have said since we last read (or spoke). */
export interface Unread {
  messages: Entry[];
  /** Nothing is missing: the number is right. */
  exact: boolean;
}

/** Entries asked for at once: about two screens of messages with their receipts. */
const PAGE = 50;
/**
 * Entries of a page when catching up, and pages before it is given up for reading conversations as they are wanted. Other pages
 * may be put in their places while it is read; after so many tries it is given up, too.
 */
const CATCH_UP = { page: 100, pages: 10, tries: 10 } as const;
/** Pages of the archive that one request of the page may take: changes fill pages without a message. */
const MAX_FETCHES = 20;
/** Unread messages that are counted, as the server does (XEP-0430). */
const MAX_UNREAD = 1_000;

/** What is missing to answer a request. */
type Want = { latest: true } | { before: string } | { after: string } | { around: string } | { start: number };
interface Look extends Slice {
  want?: Want;
}

export class History {
  /** Archives whose epoch goes on: what comes live now belongs to it. */
  private readonly bound = new Set<string>();
  /** Pages on their way, so that nobody asks for the same twice. */
  private readonly fetches = new Map<string, Promise<void>>();
  private catchingUp: Promise<boolean> | undefined;
  /** How often a page was put in its place: what was asked for before that may be older. */
  private pages = 0;
  /** What came live since the archive was asked what was missed: the first position in each conversation. */
  private readonly came = new Map<Address, number>();

  constructor(
    private readonly store: Store,
    private readonly archive: Archive,
    /** The archive of a conversation: '' for the account's own, or the group's address. */
    private readonly archiveOf: (conversation: Address) => string,
    /** After each commit. */
    private readonly onChange: (changes: Change[]) => void,
    private readonly max: number = MAX_ENTRIES.idb,
  ) {}

  // --- epochs

  /**
   * A session (or a stay in a group) begins; what comes live from now on is not connected to what was before. `end` is the
   * newest id of the account's archive at that moment: null if it is empty, undefined if it is not known.
   */
  async begin(archive: string, end?: string | null): Promise<void> {
    await this.store.transaction('write', async (tx) => {
      const old = await tx.scope(archive);
      await tx.putScope(begun(archive, old, end));
      // Who binds anew is in no group.
      if (archive === '') this.bound.clear();
      this.bound.add(archive);
    });
  }

  /** We have left the group: nothing comes live any more. */
  end(archive: string): void {
    this.bound.delete(archive);
  }

  /** The scope of a conversation; where nothing is live, no interval reaches the present. */
  private async scope(tx: Tx, conversation: Address): Promise<Scope> {
    const archive = this.archiveOf(conversation);
    const scope = (await tx.scope(archive)) ?? { archive, epoch: 0, since: 0 };
    return this.bound.has(archive) ? scope : { ...scope, since: Infinity };
  }

  private async draft(tx: Tx, conversation: Address): Promise<Draft> {
    return Draft.open(tx, conversation, await this.scope(tx, conversation), this.max);
  }

  // --- what comes live

  /** Takes in what has come live (or what the server has just acknowledged of ours). False if it was here already. */
  async live(said: Said): Promise<boolean> {
    const { changes, fresh } = await this.store.transaction('write', async (tx) => {
      const archive = this.archiveOf(said.conversation);
      const draft = await this.draft(tx, said.conversation);
      const pos = await draft.append(said);
      const fresh = pos !== undefined;
      if (fresh && !this.came.has(said.conversation)) this.came.set(said.conversation, pos);
      const scope = await tx.scope(archive);
      if (archive === '' && scope && fresh) await tx.putScope(moved(scope, said, pos));
      return { changes: [await draft.close()], fresh };
    });
    if (fresh) this.onChange(changes);
    return fresh;
  }

  /** Takes out what was never sent. */
  async drop(conversation: Address, key: string): Promise<void> {
    const change = await this.store.transaction('write', async (tx) => {
      const draft = await this.draft(tx, conversation);
      await draft.drop(key);
      return draft.close();
    });
    this.onChange([change]);
  }

  // --- what was missed

  /**
   * Something of ours is about to go into the account's archive. Nobody will tell us where it stands there, so the cursor
   * waits until `catchUp` has read it.
   */
  async hold(): Promise<void> {
    await this.store.transaction('write', async (tx) => {
      const scope = await tx.scope('');
      if (scope) await tx.putScope({ ...scope, held: (scope.held ?? 0) + 1 });
    });
  }

  /** Whether the cursor waits for something of ours. */
  async isHeld(): Promise<boolean> {
    return this.store.transaction('read', async (tx) => (await tx.scope(''))?.held !== undefined);
  }

  /**
   * Reads what the account's archive has behind the cursor: what was missed before this session, and the ids and places of
   * what we have sent. `quiet`: all that we have sent so far was acknowledged. True when nothing is missing any more; false if it
   * was too much, and each conversation is read when it is wanted. Rejects if the archive cannot be had; then call it again.
   */
  catchUp(quiet = true): Promise<boolean> {
    this.catchingUp ??= this.runCatchUp(quiet).finally(() => (this.catchingUp = undefined));
    return this.catchingUp;
  }

  private async runCatchUp(quiet: boolean): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      const { pages } = this;
      this.came.clear();
      const scope = await this.store.transaction('read', (tx) => tx.scope(''));
      if (scope?.cursor === undefined || (!scope.catching && scope.held === undefined)) return true;
      let missed = await this.missed(scope.cursor);
      const changes = await this.store.transaction('write', async (tx) => {
        // What was read must not be older than a page that came meanwhile: it is read again, but not for ever.
        if (missed && this.pages !== pages) {
          if (tries < CATCH_UP.tries) return undefined;
          if (!scope.catching) return [];
          missed = undefined;
        }
        return this.takeMissed(tx, scope, missed, quiet);
      });
      if (!changes) continue;
      this.onChange(changes);
      return missed !== undefined;
    }
  }

  /** All that follows the cursor; undefined if it is too much, or the cursor is not in the archive any more. */
  private async missed(cursor: string): Promise<Found | undefined> {
    const all: Found = { said: [], last: cursor, complete: false };
    for (let page = 0; page < CATCH_UP.pages; page++) {
      let found: Found;
      try {
        found = await this.archive.query({ archive: '', after: all.last || undefined, max: CATCH_UP.page });
      } catch (error) {
        if (error instanceof Forgotten) return undefined;
        throw error;
      }
      all.said.push(...found.said);
      all.last = found.last ?? all.last;
      if (found.complete) return all;
    }
    return undefined;
  }

  /**
   * One transaction, so that each conversation gets all that it missed, up to its end. Undefined if another epoch has begun:
   * what was read may not reach it.
   */
  private async takeMissed(
    tx: Tx,
    asked: Scope,
    missed: Found | undefined,
    quiet: boolean,
  ): Promise<Change[] | undefined> {
    const scope = await tx.scope('');
    if (!scope || scope.epoch !== asked.epoch || scope.cursor !== asked.cursor) return undefined;
    const changes: Change[] = [];
    for (const [conversation, said] of byConversation(missed?.said ?? [])) {
      const draft = await this.draft(tx, conversation);
      const ends = { first: said[0]!.id, last: said.at(-1)!.id };
      const until = this.came.get(conversation);
      await draft.insert({ said, ...ends, atStart: false, atEnd: true, cursor: true, until });
      changes.push({ ...(await draft.close()), missed: true });
    }
    // What was sent while this was read may not be in it.
    const all = quiet && scope.held === asked.held;
    // Too much, and something is on its way that stands nowhere yet: it is tried again.
    if (!missed && !all && !scope.catching) return changes;
    if (!missed) changes.push(...(await this.unprove(tx, scope)));
    await tx.putScope(advanced(scope, missed, all));
    return changes;
  }

  /** Nobody will say where these stand: they go, with all that stands among them, and are read from the archive. */
  private async unprove(tx: Tx, { guessed = {} }: Scope): Promise<Change[]> {
    const changes: Change[] = [];
    for (const [conversation, [first, last]] of Object.entries(guessed)) {
      const draft = await this.draft(tx, conversation);
      await draft.unprove(first, last);
      changes.push(await draft.close());
    }
    return changes;
  }

  // --- pages

  /** Begins to know the newest page, if it is not known. */
  async refresh(conversation: Address): Promise<void> {
    const live = await this.store.transaction('read', async (tx) => {
      const scope = await this.scope(tx, conversation);
      return liveInterval((await tx.book(conversation)) ?? emptyBook(conversation), scope) !== undefined;
    });
    if (!live) await this.fetch(conversation, { latest: true });
  }

  /** A piece of the conversation: what is here, and what the archive has where something is missing. */
  async page(conversation: Address, where: Where, limit: number): Promise<Slice> {
    let from = where;
    for (let fetches = 0; ; fetches++) {
      const look = await this.store.transaction('read', (tx) => this.look(tx, conversation, from, limit));
      const { want, ...slice } = look;
      if (!want) return slice;
      if (fetches >= MAX_FETCHES) return slice;
      try {
        from = (await this.fetch(conversation, want)) ?? from;
      } catch (error) {
        if (error instanceof Unreachable) return slice;
        if (!(error instanceof Forgotten)) throw error;
        // The place that was asked for is nowhere.
        if ('around' in want) return slice;
        // Where the archive goes on is not there any more: what is kept here is older than it.
        await this.forget(conversation);
      }
    }
  }

  private async look(tx: Tx, conversation: Address, where: Where, limit: number): Promise<Look> {
    const scope = await this.scope(tx, conversation);
    const book = normalized((await tx.book(conversation)) ?? emptyBook(conversation), scope);
    const room = new Room(tx, book, scope, limit);
    if ('latest' in where) return room.latest();
    if ('at' in where) return room.since(where.at);
    const [name, key] = Object.entries(where)[0]! as ['before' | 'after' | 'around', string];
    const entry =
      (await tx.byKey(conversation, key)) ??
      (await tx.byRef(conversation, key))[0] ??
      (await tx.byId(conversation, key));
    const interval = entry && intervalAt(book, entry.pos);
    if (!entry || !interval) return name === 'around' ? { ...room.nothing(), want: { around: key } } : room.nothing();
    if (name === 'before') return room.before(interval, entry);
    if (name === 'after') return room.after(interval, entry);
    return room.around(interval, entry);
  }

  /** Gets a page of the archive into its place. Says where to look on, if that is elsewhere. */
  private async fetch(conversation: Address, want: Want): Promise<Where | undefined> {
    const name = `${conversation}\n${JSON.stringify(want)}`;
    let running = this.fetches.get(name);
    let next: Where | undefined;
    if (!running) {
      running = this.runFetch(conversation, want)
        .then((where) => {
          next = where;
        })
        .finally(() => this.fetches.delete(name));
      this.fetches.set(name, running);
    }
    await running;
    return next;
  }

  private async runFetch(conversation: Address, want: Want): Promise<Where | undefined> {
    const archive = this.archiveOf(conversation);
    const asked = await this.store.transaction('read', (tx) => tx.scope(archive));
    const bound = this.bound.has(archive);
    const query = { archive, ...(archive === '' && { with: conversation }), max: PAGE };
    if ('start' in want) {
      // Times may go back, so what is selected by time is not proven to be contiguous: it only tells where to read.
      const found = await this.archive.query({ ...query, start: want.start, max: 1 });
      return found.first === undefined ? { latest: true } : { around: found.first };
    }
    const piece = await this.read(query, want);
    const change = await this.store.transaction('write', async (tx) => {
      const draft = await this.draft(tx, conversation);
      // The end that was read is the end of an epoch that is over by now.
      const same = bound && this.bound.has(archive) && draft.scope.epoch === asked?.epoch;
      await draft.insert({ ...piece, atEnd: piece.atEnd && same });
      this.pages++;
      return draft.close();
    });
    this.onChange([change]);
    return undefined;
  }

  private async read(base: Omit<Query, 'before' | 'after'>, want: Exclude<Want, { start: number }>): Promise<Piece> {
    if ('latest' in want) {
      const found = await this.archive.query({ ...base, before: '' });
      return { ...found, atStart: found.complete, atEnd: true };
    }
    if ('before' in want) {
      const found = await this.archive.query({ ...base, before: want.before });
      return { ...found, before: want.before, atStart: found.complete, atEnd: false };
    }
    if ('after' in want) {
      const found = await this.archive.query({ ...base, after: want.after });
      return { ...found, after: want.after, atStart: false, atEnd: found.complete };
    }
    // `before` and `after` leave out the entry itself: it is read as what follows on those before it.
    const older = await this.archive.query({ ...base, before: want.around });
    const newer = await this.archive.query({ ...base, after: older.last, max: base.max + 1 });
    return {
      said: [...older.said, ...newer.said],
      first: older.first ?? newer.first,
      last: newer.last ?? older.last,
      atStart: older.complete,
      atEnd: newer.complete,
    };
  }

  private async forget(conversation: Address): Promise<void> {
    const change = await this.store.transaction('write', async (tx) => {
      const draft = await this.draft(tx, conversation);
      await draft.forget();
      return draft.close();
    });
    this.onChange([change]);
  }

  // --- what was read

  /** Everything up to the id has been seen, says one of our devices. True if that is news. */
  async readUpTo(conversation: Address, id: string): Promise<boolean> {
    return this.store.transaction('write', async (tx) => {
      const draft = await this.draft(tx, conversation);
      const news = await draft.readUpTo(id);
      if (news) await draft.close();
      return news;
    });
  }

  /** Whether any of our devices ever said that it has read something there. */
  async wasRead(conversation: Address): Promise<boolean> {
    return this.store.transaction('read', async (tx) => (await tx.book(conversation))?.read !== undefined);
  }

  /** What others have said since we read or spoke: who answers has read (as XEP-0430 counts). */
  async unread(conversation: Address): Promise<Unread> {
    return this.store.transaction('read', async (tx) => {
      const scope = await this.scope(tx, conversation);
      const book = normalized((await tx.book(conversation)) ?? emptyBook(conversation), scope);
      const live = liveInterval(book, scope);
      if (!live) return { messages: [], exact: false };
      const read = book.read?.pos ?? -Infinity;
      const newest = await tx.messages(conversation, live.first, live.last, MAX_UNREAD, -1);
      const end = newest.findIndex((entry) => entry.pos <= read || entry.mine);
      const messages = (end < 0 ? newest : newest.slice(0, end)).reverse();
      const exact = end >= 0 || live.start === true || read >= live.first || newest.length === MAX_UNREAD;
      return { messages, exact };
    });
  }

  /** One message, if it is here. */
  async entry(conversation: Address, key: string): Promise<Entry | undefined> {
    return (await this.entries(conversation, [key])).get(key);
  }

  /** Messages by their keys or by what others call them; those that are here. */
  async entries(conversation: Address, names: string[]): Promise<Map<string, Entry>> {
    const found = new Map<string, Entry>();
    if (names.length === 0) return found;
    await this.store.transaction('read', async (tx) => {
      for (const name of names) {
        const entry = (await tx.byKey(conversation, name)) ?? (await tx.byRef(conversation, name))[0];
        if (entry?.fact.is === 'message') found.set(name, entry);
      }
    });
    return found;
  }

  /** Whether the archive is known to have it: a message, or a change. */
  async isArchived(conversation: Address, key: string): Promise<boolean> {
    return this.store.transaction('read', async (tx) => (await tx.byKey(conversation, key))?.id !== undefined);
  }

  /** The newest message that is here, and how far the others have seen ours. */
  async newest(conversation: Address): Promise<{ entry?: Entry; seen: number }> {
    return this.store.transaction('read', async (tx) => {
      const book = await tx.book(conversation);
      const [entry] = await tx.messages(conversation, -Infinity, Infinity, 1, -1);
      return { seen: book?.seen ?? -Infinity, ...(entry && { entry }) };
    });
  }
}

/** The end of the archive as a cursor: null is the beginning of an empty one. */
const known = (end: string | null | undefined): string | undefined => (end === null ? '' : end);

function begun(archive: string, old: Scope | undefined, end: string | null | undefined): Scope {
  const account = archive === '';
  if (!old) return { archive, epoch: 1, since: 1, cursor: account ? known(end) : undefined };
  const epoch = old.epoch + 1;
  // In a group nothing is proven until its newest page was read.
  if (!account) return { archive, epoch, since: epoch };
  // Without a cursor there is no way from what was before to what is now.
  if (old.cursor === undefined) return { archive, epoch, since: epoch, cursor: known(end) };
  const missed = old.catching !== undefined || known(end) !== old.cursor;
  const { cursor, held, guessed } = old;
  if (!missed) return { archive, epoch, since: old.since, cursor, held, guessed };
  const catching = { ...(old.catching ?? { since: old.since, until: old.epoch }), end: known(end) };
  return { archive, epoch, since: epoch, cursor, held, guessed, catching };
}

/** The scope after something came live. */
function moved(scope: Scope, { conversation, id, mine }: Said, pos: number): Scope {
  if (id !== undefined) {
    // Live messages move the cursor only while nothing is missing before them.
    const free = scope.cursor === undefined || (!scope.catching && scope.held === undefined);
    return free ? { ...scope, cursor: id } : { ...scope, head: id };
  }
  if (!mine) return scope;
  const [first, last] = scope.guessed?.[conversation] ?? [pos, pos];
  return { ...scope, guessed: { ...scope.guessed, [conversation]: [Math.min(first, pos), Math.max(last, pos)] } };
}

/**
 * The scope after all that follows the cursor was taken in; `missed` is undefined if that was too much. `all`: nothing of ours was
 * sent that may not be in it.
 */
function advanced(scope: Scope, missed: Found | undefined, all: boolean): Scope {
  const { catching, head: live, held, guessed, ...rest } = scope;
  if (!missed) {
    // What is missing ends where what is live begins; or nothing is missing, and only ours are not found.
    const since = catching ? scope.epoch : scope.since;
    // What is on its way stands behind the end that this epoch found, and maybe before what has come live in it.
    if (held !== undefined && !all) return { ...rest, since, cursor: catching?.end, head: live, held };
    return { ...rest, since, cursor: live ?? catching?.end };
  }
  // What came live and was read as well is behind the cursor no more.
  const head = missed.said.some((said) => said.id === live) ? undefined : live;
  const since = catching?.since ?? scope.since;
  if (all || held === undefined) return { ...rest, since, cursor: head ?? missed.last };
  return { ...rest, since, cursor: missed.last, head, held, guessed };
}

function byConversation(said: Said[]): Map<Address, Said[]> {
  const map = new Map<Address, Said[]>();
  for (const one of said) {
    const list = map.get(one.conversation);
    if (list) list.push(one);
    else map.set(one.conversation, [one]);
  }
  return map;
}

/** Looks for a page within what is here. */
class Room {
  constructor(
    private readonly tx: Tx,
    private readonly book: Book,
    private readonly scope: Scope,
    private readonly limit: number,
  ) {}

  private slice(entries: Entry[], more: Partial<Look>): Look {
    const { seen = -Infinity, read } = this.book;
    const look = { entries, seen, read: read?.pos ?? -Infinity, atStart: false, atEnd: false, ...more };
    return { cutBefore: false, cutAfter: false, ...look };
  }

  /** Nothing is known: cut on both sides. */
  nothing(): Look {
    return this.slice([], { cutBefore: true, cutAfter: true });
  }

  private messages(from: number, to: number, limit: number, direction: -1 | 1): Promise<Entry[]> {
    return this.tx.messages(this.book.conversation, from, to, limit, direction);
  }

  async latest(): Promise<Look> {
    const live = liveInterval(this.book, this.scope);
    const interval = live ?? this.book.intervals.at(-1);
    if (!interval) return { ...this.nothing(), want: { latest: true } };
    const newest = await this.messages(interval.first, interval.last, this.limit, -1);
    const down = this.below(interval, newest.length < this.limit);
    const look = this.slice(newest.reverse(), { ...down, atEnd: live !== undefined, cutAfter: live === undefined });
    return live ? look : { ...look, want: { latest: true } };
  }

  /** What is to be said of the older side, if all that is here of the interval was not enough. */
  private below(interval: Interval, exhausted: boolean): Pick<Look, 'atStart' | 'cutBefore' | 'want'> {
    if (!exhausted) return { atStart: false, cutBefore: false };
    if (interval.start) return { atStart: true, cutBefore: false };
    const want: Want = interval.firstId === undefined ? { latest: true } : { before: interval.firstId };
    return { atStart: false, cutBefore: true, want };
  }

  private above(interval: Interval, exhausted: boolean): Pick<Look, 'atEnd' | 'cutAfter' | 'want'> {
    if (!exhausted) return { atEnd: false, cutAfter: false };
    if (liveInterval(this.book, this.scope) === interval) return { atEnd: true, cutAfter: false };
    const want: Want = interval.lastId === undefined ? { latest: true } : { after: interval.lastId };
    return { atEnd: false, cutAfter: true, want };
  }

  async before(interval: Interval, entry: Entry): Promise<Look> {
    const found = await this.messages(interval.first, entry.pos, this.limit + 1, -1);
    const older = found.filter((one) => one.pos < entry.pos).slice(0, this.limit);
    return this.slice(older.reverse(), this.below(interval, older.length < this.limit));
  }

  async after(interval: Interval, entry: Entry): Promise<Look> {
    const found = await this.messages(entry.pos, interval.last, this.limit + 1, 1);
    const newer = found.filter((one) => one.pos > entry.pos).slice(0, this.limit);
    return this.slice(newer, this.above(interval, newer.length < this.limit));
  }

  async around(interval: Interval, entry: Entry): Promise<Look> {
    const half = Math.ceil(this.limit / 2);
    const older = await this.messages(interval.first, entry.pos, half, -1);
    const newer = (await this.messages(entry.pos, interval.last, half + 1, 1)).filter((one) => one.pos > entry.pos);
    const down = this.below(interval, older.length < half);
    const up = this.above(interval, newer.length < half);
    return this.slice([...older.reverse(), ...newer], { ...down, ...up, want: down.want ?? up.want });
  }

  /** Around the first message that is not older than this time. */
  async since(at: number): Promise<Look> {
    const live = liveInterval(this.book, this.scope);
    for (const interval of this.book.intervals) {
      const reaches = (interval.firstAt <= at || interval.start) && (at <= interval.lastAt || interval === live);
      if (!reaches) continue;
      const first = await this.firstSince(interval, at);
      if (first) return this.around(interval, first);
      return interval === live ? this.latest() : { ...this.nothing(), want: { start: at } };
    }
    return { ...this.nothing(), want: { start: at } };
  }

  /** By halves, since times rise with positions nearly always; whoever is off by a few lands a few messages off. */
  private async firstSince(interval: Interval, at: number): Promise<Entry | undefined> {
    let low = interval.first - 1;
    let high = interval.last;
    let best: Entry | undefined;
    for (let steps = 0; steps < 64 && low < high; steps++) {
      const middle = low + (high - low) / 2;
      const [entry] = await this.messages(middle, high, 1, 1);
      if (entry && entry.at < at) low = entry.pos;
      else {
        best = entry ?? best;
        high = middle;
      }
    }
    return best;
  }
}
