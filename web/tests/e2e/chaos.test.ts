/**
 * Two people and a small group, while connections are cut at random: at the end what was sent is there once, in the same order for
 * everybody and in the archive, nothing is missing unnoticed, and every device shows the same numbers of unread messages.
 *
 * Here is a short round, each time another; `npm run chaos` cuts a thousand times. CUTS says how often, SEED repeats what one run did.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Message } from '../../src/api/model';
import { TalkingPage } from '../live/page';
import { Proxy } from '../live/proxy';
import { ROOKERY_BIN, Server } from '../live/server';
import { Random } from '../unit/history/model';
import { cut, type Device, kindOf, write } from './chaos/cuts';
import { enter, go, proven, scrolledThrough, shown, unread } from './chaos/sight';
import { befriend, complaints, launch, look, makeGroup, PASSWORD, signUp } from './people';

/** As many as take a minute. */
const CUTS = Number(process.env.CUTS ?? 20);
const SEED = Number(process.env.SEED ?? Date.now() % 100_000);
/** Cuts between two looks at what is proven, and two lines of progress. */
const CHECK_EVERY = 50;
const SLOW = { timeout: 120_000, interval: 250 };
/** How many are left unread by each at the end. */
const UNREAD = { direct: 5, group: 3 };

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(ROOKERY_BIN === undefined)(`chaos in a browser (seed ${SEED}, ${CUTS} cuts)`, () => {
  const random = new Random(SEED);
  let server: Server;
  let browser: Browser;
  let ann: Device;
  let bob: Device;
  let group: string;
  /** All that was seen as sent, by conversation. */
  const said = { direct: [] as string[], group: [] as string[] };
  /** Of these, what a public page may have taken along when it went. */
  const gone = new Set<string>();
  const done: Record<string, number> = {};
  let count = 0;

  beforeAll(async () => {
    console.log(`chaos: SEED=${SEED} CUTS=${CUTS}`);
    server = await Server.start();
    browser = await launch();
    ann = await device('Ann', 'public');
    bob = await device('Bob', 'own');
    await befriend(ann.person, bob.person);
    group = await makeGroup(ann.person, 'Floe', bob.person);
    bob.tabs.push(await look(bob.person.context, bob.proxy, '#/chats'));
    await bob.tabs[1]!.getByRole('tab', { name: /Chats/ }).waitFor();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await Promise.all([ann?.proxy.stop(), bob?.proxy.stop()]);
    await server?.remove();
  });

  async function device(nick: string, place: Device['place']): Promise<Device> {
    const proxy = await Proxy.start(server.port);
    const person = await signUp(browser, proxy, nick, place);
    return { person, proxy, place, tabs: [person.page] };
  }

  const address = ({ person }: Device) => `${person.number}@localhost`;
  const otherOf = (who: Device) => (who === ann ? bob : ann);
  const place = (who: Device, where: 'direct' | 'group') => (where === 'group' ? group : address(otherOf(who)));

  async function say(who: Device, where: 'direct' | 'group', tab: Page): Promise<string> {
    const word = `${who === ann ? 'ann' : 'bob'}${String(count++).padStart(4, '0')}`;
    await enter(tab, place(who, where));
    await write(tab, word);
    said[where].push(word);
    return word;
  }

  /** Ann's page goes, and with it what it had not sent. */
  async function leaving(): Promise<void> {
    for (const where of ['direct', 'group'] as const) {
      await enter(ann.person.page, place(ann, where));
      for (const { word, state } of await shown(ann.person.page)) if (state === 'sending') gone.add(word);
    }
  }

  async function cutSomebody(): Promise<void> {
    const kind = kindOf(random);
    done[kind] = (done[kind] ?? 0) + 1;
    await cut(kind, random.pick([ann, bob]), server, random, leaving);
  }

  /** Who knows nothing but the archive; another device of the same account. */
  async function witness(who: Device): Promise<TalkingPage> {
    const page = new TalkingPage(server);
    await page.attach();
    await page.api.signIn({ user: who.person.number, password: PASSWORD, place: 'public' });
    await expect.poll(() => page.rows.get(group)?.joined, SLOW).toBe(true);
    return page;
  }

  /** All words that the archive has, in its order. */
  async function archiveOf(who: Device, where: 'direct' | 'group'): Promise<string[]> {
    const reader = await witness(who);
    let all: Message[] = [];
    // What is put in its place while it is read is cut: it is read again.
    const read = async () => (all = await reader.all(place(who, where)));
    await expect.poll(read, SLOW).toBeDefined();
    await reader.engine.signOut('asked');
    return all.map(({ body }) => body).filter((body) => /^(ann|bob)\d+$/.test(body));
  }

  /** What is proven on Bob's device is what the archive has, without a gap. */
  async function checkProven(): Promise<void> {
    for (const where of ['direct', 'group'] as const) {
      const pieces = await proven(bob.tabs[0]!, place(bob, where));
      const archive = await archiveOf(bob, where);
      for (const piece of pieces) {
        // Where his own are is known when the archive has said so.
        const known = archive.filter((word) => piece.words.includes(word) || !word.startsWith('bob'));
        expect(known.join(' '), `${where}: a gap`).toContain(piece.words.join(' '));
      }
    }
  }

  /** All that was said has left, and the other has seen the last of it. */
  async function quiet(): Promise<void> {
    for (const who of [ann, bob]) who.proxy.down = false;
    for (const where of ['direct', 'group'] as const) {
      for (const who of [ann, bob]) {
        const [tab] = who.tabs as [Page];
        const last = await say(who, where, tab);
        const waiting = async () => (await shown(tab)).filter(({ state }) => ['sending', 'failed'].includes(state));
        await expect.poll(waiting, { ...SLOW, message: `${where}: what ${who.person.nick} has not sent` }).toEqual([]);
        for (const other of otherOf(who).tabs) {
          await enter(other, place(otherOf(who), where));
          const words = async () => (await shown(other)).map(({ word }) => word);
          await expect.poll(words, { ...SLOW, message: `${where}: the last of ${who.person.nick}` }).toContain(last);
        }
      }
    }
  }

  it('cuts', { timeout: 300_000 + CUTS * 6_000 }, async () => {
    const begun = Date.now();
    for (let cuts = 1; cuts <= CUTS; cuts++) {
      for (let talk = random.below(4); talk > 0; talk--) {
        const who = random.pick([ann, bob]);
        await say(who, random.chance(0.6) ? 'direct' : 'group', random.pick(who.tabs));
      }
      await cutSomebody();
      await pause(random.below(600));
      if (cuts % CHECK_EVERY > 0) continue;
      await checkProven();
      const seconds = Math.round((Date.now() - begun) / 1000);
      const sent = said.direct.length + said.group.length;
      console.log(`chaos: ${cuts} of ${CUTS} cuts, ${sent} messages, ${seconds} s: ${JSON.stringify(done)}`);
    }
    await quiet();
  });

  it('0 lost, 0 double, one order, no gap', { timeout: 600_000 }, async () => {
    for (const where of ['direct', 'group'] as const) {
      const archives = await Promise.all([ann, bob].map((who) => archiveOf(who, where)));
      const [truth] = archives as [string[]];
      expect(archives[1], `${where}: both archives`).toEqual(truth);
      expect([...truth].sort(), `${where}: double`).toEqual([...new Set(truth)].sort());
      const lost = said[where].filter((word) => !gone.has(word) && !truth.includes(word));
      expect(lost, `${where}: lost`).toEqual([]);
      expect(truth.filter((word) => !said[where].includes(word))).toEqual([]);
      for (const who of [ann, bob]) {
        for (const [i, tab] of who.tabs.entries()) {
          const seen = () => scrolledThrough(tab, place(who, where), truth[0]);
          await expect
            .poll(seen, { ...SLOW, message: `${where}: what ${who.person.nick} sees in tab ${i}` })
            .toEqual(truth);
        }
      }
    }
    for (const where of ['direct', 'group'] as const) {
      const whole = [{ words: await archiveOf(bob, where), start: true }];
      const kept = () => proven(bob.tabs[0]!, place(bob, where));
      await expect.poll(kept, { ...SLOW, message: `${where}: what Bob's computer keeps` }).toEqual(whole);
    }
  });

  it('unread counts are right on every device', { timeout: 600_000 }, async () => {
    for (const [writer, reader] of [
      [ann, bob],
      [bob, ann],
    ] as const) {
      await read(reader);
      for (const where of ['direct', 'group'] as const) {
        for (let left = UNREAD[where]; left > 0; left--) {
          await say(writer, where, writer.tabs[0]!);
          await cut('drop', random.pick([ann, bob]), server, random, leaving);
        }
      }
      const numbers = async () => {
        const late = await witness(reader);
        const seen = [writer, group].map(() => 0);
        const rows = [address(writer), group];
        for (const [i, row] of rows.entries()) seen[i] = late.rows.get(row)?.unread ?? 0;
        await late.engine.signOut('asked');
        const tabs = await Promise.all(reader.tabs.map((tab) => Promise.all(rows.map((row) => unread(tab, row)))));
        return [...tabs, seen];
      };
      const right = [UNREAD.direct, UNREAD.group];
      await expect.poll(numbers, SLOW).toEqual([...reader.tabs.map(() => right), right]);
    }
    expect(complaints).toEqual([]);
  });

  /** Reads everything, and looks at nothing any more. */
  async function read(reader: Device): Promise<void> {
    for (const where of ['direct', 'group'] as const) {
      const [tab] = reader.tabs as [Page];
      await enter(tab, place(reader, where));
      await expect
        .poll(() => unread(tab, place(reader, where)), { ...SLOW, message: `${reader.person.nick} reads` })
        .toBe(0);
    }
    for (const tab of reader.tabs) await go(tab, 'chats');
  }
});
