/** Ways of saying something, with the real server between: who says it and who hears it are both looked at. */
import type { Browser, Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server } from '../live/server';
import { type Person, befriend, complaints, composer, launch, open, say, sees, signUp } from './people';

describe.skipIf(ROOKERY_BIN === undefined)('what is said, on both sides', () => {
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
    await open(bob, 'Contacts', 'Ann');
  });

  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail')
      for (const who of [ann, bob])
        await who?.page.screenshot({ path: `tests/pictures/said-${who.nick}-${task.id}.png` });
    expect(complaints).toEqual([]);
  });

  const last = (who: Person): Locator => who.page.locator('article').last();
  const row = (who: Person, text: string): Locator => who.page.locator('article', { hasText: text });

  /** A command of a message's menu. */
  async function command(message: Locator, name: string): Promise<void> {
    await message.click({ button: 'right' });
    await message.page().getByRole('menuitem', { name, exact: true }).click();
  }

  it('an urgent message says so', async () => {
    const { page } = ann;
    await composer(ann).fill('the ice is breaking');
    await page.getByRole('button', { name: 'How urgent is it?' }).click();
    await page.getByRole('menuitemradio', { name: 'Urgent' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Mark as urgent' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await composer(ann).press('Enter');
    await row(bob, 'the ice is breaking').getByText('Urgent', { exact: true }).waitFor();
    await row(ann, 'the ice is breaking').getByText('Urgent', { exact: true }).waitFor();
    expect(await row(bob, 'the ice is breaking').innerText()).not.toContain('‼');
  });

  it('a sticker is shown, not its name', async () => {
    await ann.page.getByRole('button', { name: 'Stickers' }).click();
    await ann.page.getByRole('button', { name: 'A fish for you' }).click();
    for (const who of [ann, bob]) await last(who).getByRole('img', { name: 'A fish for you' }).waitFor();
  });

  it('what is deleted for everyone is deleted for both', async () => {
    await say(ann, 'this was a slip');
    await sees(bob, 'this was a slip');
    await command(row(ann, 'this was a slip'), 'Delete for everyone');
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Delete for everyone' }).click();
    for (const who of [ann, bob]) {
      await last(who).getByText('Message deleted').waitFor();
      expect(await row(who, 'this was a slip').count()).toBe(0);
    }
  });
});
