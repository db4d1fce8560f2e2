/**
 * What is proven of a conversation: intervals of positions between which nothing is missing. Pure.
 *
 * The archive's ids are opaque (XEP-0313 §3.1), and times may go back, so neither orders anything here. An entry gets a
 * position next to the entry that the archive says it is next to.
 */
import type { Address } from '../api/model';

/**
 * A contiguous piece of the archive: everything between `first` and `last` is here. An interval without entries is possible:
 * it says that a conversation is empty.
 */
export interface Interval {
  first: number;
  last: number;
  /** The archive's ids of the outermost entries that have one: where paging goes on. */
  firstId?: string;
  lastId?: string;
  /** Times of the outermost entries: only to guess where a piece belongs that touches nothing. */
  firstAt: number;
  lastAt: number;
  /** The archive has nothing before it. */
  start?: true;
  /** It has, up to its end, what came live from the first of these epochs of its scope on, to the last. */
  epochs?: Epochs;
}

/** From the first to the last, both included. */
export interface Epochs {
  since: number;
  until: number;
}

/** One conversation. */
export interface Book {
  conversation: Address;
  /** By position; they do not overlap. */
  intervals: Interval[];
  /** Entries that are kept here. */
  count: number;
  /** The others have seen our messages up to here. */
  seen?: number;
  /** We have seen everything up to this id (XEP-0490); `pos` once that entry is here. */
  read?: { id: string; pos?: number };
}

/**
 * What comes live, by archive: the account's own (''), or a group's by its address. An epoch is the time from a beginning
 * (binding, entering) to the end of that session; within it nothing is missed.
 */
export interface Scope {
  archive: string;
  epoch: number;
  /** All epochs from this one to `epoch` are proven to be one: what was missed between them is here. */
  since: number;
  /**
   * Account only: everything from the beginning of `since` (or of `catching.since`) up to this id of the archive is here. '' is
   * the archive's beginning; nothing: it is not known. Moved by pages of the archive, and by live messages only while nothing
   * is missing before them.
   */
  cursor?: string;
  /**
   * Account only: epochs from `since` to `until` reach the cursor; what follows it is being caught up. `end` is the newest id
   * of the archive from before this epoch began, where it is known.
   */
  catching?: Epochs & { end?: string };
  /** Account only: the newest id that came live in this epoch and is not behind the cursor. */
  head?: string;
  /**
   * Account only: how often something of ours was on its way while the cursor stands. Nobody tells the sender where in the
   * archive it is (or whether it is there at all, when the session ends first), so the cursor waits before it until the archive was
   * read.
   */
  held?: number;
  /** Account only: of what was held, where it stands for now: from the first to the last position in each conversation. */
  guessed?: Record<Address, [number, number]>;
}

/** Room that a gap gets for what may be found in it. */
export const GAP = 2 ** 30;

export function emptyBook(conversation: Address): Book {
  return { conversation, intervals: [], count: 0 };
}

export function intervalAt(book: Book, pos: number): Interval | undefined {
  return book.intervals.find((interval) => interval.first <= pos && pos <= interval.last);
}

/** Whether the interval has what came live in one of these epochs. */
export function reaches(interval: Interval, { since, until }: Epochs): boolean {
  return interval.epochs !== undefined && interval.epochs.until >= since && interval.epochs.since <= until;
}

/** Whether the interval reaches what comes live now. */
export function isLive(interval: Interval, scope: Scope): boolean {
  return reaches(interval, { since: scope.since, until: scope.epoch });
}

/** Whether what follows the account's cursor stands in this interval or behind it, once all that is missing was read. */
export function atCursor(interval: Interval, { catching, since, epoch }: Scope): boolean {
  return reaches(interval, { since: catching?.since ?? since, until: epoch });
}

/** The interval that reaches what comes live now, in a normalized book. */
export function liveInterval(book: Book, scope: Scope): Interval | undefined {
  return book.intervals.findLast((interval) => isLive(interval, scope));
}

/** Joins what is proven to be one: all that reaches the present, and all that reaches the cursor. */
export function normalized(book: Book, scope: Scope): Book {
  let { intervals } = book;
  const { since, epoch, catching } = scope;
  for (const epochs of [{ since, until: epoch }, ...(catching ? [catching] : [])]) {
    const members = intervals.filter((one) => reaches(one, epochs));
    if (members.length > 1) intervals = united(intervals, members);
  }
  return intervals === book.intervals ? book : { ...book, intervals };
}

/** From the earlier beginning to the later end. */
export function spanning(a: Epochs | undefined, b: Epochs): Epochs {
  return { since: Math.min(a?.since ?? b.since, b.since), until: Math.max(a?.until ?? b.until, b.until) };
}

/** These intervals and the span become one; whatever lay between is not in the list any more. */
export function united(intervals: Interval[], members: Interval[], extra: Partial<Interval> = {}): Interval[] {
  if (members.length === 0) return intervals;
  // They may lie one in another: the left end and the right end are each somebody's.
  const fromLeft = [...members].sort((a, b) => a.first - b.first);
  const fromRight = [...members].sort((a, b) => b.last - a.last);
  const left = fromLeft[0]!;
  const right = fromRight[0]!;
  const epochs = members.flatMap((one) => one.epochs ?? []).reduce(spanning, undefined);
  const whole: Interval = {
    first: left.first,
    last: right.last,
    firstId: fromLeft.find((one) => one.firstId !== undefined)?.firstId,
    lastId: fromRight.find((one) => one.lastId !== undefined)?.lastId,
    firstAt: left.firstAt,
    lastAt: right.lastAt,
    ...(left.start && { start: true as const }),
    ...(epochs && { epochs }),
    ...extra,
  };
  const rest = intervals.filter((one) => !members.includes(one) && (one.last < whole.first || one.first > whole.last));
  return [...rest, whole].sort((a, b) => a.first - b.first);
}

/**
 * `count` positions between two that are taken, increasing; undefined where there is no room left. `from` says on which side
 * the room is spared.
 */
export function positions(
  count: number,
  left: number | undefined,
  right: number | undefined,
  from: 'left' | 'right' = 'left',
): number[] | undefined {
  const steps = Array.from({ length: count }, (_, i) => i);
  if (left === undefined && right === undefined) return steps;
  if (right === undefined) return steps.map((i) => left! + 1 + i);
  if (left === undefined) return steps.map((i) => right - count + i);
  if (right - left > count + 1) {
    return from === 'left' ? steps.map((i) => left + 1 + i) : steps.map((i) => right - count + i);
  }
  const width = (right - left) / (count + 1);
  const found = steps.map((i) => left + width * (i + 1));
  const rising = [left, ...found, right].every((pos, i, all) => i === 0 || pos > all[i - 1]!);
  return rising ? found : undefined;
}

/** Where a piece belongs that touches nothing known: between which intervals, by its time. A guess that paging proves or mends. */
export function gapFor(book: Book, at: number): { left?: number; right?: number } {
  const after = book.intervals.findIndex((interval) => interval.firstAt > at);
  const right = after < 0 ? undefined : book.intervals[after];
  const left = after < 0 ? book.intervals.at(-1) : book.intervals[after - 1];
  return { left: left?.last, right: right?.first };
}
