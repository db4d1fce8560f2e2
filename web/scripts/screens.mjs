/** Every screen of the messenger: how to come to it in the demonstration. Used for pictures and for axe. */
/** @typedef {import('playwright-core').Page} Page */

/** The sample world's time, so that pictures are the same every day: a Monday afternoon. */
export const NOW = Date.UTC(2026, 10, 23, 15, 40);

/** @type {{ name: string, query?: string, hash?: string, then?: (page: Page) => Promise<void> }[]} */
export const SCREENS = [
  { name: 'sign-in' },
  {
    name: 'sign-in-wrong',
    then: async (page) => {
      await page.fill('input[name=username]', '10042');
      await page.fill('input[name=password]', 'wrong');
      await page.click('button[type=submit]');
      await page.waitForSelector('[role=alert]');
    },
  },
  { name: 'sign-up', hash: '#/sign-up' },
  { name: 'invite', hash: '#/invite/7Kq2mVx9TzRw' },
  {
    name: 'number-card',
    hash: '#/sign-up',
    then: async (page) => {
      await page.fill('input[autocomplete=nickname]', 'Mia');
      await page.fill('input[autocomplete=new-password]', 'a long password');
      await page.click('button[type=submit]');
      await page.waitForSelector('.nest');
    },
  },
  { name: 'recover', hash: '#/recover/abc' },
];
