/** What one is told of what comes, and of what not: sounds, notifications, and numbers, with the real server. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server } from '../live/server';
import { type Person, befriend, complaints, launch, open, say, signUp } from './people';

const PATIENCE = { timeout: 15_000 };

/** What the page has made heard and shown. */
interface Told {
  tones: number;
  notices: string[];
  badge: number;
  hidden: boolean;
}
declare global {
  interface Window {
    told: Told;
  }
}

describe.skipIf(ROOKERY_BIN === undefined)('what one is told of', () => {
  let server: Server;
  let browser: Browser;
  let ann: Person;
  let bob: Person;
  let cleo: Person;

  beforeAll(async () => {
    server = await Server.start();
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'public');
    cleo = await signUp(browser, server, 'Cleo', 'public');
    bob = await signUp(browser, server, 'Bob', 'own', listen);
    await befriend(ann, bob);
    await befriend(cleo, bob);
    await open(ann, 'Contacts', 'Bob');
    await open(cleo, 'Contacts', 'Bob');
    await bob.page.evaluate(() => void (location.hash = '#/chats'));
    // Each conversation has its row, and what the server says by way of welcome is read.
    for (const who of [ann, cleo]) await say(who, 'hello');
    for (const name of ['localhost', 'Ann', 'Cleo']) {
      await open(bob, 'Chats', name);
      await rowOf(name).filter({ hasText: 'unread' }).waitFor({ state: 'detached' });
    }
    await bob.page.evaluate(() => void (location.hash = '#/chats'));
    await bob.page.waitForFunction(() => document.title === 'Rookery');
    await bob.page.evaluate(() => {
      window.told.hidden = true;
      window.told.tones = 0;
      document.dispatchEvent(new Event('visibilitychange'));
    });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  /** Runs in the page before anything else does. */
  function listen(): void {
    const told: Told = { tones: 0, notices: [], badge: 0, hidden: false };
    window.told = told;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when) {
      told.tones++;
      start.call(this, when);
    };
    const shown = Object.getOwnPropertyDescriptor(Document.prototype, 'visibilityState')!;
    Object.defineProperty(document, 'visibilityState', {
      get: () => (told.hidden ? 'hidden' : shown.get!.call(document)),
    });
    window.Notification = class {
      static permission = 'granted';
      constructor(title: string, options?: NotificationOptions) {
        told.notices.push(`${title}: ${options?.body}`);
      }
    } as unknown as typeof Notification;
    navigator.setAppBadge = async (count = 0) => void (told.badge = count);
  }

  const told = () =>
    bob.page.evaluate(() => ({
      ...window.told,
      icon: document.querySelector<HTMLLinkElement>('link[rel=icon]')!.getAttribute('href'),
    }));
  const rowOf = (name: string) => bob.page.getByRole('tabpanel').locator('a', { hasText: name });
  const badge = (name: string) => rowOf(name).locator('span:has(> .unseen)');
  const warm = (name: string) => badge(name).evaluate((node) => node.classList.contains('warm'));

  it('of a message: a sound, a notification, and the number', async () => {
    await say(ann, 'the kettle is on');
    await expect.poll(async () => (await told()).notices, PATIENCE).toEqual(['Ann: the kettle is on']);
    await badge('Ann').waitFor();
    expect(await warm('Ann')).toBe(true);
    const now = await told();
    expect(now).toMatchObject({ badge: 1, icon: '/icon-unread.svg' });
    expect(now.tones).toBeGreaterThan(0);
    expect(await bob.page.title()).toBe('(1) Rookery');
  });

  it('of a silent conversation: a grey number, and nothing else', async () => {
    await rowOf('Ann').click({ button: 'right' });
    await bob.page.getByRole('menuitemradio', { name: 'Silent' }).click();
    await rowOf('Ann').getByRole('img', { name: 'Silent' }).waitFor();
    // So far there was one message.
    const before = await told();
    await say(ann, 'and the herring, too');
    await rowOf('Ann').getByText('2 unread').waitFor({ state: 'attached' });
    // What comes next from somebody else is the next that one is told of.
    await say(cleo, 'is there herring?');
    await expect.poll(async () => (await told()).notices.at(-1), PATIENCE).toBe('Cleo: is there herring?');
    const after = await told();
    expect(after.notices.length).toBe(before.notices.length + 1);
    await expect.poll(async () => (await told()).tones - before.tones, PATIENCE).toBe(before.tones);
    expect([await warm('Ann'), await warm('Cleo')]).toEqual([false, true]);
    expect((await told()).badge).toBe(1);
    expect(await bob.page.title()).toBe('(1) Rookery');
    expect(complaints).toEqual([]);
  });

  it('of nothing any more, when all is read', async () => {
    await bob.page.evaluate(() => {
      window.told.hidden = false;
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await open(bob, 'Chats', 'Cleo');
    await expect.poll(told, PATIENCE).toMatchObject({ badge: 0, icon: '/icon.svg' });
  });
});
