/** Finding what was said long ago, with the real server: in the conversation, everywhere, and by its date. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TalkingPage } from '../live/page';
import { ROOKERY_BIN, Server } from '../live/server';
import { type Person, PASSWORD, befriend, complaints, launch, open, row, say, signUp } from './people';

/** More than the page holds at once, so that a jump has to fetch. */
const MANY = 230;
const PATIENCE = { timeout: 15_000 };
const NEWEST = `and then ${MANY - 1}.`;

describe.skipIf(ROOKERY_BIN === undefined)('what was said long ago', () => {
  let server: Server;
  let browser: Browser;
  let ann: Person;
  let bob: Person;

  beforeAll(async () => {
    server = await Server.start();
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'public');
    bob = await signUp(browser, server, 'Bob', 'own');
    await befriend(ann, bob);
    await open(ann, 'Contacts', 'Bob');
    await say(ann, 'the ice is breaking');
    await say(ann, 'a walrus came by');
    await row(ann, 'a walrus came by')
      .getByRole('img', { name: /stored|delivered|read/ })
      .waitFor();
    const telephone = new TalkingPage(server);
    await telephone.attach();
    await telephone.api.signIn({ user: ann.number, password: PASSWORD, place: 'own' });
    for (let i = 0; i < MANY; i++) await telephone.api.send(`${bob.number}@localhost`, { body: `and then ${i}.` });
    await row(ann, NEWEST).waitFor();
    await telephone.engine.signOut('asked');
    // Loaded again, the page knows the end only.
    await bob.page.reload();
    for (const [who, name] of [
      [ann, 'Bob'],
      [bob, 'Ann'],
    ] as const) {
      await open(who, 'Chats', name);
      const end = who.page.getByRole('button', { name: 'To the newest message' });
      if (await end.isVisible()) await end.click();
      await row(who, NEWEST).waitFor();
    }
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  it('is found in the conversation, and jumped to', async () => {
    for (const who of [ann, bob]) {
      await who.page.getByRole('button', { name: 'Search here' }).click();
      await who.page.getByRole('searchbox', { name: 'Words' }).fill('walrus');
      const hits = who.page.locator('.hits').getByRole('button', { name: /walrus/ });
      await hits.click();
      await expect.poll(() => inView(who, 'a walrus came by'), PATIENCE).toBe(true);
      await toEnd(who);
      await who.page.getByRole('button', { name: 'Search here' }).click();
    }
    expect(complaints).toEqual([]);
  });

  it('is found among everything, and jumped to', async () => {
    for (const who of [ann, bob]) {
      const field = who.page.getByRole('searchbox', { name: 'Search', exact: true });
      await field.fill('walrus');
      await who.page
        .getByRole('tabpanel')
        .getByRole('button', { name: /walrus/ })
        .click();
      await expect.poll(() => inView(who, 'a walrus came by'), PATIENCE).toBe(true);
      await toEnd(who);
    }
    expect(complaints).toEqual([]);
  });

  it('is reached by its date', async () => {
    for (const who of [ann, bob]) {
      await toTop(who);
      const today = await who.page.evaluate(() => new Date().toLocaleDateString('sv'));
      await who.page.getByLabel('Go to a date').first().fill(today);
      await expect.poll(() => inView(who, 'the ice is breaking'), PATIENCE).toBe(true);
    }
    expect(complaints).toEqual([]);
  });

  async function toEnd(who: Person): Promise<void> {
    await who.page.getByRole('button', { name: 'To the newest message' }).click();
    await expect.poll(() => inView(who, NEWEST), PATIENCE).toBe(true);
  }

  /** Scrolls up until the mark of a day is there. */
  async function toTop(who: Person): Promise<void> {
    const up = async () => {
      await who.page.locator('.frame .box').evaluate((box) => (box.scrollTop = 0));
      return who.page.getByLabel('Go to a date').count();
    };
    await expect.poll(up, PATIENCE).toBeGreaterThan(0);
  }

  async function inView(who: Person, text: string): Promise<boolean> {
    const message = row(who, text);
    if ((await message.count()) === 0) return false;
    return message.first().evaluate((node) => {
      const box = node.closest('.box')!.getBoundingClientRect();
      const { top, bottom } = node.getBoundingClientRect();
      return bottom > box.top && top < box.bottom;
    });
  }
});
