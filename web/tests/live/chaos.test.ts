/**
 * Two talk, with each other and in a group, while their connections are cut at random, sessions are lost, and the server is
 * killed: nothing is lost, nothing double, no gap unnoticed, unread counts are right. `CHAOS_CUTS=1000` for more of it;
 * `CHAOS_SEED` repeats one.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Address, Message } from '../../src/api/model';
import { befriend, TalkingPage } from './page';
import { ROOKERY_BIN, Server } from './server';
import { Random } from '../unit/history/model';

const CUTS = Number(process.env.CHAOS_CUTS ?? 50);
const SEED = Number(process.env.CHAOS_SEED ?? 3);
const SLOW = { timeout: 120_000, interval: 100 };

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(!ROOKERY_BIN)(`chaos over a Rookery (seed ${SEED}, ${CUTS} cuts)`, () => {
  let server: Server;
  beforeAll(async () => {
    server = await Server.start();
  });
  afterAll(() => server.remove());

  test('0 lost, 0 double, 0 unnoticed gaps, unread right', { timeout: 120_000 + CUTS * 3_000 }, async () => {
    const random = new Random(SEED);
    const [pip, squeak] = [new TalkingPage(server), new TalkingPage(server)];
    await Promise.all([pip.signUp('Pip'), squeak.signUp('Squeak')]);
    await befriend(pip, squeak);
    const group = await pip.api.createGroup({ name: 'Floe', about: '', private: false, invite: [] });
    await squeak.api.join(group, {});
    const second = await new TalkingPage(server).signIn(squeak.engine.signedIn.me.number);
    const pages = [pip, squeak, second];
    const said = { private: [] as string[], group: [] as string[] };
    let count = 0;

    for (let cut = 0; cut < CUTS;) {
      const page = random.pick([pip, squeak]);
      const other = page === pip ? squeak.address : pip.address;
      if (random.chance(0.6)) {
        const body = `${page === pip ? 'p' : 's'}${count++}`;
        const inside = random.chance(0.4);
        said[inside ? 'group' : 'private'].push(body);
        await page.api.send(inside ? group : other, { body });
      } else if (random.chance(0.1)) {
        await readSome(page, random.chance(0.5) ? group : other);
      } else if (random.chance(0.3)) {
        cut++;
        if (cut % 30 === 0) await killServer(pages);
        else cutOff(random.pick(pages), random.chance(0.4));
      }
      await pause(random.below(15));
    }

    for (const page of pages) page.api.reconnect();
    for (const page of pages) await expect.poll(() => page.engine.signedIn.stream.online, SLOW).toBe(true);
    for (const page of pages) await expect.poll(() => waiting(page), SLOW).toBe(0);

    // Who was never there before knows the archive alone.
    const witness = await new TalkingPage(server).signIn(pip.engine.signedIn.me.number);
    await witness.api.open(squeak.address);
    await compare('private', said.private, [
      [witness, squeak.address],
      [pip, squeak.address],
      [squeak, pip.address],
      [second, pip.address],
    ]);
    await expect.poll(() => witness.rows.get(group)?.joined, SLOW).toBe(true);
    await compare('group', said.group, [
      [witness, group],
      [pip, group],
      [squeak, group],
    ]);
    for (const [page, address] of [
      [pip, squeak.address],
      [squeak, pip.address],
      [second, pip.address],
    ] as const) {
      const unread = sinceWeSpoke(await page.all(address));
      await expect
        .poll(() => page.rows.get(address)?.unread ?? 0, { ...SLOW, message: 'unread' })
        .toBeLessThanOrEqual(unread);
    }
    // Both devices of one account say the same, and so does the server to who asks now.
    const third = await new TalkingPage(server).signIn(squeak.engine.signedIn.me.number);
    const unread = () => [squeak, second, third].map((page) => page.rows.get(pip.address)?.unread);
    await expect.poll(() => new Set(unread()).size, { ...SLOW, message: 'unread on all devices' }).toBe(1);
    for (const page of [...pages, witness, third]) await page.engine.signOut('asked');
  });

  function cutOff(page: TalkingPage, forGood: boolean): void {
    // A session that the server does not know (any more): what was under way in it is nobody's.
    if (forGood) (page.engine.signedIn.stream as unknown as { management: { id: string } }).management.id = 'gone';
    page.network.cut();
    setTimeout(() => page.api.reconnect(), 5);
  }

  async function killServer(pages: TalkingPage[]): Promise<void> {
    await server.end('SIGKILL');
    await server.run();
    for (const page of pages) page.api.reconnect();
  }

  async function readSome(page: TalkingPage, address: Address): Promise<void> {
    const { messages } = await page.api.history(address, { latest: true }, 30);
    const last = messages.findLast(({ mine, state }) => !mine && state !== 'sending');
    if (last) await page.api.markRead(address, last.key).catch(() => {});
  }

  const waiting = (page: TalkingPage): number => {
    const { outbox } = page.engine.signedIn.conversations as unknown as { outbox: { items: Map<string, unknown> } };
    return outbox.items.size;
  };

  async function compare(what: string, said: string[], views: [TalkingPage, Address][]): Promise<void> {
    let truth: string[] | undefined;
    for (const [i, [page, address]] of views.entries()) {
      const bodies = async () => (await page.all(address)).filter((one) => one.kind === 'text').map(({ body }) => body);
      // What is being put in its place while it is read is cut: it is read again.
      const sorted = async () => (await bodies()).sort();
      await expect.poll(sorted, { ...SLOW, message: `${what} ${i}: lost or double` }).toEqual([...said].sort());
      truth ??= await bodies();
      await expect.poll(bodies, { ...SLOW, message: `${what} ${i}: order` }).toEqual(truth);
    }
  }

  function sinceWeSpoke(messages: Message[]): number {
    const last = messages.findLastIndex(({ mine }) => mine);
    return messages.length - 1 - last;
  }
});
