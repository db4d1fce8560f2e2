/** The messenger as people use it, with the real server behind it. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server } from '../live/server';
import {
  type Person,
  NOTHING,
  befriend,
  complaints,
  kept,
  launch,
  look,
  open,
  plus,
  say,
  sees,
  signUp,
} from './people';

describe.skipIf(ROOKERY_BIN === undefined)('with a server', () => {
  let server: Server;
  let browser: Browser;
  let ann: Person;
  let bob: Person;

  beforeAll(async () => {
    // The page comes by another way than the address that is in messages, as on the machine itself or over a proxy.
    server = await Server.start({ config: '[http]\npublic_url = "https://nest.example"' });
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'public');
    bob = await signUp(browser, server, 'Bob', 'own');
    await befriend(ann, bob);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    for (const who of [ann, bob])
      await who?.page.screenshot({ path: `tests/pictures/failed-${who.nick}-${task.id}.png` });
  });

  it('two who have never been here talk', async () => {
    await open(ann, 'Contacts', 'Bob');
    await say(ann, 'Hello Bob');
    await open(bob, 'Chats', 'Ann');
    await sees(bob, 'Hello Bob');
    await say(bob, 'Hello Ann');
    await sees(ann, 'Hello Ann');
    await ann.page.locator('article', { hasText: 'Hello Bob' }).getByRole('img', { name: 'read' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('what is written while the server is down arrives once when it is back', async () => {
    await server.end('SIGKILL');
    await say(ann, 'are you there?');
    await say(bob, 'who turned off the light?');
    await server.run();
    await sees(bob, 'are you there?');
    await sees(ann, 'who turned off the light?');
    await sees(ann, 'are you there?');
    await say(ann, 'there it is again');
    await sees(bob, 'there it is again');
  });

  it('a group is made, and both speak in it', async () => {
    await plus(ann, 'New group');
    const dialog = ann.page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Tea at four');
    await dialog.getByText('Bob', { exact: true }).click();
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await say(ann, 'the kettle is on');
    await bob.page.getByRole('tab', { name: /Groups/ }).click();
    await bob.page.getByRole('button', { name: 'Accept' }).click();
    await open(bob, 'Groups', 'Tea at four');
    await sees(bob, 'the kettle is on');
    await say(bob, 'coming');
    await sees(ann, 'coming');
  });

  it('a picture is sent and shown', async () => {
    await open(ann, 'Contacts', 'Bob');
    await open(bob, 'Contacts', 'Ann');
    const picture = await ann.page.evaluate(async () => {
      const canvas = new OffscreenCanvas(640, 480);
      const pen = canvas.getContext('2d')!;
      pen.fillStyle = 'teal';
      pen.fillRect(0, 0, 640, 480);
      const blob = await canvas.convertToBlob({ type: 'image/png' });
      return [...new Uint8Array(await blob.arrayBuffer())];
    });
    await ann.page
      .locator('input[type=file]')
      .first()
      .setInputFiles({ name: 'sea.png', mimeType: 'image/png', buffer: Buffer.from(picture) });
    await ann.page.getByRole('dialog').getByRole('button', { name: /^Send/ }).click();
    const shown = bob.page.locator('article img').last();
    await shown.waitFor();
    await expect.poll(() => shown.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
  });

  it('on an own device one is still there after a reload, with the history', async () => {
    await bob.page.reload();
    await open(bob, 'Chats', 'Ann');
    await sees(bob, 'Hello Bob');
    await sees(bob, 'there it is again');
  });

  it('with no tab in front one is told', async () => {
    const { page, context } = bob;
    await page.goto(server.url + '/#/settings/notifications');
    const notify = page.getByRole('switch', { name: 'Notifications' });
    await notify.waitFor();
    await context.grantPermissions(['notifications'], { origin: server.url });
    // No push service is reached from here, so the subscription fails; the worker is there all the same.
    await notify.click();
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
    // What the server sends (docs/push.md), handed to the worker as a push service would.
    const devtools = await context.newCDPSession(page);
    const registered = new Promise<string>((found) =>
      devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) =>
        registrations.forEach((one) => found(one.registrationId)),
      ),
    );
    await devtools.send('ServiceWorker.enable');
    const told = {
      account: 'bob',
      count: 2,
      urgent: false,
      at: 0,
      conversation: 'ann@localhost',
      sender: 'Ann',
      body: null,
    };
    await devtools.send('ServiceWorker.deliverPushMessage', {
      origin: server.url,
      registrationId: await registered,
      data: JSON.stringify(told),
    });
    const shown = () =>
      page.evaluate(async () => {
        const worker = await navigator.serviceWorker.ready;
        return (await worker.getNotifications()).map((one) => [one.title, one.body, one.tag]);
      });
    await expect.poll(shown).toEqual([['Ann', '2 new messages', 'ann@localhost']]);
    expect(complaints).toEqual([]);
  });

  it('on a public computer nothing stays when the tab is closed, either', async () => {
    const dee = await signUp(browser, server, 'Dee', 'public');
    await open(dee, 'Chats', 'localhost');
    await dee.page.close();
    const next = await look(dee.context, server);
    await next.getByLabel('Number or name').waitFor();
    expect(await kept({ page: next, context: dee.context })).toEqual(NOTHING);
    await dee.context.close();
  });

  it('on a public computer nothing stays', async () => {
    await ann.page.getByRole('button', { name: 'Sign out and wipe' }).click();
    const confirm = ann.page.getByRole('dialog').getByRole('button', { name: /Sign out/ });
    await confirm.or(ann.page.getByLabel('Number or name')).first().waitFor();
    if (await confirm.isVisible()) await confirm.click();
    await ann.page.getByLabel('Number or name').waitFor();
    expect(await kept(ann)).toEqual(NOTHING);
    // Whoever sits down next finds a form.
    const next = await look(ann.context, server);
    await next.getByLabel('Number or name').waitFor();
    expect(await next.getByText('Hello Bob').count()).toBe(0);
  });
});
