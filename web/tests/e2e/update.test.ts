/** A page that was open before the server was updated. */
import { describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { demo } from './demo';

const notice = (page: Page) => page.getByText('Rookery was updated');

describe('update', () => {
  const { open } = demo();

  it('is told of when a piece of the page is not there any more, and the page loads again when one says so', async () => {
    const page = await open({ query: 'signedIn' });
    await page.route('**/*.js', (route) => route.fulfill({ status: 404 }));
    await page.route('**/demo.html*', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<script type="module" src="/assets/another.js"></script>' }),
    );
    await page.evaluate(() => (location.hash = '#/shortcuts'));
    await notice(page).waitFor();
    await page.evaluate(() => (location.hash = '#/settings'));
    await page.getByRole('button', { name: 'Reload' }).waitFor();
    expect(await notice(page).count()).toBe(1);
    await page.unrouteAll();
    const loaded = page.waitForEvent('load');
    await page.getByRole('button', { name: 'Reload' }).click();
    await loaded;
  });

  it('is not what is told of when the connection is away', async () => {
    const page = await open({ query: 'signedIn' });
    const looked = page.waitForEvent('requestfailed', (request) => request.url().includes('/demo.html'));
    await page.route('**/*', (route) => route.abort('connectionfailed'));
    await page.evaluate(() => (location.hash = '#/shortcuts'));
    await looked;
    expect(await notice(page).count()).toBe(0);
  });
});
