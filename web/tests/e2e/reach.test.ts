/** How one says how one is reached: the page by itself, and with the real server that sends a code. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server, freePort } from '../live/server';
import { Smarthost } from '../live/smarthost';
import { demo, expectQuiet } from './demo';
import { type Person, complaints, launch, signUp } from './people';

const step = (page: Page, number: number) => page.getByRole('group', { name: `Step ${number}` });
const saved = (page: Page) => page.getByText('Saved').waitFor();

describe('the page of reaching', () => {
  const { open } = demo();
  const show = () => open({ query: 'signedIn', hash: '#/settings/reach' });
  const settings = (page: Page) => page.evaluate(() => window.engine.reach());

  it('names people one a line, as they are written', async () => {
    const page = await show();
    const people = page.getByLabel('People I name');
    await people.press('Control+End');
    await people.pressSequentially('\n10901@nest.example\n10902@nest.example');
    await page.getByRole('button', { name: 'Save' }).click();
    await saved(page);
    const all = ['10900@nest.example', '10901@nest.example', '10902@nest.example'];
    expect((await settings(page)).allowed).toEqual(all);
    expectQuiet();
  });

  it('takes a new address when its code came back, and steps in their order', async () => {
    const page = await show();
    await expect.poll(() => step(page, 1).getByLabel('By').inputValue()).toMatch(/^mail /);
    // The pager waits for its code: a wrong one is refused, the right one makes it an address for a step.
    await page.getByLabel('Code from the message').fill('000000');
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByText('This is another code.').waitFor();
    await page.getByLabel('Code from the message').fill('123456');
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByText('Pager · confirmed').waitFor();
    await page.getByRole('button', { name: 'Add a step' }).click();
    await step(page, 3).getByLabel('By').selectOption('pager 4711');
    await step(page, 3).getByLabel('Minutes').fill('3');
    await step(page, 3).getByLabel('For').selectOption('urgent');
    await page.getByRole('button', { name: 'Step 3 earlier' }).click();
    await page.getByRole('button', { name: 'Remove step 1' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await saved(page);
    const { rules } = await settings(page);
    expect(rules.map(({ way, after, least }) => [way, after, least])).toEqual([
      ['pager', 180, 'urgent'],
      ['sms', 60, 'urgent'],
    ]);
    expectQuiet();
  });
});

describe.skipIf(ROOKERY_BIN === undefined)('reaching, with the server', () => {
  let smarthost: Smarthost;
  let server: Server;
  let browser: Browser;
  let ann: Person;

  beforeAll(async () => {
    smarthost = await Smarthost.start();
    server = await Server.start({ config: smarthost.config(await freePort()) });
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'own');
  });

  afterAll(async () => {
    await browser?.close();
    await server?.remove();
    smarthost?.end();
  });

  it('sends a code to an address, and uses it when it came back', async () => {
    const { page } = ann;
    await page.goto(`${server.url}/#/settings/reach`);
    await page.getByText('No step yet').waitFor();
    await page.getByLabel('Address or number').fill('ann@elsewhere.example');
    await page.getByRole('button', { name: 'Send a code' }).click();
    await page.getByText('Mail · waits for its code').waitFor();
    const { to, text } = await smarthost.next();
    expect(to).toBe('ann@elsewhere.example');
    const code = /\b\d{4,8}\b/.exec(text)?.[0];
    expect(code, text).toBeDefined();
    await page.getByLabel('Code from the message').fill(code!);
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByText('Mail · confirmed').waitFor();
    if ((await step(page, 1).count()) === 0) await page.getByRole('button', { name: 'Add a step' }).click();
    await page.getByText('Reach me when I am not here').click();
    await page.getByText('Keep quiet for some hours').click();
    await page.getByRole('button', { name: 'Save' }).click();
    await saved(page);
    await page.reload();
    await page.getByText('Mail · confirmed').waitFor();
    await expect.poll(() => step(page, 1).getByLabel('By').inputValue()).toBe('mail ann@elsewhere.example');
    expect(await page.getByRole('switch', { name: 'Reach me' }).isChecked()).toBe(true);
    expect(await page.getByLabel('From').inputValue()).toBe('22:00');
    expect(complaints).toEqual([]);
  });

  it('tries an address out, and forgets it', async () => {
    const { page } = ann;
    await page.getByRole('button', { name: 'Test it now' }).click();
    expect((await smarthost.next()).text).toContain('is reached here');
    await page.getByRole('button', { name: 'Remove ann@elsewhere.example' }).click();
    await page.getByText('No step yet').waitFor();
    expect(complaints).toEqual([]);
  });
});
