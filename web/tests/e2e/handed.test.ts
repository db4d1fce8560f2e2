/** Files and pictures that are handed over in a group, by picker, drop and paste, and a conversation without a mouse: the real server. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server } from '../live/server';
import {
  type Person,
  befriend,
  complaints,
  composer,
  last,
  launch,
  makeGroup,
  open,
  row,
  sees,
  signUp,
} from './people';

/** 64 × 32 points of one colour. */
const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAAAgCAIAAAAt/+nTAAAAQ0lEQVR4nO3PQQ3AIADAQEAmwtCErIngcVnSU9DOfe74s6UDXjWgNaA1oDWgNaA1oDWgNaA1oDWgNaA1oDWgNaA1oH2R1gH4m9uC0wAAAABJRU5ErkJggg==';

describe.skipIf(ROOKERY_BIN === undefined)('in a conversation', () => {
  let server: Server;
  let browser: Browser;
  let ann: Person;
  let bob: Person;
  let group = '';

  beforeAll(async () => {
    server = await Server.start({ config: '[http]\npublic_url = "{url}"' });
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'own');
    bob = await signUp(browser, server, 'Bob', 'public');
    await befriend(ann, bob);
    group = await makeGroup(ann, 'Floe', bob);
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

  const sendDialog = (who: Person) =>
    who.page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();

  /** As a hand at the mouse or a clipboard does: an event that has files with it. */
  const hand = (who: Person, kind: 'drop' | 'paste', files: [name: string, type: string, base64: string][]) =>
    who.page.evaluate(
      ({ kind, files }) => {
        const data = new DataTransfer();
        for (const [name, type, base64] of files) {
          const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
          data.items.add(new File([bytes], name, { type }));
        }
        const target = document.querySelector('.composer textarea')!;
        const how = { bubbles: true, cancelable: true };
        if (kind === 'drop') target.dispatchEvent(new DragEvent('dragenter', { ...how, dataTransfer: data }));
        target.dispatchEvent(
          kind === 'drop'
            ? new DragEvent('drop', { ...how, dataTransfer: data })
            : new ClipboardEvent('paste', { ...how, clipboardData: data }),
        );
      },
      { kind, files },
    );

  it('a picture that is pasted goes into the group with its caption', async () => {
    await hand(ann, 'paste', [['map.png', 'image/png', PICTURE]]);
    const dialog = ann.page.getByRole('dialog');
    await dialog.getByRole('img', { name: 'map.png' }).waitFor();
    await dialog.getByRole('textbox').fill('the way there');
    await sendDialog(ann);
    for (const who of [ann, bob]) {
      await sees(who, 'the way there');
      const shown = who.page.locator('article img[alt="map.png"], article .picture img').last();
      await expect.poll(() => shown.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
    }
  });

  it('files that are dropped show how far they are, and stand in the group’s files', async () => {
    // On a public computer uploads are the page's own, and can be slowed down.
    const devtools = await bob.context.newCDPSession(bob.page);
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 400_000 };
    await devtools.send('Network.emulateNetworkConditions', slow);
    const large = Buffer.alloc(700_000, 7).toString('base64');
    await hand(bob, 'drop', [['tides.bin', 'application/octet-stream', large]]);
    await sendDialog(bob);
    const ring = last(bob).getByRole('progressbar', { name: 'Uploading' });
    await ring.waitFor();
    const seen = new Set<number>();
    const part = () => ring.getAttribute('aria-valuenow', { timeout: 1_000 }).catch(() => null);
    for (let now = await part(); now !== null; now = await part()) seen.add(Number(now));
    expect([...seen].filter((one) => one > 0 && one < 100).length).toBeGreaterThan(0);
    await devtools.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 });
    await last(ann).getByText('tides.bin').waitFor();
    await ann.page.evaluate((to) => void (location.hash = to), `#/groups/${group}/info`);
    const panel = ann.page.locator('aside');
    await panel.getByRole('tab', { name: 'Files' }).click();
    await panel.getByText('tides.bin').waitFor();
    await panel
      .getByRole('button', { name: /map\.png/ })
      .or(panel.locator('img'))
      .first()
      .waitFor();
  });

  it('without a mouse one says, corrects, gives up, and goes on to the next conversation', async () => {
    const { page } = ann;
    const keys = page.keyboard;
    const inField = () => page.evaluate(() => document.activeElement?.closest('.composer textarea') !== null);
    const address = () => page.evaluate(() => location.hash);
    await open(ann, 'Contacts', 'Bob');
    await open(bob, 'Contacts', 'Ann');
    await expect.poll(inField).toBe(true);
    await keys.type('low tide at five');
    await keys.press('Enter');
    await sees(bob, 'low tide at five');
    await row(ann, 'low tide at five')
      .getByRole('img', { name: /stored|delivered|read/ })
      .waitFor();
    await keys.press('ArrowUp');
    const field = page.getByPlaceholder('Correct the message');
    await expect.poll(() => field.inputValue()).toBe('low tide at five');
    await keys.press('Escape');
    await composer(ann).waitFor();
    expect(await composer(ann).inputValue()).toBe('');
    await keys.press('ArrowUp');
    await expect.poll(() => field.inputValue()).toBe('low tide at five');
    await keys.press('Control+A');
    await keys.type('low tide at six');
    await keys.press('Enter');
    await row(bob, 'low tide at six').getByText('edited').waitFor();
    expect(await row(bob, 'at five').count()).toBe(0);
    expect(await inField()).toBe(true);

    // The newest is the first of the list: the group is further down.
    const here = await address();
    await keys.press('Alt+ArrowDown');
    await expect.poll(address).not.toBe(here);
    await composer(ann).waitFor();
    await expect.poll(inField).toBe(true);
    await keys.press('Alt+ArrowUp');
    await expect.poll(address).toContain(`${bob.number}@localhost`);
    await expect.poll(inField).toBe(true);
  });
});
