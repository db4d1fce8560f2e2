/** What goes by mail, with the real server and a mail server that keeps what it is given: links for lost passwords. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server, freePort } from '../live/server';
import { Smarthost } from '../live/smarthost';
import { PASSWORD, type Person, complaints, launch, look, signUp } from './people';

const MAILBOX = 'ann@verona.example';
const ANOTHER = 'another penguin on the ice';

describe.skipIf(ROOKERY_BIN === undefined)('letters', () => {
  let smarthost: Smarthost;
  let server: Server;
  let browser: Browser;
  let ann: Person;

  beforeAll(async () => {
    smarthost = await Smarthost.start();
    server = await Server.start({ config: smarthost.config(await freePort()) });
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
  });

  it('without a word of complaint', () => {
    expect(complaints).toEqual([]);
  });
});
