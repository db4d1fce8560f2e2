/** A server in memory to hold history against: archives, a session that pushes live, and queries that answer when told. */
import { Forgotten, Unreachable, type Archive, type Found, type Query } from '../../../src/history/archive';
import type { Fact, Said } from '../../../src/history/facts';
import { content, said } from './said';

export const ME = 'me@x';

/** Random numbers that can be repeated (mulberry32). */
export class Random {
  constructor(private state: number) {}

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** A record of an archive; `said.id` is there always. */
export type Record = Said & { id: string };

interface Waiting {
  answer: () => void;
  fail: (error: Error) => void;
}

export class ModelServer implements Archive {
  readonly logs = new Map<string, Record[]>([['', []]]);
  /** Committed and not yet pushed to the session. */
  readonly pushes: Record[] = [];
  readonly queries: Waiting[] = [];
  rooms = new Set<string>();
  private clock = 1_000;
  private count = 0;

  constructor(private readonly random: Random) {}

  archiveOf = (conversation: string): string => (conversation.includes('room') ? conversation : '');

  log(archive: string): Record[] {
    let log = this.logs.get(archive);
    if (!log) this.logs.set(archive, (log = []));
    return log;
  }

  /** The messages of a conversation, in the archive's order. */
  records(conversation: string): Record[] {
    return this.log(this.archiveOf(conversation)).filter((one) => one.conversation === conversation);
  }

  messages(conversation: string): Record[] {
    return this.records(conversation).filter((one) => one.fact.is === 'message');
  }

  /** Something is said, and pushed unless it is ours. `ours` was sent by the client under test. */
  commit(conversation: string, fact: Fact | undefined, ours?: Said): Record {
    const archive = this.archiveOf(conversation);
    // Neither ids nor times are in order: nobody may rely on them.
    const id = `${this.random.below(1e9)}-${this.count++}`;
    this.clock += this.random.below(5) - 1;
    const mine = ours !== undefined || this.random.chance(0.2);
    const base =
      ours ?? said(conversation, id, { mine, from: mine ? ME : conversation, sender: mine ? ME : conversation });
    const body = { is: 'message', content: content(id) } as const;
    const record: Record = { ...base, id, at: this.clock, fact: ours?.fact ?? fact ?? body, refs: [...base.refs, id] };
    this.log(archive).push(record);
    // A group reflects what one says; in the account's log it is told to other devices only.
    if (archive !== '' ? this.rooms.has(archive) : ours === undefined) this.pushes.push(record);
    return record;
  }

  get end(): string | null {
    return this.log('').at(-1)?.id ?? null;
  }

  /** The connection ends, and the session with it: what was not pushed is in the archive alone. */
  cut(): void {
    this.pushes.length = 0;
    this.rooms.clear();
    for (const query of this.queries.splice(0)) query.fail(new Unreachable('offline'));
  }

  /** The client is killed: nobody waits for these answers any more. */
  abandon(): void {
    this.pushes.length = 0;
    this.rooms.clear();
    this.queries.length = 0;
  }

  query(query: Query): Promise<Found> {
    return new Promise((resolve, reject) => {
      this.queries.push({
        answer: () => {
          try {
            resolve(this.answer(query));
          } catch (error) {
            reject(error);
          }
        },
        fail: reject,
      });
    });
  }

  private answer(query: Query): Found {
    let log = this.log(query.archive);
    if (query.with !== undefined) log = log.filter((one) => one.conversation === query.with);
    if (query.start !== undefined) log = log.filter((one) => one.at >= query.start!);
    const place = (id: string): number => {
      // An id of another conversation is a place in the log as well.
      const whole = this.log(query.archive).findIndex((one) => one.id === id);
      if (whole < 0) throw new Forgotten();
      return this.log(query.archive)
        .slice(0, whole + 1)
        .filter((one) => log.includes(one)).length;
    };
    let from = 0;
    let to = log.length;
    if (query.after !== undefined) from = place(query.after);
    if (query.before) to = place(query.before) - (log.some((one) => one.id === query.before) ? 1 : 0);
    // Servers give fewer than were asked for, when they like.
    const max = Math.max(1, Math.min(query.max, 3 + this.random.below(20)));
    const found =
      query.before !== undefined ? log.slice(Math.max(from, to - max), to) : log.slice(from, Math.min(to, from + max));
    const complete = found.length === to - from;
    return { said: [...found], first: found[0]?.id, last: found.at(-1)?.id, complete };
  }
}
