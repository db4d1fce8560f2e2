/** A conversation as one uses it. */
import { describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { FRIEND, demo, expectQuiet, settled } from './demo';

const AT = { query: 'signedIn', hash: `#/chats/${FRIEND}` };

/** Where the row with this key is on the screen. */
const topOf = (page: Page, key: string) =>
  page.evaluate(
    (wanted) =>
      [...document.querySelectorAll<HTMLElement>('[data-key]')]
        .find((row) => row.dataset.key === wanted)
        ?.getBoundingClientRect().top ?? NaN,
    key,
  );

describe('conversation', () => {
  const { open } = demo();

  it('sends, and shows how far it is', async () => {
    const page = await open(AT);
    await settled(page);
    await page.fill('textarea', 'Hello *there*');
    await page.keyboard.press('Enter');
    const row = page.locator('article').last();
    expect(await row.locator('strong').textContent()).toBe('*there*');
    expect(await page.inputValue('textarea')).toBe('');
    await row.getByRole('img', { name: 'read' }).waitFor();
    expectQuiet();
  });

  it('keeps a name of any length clear of what stands beside it', async () => {
    const page = await open({ ...AT, phone: true });
    await settled(page);
    await page.evaluate((who) => window.engine.setContact(who, { remark: 'Hauptbetriebswerk'.repeat(6) }), FRIEND);
    const title = page.locator('main header .who .title');
    await title.getByText('Hauptbetriebswerk').waitFor();
    const [name, next] = await Promise.all([title.boundingBox(), page.getByLabel('Knock').boundingBox()]);
    expect(name!.x + name!.width).toBeLessThanOrEqual(next!.x);
    expectQuiet();
  });

  it('offers to try again when it failed', async () => {
    const page = await open(AT);
    await settled(page);
    await page.fill('textarea', 'this will fail');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Try again').click();
    await page.locator('article').last().getByRole('img', { name: 'stored' }).waitFor();
  });

  it('answers, corrects and takes back', async () => {
    const page = await open(AT);
    await settled(page);
    await page.locator('article').last().focus();
    await page.keyboard.press('r');
    await page.getByText('Reply to').waitFor();
    await page.fill('textarea', 'an answer');
    await page.keyboard.press('Enter');
    const row = page.locator('article').last();
    await row.locator('button', { hasText: 'Ada' }).waitFor();
    await row.getByRole('img', { name: 'read' }).waitFor();
    await row.click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await page.fill('textarea', 'a better answer');
    await page.keyboard.press('Enter');
    await row.getByText('edited').waitFor();
    await row.click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Delete for everyone' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete for everyone' }).click();
    await row.getByText('Message deleted').waitFor();
    expectQuiet();
  });

  it('reacts with what is at hand', async () => {
    const page = await open(AT);
    await settled(page);
    await page.fill('textarea', 'look at this');
    await page.keyboard.press('Enter');
    const row = page.locator('article').last();
    await row.getByRole('img', { name: 'read' }).waitFor();
    await row.click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'React' }).click();
    await page.getByRole('menuitem', { name: '🎉' }).click();
    await row.getByRole('button', { name: /^🎉, 1/ }).waitFor();
    expectQuiet();
  });

  it('stays where one looks while older messages come, and holds few rows', async () => {
    const page = await open(AT);
    await settled(page);
    const box = page.locator('.frame .box');
    for (let page_ = 0; page_ < 8; page_++) {
      const anchor = await box.evaluate((node) => {
        node.scrollTop = 400;
        const top = node.getBoundingClientRect().top;
        const row = [...node.querySelectorAll<HTMLElement>('[data-key]')].find(
          (one) => one.getBoundingClientRect().bottom > top,
        )!;
        return { key: row.dataset.key!, first: node.querySelector<HTMLElement>('[data-key]')!.dataset.key! };
      });
      const before = await topOf(page, anchor.key);
      await page.waitForFunction(
        (first) => document.querySelector<HTMLElement>('[data-key]')?.dataset.key !== first,
        anchor.first,
      );
      await page.waitForTimeout(50);
      expect(Math.abs((await topOf(page, anchor.key)) - before)).toBeLessThanOrEqual(2);
    }
    expect(await page.locator('[data-key]').count()).toBeLessThanOrEqual(250);
    expectQuiet();
  });

  it('follows at the bottom, and only there', async () => {
    const page = await open(AT);
    await settled(page);
    const below = () =>
      page.locator('.frame .box').evaluate((node) => node.scrollHeight - node.scrollTop - node.clientHeight);
    await page.evaluate((from) => window.engine.say(from, 'one more'), FRIEND);
    await page.getByText('one more').last().waitFor();
    await expect.poll(below).toBeLessThan(2);
    await page.locator('.frame .box').evaluate((node) => (node.scrollTop -= 500));
    await page.waitForTimeout(100);
    const far = await below();
    await page.evaluate((from) => window.engine.say(from, 'and another'), FRIEND);
    await expect.poll(below).toBeGreaterThan(far);
    await page.getByRole('button', { name: 'new' }).click();
    await expect.poll(below).toBeLessThan(2);
  });

  it('goes to a message of long ago, and back', async () => {
    const page = await open({
      query: 'signedIn',
      hash: `#/chats/${FRIEND}?at=${encodeURIComponent(`${FRIEND}#1200`)}`,
    });
    await settled(page);
    await page.waitForSelector('article.marked');
    await page.getByRole('button', { name: 'To the newest message' }).click();
    await page.waitForFunction((key) => document.querySelector(`[data-key="${key}"]`), `${FRIEND}#2400`);
  });

  it('completes the name of a member', async () => {
    const page = await open({ query: 'signedIn', hash: '#/chats/700011@groups.nest.example' });
    await settled(page);
    await page.click('textarea');
    await page.keyboard.type('Thanks @gre');
    await page.getByRole('option', { name: 'Greta Holm' }).waitFor();
    await page.keyboard.press('Enter');
    expect(await page.inputValue('textarea')).toBe('Thanks @Greta Holm ');
  });

  it('shows files before they are sent', async () => {
    const page = await open(AT);
    await settled(page);
    await page.setInputFiles('input[type=file]', {
      name: 'plan.txt',
      mimeType: 'text/plain',
      buffer: Buffer.from('x'),
    });
    await page.getByRole('dialog').getByText('plan.txt').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();
    await page.locator('article').last().getByText('plan.txt').waitFor();
    expectQuiet();
  });
});
