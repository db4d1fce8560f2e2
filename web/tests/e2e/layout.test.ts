/** What stands where: nothing covers what one reads or writes, and a card before one is in is whole on a small screen. */
import { describe, expect, it } from 'vitest';
import { SCREENS } from '../../scripts/screens.mjs';
import { FRIEND, demo, expectQuiet, settled } from './demo';

describe('layout', () => {
  const { open } = demo();

  it.each(['sign-in', 'sign-up', 'invite', 'number-card', 'recover', 'forgot'])('%s is whole', async (name) => {
    const screen = SCREENS.find((one) => one.name === name)!;
    const page = await open(screen);
    await screen.then?.(page);
    for (const tag of ['en', 'zh'] as const) {
      await page.evaluate((tag) => window.speak(tag), tag);
      const beyond = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
      expect(beyond, tag).toBeLessThanOrEqual(0);
    }
    expectQuiet();
  });

  it.each([
    ['desktop', false],
    ['phone', true],
  ])('a toast covers neither the last message nor what one writes, %s', async (_, phone) => {
    const page = await open({ query: 'signedIn', hash: `#/chats/${FRIEND}`, phone });
    await settled(page);
    await page.locator('article .bubble').last().click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Copy text' }).click();
    const box = async (name: string) => (await page.locator(name).last().boundingBox())!;
    const toast = await box('.toast');
    const foot = toast.y + toast.height;
    expect(foot).toBeLessThan((await box('article')).y);
    expect(foot).toBeLessThan((await box('.composer')).y);
    // Nor the head, with the way back.
    expect(toast.y).toBeGreaterThan((await page.locator('#centre header').first().boundingBox())!.height);
  });
});
