/** One conversation, opened for writing in a transaction: gives facts their place, and keeps what follows from them true. */
import type { Address } from '../api/model';
import {
  atCursor,
  emptyBook,
  gapFor,
  GAP,
  intervalAt,
  isLive,
  liveInterval,
  normalized,
  positions,
  spanning,
  united,
} from './book';
import type { Book, Interval, Scope } from './book';
import { fold, target, type Entry, type Said } from './facts';
import type { Tx } from './store';

/** A page of the archive: nothing is missing between its entries. Oldest first. */
export interface Piece {
  said: Said[];
  /** The archive's ids of its ends; there may be results between them that are no conversation's. */
  first?: string;
  last?: string;
  /** It follows directly on this id, or precedes it. */
  after?: string;
  before?: string;
  /** The archive has nothing before it. */
  atStart: boolean;
  /** Nothing had been said after it that did not come live in the epoch at hand. */
  atEnd: boolean;
  /**
   * It is all that follows on the account's cursor: what it does not have in common with what reaches the cursor stands behind
   * it, but before `until`: that came live after this was asked for.
   */
  cursor?: boolean;
  until?: number;
}

/** What a transaction did to one conversation. */
export interface Change {
  conversation: Address;
  /** Messages that are new or look different, by position. */
  changed: Entry[];
  /** Of these, the keys of those that were not here before. */
  added: Set<string>;
  /** Keys of what is not kept here any more. */
  removed: string[];
  /** More is proven than before. */
  proven: boolean;
  /** It was missed, and is here for the first time. */
  missed?: true;
  /** What was known is not any more, or stands in other places: whoever shows it reads it again. */
  anew: boolean;
}

/** The guess where a piece belongs was wrong too often, or there is no number left between two: begin anew. */
class NoRoom extends Error {}

export class Draft {
  private readonly changed = new Map<string, Entry>();
  private readonly added = new Set<string>();
  private readonly removed = new Set<string>();
  private proven = false;
  private anew = false;
  /** Where a page of the archive was put. */
  private inserted: number | undefined;

  private constructor(
    private readonly tx: Tx,
    public book: Book,
    readonly scope: Scope,
    /** Entries that may be kept. */
    private readonly max: number,
  ) {}

  static async open(tx: Tx, conversation: Address, scope: Scope, max: number): Promise<Draft> {
    const book = (await tx.book(conversation)) ?? emptyBook(conversation);
    return new Draft(tx, normalized(book, scope), scope, max);
  }

  /** Writes the book; the entries are written already. */
  async close(): Promise<Change> {
    if (this.book.count > this.max) await this.trim();
    await this.tx.putBook(this.book);
    const changed = [...this.changed.values()].sort((a, b) => a.pos - b.pos);
    const { added, removed, proven, anew } = this;
    return { conversation: this.conversation, changed, added, removed: [...removed], proven, anew };
  }

  private get conversation(): Address {
    return this.book.conversation;
  }

  private async known(said: Said): Promise<Entry | undefined> {
    const found =
      (said.id === undefined ? undefined : await this.tx.byId(this.conversation, said.id)) ??
      (await this.tx.byKey(this.conversation, said.key));
    if (found || !said.mine || said.fact.is !== 'message' || !said.fact.content.tombstone) return found;
    // What we took back before its id was known: of its names only that of the stanza is left.
    const ours = await this.tx.byKey(this.conversation, said.refs[0]!);
    return ours?.mine && ours.id === undefined ? ours : undefined;
  }

  /** Something that came live: it follows on everything that is here. Gives its position; none if it is here already. */
  async append(said: Said): Promise<number | undefined> {
    const known = await this.known(said);
    if (known && (known.id !== undefined || said.id === undefined)) return undefined;
    // Ours, and now we know its id: its place is where the archive put it, which is at the end.
    if (known) await this.remove(known.pos, known.pos);
    const live = liveInterval(this.book, this.scope);
    const end = this.book.intervals.at(-1)?.last;
    const pos = live ? live.last + 1 : end === undefined ? 0 : end + GAP;
    const span = spanOf([said], [pos], { first: said.id, last: said.id });
    this.unite(live ? [live, span] : [span], true);
    await this.place(said, pos);
    return pos;
  }

  /** Puts a page of the archive where it belongs, and joins what it proves to be one. */
  async insert(piece: Piece): Promise<void> {
    try {
      await this.tryInsert({ ...piece, said: [...piece.said] });
    } catch (error) {
      if (!(error instanceof NoRoom)) throw error;
      await this.forget();
      // What came live behind this page is forgotten with the rest.
      await this.tryInsert({
        said: [...piece.said],
        first: piece.first,
        last: piece.last,
        atStart: piece.atStart,
        atEnd: false,
      });
    }
    this.proven = true;
  }

  /** Nothing is known of the conversation any more, except how far it was read. */
  async forget(): Promise<void> {
    await this.remove(-Infinity, Infinity);
    const { conversation, read } = this.book;
    this.book = { ...emptyBook(conversation), ...(read && { read: { id: read.id } }) };
    this.proven = this.anew = true;
  }

  private async tryInsert(piece: Piece): Promise<void> {
    const { said } = piece;
    const places = await this.placesOf(said);
    const after = await this.reaching(piece, 'after');
    const before = await this.reaching(piece, 'before');
    const live = liveInterval(this.book, this.scope);
    const members = new Set<Interval>();
    for (const pos of places) if (pos !== undefined) add(members, intervalAt(this.book, pos));
    // Live entries of this page: the rest of it stands before, between or after them, as their own order says.
    const overlaps = live !== undefined && members.has(live);
    // Part of it is in there: where the rest stands is known by its neighbours.
    const left = piece.cursor && after && members.has(after) ? undefined : await this.lastBefore(after, piece.until);
    const right = before?.first ?? (piece.atEnd && !overlaps && live !== after ? live?.first : undefined);
    for (const one of [after, before, piece.atEnd ? live : undefined]) add(members, one);
    const fresh = places.map((pos) => pos === undefined);
    if (left !== undefined && right !== undefined && left >= right) throw new NoRoom();
    await this.fill(piece, places, left, right);

    const span = said.length > 0 ? spanOf(said, places as number[], piece) : undefined;
    this.inserted = span?.first;
    const all = span ? [...members, span] : [...members];
    await this.clearBetween(all);
    if (all.length === 0 && piece.atStart && piece.atEnd) {
      // Proven empty.
      all.push({ first: 0, last: 0, firstAt: 0, lastAt: 0 });
    }
    this.unite(all, piece.atEnd, piece.atStart);
    for (const [i, one] of said.entries()) {
      if (fresh[i]) await this.place(one, places[i]!);
      else await this.bury(one, places[i]!);
    }
  }

  /** Where these stand already. Ours that had no id yet are placed anew: now the archive says where. */
  private async placesOf(said: Said[]): Promise<(number | undefined)[]> {
    const places: (number | undefined)[] = [];
    let highest = -Infinity;
    for (const [i, one] of said.entries()) {
      const known = await this.known(one);
      if (known && known.id === undefined) {
        await this.remove(known.pos, known.pos);
        said[i] = { ...one, key: known.key };
      }
      const pos = known?.id === undefined ? undefined : known.pos;
      // A piece that touched nothing stands where its time put it, and the archive says otherwise.
      if (pos !== undefined && pos <= highest) throw new NoRoom();
      highest = pos ?? highest;
      places.push(pos);
    }
    return places;
  }

  /** The interval that ends (or begins) at the id from which the page was read, or that reached the cursor. */
  private async reaching(piece: Piece, side: 'after' | 'before'): Promise<Interval | undefined> {
    if (side === 'after' && piece.cursor) {
      return this.book.intervals.findLast((one) => atCursor(one, this.scope));
    }
    const id = piece[side];
    if (id === undefined) return undefined;
    const edge = this.book.intervals.find((one) => (side === 'after' ? one.lastId : one.firstId) === id);
    if (edge) return edge;
    const entry = await this.tx.byId(this.conversation, id);
    return entry && intervalAt(this.book, entry.pos);
  }

  /** Behind what of the interval a page stands. */
  private async lastBefore(after: Interval | undefined, until = Infinity): Promise<number | undefined> {
    if (!after || after.last < until) return after?.last;
    const entry = await this.tx.neighbour(this.conversation, until, -1);
    return entry && entry.pos >= after.first ? entry.pos : undefined;
  }

  /** Gives positions to those that have none, between their neighbours in the archive. */
  private async fill(piece: Piece, places: (number | undefined)[], left?: number, right?: number): Promise<void> {
    for (let i = 0; i < places.length;) {
      if (places[i] !== undefined) {
        i++;
        continue;
      }
      let end = i;
      while (end < places.length && places[end] === undefined) end++;
      const found = await this.between(piece, i, end - i, i > 0 ? places[i - 1] : left, places[end] ?? right);
      if (!found) throw new NoRoom();
      for (const pos of found) places[i++] = pos;
    }
  }

  private async between(
    piece: Piece,
    at: number,
    count: number,
    left: number | undefined,
    right: number | undefined,
  ): Promise<number[] | undefined> {
    if (left === undefined && right === undefined && piece.until !== undefined) right = piece.until;
    if (left === undefined && right === undefined) {
      const gap = this.gap(piece, piece.said[at]!.at);
      return positions(count, gap.left, gap.right);
    }
    if (left === undefined) {
      const previous = await this.edge(right!, -1);
      return positions(count, previous, right, 'right');
    }
    const next = await this.edge(left, 1);
    return positions(count, left, next === undefined ? right : Math.min(next, right ?? next));
  }

  /** What is taken next to a position: an entry, or the end of an interval. */
  private async edge(pos: number, direction: -1 | 1): Promise<number | undefined> {
    const entry = await this.tx.neighbour(this.conversation, pos, direction);
    const taken = this.book.intervals.flatMap(({ first, last }) => [first, last]);
    if (entry) taken.push(entry.pos);
    const beyond = taken.filter((one) => (direction > 0 ? one > pos : one < pos));
    if (beyond.length === 0) return undefined;
    return direction > 0 ? Math.min(...beyond) : Math.max(...beyond);
  }

  /** The gap in which a page belongs that touches nothing, and within it a place that leaves room on both sides. */
  private gap(piece: Piece, at: number): { left?: number; right?: number } {
    const { intervals } = this.book;
    if (piece.atEnd && !liveInterval(this.book, this.scope)) {
      const end = intervals.at(-1);
      return end ? { left: end.last + GAP } : {};
    }
    let { left, right } = gapFor(this.book, at);
    // Nothing stands behind what is live.
    const wall = intervals.findIndex((one) => isLive(one, this.scope));
    if (wall >= 0 && (right === undefined || right > intervals[wall]!.first)) {
      right = intervals[wall]!.first;
      left = intervals[wall - 1]?.last;
    }
    if (left === undefined) return right === undefined ? {} : { right: right - GAP };
    return right === undefined ? { left: left + GAP } : { left: (left + right) / 2, right };
  }

  /** What stands between things that are proven to be neighbours is misplaced: it goes, and is read again in its place. */
  private async clearBetween(members: Interval[]): Promise<void> {
    const first = Math.min(...members.map((one) => one.first));
    const last = Math.max(...members.map((one) => one.last));
    for (const one of this.book.intervals) {
      if (members.includes(one) || one.last < first || one.first > last) continue;
      if (isLive(one, this.scope)) throw new NoRoom();
      await this.remove(one.first, one.last);
    }
  }

  private unite(members: Interval[], live: boolean, start = false): void {
    const { epoch } = this.scope;
    const intervals = [...this.book.intervals];
    for (const one of members) if (!intervals.includes(one)) intervals.push(one);
    const extra: Partial<Interval> = start ? { start } : {};
    if (live) {
      const epochs = members.flatMap((one) => one.epochs ?? []);
      extra.epochs = epochs.reduce(spanning, { since: epoch, until: epoch });
    }
    this.book = { ...this.book, intervals: united(intervals, members, extra) };
  }

  /** Writes an entry and all that follows from it. */
  private async place(said: Said, pos: number): Promise<void> {
    this.book = { ...this.book, count: this.book.count + 1 };
    let entry: Entry = { ...said, pos };
    if (entry.fact.is === 'message') {
      const changes = await this.changesOf(entry);
      entry = { ...entry, view: fold(entry, changes) };
      await this.tx.put(entry);
      this.added.add(entry.key);
      this.show(entry);
      if (changes.some((change) => change.fact.is === 'marker' && !change.mine)) await this.seenUpTo(pos);
    } else {
      await this.tx.put(entry);
      await this.apply(entry);
    }
    const { read } = this.book;
    if (read && read.pos === undefined && (said.id === read.id || said.refs.includes(read.id))) {
      this.book = { ...this.book, read: { ...read, pos } };
    }
  }

  /** The archive has a tombstone where we have the message (its retraction may be gone). */
  private async bury(said: Said, pos: number): Promise<void> {
    if (said.fact.is !== 'message' || !said.fact.content.tombstone) return;
    const entry = await this.tx.at(this.conversation, pos);
    if (!entry || entry.view?.retracted) return;
    const buried: Entry = { ...entry, fact: said.fact };
    await this.refold(buried);
  }

  private async changesOf(entry: Entry): Promise<Entry[]> {
    const found = new Map<number, Entry>();
    for (const ref of new Set(entry.refs)) {
      for (const change of await this.tx.changes(this.conversation, ref)) found.set(change.pos, change);
    }
    return [...found.values()];
  }

  private async refold(entry: Entry): Promise<void> {
    const folded: Entry = { ...entry, view: fold(entry, await this.changesOf(entry)) };
    await this.tx.put(folded);
    this.show(folded);
  }

  private show(entry: Entry): void {
    this.changed.set(entry.key, entry);
    this.removed.delete(entry.key);
  }

  /** A change has come (or gone): what it is about looks different. */
  private async apply(change: Entry): Promise<void> {
    const about = target(change.fact);
    if (about === undefined) return;
    const messages = await this.tx.byRef(this.conversation, about);
    if (change.fact.is === 'marker') {
      const furthest = Math.max(-Infinity, ...messages.map((message) => message.pos));
      if (change.mine) await this.readUpTo(about);
      else if (furthest > -Infinity) await this.seenUpTo(furthest);
      return;
    }
    for (const message of messages) await this.refold(message);
  }

  /** The others have seen everything up to here: our messages before it change their state. */
  private async seenUpTo(pos: number): Promise<void> {
    const before = this.book.seen ?? -Infinity;
    if (pos <= before) return;
    this.book = { ...this.book, seen: pos };
    // More than a page is nowhere on the screen at once.
    const newly = await this.tx.messages(this.conversation, before, pos, 200, -1);
    for (const entry of newly) if (entry.mine) this.show(entry);
  }

  /** We have seen everything up to this id. Never goes back. Says whether it is news. */
  async readUpTo(id: string): Promise<boolean> {
    const { read } = this.book;
    if (read?.id === id) return false;
    const entry = (await this.tx.byId(this.conversation, id)) ?? (await this.tx.byRef(this.conversation, id))[0];
    if (entry && read?.pos !== undefined && read.pos >= entry.pos) return false;
    this.book = { ...this.book, read: { id, ...(entry && { pos: entry.pos }) } };
    return true;
  }

  /** Takes one entry out, e.g. a change of ours that was refused. */
  async drop(key: string): Promise<void> {
    const entry = await this.tx.byKey(this.conversation, key);
    if (!entry) return;
    await this.remove(entry.pos, entry.pos);
    if (entry.fact.is === 'message') this.removed.add(key);
    await this.apply(entry);
  }

  private async remove(from: number, to: number): Promise<void> {
    const gone = await this.tx.remove(this.conversation, from, to);
    const { read, count } = this.book;
    this.book = { ...this.book, count: count - gone };
    if (read?.pos !== undefined && read.pos >= from && read.pos <= to)
      this.book = { ...this.book, read: { id: read.id } };
  }

  /**
   * Too much is kept: the oldest goes; or, where the oldest has just been read because somebody looks at it, what is between
   * it and the newest. Where something is taken out, a gap is noted.
   */
  private async trim(): Promise<void> {
    const surplus = this.book.count - Math.floor(this.max * 0.8);
    const end = await this.tx.nth(this.conversation, surplus);
    if (!end) return;
    if (this.inserted === undefined || this.inserted > end.pos) return this.cutOut(undefined, end);
    const spared = this.book.count - Math.floor(this.max * 0.3);
    const from = await this.tx.nth(this.conversation, spared - surplus);
    const to = await this.tx.nth(this.conversation, spared);
    if (from && to) await this.cutOut(from, to);
  }

  /** Where these stand was a guess that nobody will prove: all between the proven ones around them goes. */
  async unprove(first: number, last: number): Promise<void> {
    const before = await this.tx.neighbour(this.conversation, first, -1);
    const behind = await this.tx.neighbour(this.conversation, last, 1);
    await this.takeOut(before && (await this.withId(before, -1)), behind && (await this.withId(behind, 1)));
    this.proven = this.anew = true;
  }

  /** Takes out what is between two entries (or before `to`), as far as there are ids at which paging can go on. */
  private async cutOut(from: Entry | undefined, to: Entry): Promise<void> {
    const left = from && (await this.withId(from, -1));
    const right = await this.withId(to, 1);
    if (right && (left || !from)) await this.takeOut(left, right);
  }

  /** Takes out what is between two entries, or before or after the only one. */
  private async takeOut(left: Entry | undefined, right: Entry | undefined): Promise<void> {
    const first = left ? (await this.tx.neighbour(this.conversation, left.pos, 1))?.pos : -Infinity;
    const last = right ? (await this.tx.neighbour(this.conversation, right.pos, -1))?.pos : Infinity;
    if (first === undefined || last === undefined || first > last) return;
    await this.remove(first, last);
    const intervals = this.book.intervals.flatMap((one) => {
      const { start, epochs: _, ...rest } = one;
      const parts: Interval[] = [];
      if (left && one.first <= left.pos) {
        if (one.last <= left.pos) return [one];
        parts.push({ ...rest, ...(start && { start }), last: left.pos, lastId: left.id, lastAt: left.at });
      }
      if (right && one.last >= right.pos) {
        if (one.first >= right.pos) return [one];
        const { start: __, ...kept } = one;
        parts.push({ ...kept, first: right.pos, firstId: right.id, firstAt: right.at });
      }
      return parts;
    });
    this.book = { ...this.book, intervals };
  }

  private async withId(entry: Entry, direction: -1 | 1): Promise<Entry | undefined> {
    let found: Entry | undefined = entry;
    while (found && found.id === undefined) found = await this.tx.neighbour(this.conversation, found.pos, direction);
    return found;
  }
}

function add(set: Set<Interval>, interval: Interval | undefined): void {
  if (interval) set.add(interval);
}

function spanOf(said: Said[], places: number[], ends: { first?: string; last?: string }): Interval {
  return {
    first: places[0]!,
    last: places.at(-1)!,
    firstId: ends.first,
    lastId: ends.last,
    firstAt: said[0]!.at,
    lastAt: said.at(-1)!.at,
  };
}
