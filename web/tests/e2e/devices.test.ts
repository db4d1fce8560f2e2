/** Devices of one account with the real server behind them: one lets another in, and ends it again. */
import type { Browser, Page } from 'playwright-core';
import { encode } from 'uqr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server } from '../live/server';
import { type Person, NOTHING, befriend, complaints, kept, launch, look, open, say, sees, signUp } from './people';

describe.skipIf(ROOKERY_BIN === undefined)('devices', () => {
  let server: Server;
  let browser: Browser;
  let ann: Person;
  let bob: Person;
  let library: Person;
  let laptop: Person;

  beforeAll(async () => {
    server = await Server.start();
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'own');
    bob = await signUp(browser, server, 'Bob', 'public');
    await befriend(ann, bob);
    await open(ann, 'Contacts', 'Bob');
    await say(ann, 'Hello Bob');
  });

  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  /** A computer on which nobody is signed in asks to be let in; with what its QR code names. */
  async function asks(place: 'public' | 'own' = 'public'): Promise<{ there: Person; id: string }> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
    const page = await look(context, server);
    const begun = () => page.waitForResponse((answer) => answer.url().endsWith('/account/pair'));
    let answer = begun();
    await page.getByRole('link', { name: 'Sign in with another device' }).click();
    await answer;
    if (place === 'own') {
      answer = begun();
      await page.getByText('My own device').click();
    }
    const { id } = (await (await answer).json()) as { id: string };
    await page.locator('.qr svg').waitFor();
    return { there: { page, context, nick: 'somebody', number: '' }, id };
  }

  const digits = (page: Page) => page.locator('.code').innerText();
  const isIn = (page: Page) => page.getByRole('tab', { name: 'Contacts' }).waitFor();
  const form = (page: Page) => page.getByLabel('Number or name').waitFor();
  const devices = (page: Page) => page.goto(`${server.url}/#/settings/devices`);

  it('a public computer is let in by its QR code, and has everything', async () => {
    const { there, id } = await asks();
    library = there;
    // What a camera reads.
    const link = `${server.url}/#/pair/${id}`;
    const { data, size } = encode(link, { border: 2 });
    const path = data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : ''))).join('');
    expect(await there.page.locator('.qr svg').getAttribute('viewBox')).toBe(`0 0 ${size} ${size}`);
    expect(await there.page.locator('.qr path').getAttribute('d')).toBe(path);
    const scanned = await look(ann.context, server, `#/pair/${id}`);
    await scanned.getByText('Chrome · Linux').waitFor();
    await scanned.getByText('It is a public computer').waitFor();
    expect(await scanned.locator('strong').innerText()).toBe(await digits(there.page));
    await scanned.getByRole('button', { name: 'Approve' }).click();
    await scanned.getByText('It is signed in.').waitFor();
    await isIn(there.page);
    await open(there, 'Contacts', 'Bob');
    await sees(there, 'Hello Bob');
    await say(there, 'from the library');
    await open(bob, 'Chats', 'Ann');
    await sees(bob, 'from the library');
    expect(await kept(there)).toEqual(NOTHING);
    await scanned.close();
    expect(complaints).toEqual([]);
  });

  it('it comes back by itself when the connection is lost', async () => {
    await server.end('SIGKILL');
    await say(library, 'while it was away');
    await server.run();
    await sees(bob, 'while it was away');
  });

  it('a public computer lets nobody in', async () => {
    const { there, id } = await asks();
    await library.page.goto(`${server.url}/#/settings/devices`);
    await library.page.getByText('Public computer').waitFor();
    expect(await library.page.getByRole('button', { name: 'Sign in another device' }).count()).toBe(0);
    await library.page.goto(`${server.url}/#/pair/${id}`);
    await library.page.getByText('A public computer lets no other device in.').waitFor();
    await library.page.getByRole('button', { name: 'Close' }).click();
    await library.page.getByText('Public computer').waitFor();
    await there.context.close();
  });

  it('one that is refused is told, and may try again', async () => {
    const { there, id } = await asks();
    const scanned = await look(ann.context, server, `#/pair/${id}`);
    await scanned.getByRole('button', { name: 'Refuse' }).click();
    await scanned.getByText('Nobody was let in.').waitFor();
    await there.page.getByText('The other device has refused.').waitFor();
    await there.page.getByRole('button', { name: 'Show a new code' }).click();
    await there.page.locator('.qr svg').waitFor();
    // Who decided, has.
    await scanned.goto(`${server.url}/#/pair/${id}`);
    await scanned.reload();
    await scanned.getByText('Nothing waits under this code.').waitFor();
    await scanned.close();
    await there.context.close();
  });

  it('one whose time is over says so', async () => {
    const { there } = await asks();
    // The server forgets who waits.
    await server.end('SIGKILL');
    await server.run();
    await there.page.getByText('The time for this code is over.').waitFor();
    await there.context.close();
  });

  it('digits are typed in, and an own device stays', async () => {
    const { there } = await asks('own');
    laptop = there;
    await devices(ann.page);
    await ann.page.getByRole('button', { name: 'Sign in another device' }).click();
    await ann.page.getByLabel('The digits that the other device shows').fill('000 000 000');
    await ann.page.getByRole('button', { name: 'Next' }).click();
    await ann.page.getByText('Nothing waits under this code.').waitFor();
    await ann.page.getByLabel('The digits that the other device shows').fill(await digits(there.page));
    await ann.page.getByRole('button', { name: 'Next' }).click();
    await ann.page.getByText('as a device of your own').waitFor();
    await ann.page.getByRole('button', { name: 'Approve' }).click();
    await isIn(there.page);
    await open(there, 'Contacts', 'Bob');
    await sees(there, 'Hello Bob');
    await there.page.reload();
    await isIn(there.page);
    expect(complaints).toEqual([]);
  });

  it('one that is signed out from another is out at once, and a public one has nothing left', async () => {
    await library.page.goto(server.url + '/#/chats');
    await open(library, 'Contacts', 'Bob');
    await sees(library, 'Hello Bob');
    await devices(ann.page);
    const listed = ann.page.getByRole('listitem').filter({ hasText: 'Public computer' });
    await listed.getByRole('button', { name: 'Sign out' }).click();
    await form(library.page);
    await library.page.getByText('You were signed out from another device.').waitFor();
    expect(await library.page.getByText('Hello Bob').count()).toBe(0);
    expect(await kept(library)).toEqual(NOTHING);
    await listed.waitFor({ state: 'detached' });
    await library.page.reload();
    await form(library.page);
  });

  it('a device signs itself out, and is not listed any more', async () => {
    const others = ann.page.getByRole('listitem').getByRole('button', { name: 'Sign out', exact: true });
    await expect.poll(() => others.count()).toBe(1);
    await laptop.page.goto(`${server.url}/#/settings/devices`);
    await laptop.page.getByRole('button', { name: 'Sign out here' }).click();
    await form(laptop.page);
    await laptop.page.getByText('Nothing of yours is left on this computer.').waitFor();
    expect(await kept(laptop)).toEqual(NOTHING);
    await ann.page.reload();
    await ann.page.getByText('This one').waitFor();
    expect(await others.count()).toBe(0);
  });

  it('all others are signed out at once', async () => {
    const rooms = [];
    for (const place of ['public', 'own'] as const) {
      const { there, id } = await asks(place);
      // As a camera does: there is no other tab, and no connection yet.
      await ann.page.goto(`${server.url}/#/pair/${id}`);
      await ann.page.reload();
      await ann.page.getByRole('button', { name: 'Approve' }).click();
      await isIn(there.page);
      rooms.push(there);
    }
    await devices(ann.page);
    await ann.page.getByRole('button', { name: 'Sign out all others' }).click();
    for (const there of rooms) {
      await form(there.page);
      await there.page.getByText('You were signed out from another device.').waitFor();
      expect(await kept(there)).toEqual(NOTHING);
    }
    await ann.page.getByRole('button', { name: 'Sign out all others' }).waitFor({ state: 'detached' });
    await ann.page.getByText('This one').waitFor();
    expect(complaints).toEqual([]);
  });
});
