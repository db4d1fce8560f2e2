/** The lists, by mouse and by keyboard, small and large. */
import { describe, expect, it } from 'vitest';
import { FRIEND, demo, expectQuiet, settled } from './demo';

describe('lists', () => {
  const { open } = demo();

  it('hold ten thousand contacts with few rows', async () => {
    const page = await open({ query: 'signedIn&contacts=10000', hash: '#/contacts' });
    await page.waitForSelector('[data-pane=side] li');
    expect(await page.locator('[data-pane=side] li').count()).toBeLessThan(60);
    await page.locator('[data-pane=side] [data-scroller]').evaluate((node) => (node.scrollTop = node.scrollHeight / 2));
    await page.waitForTimeout(100);
    expect(await page.locator('[data-pane=side] li').count()).toBeLessThan(60);
    expectQuiet();
  });

  it('are walked through by keys', async () => {
    const page = await open({ query: 'signedIn', hash: '#/chats' });
    await page.locator('[data-pane=side] li a').first().focus();
    await page.keyboard.press('ArrowDown');
    const second = await page.evaluate(() => document.activeElement?.getAttribute('href'));
    expect(second).toContain(FRIEND);
    await page.keyboard.press('End');
    expect(await page.evaluate(() => document.activeElement?.closest('li')?.getAttribute('aria-posinset'))).toBe('24');
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await settled(page);
    await page.keyboard.press('F6');
    expect(await page.evaluate(() => !!document.activeElement?.closest('[data-pane=side]'))).toBe(true);
  });

  it('move a contact by dragging it onto another category', async () => {
    const page = await open({ query: 'signedIn', hash: '#/contacts' });
    await page.setViewportSize({ width: 1280, height: 1400 });
    const row = page.locator('li a', { hasText: 'Uma Devi' });
    await row.dragTo(page.locator('li button', { hasText: 'Family' }));
    await page.waitForFunction(() =>
      [...document.querySelectorAll('li button')].some(
        (one) => one.textContent?.includes('Chess club') && one.textContent.includes('/5'),
      ),
    );
  });

  it('accept a request', async () => {
    const page = await open({ query: 'signedIn', hash: '#/contacts' });
    await page
      .getByRole('region', { name: /Henrik/ })
      .getByRole('button', { name: 'Accept' })
      .click();
    await page.getByRole('region', { name: /Henrik/ }).waitFor({ state: 'detached' });
  });

  it('give the focus back when a menu closes', async () => {
    const page = await open({ query: 'signedIn', hash: '#/chats' });
    await page.locator('.face').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitemradio', { name: 'Away', exact: true }).waitFor();
    await page.keyboard.press('Escape');
    expect(await page.evaluate(() => document.activeElement?.className)).toContain('face');
  });

  it('lead back on a phone', async () => {
    const page = await open({ query: 'signedIn', hash: '#/chats', phone: true });
    await page.locator('li a', { hasText: 'Ada' }).click();
    await settled(page);
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('tab', { name: /Chats/ }).waitFor();
    await page.goForward();
    await settled(page);
    expectQuiet();
  });

  it('sign out and leave nothing to see', async () => {
    const page = await open({ query: 'signedIn', hash: `#/chats/${FRIEND}` });
    await settled(page);
    await page.getByRole('button', { name: /Sign out and wipe/ }).click();
    await page.getByText('Nothing of yours is left').waitFor();
    expect(await page.locator('article').count()).toBe(0);
    expect(await page.evaluate(() => localStorage.length + sessionStorage.length)).toBe(0);
  });
});
