/**
 * Random lives of a history: messages from everywhere, cuts, pages in any order, kills between write and commit. What it
 * shows is compared with the archive all the time: nothing lost, nothing double, no gap unnoticed, the right order.
 *
 * `HISTORY_SEEDS=2000 npx vitest run chaos` for more of them; a seed that fails is printed, and `HISTORY_SEED` repeats it.
 */
import { describe, expect, it } from 'vitest';
import type { Where } from '../../../src/api/model';
import type { Entry, Said } from '../../../src/history/facts';
import { Unreachable } from '../../../src/history/archive';
import { History, type Slice } from '../../../src/history/history';
import type { Store } from '../../../src/history/store';
import { ME, ModelServer, Random } from './model';
import { said } from './said';
import { STORES, type BeforeCommit } from './stores';

const PEOPLE = ['ann@x', 'bob@x', 'cem@x'];
const ROOMS = ['room1@g'];
const ALL = [...PEOPLE, ...ROOMS];
const tick = () => new Promise((resolve) => setImmediate(resolve));

class Life {
  private readonly random: Random;
  private readonly server: ModelServer;
  private readonly hook: BeforeCommit = { now: () => undefined };
  private store!: Store;
  private history!: History;
  private sent = 0;
  /** Ours that the server has committed, and not acknowledged to us. */
  private unacknowledged: Said[] = [];
  /** Keys of ours: nobody tells their ids, so where they stand is known late. */
  private readonly ours = new Set<string>();
  private readonly problems: string[] = [];
  private readonly log: string[] = [];
  private life = 0;

  constructor(
    private readonly make: (hook: BeforeCommit) => Promise<Store>,
    seed: number,
    private readonly max: number,
  ) {
    this.random = new Random(seed);
    this.server = new ModelServer(this.random);
  }

  async run(steps: number): Promise<{ problems: string[]; log: string[] }> {
    this.store = await this.make(this.hook);
    for (let i = this.random.below(60); i > 0; i--) this.someoneSays();
    this.server.abandon();
    await this.startAnew();
    for (let i = 0; i < steps && this.problems.length === 0; i++) {
      await this.step();
      await tick();
    }
    if (this.problems.length === 0) await this.finish();
    return { problems: this.problems, log: this.log };
  }

  private note(text: string): void {
    this.log.push(text);
  }

  private async step(): Promise<void> {
    const { random, server } = this;
    const roll = random.below(100);
    if (roll < 24) this.someoneSays();
    else if (roll < 30) await this.weSay();
    else if (roll < 46) await this.push(1 + random.below(4));
    else if (roll < 52) await this.acknowledge();
    else if (roll < 55) await this.cut();
    else if (roll < 57) await this.kill();
    else if (roll < 59) this.killAtNextCommit();
    else if (roll < 62) await this.enter();
    else if (roll < 68) this.background('catch up', this.history.catchUp(this.unacknowledged.length === 0));
    else if (roll < 78) void this.look();
    else if (server.queries.length > 0) server.queries.splice(random.below(server.queries.length), 1)[0]!.answer();
  }

  private someoneSays(): void {
    const { random, server } = this;
    const conversation = random.pick(ALL);
    const earlier = server.messages(conversation);
    if (random.chance(0.2) && earlier.length > 0) {
      const target = random.pick(earlier).id;
      server.commit(conversation, { is: 'reaction', target, emojis: [String(this.sent++)] });
    } else if (random.chance(0.1)) server.commit(conversation, { is: 'nothing' });
    else server.commit(conversation, undefined);
  }

  private async weSay(): Promise<void> {
    const conversation = this.random.pick(ALL);
    const archive = this.server.archiveOf(conversation);
    if (archive !== '' && !this.server.rooms.has(archive)) return;
    const { life } = this;
    if (archive === '') await this.guarded(this.history.hold());
    if (life !== this.life) return;
    const key = `ours${this.sent++}`;
    this.ours.add(key);
    const ours = said(conversation, key, { mine: true, from: ME, sender: ME, refs: [key] });
    this.server.commit(conversation, undefined, ours);
    // In a group the reflection tells everything.
    if (archive === '') this.unacknowledged.push(ours);
  }

  private async push(count: number): Promise<void> {
    const { pushes } = this.server;
    for (let i = 0; i < count && pushes[0]; i++) {
      const [record] = pushes;
      await this.guarded(this.history.live(record));
      if (pushes[0] === record) pushes.shift();
    }
  }

  private async acknowledge(): Promise<void> {
    const ours = this.unacknowledged.shift();
    if (!ours) return;
    await this.guarded(this.history.live({ ...ours, at: 1_000 + this.random.below(100) }));
  }

  /** The commit may be the one that is killed: then the client is. */
  private async guarded(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if ((error as Error).message !== 'killed') throw error;
      await this.kill();
    }
  }

  private background(name: string, work: Promise<unknown>): void {
    const life = this.life;
    work.catch((error: Error) => {
      if (error instanceof Unreachable || life !== this.life) return;
      if (error.message === 'killed') return;
      this.problems.push(`${name}: ${error.stack}`);
    });
  }

  private killAtNextCommit(): void {
    this.hook.now = () => {
      this.note('killed at a commit');
      throw new Error('killed');
    };
  }

  private async cut(): Promise<void> {
    this.note('cut');
    this.server.cut();
    this.unacknowledged = [];
    await tick();
    await this.begin();
  }

  /** The worker dies; what its last life had under way goes nowhere. */
  private async kill(): Promise<void> {
    this.note('killed');
    this.server.abandon();
    this.unacknowledged = [];
    await this.startAnew();
  }

  private async startAnew(): Promise<void> {
    this.life++;
    this.hook.now = () => undefined;
    this.history = new History(this.store, this.server, this.server.archiveOf, () => undefined, this.max);
    await this.begin();
  }

  private async begin(): Promise<void> {
    const { random, server } = this;
    // Some servers do not tell the archive's end when a session begins.
    const end = random.chance(0.8) || this.life === 1 ? server.end : undefined;
    // What the server does while we write down that we have begun.
    if (random.chance(0.5)) this.someoneSays();
    await this.guarded(this.history.begin('', end));
  }

  private async enter(): Promise<void> {
    const room = this.random.pick(ROOMS);
    if (this.server.rooms.has(room)) return;
    this.server.rooms.add(room);
    await this.guarded(this.history.begin(room));
    if (this.server.rooms.has(room) && this.random.chance(0.5)) this.background('refresh', this.history.refresh(room));
  }

  private async look(): Promise<void> {
    const { random, life } = this;
    const conversation = random.pick(ALL);
    const messages = this.server.messages(conversation);
    const coming = new Set(this.server.pushes.map((one) => one.key));
    const taken = new Set(messages.map((one) => one.key).filter((key) => !coming.has(key)));
    const some = messages.length > 0 ? random.pick(messages) : undefined;
    const key = some?.key ?? 'none';
    const places: Where[] = [
      { latest: true },
      { latest: true },
      { before: key },
      { after: key },
      { around: random.chance(0.5) ? key : (some?.id ?? 'none') },
      { at: some?.at ?? 0 },
    ];
    const where = random.pick(places);
    try {
      const slice = await this.history.page(conversation, where, 1 + random.below(30));
      if (life === this.life) this.check(conversation, where, slice, taken);
    } catch (error) {
      if ((error as Error).message === 'killed') return;
      this.problems.push(`page ${JSON.stringify(where)}: ${(error as Error).stack}`);
    }
  }

  /**
   * Nothing is missing in a page, but ours of which the server has not told yet. `taken` are the keys of what was there
   * when it was asked for, and not still on its way.
   */
  private check(conversation: string, where: Where, slice: Slice, taken: Set<string>): void {
    const messages = this.server.messages(conversation);
    const index = new Map(messages.map((one, i) => [one.key, i]));
    const complain = (what: string) => {
      const shown = slice.entries.map((entry) => `${entry.key}(${index.get(entry.key)})`).join(' ');
      this.problems.push(`${conversation} ${JSON.stringify(where)}: ${what}: ${shown}`);
    };
    const keys = slice.entries.map((entry) => entry.key);
    if (new Set(keys).size !== keys.length) return complain('double');
    const proven = slice.entries.filter((entry) => entry.id !== undefined).map((entry) => index.get(entry.key)!);
    const shown = new Set(keys);
    for (const [i, place] of proven.entries()) {
      if (i > 0 && place <= proven[i - 1]!) return complain('order');
      for (let missing = (proven[i - 1] ?? place) + 1; missing < place; missing++) {
        const { key } = messages[missing]!;
        if (!shown.has(key) && !this.ours.has(key)) return complain(`gap at ${missing}`);
      }
    }
    if (slice.atStart && proven[0] !== undefined) {
      const before = messages.slice(0, proven[0]).some(({ key }) => !shown.has(key) && !this.ours.has(key));
      if (before) complain('not the start');
    }
    if (slice.atEnd) {
      const after = messages.slice((proven.at(-1) ?? messages.length) + 1);
      const lost = after.filter(({ key }) => taken.has(key) && !shown.has(key) && !this.ours.has(key));
      if (lost.length > 0) complain(`not the end: ${lost.map((one) => one.key).join(' ')}`);
    }
  }

  /** Quiet at last: everything is read from the end to the start, and must be what the archive has. */
  private async finish(): Promise<void> {
    this.hook.now = () => undefined;
    let answering = true;
    const answers = (async () => {
      while (answering) {
        this.server.queries.shift()?.answer();
        await tick();
      }
    })();
    for (const room of ROOMS) await this.enterNow(room);
    while (this.unacknowledged.length > 0) await this.acknowledge();
    await this.push(Infinity);
    while (!(await this.history.catchUp())) this.note('too much was missed');
    for (const conversation of ALL) await this.compare(conversation);
    answering = false;
    await answers;
  }

  private async enterNow(room: string): Promise<void> {
    if (this.server.rooms.has(room)) return;
    this.server.rooms.add(room);
    await this.history.begin(room);
  }

  /** Of each sender the last reaction counts, in whatever order they were read. */
  private compareReaction(entry: Entry): void {
    const last = this.server
      .records(entry.conversation)
      .findLast(({ fact }) => fact.is === 'reaction' && entry.refs.includes(fact.target));
    if (last?.fact.is !== 'reaction') return;
    const shown = entry.view?.reactions.find((one) => one.sender === last.sender)?.emojis;
    if (String(shown) !== String(last.fact.emojis)) this.problems.push(`reaction to ${entry.key}`);
  }

  private async compare(conversation: string): Promise<void> {
    const found: Slice['entries'] = [];
    let slice = await this.history.page(conversation, { latest: true }, 20);
    expect(slice.atEnd).toBe(true);
    found.unshift(...slice.entries);
    while (!slice.atStart) {
      if (slice.cutBefore || slice.entries.length === 0) {
        this.problems.push(`${conversation}: cut`);
        return;
      }
      slice = await this.history.page(conversation, { before: slice.entries[0]!.key }, 20);
      found.unshift(...slice.entries);
    }
    const messages = this.server.messages(conversation);
    const is = found.map((entry) => entry.key).join(' ');
    const ought = messages.map((one) => one.key).join(' ');
    if (is !== ought) this.problems.push(`${conversation}: at last\n  is    ${is}\n  ought ${ought}`);
    // Where little is kept, a reaction may stand in what was not kept.
    if (this.max > 1_000) for (const entry of found) this.compareReaction(entry);
  }
}

const SEEDS = Number(process.env.HISTORY_SEEDS ?? 40);
const ONE = process.env.HISTORY_SEED;

describe.each(Object.entries(STORES))('chaos over %s', (name, make) => {
  it.each([5_000, 60])('shows what the archive has (%d entries kept)', { timeout: 600_000 }, async (max) => {
    const seeds = ONE ? [Number(ONE)] : Array.from({ length: name === 'idb' ? SEEDS / 4 : SEEDS }, (_, i) => i + 1);
    for (const seed of seeds) {
      const { problems, log } = await new Life(make, seed, max).run(300);
      expect(problems, `seed ${seed}: ${log.join(', ')}`).toEqual([]);
    }
  });
});
