/**
 * From nothing to talking, as three people do it who have never been here: at a desk, on a phone, and by an invitation, in
 * Chinese. Each step is asserted and filmed: `npm run story` leaves the pictures in their order in tests/pictures/story/.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { encode } from 'uqr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server } from '../live/server';
import { PASSWORD, complaints, launch, look } from './people';

const FOLDER = join(import.meta.dirname, '..', 'pictures', 'story');

const DESK: BrowserContextOptions = { viewport: { width: 1280, height: 800 }, locale: 'en-GB' };
const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
  colorScheme: 'dark',
  locale: 'en-GB',
};
const CHINESE: BrowserContextOptions = { ...DESK, locale: 'zh-CN' };

describe.skipIf(ROOKERY_BIN === undefined)('from nothing to talking', () => {
  let server: Server;
  let browser: Browser;
  let ann: Page;
  let ben: Page;
  let mei: Page;
  let number = '';
  let link = '';
  let began = 0;
  let taken = 0;

  beforeAll(async () => {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    server = await Server.start();
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  /** The next picture of the film, when all that it shows has been drawn. */
  async function film(page: Page, name: string): Promise<void> {
    await page.waitForFunction(() => [...document.images].every((image) => image.complete));
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    taken += 1;
    await page.screenshot({ path: join(FOLDER, `${String(taken).padStart(2, '0')}-${name}.png`) });
  }

  /** Somebody sits down who has never been here. */
  async function arrive(options: BrowserContextOptions, hash = ''): Promise<Page> {
    const context = await browser.newContext({ ...options, reducedMotion: 'reduce' });
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
    return look(context, server, hash);
  }

  const clipboard = (page: Page) => page.evaluate(() => navigator.clipboard.readText());
  const composer = (page: Page) => page.locator('.composer textarea');
  const message = (page: Page, text: string) => page.locator('article', { hasText: text });

  async function say(page: Page, text: string): Promise<void> {
    await composer(page).fill(text);
    await page.keyboard.press('Enter');
  }

  /** The drawn code is the one of this text. */
  async function expectQr(qr: Locator, text: string): Promise<void> {
    const { data } = encode(text, { border: 2 });
    const path = data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : ''))).join('');
    expect(await qr.locator('path').getAttribute('d')).toBe(path);
  }

  it('Ann opens the page, says what she is called, and has a number', async () => {
    began = Date.now();
    ann = await arrive(DESK);
    await ann.getByLabel('Number or name').waitFor();
    await film(ann, 'the-page');
    await ann.getByText('Get a number').click();
    await ann.getByLabel('What are you called?').fill('Ann');
    await ann.getByLabel('Choose a password').fill(PASSWORD);
    await film(ann, 'sign-up');
    await ann.getByRole('button', { name: 'Get my number' }).click();
    await ann.getByRole('heading', { name: 'This is your number' }).waitFor();
    number = await ann.locator('.nest .number').innerText();
    expect(number).toMatch(/^[1-9]\d{4,}$/);
    await film(ann, 'number');
  });

  it('her card is copied, shared, and read by a camera', async () => {
    await expectQr(ann.locator('.nest .qr'), `xmpp:${number}@${server.domain}`);
    await ann.getByRole('button', { name: 'Copy' }).click();
    expect(await clipboard(ann)).toBe(number);
    // Where the system has no sheet for sharing, the sentence is copied.
    await ann.getByRole('button', { name: 'Share' }).click();
    await expect.poll(() => clipboard(ann)).toContain(`my number is ${number}`);
    await ann.getByRole('button', { name: 'Go to my messages' }).click();
    await ann.getByRole('tab', { name: 'Contacts' }).waitFor();
    await film(ann, 'nobody-yet');
  });

  it('Ben signs up on his phone, and finds her by her number', async () => {
    ben = await arrive(PHONE);
    await ben.getByText('Get a number').click();
    await ben.getByLabel('What are you called?').fill('Ben');
    await ben.getByLabel('Choose a password').fill(PASSWORD);
    await ben.getByText('My own device').click();
    await ben.getByRole('button', { name: 'Get my number' }).click();
    await ben.getByRole('button', { name: 'Go to my messages' }).waitFor();
    await film(ben, 'number-on-a-phone');
    await ben.getByRole('button', { name: 'Go to my messages' }).click();
    await ben.getByRole('button', { name: 'Add', exact: true }).click();
    await ben.getByRole('menuitem', { name: 'Add a contact' }).click();
    const dialog = ben.getByRole('dialog');
    await dialog.getByLabel('Number, name or address').fill(number);
    await film(ben, 'by-number');
    await dialog.getByRole('button', { name: 'Find' }).click();
    // Whoever has not agreed to be found is a number until they accept.
    await dialog.getByText('once you are contacts').waitFor();
    await dialog.getByLabel('A word to go with it').fill('It is Ben, from the harbour.');
    await film(ben, 'found');
    await dialog.getByRole('button', { name: 'Send request' }).click();
    await dialog.waitFor({ state: 'detached' });
    await film(ben, 'asked');
  });

  it('his request comes with its words, and is accepted', async () => {
    await ann.getByRole('tab', { name: /Contacts/ }).click();
    const request = ann.getByRole('region', { name: /^Ben/ });
    await request.getByText('It is Ben, from the harbour.').waitFor();
    await film(ann, 'request');
    await request.getByRole('button', { name: 'Accept' }).click();
    await ann.getByText('1/1').waitFor();
    await film(ann, 'accepted');
  });

  it('they talk', async () => {
    await ann.getByRole('tabpanel').getByText('Ben', { exact: true }).first().click();
    await say(ann, 'Ben! How is the ice?');
    await ben.getByRole('button', { name: 'Send a message' }).or(composer(ben)).first().click();
    await message(ben, 'How is the ice?').waitFor();
    await message(ann, 'How is the ice?').getByRole('img', { name: 'read' }).waitFor();
    console.log(`From an empty page to a message that was read: ${((Date.now() - began) / 1000).toFixed(1)} s.`);
    await composer(ben).pressSequentially('Thick');
    await ann.locator('.typing svg').waitFor();
    await film(ann, 'typing');
    await composer(ben).fill('Thick, and very slippery. Soup at four?');
    await ben.getByRole('button', { name: 'Send', exact: true }).tap();
    await message(ann, 'Soup at four?').waitFor();
    await say(ann, 'With *fish*, I hope 🐟');
    await message(ben, 'I hope').waitFor();
    await message(ann, 'I hope').getByRole('img', { name: 'read' }).waitFor();
    await film(ben, 'talking-on-a-phone');
    await film(ann, 'talking');
  });

  it('Ann makes an invitation for somebody who has no number', async () => {
    await ann.getByRole('button', { name: 'Add', exact: true }).click();
    await ann.getByRole('menuitem', { name: 'Invite somebody' }).click();
    const dialog = ann.getByRole('dialog');
    link = await dialog.locator('.url').innerText();
    await expectQr(dialog.locator('.qr'), link);
    await dialog.getByRole('button', { name: 'Copy' }).click();
    expect(await clipboard(ann)).toBe(link);
    await film(ann, 'invitation');
    await ann.keyboard.press('Escape');
  });

  it('小梅 opens the link, signs up, and they are contacts already', async () => {
    const token = link.split('/').at(-1);
    mei = await arrive(CHINESE, `#/invite/${token}`);
    await mei.locator('input[autocomplete=nickname]').fill('小梅');
    await mei.locator('input[autocomplete=new-password]').fill(PASSWORD);
    await film(mei, 'invited');
    await mei.locator('button[type=submit]').click();
    await mei.locator('.nest').waitFor();
    await film(mei, 'number-in-chinese');
    await mei.getByRole('button', { name: '进入我的消息' }).click();
    await mei.getByRole('tab', { name: /联系人/ }).click();
    await mei.getByRole('tabpanel').getByText('Ann', { exact: true }).click();
    await say(mei, '你好,Ann!我是小梅。');
    await ann.getByRole('tab', { name: /Chats/ }).click();
    await ann.getByRole('tabpanel').getByText('小梅', { exact: true }).click();
    await message(ann, '我是小梅').waitFor();
    await say(ann, '小梅!欢迎。');
    await message(mei, '欢迎').waitFor();
    await film(mei, 'talking-in-chinese');
    await film(ann, 'all-three');
    expect(complaints).toEqual([]);
  });
});
