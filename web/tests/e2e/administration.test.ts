/**
 * What an administrator does in the browser, with the real server, and what those see whom it is done to: from a new account that
 * waits to a link for who has forgotten the password, and the second factor that guards all of it.
 */
import { createHmac } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server } from '../live/server';
import {
  type Person,
  PASSWORD,
  befriend,
  command,
  complaints,
  composer,
  fillIn,
  launch,
  look,
  newContext,
  open,
  row,
  say,
  sees,
  signIn,
} from './people';

/** The server takes a sample of itself each minute; a plot wants three. */
const MINUTES = { timeout: 200_000, interval: 5_000 };

describe.skipIf(ROOKERY_BIN === undefined)('administration', () => {
  let server: Server;
  let browser: Browser;
  let ann: Person;
  let annsPassword = '';
  let bob: Person;
  let cleo: Person;

  beforeAll(async () => {
    server = await Server.start({ registration: 'review' });
    browser = await launch();
    const made = server.command('account', 'create', '--nick', 'Ann', '--generate-password');
    const [number, password] = [/account (\d+)@/.exec(made)?.[1], /password is (\S+)/.exec(made)?.[1]];
    if (!number || !password) throw new Error(made);
    server.command('account', 'admin', number, 'on');
    annsPassword = password;
    ann = await signIn(browser, server, { nick: 'Ann', number }, password);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail')
      for (const who of [ann, bob, cleo])
        await who?.page.screenshot({ path: `tests/pictures/failed-${who.nick}-${task.id}.png` });
    expect(complaints).toEqual([]);
  });

  const dialog = (page: Page) => page.getByRole('dialog');
  const main = () => ann.page.locator('main');

  async function go(page: Page, hash: string): Promise<void> {
    await page.evaluate((to) => void (location.hash = to), hash);
  }

  /** The page of the administration for this account. */
  async function account(who: Person): Promise<void> {
    await go(ann.page, `#/admin/people/${who.number}`);
    await main().getByRole('heading', { name: who.nick }).waitFor();
  }

  /** Signs out, and in again: nothing was kept. */
  async function again({ page, number }: Person): Promise<void> {
    await page.reload();
    await fillIn(page, number);
    await page.getByRole('tab', { name: 'Contacts' }).waitFor();
  }

  async function press(name: string): Promise<void> {
    await main().getByRole('button', { name, exact: true }).click();
  }

  it('who is new waits until an administrator lets them in', async () => {
    const context = await newContext(browser);
    const page = await look(context, server, '#/sign-up');
    await page.getByLabel('What are you called?').fill('Bob');
    await page.getByLabel('Choose a password').fill(PASSWORD);
    await page.getByLabel('A name to sign in with').fill('bob');
    await page.getByRole('button', { name: 'Get my number' }).click();
    await page.getByText('The people who run localhost look at new accounts').waitFor();
    const number = await page.locator('.number').innerText();
    await page.getByRole('button', { name: 'Go to my messages' }).click();
    await page.getByRole('tab', { name: 'Contacts' }).waitFor();
    bob = { page, context, nick: 'Bob', number };
    // Nobody but administrators is found, or written to.
    await go(page, `#/contacts/nobody@localhost`);
    await composer(bob).waitFor();
    await say(bob, 'is anybody there?');
    await page.getByText('Your account waits for an administrator').waitFor();
    await go(page, `#/contacts/${ann.number}@localhost`);
    await say(bob, 'may I come in?');
    await open(ann, 'Chats', 'bob');
    await sees(ann, 'may I come in?');

    await go(ann.page, '#/admin/review');
    const waiting = main().getByRole('listitem').filter({ hasText: /bob/i });
    await waiting.getByRole('button', { name: 'Let in' }).click();
    await main().getByText('No account waits').waitFor();
    await open(bob, 'Chats', 'localhost');
    await sees(bob, 'Your account is approved: you can talk to everybody here.');
  });

  it('who is refused has no account', async () => {
    const context = await newContext(browser);
    const page = await look(context, server, '#/sign-up');
    await page.getByLabel('What are you called?').fill('Mallory');
    await page.getByLabel('Choose a password').fill(PASSWORD);
    await page.getByLabel('A name to sign in with').fill('mallory');
    await page.getByRole('button', { name: 'Get my number' }).click();
    await page.getByText('look at new accounts').waitFor();
    await page.getByRole('button', { name: 'Go to my messages' }).click();

    await go(ann.page, '#/admin/home');
    await go(ann.page, '#/admin/review');
    const waiting = main()
      .getByRole('listitem')
      .filter({ hasText: /mallory/i });
    await waiting.getByRole('button', { name: 'Refuse' }).click();
    await dialog(ann.page).getByRole('button', { name: 'Refuse' }).click();
    await main().getByText('No account waits').waitFor();
    await page.getByText('This account was switched off or deleted').waitFor();
    await fillIn(page, 'mallory');
    await page.getByText('do not belong together').waitFor();
    await context.close();
  });

  it('an invitation made here lets somebody in at once, as a contact', async () => {
    await go(ann.page, '#/admin/invitations');
    await press('Make an invitation');
    const link = await main().locator('.url').innerText();
    const context = await newContext(browser);
    const page = await context.newPage();
    // As the server knows itself; it is reached as these pages were.
    await page.goto(server.url + new URL(link).pathname);
    await page.getByRole('link', { name: 'Open it in the messenger' }).click();
    await page.getByLabel('What are you called?').fill('Cleo');
    await page.getByLabel('Choose a password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Get my number' }).click();
    const on = page.getByRole('button', { name: 'Go to my messages' });
    await on.waitFor();
    const number = /\b[1-9]\d{4,}\b/.exec(await page.locator('main').innerText())![0];
    await on.click();
    cleo = { page, context, nick: 'Cleo', number };
    await open(cleo, 'Contacts', 'Ann');
    await go(ann.page, '#/admin/home');
    await go(ann.page, '#/admin/invitations');
    await main().getByText('No invitation is open').waitFor();
  });

  it('a message that is reported arrives with what it says, and is removed for good', async () => {
    await befriend(bob, cleo);
    await open(cleo, 'Contacts', 'Bob');
    await open(bob, 'Contacts', 'Cleo');
    await say(cleo, 'you have won a boat');
    await sees(bob, 'you have won a boat');
    await command(row(bob, 'won a boat'), 'Report');
    await dialog(bob.page).getByRole('textbox').fill('there is no boat');
    await dialog(bob.page).getByRole('button', { name: 'Report' }).click();
    await bob.page.getByText('Reported and blocked.').waitFor();

    await go(ann.page, '#/admin/reports');
    await main().getByRole('listitem').getByRole('button').click();
    await main().locator('blockquote').getByText('you have won a boat').waitFor();
    await main().getByText('there is no boat').waitFor();
    await press('Remove the messages');
    await dialog(ann.page).getByRole('button', { name: 'Remove the messages' }).click();
    await main().getByText('No report waits').waitFor();
    // Who is here keeps what there is until the page is opened anew; the archive has a tombstone.
    for (const who of [bob, cleo]) {
      await again(who);
      await go(who.page, `#/chats/${who === bob ? `${cleo.number}@localhost` : 'bob@localhost'}`);
      await who.page.locator('article').getByText('Message deleted').waitFor();
      expect(await row(who, 'won a boat').count()).toBe(0);
    }
    await go(bob.page, `#/chats/${cleo.number}@localhost/info`);
    await bob.page.locator('aside').getByRole('button', { name: 'Unblock' }).click();
    await composer(bob).waitFor();
  });

  it('who is disabled is out at once, is told so when coming back, and is in again afterwards', async () => {
    await account(cleo);
    await press('Disable');
    await dialog(ann.page).getByRole('button', { name: 'Disable' }).click();
    await main().getByText('Disabled', { exact: true }).waitFor();
    await cleo.page.getByText('This account was switched off or deleted. Ask the people who run localhost.').waitFor();
    await fillIn(cleo.page, cleo.number);
    await cleo.page.getByText('This account is switched off. Ask the people who run localhost.').waitFor();
    await press('Enable again');
    await main().getByText('Disabled', { exact: true }).waitFor({ state: 'detached' });
    await fillIn(cleo.page, cleo.number);
    await cleo.page.getByRole('tab', { name: 'Contacts' }).waitFor();
  });

  it('all sessions of somebody are ended', async () => {
    await account(cleo);
    await press('End all sessions');
    await cleo.page.getByText('The people who run localhost have signed you out.').waitFor();
    await fillIn(cleo.page, cleo.number);
    await cleo.page.getByRole('tab', { name: 'Contacts' }).waitFor();
  });

  it('where a message is, is told without what it says', async () => {
    await open(cleo, 'Contacts', 'Bob');
    await say(cleo, 'the tide comes at nine');
    await sees(bob, 'the tide comes at nine');
    await row(cleo, 'the tide').getByRole('img', { name: /read/i }).waitFor();
    await go(ann.page, '#/admin/home');
    await main().getByRole('link', { name: 'Where is my message?' }).click();
    await main().getByLabel('Whose message').fill(cleo.number);
    await main().getByLabel('The other side of the conversation').fill(bob.number);
    await press('Carry out');
    await main().getByText('Taken by the server').waitFor();
    await main()
      .getByRole('cell', { name: /^Sent by .*; stored\.$/ })
      .waitFor();
    await main().getByRole('cell', { name: 'Read.' }).waitFor();
    expect(await main().innerText()).not.toContain('tide');
    await ann.page.screenshot({ path: 'tests/pictures/live-trace.png' });
  });

  it('a link for who has forgotten the password is good once, and ends all sessions', async () => {
    await account(bob);
    await press('Reset sign-in');
    await dialog(ann.page).getByRole('button', { name: 'Reset sign-in' }).click();
    const link = new URL(await main().locator('.url').innerText());
    const context = await newContext(browser);
    const page = await look(context, server, link.hash);
    await page.getByLabel('New password').fill('an entirely new one');
    await page.getByLabel('The same once more').fill('an entirely new one');
    await page.getByRole('button', { name: 'Save and sign in' }).click();
    await page.getByRole('tab', { name: 'Contacts' }).waitFor();
    await bob.page.getByText('The password was changed. Please sign in again.').waitFor();
    await fillIn(bob.page, 'bob');
    await bob.page.getByText('do not belong together').waitFor();
    const again = await look(context, server, link.hash);
    await again.getByLabel('New password').fill('yet another one');
    await again.getByLabel('The same once more').fill('yet another one');
    await again.getByRole('button', { name: 'Save and sign in' }).click();
    await again.getByText('This link is no longer good').waitFor();
    await bob.context.close();
    bob = { ...bob, page, context };
  });

  /** The code of a key (RFC 6238), `ahead` steps from now. */
  function code(key: string, ahead: number): string {
    const bits = [...key].map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'));
    const bytes = bits.join('').match(/.{8}/g)!;
    const step = Buffer.alloc(8);
    step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
    const digest = createHmac('sha1', Buffer.from(bytes.map((byte) => parseInt(byte, 2))))
      .update(step)
      .digest();
    const word = digest.readUInt32BE(digest[19]! & 15) & 0x7fffffff;
    return String(word % 1_000_000).padStart(6, '0');
  }

  it('a second factor is set up by its QR code; each sign-in proves it anew before it administers', async () => {
    await go(ann.page, '#/admin/home');
    await main().getByRole('link', { name: 'My second factor' }).click();
    await main().getByRole('img', { name: 'The same as a link' }).waitFor();
    const key = /\b[A-Z2-7]{32}\b/.exec(await main().innerText())![0];
    await ann.page.screenshot({ path: 'tests/pictures/live-factor.png' });
    const digits = main().getByLabel('The six digits');
    await digits.fill('000000');
    await press('Carry out');
    await main().getByText('This is not the code of now').waitFor();
    await digits.fill(code(key, -1));
    await press('Carry out');
    await main().getByText('From now on administering the server takes a code.').waitFor();

    const second = await signIn(browser, server, ann, annsPassword);
    const { page } = second;
    await go(page, '#/admin/people');
    await page.getByRole('alert').getByRole('link', { name: 'Confirm that it is you' }).click();
    const field = page.getByLabel('The six digits');
    await field.fill('000000');
    await page.getByRole('button', { name: 'Carry out' }).click();
    await page.getByText('This is not the code of now').waitFor();
    // A code is good once.
    await field.fill(code(key, -1));
    await page.getByRole('button', { name: 'Carry out' }).click();
    await page.getByText('This is not the code of now').waitFor();
    await field.fill(code(key, 1));
    await page.getByRole('button', { name: 'Carry out' }).click();
    await page.locator('main li a').getByText('Ann').waitFor();
    await second.context.close();
  });

  it('how the server is and was stands in figures and plots', async () => {
    await go(ann.page, '#/admin/home');
    await main().getByRole('link', { name: 'How the server is' }).click();
    const figure = async (name: string) =>
      Number(await main().locator('dl > div', { hasText: name }).locator('dd').innerText());
    await main().getByText('Uploaded files', { exact: true }).waitFor();
    expect(await figure('Accounts')).toBe(3);
    expect(await figure('Sessions that are connected')).toBe(3);
    const plots = main().locator('polyline');
    await expect
      .poll(async () => {
        await press('Once more');
        await main().getByText('Uploaded files', { exact: true }).waitFor();
        return plots.count();
      }, MINUTES)
      .toBe(4);
    for (const plot of await plots.all())
      expect((await plot.getAttribute('points'))!.split(' ').length).toBeGreaterThan(2);
    await ann.page.screenshot({ path: 'tests/pictures/live-health.png', fullPage: true });
  }, 240_000);
});
