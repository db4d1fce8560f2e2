/** The main ways through the messenger with nothing but a keyboard; and nothing that is focused goes unseen. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { FRIEND, demo, expectQuiet, settled } from './demo';

/** More steps of Tab than any screen needs to come to what one looks for. */
const STEPS = 60;

/** What is focused, as people are told of it. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const at = document.activeElement;
    if (!at || at === document.body) return '';
    const label = at.getAttribute('aria-label') ?? (at as HTMLInputElement).labels?.[0]?.textContent ?? at.textContent;
    return (label ?? '').replace(/\s+/g, ' ').trim();
  });

/** Goes on with Tab until what is named so is focused. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  const passed: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    await page.keyboard.press('Tab');
    const at = await focused(page);
    if (name.test(at)) return;
    passed.push(at);
  }
  throw new Error(`${name} is not reached: ${passed.join(' | ')}`);
}

/** Whether what is focused is within this. */
const within = (page: Page, selector: string) =>
  page.evaluate((wanted) => document.activeElement?.closest(wanted) !== null, selector);

describe('by keyboard', () => {
  const { open } = demo();

  it('one signs in', async () => {
    const page = await open({});
    await tabTo(page, /^Number or name/);
    await page.keyboard.type('10042');
    await page.keyboard.press('Tab');
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    // It was the password, so that is where one is, to write it anew.
    expect(await focused(page)).toMatch(/^Password/);
    await page.keyboard.type('a good one');
    await tabTo(page, /This is not my computer/);
    await page.keyboard.press('ArrowDown');
    expect(await page.getByRole('radio', { name: /My own device/ }).isChecked()).toBe(true);
    await page.keyboard.press('Enter');
    await page.getByRole('tab', { name: 'Contacts' }).waitFor();
    expectQuiet();
  });

  it('one picks a conversation, writes, and answers', async () => {
    const page = await open({ query: 'signedIn', hash: '#/chats' });
    const rows = page.getByRole('tabpanel').locator('a');
    await rows.first().waitFor();
    for (let step = 0; step < STEPS && !(await within(page, '#lists')); step++) await page.keyboard.press('Tab');
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await settled(page);
    await expect.poll(() => within(page, '.composer')).toBe(true);
    await page.keyboard.type('written without a mouse');
    await page.keyboard.press('Enter');
    const said = page.locator('article', { hasText: 'without a mouse' });
    await said.waitFor();
    await page.keyboard.press('Shift+Tab');
    for (let step = 0; step < STEPS && !(await within(page, 'article')); step++) await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('r');
    await page.getByText('Reply to').waitFor();
    expect(await within(page, '.composer')).toBe(true);
    await page.keyboard.press('Escape');
    await page.getByText('Reply to').waitFor({ state: 'detached' });
    expectQuiet();
  });

  it('a menu is opened, gone through, and closed; focus comes back', async () => {
    const page = await open({ query: 'signedIn', hash: '#/chats' });
    await tabTo(page, /^Add$/);
    await page.keyboard.press('Enter');
    await page.getByRole('menu').waitFor();
    expect(await within(page, '[role=menu]')).toBe(true);
    await page.keyboard.press('ArrowDown');
    expect(await focused(page)).toMatch(/New group/);
    await page.keyboard.press('Escape');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    expect(await focused(page)).toMatch(/^Add$/);
    expectQuiet();
  });

  it('a dialog keeps the focus, and gives it back', async () => {
    const page = await open({ query: 'signedIn', hash: '#/chats' });
    await tabTo(page, /^Add$/);
    await page.keyboard.press('Enter');
    await page.getByRole('menu').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    const seen = new Set<string>();
    for (let step = 0; step < 12; step++) {
      await page.keyboard.press('Tab');
      // Between the last and the first a browser has its own controls, where the page has no focus.
      if (await page.evaluate(() => document.activeElement !== document.body))
        expect(await within(page, 'dialog')).toBe(true);
      seen.add(await focused(page));
    }
    expect([...seen].join(' ')).toMatch(/Find/);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await focused(page)).toMatch(/^Add$/);
    expectQuiet();
  });

  it('from pane to pane, to the settings, through them, and back', async () => {
    const page = await open({ query: 'signedIn', hash: `#/chats/${FRIEND}` });
    await settled(page);
    const panes = new Set<string | undefined>();
    for (let step = 0; step < 3; step++) {
      await page.keyboard.press('F6');
      panes.add(await page.evaluate(() => document.activeElement?.closest<HTMLElement>('[data-pane]')?.dataset.pane));
    }
    expect(panes.size).toBeGreaterThan(1);
    await page.keyboard.press('Control+,');
    await page.getByRole('heading', { name: 'Profile' }).first().waitFor();
    await tabTo(page, /^Appearance/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/settings\/appearance$/);
    await page.keyboard.press('Alt+1');
    await page.getByRole('tab', { name: /Chats/, selected: true }).waitFor();
    await page.keyboard.press('Control+k');
    expect(await within(page, '[role=search]')).toBe(true);
    expectQuiet();
  });

  it('what is focused is seen', async () => {
    for (const hash of ['', '#/sign-up']) {
      const page = await open({ hash });
      for (let step = 0; step < 12; step++) {
        await page.keyboard.press('Tab');
        const mark = await page.evaluate(() => {
          const at = document.activeElement;
          if (!at || at === document.body) return 'none';
          const looks = [at, at.closest('label'), at.parentElement].filter((one) => one !== null);
          const seen = looks.some((one) => {
            const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
            return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
          });
          return seen ? 'seen' : `${at.tagName} ${at.textContent}`;
        });
        expect(['seen', 'none']).toContain(mark);
      }
    }
  });
});
