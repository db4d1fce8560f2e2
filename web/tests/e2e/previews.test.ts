/** Links: what their pages say of themselves is shown, and what is inside of the network is not looked at. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TalkingPage } from '../live/page';
import { ROOKERY_BIN, Server } from '../live/server';
import { Site } from '../live/site';
import { type Person, befriend, complaints, launch, open, row, say, signUp } from './people';

// Addresses of this machine that nothing else uses: the configuration allows the first.
const inner = ROOKERY_BIN === undefined ? undefined : await Site.start('127.0.44.2');
const allowed = inner && (await Site.start('127.0.44.1', `${inner.url}/secret`));
if (ROOKERY_BIN !== undefined && !allowed) console.log('Links are skipped: nobody may listen at port 80 here.');

describe.skipIf(!allowed)('links', () => {
  let server: Server;
  let browser: Browser;
  let ann: Person;
  let bob: Person;

  beforeAll(async () => {
    server = await Server.start({ config: '[http]\ninternal_networks = ["127.0.44.1/32"]' });
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'public');
    bob = await signUp(browser, server, 'Bob', 'public');
    await befriend(ann, bob);
    await open(ann, 'Contacts', 'Bob');
    await open(bob, 'Contacts', 'Ann');
  });

  afterAll(async () => {
    await browser?.close();
    await server?.remove();
    await allowed?.stop();
    await inner?.stop();
  });

  it('a page is shown by what it says of itself, with its picture from this server', async () => {
    await say(ann, `Look: ${allowed!.url}/tides`);
    const message = row(bob, '/tides');
    await message.getByText('High and low water').waitFor();
    await message.getByText('Tide tables').first().waitFor();
    const picture = message.locator('img[src*="/preview/"]');
    await expect.poll(() => picture.evaluate((one: HTMLImageElement) => one.naturalWidth)).toBeGreaterThan(0);
    expect(new URL((await picture.getAttribute('src'))!, server.url).origin).toBe(server.url);
    // Once for both of them.
    expect(allowed!.seen.sort()).toEqual(['/picture.png', '/tides']);
    expect(complaints).toEqual([]);
  });

  it('nothing inside of the network is looked at, not by way of another page either', async () => {
    const curious = await new TalkingPage(server).signUp('Cleo');
    for (const url of [
      `${inner!.url}/secret`,
      `${server.url}/config.json`,
      'http://localhost/',
      `${allowed!.url}/away`,
    ])
      expect(await curious.api.preview(url).catch(() => null), url).toBeNull();
    expect(inner!.seen).toEqual([]);
    expect(allowed!.seen).toContain('/away');
    await curious.api.signOut();
  });
});
