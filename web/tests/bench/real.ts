/** What is measured in front of a real server: coming in, coming back, opening conversations. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { apiFor } from '../../src/engine/api';
import { Engine } from '../../src/engine/engine';
import { makeMessages } from '../../src/engine/messages/messages';
import type { Api } from '../../src/api/api';
import type { Server } from '../live/server';
import { Network as Sockets } from '../live/socket';
import { instruments, listen, processorTime, slow, trips, type Figure, type Network } from './measure';

export const PASSWORD = 'a penguin on the ice';
/** Conversations of the account that is measured, and what was said in each. */
const CHATS = 20;
const MESSAGES = 60;

/** The line for which the budget of the sign-in page is: a slow mobile one, without and with its latency. */
const LINE: Network = { bits: 1_600_000, latency: 0 };
const FAR: Network = { ...LINE, latency: 150 };
const SLOW = 4;
const RUNS = 5;

/** An account with conversations: its number, and how to end it. */
export async function populate(server: Server): Promise<{ number: string; stop(): Promise<void> }> {
  const me = await person(server, 'Mia');
  const others: Api[] = [];
  for (let i = 0; i < CHATS; i++) {
    const other = await person(server, `Friend ${i}`);
    others.push(other.api);
    await other.api.addContact(me.address, { remark: '', categories: [], text: 'Hello' });
    await eventually(() => me.api.answerRequest(other.address, true));
    for (let n = 0; n < MESSAGES; n++) {
      await other.api.send(me.address, {
        body: `Message ${n}: the tide is at ${n % 24}:30 today, bring the small boat.`,
      });
    }
  }
  // Each is signed out when its last message has been acknowledged.
  await eventually(async () => {
    const { conversations } = await me.api.attach(() => {});
    if (conversations.filter((one) => one.last?.text.startsWith(`Message ${MESSAGES - 1}:`)).length < CHATS)
      throw new Error('not all has arrived');
  });
  for (const api of others) await api.signOut();
  return { number: me.address.split('@')[0]!, stop: () => me.api.signOut() };
}

async function person(server: Server, nick: string): Promise<{ api: Api; address: string }> {
  const config = {
    domain: server.domain,
    groups: `groups.${server.domain}`,
    websocket: server.websocket,
    origin: server.url,
  };
  const engine = new Engine({ config, keeps: false, conversations: makeMessages, connect: new Sockets().connect });
  const api = apiFor(engine);
  await api.attach(() => {});
  const { address } = await api.signUp({ nick, password: PASSWORD, place: 'own' });
  return { api, address };
}

async function eventually(what: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await what();
      return;
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function look(
  context: BrowserContext,
  network?: Network,
  cpu?: number,
): Promise<{ page: Page; bytes(): number }> {
  const page = await context.newPage();
  await page.addInitScript(instruments);
  const devtools = await slow(page, { cpu, network });
  let bytes = 0;
  devtools.on('Network.loadingFinished', (done) => (bytes += done.encodedDataLength));
  await devtools.send('Network.enable');
  return { page, bytes: () => bytes };
}

const fresh = (browser: Browser) => browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });

/** From the address to the field that one can write in. */
export async function signInPage(browser: Browser, server: Server): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, network, budget] of [
    ['sign-in usable, 4× CPU, 1.6 Mb/s', LINE, 1200],
    ['the same with 150 ms of latency', FAR, undefined],
  ] as const) {
    const values: number[] = [];
    let weight = 0;
    for (let run = 0; run < RUNS; run++) {
      const context = await fresh(browser);
      const { page, bytes } = await look(context, network, SLOW);
      await page.addInitScript(() => Object.assign(window, { at: window.bench.shown('input[name=username]') }));
      await page.goto(server.url, { waitUntil: 'commit' });
      await page.waitForSelector('input[name=username]');
      values.push(await page.evaluate(() => (window as unknown as { at: Promise<number> }).at));
      weight = bytes();
      await context.close();
    }
    figures.push({ name, values, unit: 'ms', budget, note: `${Math.round(weight / 1000)} kB on the wire` });
  }
  return figures;
}

/** From the press on "Sign in", and from the server's word that one is in, to the list. */
export async function signIn(browser: Browser, server: Server, number: string): Promise<Figure[]> {
  const all: number[] = [];
  const live: number[] = [];
  const counts: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const context = await fresh(browser);
    const { page } = await look(context);
    const frames = await listen(page);
    await page.goto(server.url);
    await page.fill('input[name=username]', number);
    await page.fill('input[name=password]', PASSWORD);
    const took = await page.evaluate(() =>
      window.bench.until(
        () => document.querySelector<HTMLElement>('button[type=submit]')!.click(),
        '[data-pane=side] li a',
      ),
    );
    const success = frames.find(({ sent, text }) => !sent && text.startsWith('<success'))!.at;
    // The page draws the list when the last answer of the beginning is there, so what it took is from the page's own clock.
    const pressed = frames.find(({ sent }) => sent)!.at;
    all.push(took);
    live.push(took - (success - pressed) * 1000);
    counts.push(trips(frames, success));
    await context.close();
  }
  return [
    { name: 'sign in, from the press to the list', values: all, unit: 'ms' },
    { name: 'authenticated → live list', values: live, unit: 'ms', budget: 500 },
    { name: 'round trips for it', values: counts, unit: 'trips', budget: 3, by: 'max' },
  ];
}

/** Somebody comes back to an own device, and opens one conversation after the other. */
export async function comeBack(browser: Browser, server: Server, number: string): Promise<Figure[]> {
  const context = await fresh(browser);
  const { page } = await look(context);
  await page.goto(server.url);
  await page.fill('input[name=username]', number);
  await page.fill('input[name=password]', PASSWORD);
  await page.getByText('My own device').click();
  await page.click('button[type=submit]');
  await page.waitForSelector('[data-pane=side] li a');
  await page.addInitScript(() => Object.assign(window, { at: window.bench.shown('[data-pane=side] li a') }));
  const warm: number[] = [];
  for (let run = 0; run <= 2 * RUNS; run++) {
    await page.goto('about:blank');
    await page.goto(server.url);
    const at = await page.evaluate(() => (window as unknown as { at: Promise<number> }).at);
    // The first one fills the browser's caches.
    if (run > 0) warm.push(at);
  }
  const figures: Figure[] = [{ name: 'warm start to the cached list', values: warm, unit: 'ms', budget: 300 }];
  for (const [cpu, budget] of [
    [1, 50],
    [SLOW, 100],
  ] as const) {
    const devtools = await slow(page, { cpu });
    await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
    const values: number[] = [];
    const before = await processorTime(devtools);
    for (let round = 0; round < 3; round++) {
      const links = await page
        .locator('[data-pane=side] li a')
        .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).hash));
      for (const hash of links) values.push(await openChat(page, hash));
    }
    const each = ((await processorTime(devtools)) - before) / values.length;
    const note = `${each.toFixed(1)} ms of processor time`;
    figures.push({ name: `open a chat, ${cpu}× CPU`, values, unit: 'ms', budget, by: 'p95', note });
    await devtools.detach();
  }
  await context.close();
  return figures;
}

/** Milliseconds from the press on a row to its messages. */
export async function openChat(page: Page, hash: string): Promise<number> {
  const took = await page.evaluate(async (to) => {
    const row = document.querySelector<HTMLElement>(`[data-pane=side] a[href="${CSS.escape(to)}"]`);
    const link = row ?? [...document.querySelectorAll<HTMLAnchorElement>('a')].find((one) => one.hash === to)!;
    // The conversation that is there now does not count as the one that is to come.
    document.querySelector('.list.settled')?.classList.add('before');
    return window.bench.until(() => link.click(), '.list.settled:not(.before) article');
  }, hash);
  return took;
}
