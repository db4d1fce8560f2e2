/** What one says of oneself and takes along, with the real server: the card, who may see and find one, the archive of everything. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server } from '../live/server';
import { type Person, befriend, complaints, composer, launch, open, plus, row, say, sees, signUp } from './people';

describe.skipIf(ROOKERY_BIN === undefined)('oneself', () => {
  let server: Server;
  let browser: Browser;
  let ann: Person;
  let bob: Person;

  beforeAll(async () => {
    server = await Server.start({ config: '[http]\npublic_url = "{url}"' });
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'own');
    bob = await signUp(browser, server, 'Bob', 'public');
    await befriend(ann, bob);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail')
      for (const who of [ann, bob])
        await who?.page.screenshot({ path: `tests/pictures/failed-${who.nick}-${task.id}.png` });
    expect(complaints).toEqual([]);
  });

  const go = (page: Page, hash: string) => page.evaluate((to) => void (location.hash = to), hash);

  it('a contact sees the card that one writes, and its name at once', async () => {
    const { page } = ann;
    await go(page, '#/settings/profile');
    await page.getByLabel('About').fill('Keeper of the light');
    await page.getByLabel('Interests').fill('Tides, Chess');
    await page.getByLabel('Place').fill('Skerryvore');
    await page.getByLabel('Website').fill('https://light.example');
    await page.getByLabel('Name to show').fill('Annie');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved').waitFor();
    await open(bob, 'Contacts', 'Annie');
    await go(bob.page, `#/contacts/${ann.number}@localhost/info`);
    const card = bob.page.locator('aside');
    for (const text of ['Keeper of the light', 'Skerryvore', 'Tides', 'Chess'])
      await card.getByText(text, { exact: true }).waitFor();
    expect(await card.getByRole('link', { name: /light\.example/ }).getAttribute('href')).toMatch(/^https:\/\/light/);
    await page.reload();
    await expect.poll(() => page.getByLabel('Place').inputValue()).toBe('Skerryvore');
  });

  it('who is not to be added is not asked, and it stays so', async () => {
    const { page } = ann;
    await go(page, '#/settings/privacy');
    await page.getByLabel('Who may ask to become a contact').selectOption({ label: 'Nobody' });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved').waitFor();
    await page.reload();
    const shown = page.getByLabel('Who may ask to become a contact');
    await expect.poll(() => shown.evaluate((one: HTMLSelectElement) => one.selectedOptions[0]?.text)).toBe('Nobody');
    const cleo = await signUp(browser, server, 'Cleo', 'public');
    await plus(cleo, 'Add a contact');
    const dialog = cleo.page.getByRole('dialog');
    await dialog.getByRole('textbox').first().fill(ann.number);
    await cleo.page.keyboard.press('Enter');
    await dialog.getByRole('button', { name: 'Send request' }).click();
    await dialog.waitFor({ state: 'hidden' });
    // What Bob says afterwards has come, and a request has not.
    await composer(bob).waitFor();
    await say(bob, 'anybody new?');
    await go(page, '#/contacts');
    await open(ann, 'Chats', 'Bob');
    await sees(ann, 'anybody new?');
    await page.getByRole('tab', { name: /Contacts/ }).click();
    expect(await page.getByRole('region', { name: /Cleo/ }).count()).toBe(0);
    await cleo.context.close();
  });

  it('the archive has the card, the contacts and what was said, and its link is good once', async () => {
    const { page } = ann;
    await say(ann, 'only the gulls');
    await row(ann, 'only the gulls').getByRole('img').first().waitFor();
    await go(page, '#/settings/account');
    await page.getByRole('button', { name: 'Make an archive' }).click();
    const link = page.getByRole('link', { name: /Download|Save/ });
    const url = await link.getAttribute('href');
    const folder = mkdtempSync(join(tmpdir(), 'rookery-export-'));
    try {
      const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
      const file = join(folder, 'all.zip');
      await download.saveAs(file);
      const account = execFileSync('unzip', ['-p', file, '*account.xml'], { encoding: 'utf8' });
      for (const text of ['Keeper of the light', `${bob.number}@localhost`, 'only the gulls', 'anybody new?'])
        expect(account).toContain(text);
      expect(account).not.toContain('penguin on the ice');
      const pages = execFileSync('unzip', ['-p', file, '*.html'], { encoding: 'utf8' });
      expect(pages).toContain('only the gulls');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    expect((await fetch(url!)).status).toBe(404);
  });
});
