/** What goes by mail, with the real server and a mail server that keeps what it is given: links for lost passwords, what waits for one, and answers. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server, freePort } from '../live/server';
import { Smarthost } from '../live/smarthost';
import {
  NOTHING,
  PASSWORD,
  type Person,
  befriend,
  complaints,
  kept,
  launch,
  look,
  open,
  say,
  sees,
  signUp,
} from './people';

const MAILBOX = 'ann@verona.example';
const ANOTHER = 'another penguin on the ice';

describe.skipIf(ROOKERY_BIN === undefined)('letters', () => {
  let smarthost: Smarthost;
  let server: Server;
  let browser: Browser;
  let ann: Person;
  /** Where mail comes in. */
  let inward: number;

  beforeAll(async () => {
    smarthost = await Smarthost.start();
    inward = await freePort();
    server = await Server.start({ config: smarthost.config(inward) });
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'own');
  });

  afterAll(async () => {
    await browser?.close();
    await server?.remove();
    smarthost?.end();
  });

  it('a mailbox is confirmed by the code that is sent there', async () => {
    const { page } = ann;
    await page.goto(`${server.url}/#/settings/reach`);
    await page.getByLabel('Address or number').fill(MAILBOX);
    await page.getByRole('button', { name: 'Send a code' }).click();
    const mail = await smarthost.next();
    expect(mail.to).toBe(MAILBOX);
    await page.getByLabel('Code from the message').fill(/\d{6}/.exec(mail.text)![0]);
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('button', { name: 'Test it now' }).waitFor();
  });

  it('who has forgotten the password gets a link there, and back in', async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
    const page = await look(context, server);
    const ask = async (who: string) => {
      await page.getByRole('link', { name: 'Forgot the password?' }).click();
      await page.getByLabel('Number, name or mail address').fill(who);
      await page.getByRole('button', { name: 'Send the link' }).click();
      await page.getByText('If there is such an account').waitFor();
      await page.getByRole('link', { name: 'Back to signing in' }).click();
    };
    // The same words for who is nobody; the letter that comes is for the second.
    await ask('99999');
    await ask(ann.number);
    const mail = await smarthost.next();
    expect(mail.to).toBe(MAILBOX);
    const link = /http:\S+\/#\/recover\/\S+/.exec(mail.text)![0];
    await page.goto(link);
    await page.getByLabel('New password').fill(ANOTHER);
    await page.getByLabel('The same once more').fill(ANOTHER);
    await page.getByRole('button', { name: 'Save and sign in' }).click();
    await page.getByRole('tab', { name: 'Contacts' }).waitFor();
    // Her own device was signed out with the old password.
    await ann.page.getByLabel('Number or name').waitFor();
    const stale = await look(context, server, link.slice(server.url.length + 1));
    await stale.getByLabel('New password').fill(PASSWORD);
    await stale.getByLabel('The same once more').fill(PASSWORD);
    await stale.getByRole('button', { name: 'Save and sign in' }).click();
    await stale.getByText('This link is no longer good').waitFor();
    // She is not here any more.
    await context.close();
  });

  it('a letter tells of what waits, lets in once, and is answered', async () => {
    const bob = await signUp(browser, server, 'Bob', 'public');
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
    context.setDefaultTimeout(15_000);
    bob.context.setDefaultTimeout(15_000);
    const page = await look(context, server);
    await page.getByLabel('Number or name').fill(ann.number);
    await page.getByLabel('Password', { exact: true }).fill(ANOTHER);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('tab', { name: 'Contacts' }).waitFor();
    const back: Person = { ...ann, page, context };
    await befriend(bob, back);
    // At once, of everything.
    await page.goto(`${server.url}/#/settings/reach`);
    await page.getByLabel('Reach me when I am not here').check();
    await page.getByRole('button', { name: 'Add a step' }).click();
    await page.getByLabel('Minutes after the message').fill('0');
    await page.getByLabel('For', { exact: true }).selectOption('normal');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved').first().waitFor();
    await context.close();

    await open(bob, 'Contacts', 'Ann');
    await say(bob, 'Are you coming?');
    const mail = await smarthost.next();
    expect(mail.to).toBe(MAILBOX);
    expect(mail.text).toContain('Are you coming?');
    expect(mail.data).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);

    const answer = /^Reply-To: .*<(.*)>\r$/m.exec(mail.data)![1]!;
    await smarthost.send(inward, MAILBOX, answer, 'At eight.\r\n\r\nOn Monday, localhost wrote:\r\n> Are you coming?');
    await sees(bob, 'At eight.');

    const library = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
    library.setDefaultTimeout(15_000);
    const link = /\/(#\/enter\/\S+)/.exec(mail.text)![1]!;
    const there = await look(library, server, link);
    await there.getByRole('button', { name: 'Read it here' }).click();
    await there.getByText('Are you coming?').first().waitFor();
    expect(there.url()).toContain(`#/chats/${bob.number}@localhost`);
    expect(await kept({ page: there, context: library })).toEqual(NOTHING);
    const again = await look(library, server, link);
    await again.getByRole('button', { name: 'Read it here' }).click();
    await again.getByText('lets nobody in any more').waitFor();

    // Who is signed in already is led to the conversation, and nobody else is.
    const visit = (who: Page) => who.evaluate((to) => void (location.hash = to), new URL(link, server.url).hash);
    await there.evaluate(() => void (location.hash = '#/settings/profile'));
    await visit(there);
    await there.waitForURL(`**/#/chats/${bob.number}@localhost`);
    await there.getByText('Are you coming?').first().waitFor();
    await visit(bob.page);
    await bob.page.getByText(`This link is for ${ann.number}@localhost.`).waitFor();
    await bob.page.getByRole('button', { name: 'To my messages' }).click();
    await library.close();
  }, 120_000);

  it('without a word of complaint', () => {
    expect(complaints).toEqual([]);
  });
});
