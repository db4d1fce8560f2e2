/** Ways of saying something, with the real server between: who says it and who hears it are both looked at. */
import type { Browser, Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TalkingPage } from '../live/page';
import { ROOKERY_BIN, Server } from '../live/server';
import {
  type Person,
  PASSWORD,
  befriend,
  command,
  complaints,
  composer,
  last,
  launch,
  look,
  makeGroup,
  open,
  row,
  say,
  sees,
  signUp,
} from './people';

/** A draft goes to other devices when it rests. */
const PATIENCE = { timeout: 15_000 };

describe.skipIf(ROOKERY_BIN === undefined)('what is said, on both sides', () => {
  let server: Server;
  let browser: Browser;
  let ann: Person;
  let bob: Person;
  /** Another client of Bob's: texts of messages as they come over the wire. */
  let other: TalkingPage;
  const texts: string[] = [];

  beforeAll(async () => {
    server = await Server.start({ config: '[http]\npublic_url = "https://nest.example"' });
    // A microphone that hears a beep, and a page that may use it.
    browser = await launch('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');
    ann = await signUp(browser, server, 'Ann', 'public');
    bob = await signUp(browser, server, 'Bob', 'own');
    await befriend(ann, bob);
    other = new TalkingPage(server);
    await other.attach();
    await other.api.signIn({ user: bob.number, password: PASSWORD, place: 'own' });
    other.engine.signedIn.stream.on('stanza', (stanza) => texts.push(stanza.childText('body') ?? ''));
    await open(ann, 'Contacts', 'Bob');
    await open(bob, 'Contacts', 'Ann');
  });

  afterAll(async () => {
    await other?.engine.signOut('asked');
    await browser?.close();
    await server?.remove();
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail')
      for (const who of [ann, bob])
        await who?.page.screenshot({ path: `tests/pictures/said-${who.nick}-${task.id}.png` });
    expect(complaints).toEqual([]);
  });

  it('an urgent message says so, also in clients that know nothing of urgency', async () => {
    const { page } = ann;
    await composer(ann).fill('the ice is breaking');
    await page.getByRole('button', { name: 'How urgent is it?' }).click();
    await page.getByRole('menuitemradio', { name: 'Urgent' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Mark as urgent' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await composer(ann).press('Enter');
    for (const who of [ann, bob]) await row(who, 'the ice is breaking').getByText('Urgent', { exact: true }).waitFor();
    expect(await row(bob, 'the ice is breaking').innerText()).not.toContain('‼');
    await expect.poll(() => texts, PATIENCE).toContain('‼️ the ice is breaking');
  });

  it('a sticker is shown, not its name', async () => {
    await ann.page.getByRole('button', { name: 'Stickers' }).click();
    await ann.page.getByRole('button', { name: 'A fish for you' }).click();
    for (const who of [ann, bob]) await last(who).getByRole('img', { name: 'A fish for you' }).waitFor();
    await expect.poll(() => texts, PATIENCE).toContain(':fish:');
  });

  it('a knock is seen', async () => {
    await bob.page.getByRole('button', { name: 'Knock' }).click();
    await last(bob).getByText('You knocked').waitFor();
    await last(ann).getByText('Bob knocks').waitFor();
  });

  it('a voice message is recorded, kept by the server, and played by the other', async () => {
    const { page } = ann;
    await page.getByRole('button', { name: 'Record a voice message' }).click();
    await page.getByRole('timer').getByText('0:01').waitFor();
    await page.getByRole('group', { name: 'Record a voice message' }).getByRole('button', { name: 'Send' }).click();
    await last(bob).getByRole('button', { name: 'Play' }).click();
    const sound = bob.page.locator('article audio').last();
    const heard = () =>
      sound.evaluate((audio: HTMLAudioElement) => (audio.played.length > 0 ? audio.played.end(0) : 0));
    await expect.poll(heard, PATIENCE).toBeGreaterThan(0.5);
    // What other clients can play, whatever this browser records.
    const address = await sound.evaluate((audio: HTMLAudioElement) => audio.src);
    const stored = await fetch(address);
    expect([stored.status, stored.headers.get('content-type')]).toEqual([200, 'audio/ogg']);
    expect(Buffer.from(await stored.arrayBuffer()).toString('latin1', 0, 4)).toBe('OggS');
    await last(ann).getByRole('button', { name: 'Play' }).waitFor();
  });

  it('reactions come and go, of both', async () => {
    await say(ann, 'herring for all');
    await sees(bob, 'herring for all');
    const chip = (who: Person, name: string | RegExp) => row(who, 'herring for all').getByRole('button', { name });
    const react = async (who: Person) => {
      await command(row(who, 'herring for all'), 'React');
      await who.page.getByRole('menuitem', { name: '🎉' }).click();
    };
    await react(bob);
    for (const who of [ann, bob]) await chip(who, /^🎉, 1: /).waitFor();
    await react(ann);
    for (const who of [ann, bob]) await chip(who, /^🎉, 2: /).waitFor();
    await chip(bob, /🎉/).click();
    for (const who of [ann, bob]) await chip(who, /^🎉, 1: /).waitFor();
    await chip(ann, /🎉/).click();
    for (const who of [ann, bob]) await chip(who, /🎉/).waitFor({ state: 'detached' });
  });

  it('what is corrected without a connection is corrected when there is one', async () => {
    await say(bob, 'see you on Monday');
    await sees(ann, 'see you on Monday');
    await row(bob, 'see you on Monday')
      .getByRole('img', { name: /stored|delivered|read/ })
      .waitFor();
    await bob.context.setOffline(true);
    await server.end('SIGKILL');
    await command(row(bob, 'see you on Monday'), 'Edit');
    const correction = bob.page.getByPlaceholder('Correct the message');
    await correction.fill('see you on Tuesday');
    await correction.press('Enter');
    await row(bob, 'see you on Tuesday').getByText('edited').waitFor();
    await server.run();
    await bob.context.setOffline(false);
    await row(ann, 'see you on Tuesday').getByText('edited').waitFor();
    expect(await row(ann, 'see you on Monday').count()).toBe(0);
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

  it('an upload shows how far it is', async () => {
    const devtools = await ann.context.newCDPSession(ann.page);
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 500_000 };
    await devtools.send('Network.emulateNetworkConditions', slow);
    const file = { name: 'map.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(1_000_000, 7) };
    await ann.page.locator('input[type=file]').first().setInputFiles(file);
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();
    const ring = last(ann).getByRole('progressbar', { name: 'Uploading' });
    const seen = new Set<number>();
    await ring.waitFor();
    const part = () => ring.getAttribute('aria-valuenow', { timeout: 1_000 }).catch(() => null);
    for (let now = await part(); now !== null; now = await part()) seen.add(Number(now));
    expect([...seen].filter((one) => one > 0 && one < 100).length).toBeGreaterThan(1);
    await devtools.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 });
    await last(bob).getByText('map.bin').waitFor();
  });

  it('a draft goes along to another device, and goes from there when it was sent', async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
    const page = await look(context, server);
    await page.getByLabel('Number or name').fill(bob.number);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.keyboard.press('Enter');
    const second: Person = { ...bob, page, context };
    await page.getByRole('tab', { name: /Chats/ }).click();
    await composer(bob).pressSequentially('half a th');
    await page.getByRole('tabpanel').getByText('half a th').waitFor();
    await open(second, 'Chats', 'Ann');
    expect(await composer(second).inputValue()).toBe('half a th');
    // It is open there, and nobody types: it follows.
    await composer(bob).pressSequentially('ought');
    await expect.poll(() => composer(second).inputValue(), PATIENCE).toBe('half a thought');
    await composer(bob).press('Enter');
    await expect.poll(() => composer(second).inputValue(), PATIENCE).toBe('');
    await sees(second, 'half a thought');
    await context.close();
  });

  it('a link into the house is not looked at', async () => {
    await say(ann, `look at ${server.url}/config.json`);
    await sees(bob, 'look at');
    await say(ann, 'well?');
    await sees(bob, 'well?');
    expect(await row(bob, 'look at').locator('a').count()).toBe(1);
  });

  it('who is mentioned is mentioned still when the message is corrected, unless the name is taken out', async () => {
    await makeGroup(ann, 'Floe', bob);
    await composer(ann).pressSequentially('ask @Bo');
    await ann.page.getByRole('option', { name: 'Bob' }).click();
    await composer(ann).press('End');
    await composer(ann).pressSequentially('when');
    await composer(ann).press('Enter');
    const mention = (who: Person): Locator => last(who).locator('.mention', { hasText: '@Bob' });
    for (const who of [ann, bob]) await mention(who).waitFor();

    const correct = async (text: string) => {
      await command(last(ann), 'Edit');
      const field = ann.page.getByPlaceholder('Correct the message');
      await field.fill(text);
      await field.press('Enter');
    };
    await correct('well, ask @Bob where');
    for (const who of [ann, bob]) {
      await row(who, 'well, ask').getByText('edited').waitFor();
      await mention(who).waitFor();
    }
    await correct('ask anybody');
    for (const who of [ann, bob]) await row(who, 'ask anybody').waitFor();
    expect(await bob.page.locator('.mention').count()).toBe(0);
    // All that one has looked at is read.
    for (const who of [ann, bob]) {
      await who.page.getByRole('tab', { name: /Chats/ }).click();
      const rows = who.page.getByRole('tabpanel').locator('a', { hasText: /Ann|Bob|Floe/ });
      await rows.filter({ hasText: 'unread' }).first().waitFor({ state: 'detached' });
      expect(await rows.count()).toBe(2);
    }
  });
});
