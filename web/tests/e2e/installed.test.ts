/**
 * The messenger on one's own device as something that is installed: what a browser wants for that, and how one is told of a
 * message while no tab is open. Push services of browsers are on the Internet, so the browser's subscription is at one of the
 * test's, which opens what the server posts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ARGS } from '../../scripts/site.mjs';
import { PushService } from '../live/pushes';
import { ROOKERY_BIN, Server } from '../live/server';
import { DESK, type Person, befriend, complaints, launch, open, say, signUp, signUpIn } from './people';

const PATIENCE = { timeout: 15_000 };

describe.skipIf(ROOKERY_BIN === undefined)('on one’s own device', () => {
  let server: Server;
  let service: PushService;
  let browser: Browser;
  /** Bob's browser has a profile: nothing is installed in a window that forgets. */
  let profile: string;
  let own: BrowserContext;
  let ann: Person;
  let bob: Person;

  beforeAll(async () => {
    const config = '[http]\ninternal_networks = ["127.0.0.1/32", "::1/128"]';
    server = await Server.start({ config, trustsItself: true });
    service = await PushService.start(server);
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'public');
    profile = mkdtempSync(join(tmpdir(), 'rookery-'));
    const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
    own = await chromium.launchPersistentContext(profile, { ...DESK, executablePath, args: ARGS });
    await own.grantPermissions(['notifications'], { origin: server.url });
    await own.addInitScript(subscribes, service.subscription);
    bob = await signUpIn(own, server, 'Bob', 'own');
    await befriend(ann, bob);
  }, 120_000);

  afterAll(async () => {
    await own?.close();
    await browser?.close();
    service?.stop();
    await server?.remove();
    if (profile) rmSync(profile, { recursive: true, force: true });
  });

  /** Runs in the page: it subscribes where the test wants it to. */
  function subscribes(subscription: object): void {
    PushManager.prototype.subscribe = async (options) => {
      sessionStorage.setItem('asked', JSON.stringify(options));
      return { toJSON: () => subscription } as PushSubscription;
    };
  }

  it('it can be installed', async () => {
    const page = await own.newCDPSession(bob.page);
    await expect
      .poll(async () => (await page.send('Page.getInstallabilityErrors')).installabilityErrors, PATIENCE)
      .toEqual([]);
    const { url, errors, data } = await page.send('Page.getAppManifest');
    expect(url).toBe(`${server.url}/app.webmanifest`);
    expect(errors).toEqual([]);
    const manifest = JSON.parse(data!) as {
      display: string;
      start_url: string;
      icons: { src: string; sizes: string }[];
    };
    expect(manifest).toMatchObject({ name: 'Rookery', display: 'standalone', start_url: '/', scope: '/' });
    for (const { src, sizes } of manifest.icons) {
      const drawn = await bob.page.evaluate(async (from) => {
        const image = new Image();
        image.src = from;
        await image.decode();
        return `${image.naturalWidth}x${image.naturalHeight}`;
      }, src);
      if (sizes !== 'any') expect(drawn).toBe(sizes);
    }
  });

  it('with notifications on, a service worker stands behind the page', async () => {
    const { page } = bob;
    await page.goto(`${server.url}/#/settings/notifications`);
    const on = page.getByRole('switch', { name: 'Notifications' });
    await on.check();
    await expect
      .poll(() => page.evaluate(() => sessionStorage.getItem('asked')), PATIENCE)
      .toContain('"userVisibleOnly":true');
    // What the page asks of the server next is answered when the subscription is there.
    await page.goto(`${server.url}/#/settings/privacy`);
    await page.getByLabel('A notification says').waitFor();
    await page.goto(`${server.url}/#/settings/notifications`);
    await page.reload();
    await expect.poll(() => on.isChecked(), PATIENCE).toBe(true);
    const controller = () => page.evaluate(() => navigator.serviceWorker.controller?.scriptURL);
    await expect.poll(controller, PATIENCE).toBe(`${server.url}/sw.js`);
    expect(complaints).toEqual([]);
  });

  it('with all tabs closed its push service is told of a message, and nothing of what it says', async () => {
    await open(ann, 'Contacts', 'Bob');
    await bob.page.close();
    // Nobody is there any more to take it: with the last tab its worker ends.
    const devtools = await own.browser()?.newBrowserCDPSession();
    const workers = async () =>
      (await devtools!.send('Target.getTargets')).targetInfos.filter(({ type }) => type === 'shared_worker').length;
    await expect.poll(workers, PATIENCE).toBe(0);
    await say(ann, 'The herring is here.');
    const { headers, text } = await service.next();
    expect(headers['content-encoding']).toBe('aes128gcm');
    expect(headers.authorization).toMatch(/^vapid t=[^,]+, ?k=/);
    const account = `${bob.number}@localhost`;
    // Its owner has not said that more may be told.
    expect(JSON.parse(text)).toMatchObject({ account, conversation: null, sender: null, body: null, count: 1 });
    expect(complaints).toEqual([]);
  });
});
