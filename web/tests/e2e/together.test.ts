/** What people do with each other and with groups, and what an administrator does with both, with the real server. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server } from '../live/server';
import { type Person, befriend, complaints, launch, open, plus, say, sees, signUp } from './people';

describe.skipIf(ROOKERY_BIN === undefined)('together', () => {
  let server: Server;
  let browser: Browser;
  let ann: Person;
  let bob: Person;
  /** The address of the group that Ann makes. */
  let group = '';

  beforeAll(async () => {
    server = await Server.start();
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'own');
    bob = await signUp(browser, server, 'Bob', 'public');
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

  const tab = (person: Person, name: RegExp) => person.page.getByRole('tab', { name }).click();
  const dialog = (person: Person) => person.page.getByRole('dialog');
  const go = (page: Page, hash: string) => page.evaluate((to) => void (location.hash = to), hash);
  const rowOf = (person: Person, name: string) =>
    person.page.getByRole('tabpanel').locator('a', { hasText: name }).first();

  it('a contact has a remark, and is moved to another category by keyboard and by the pointer', async () => {
    await open(ann, 'Contacts', 'Bob');
    await go(ann.page, `#/contacts/${bob.number}@localhost/info`);
    const card = ann.page.locator('aside');
    await card.getByRole('button', { name: 'Give a name of your own' }).click();
    await dialog(ann).getByRole('textbox').fill('Robert');
    await ann.page.keyboard.press('Enter');
    await rowOf(ann, 'Robert').waitFor();

    // By keyboard: the menu of the row, a new category.
    await card.getByRole('button', { name: 'Category', exact: true }).focus();
    await ann.page.keyboard.press('Enter');
    await ann.page.getByRole('menuitem', { name: 'New category' }).focus();
    await ann.page.keyboard.press('Enter');
    await dialog(ann).getByRole('textbox').fill('Friends');
    await ann.page.keyboard.press('Enter');
    const friends = ann.page.getByRole('tabpanel').getByText('Friends', { exact: true });
    await friends.waitFor();
    await card.getByRole('button', { name: 'Category', exact: true }).click();
    await ann.page.getByRole('menuitem', { name: 'New category' }).click();
    await dialog(ann).getByRole('textbox').fill('Work');
    await ann.page.keyboard.press('Enter');
    const work = ann.page.getByRole('tabpanel').getByText('Work', { exact: true });
    await work.waitFor();

    // Out of "Friends": from its row there onto "Work", where the contact is already.
    await rowOf(ann, 'Robert').dragTo(work);
    await card.getByRole('button', { name: 'Out of Friends' }).waitFor({ state: 'hidden' });
    await card.getByRole('button', { name: 'Out of Work' }).waitFor();
    await ann.page.reload();
    await tab(ann, /Contacts/);
    await ann.page.getByRole('tabpanel').getByText('Work', { exact: true }).waitFor();
  });

  it('the presence that one chooses is seen, with the text that one gives it', async () => {
    await tab(bob, /Contacts/);
    await rowOf(bob, 'Ann').waitFor();
    const choose = async (name: string) => {
      await ann.page.getByRole('button', { name: 'How you are seen' }).click();
      await ann.page.getByRole('menuitemradio', { name }).or(ann.page.getByRole('menuitem', { name })).first().click();
    };
    await choose('Do not disturb');
    await rowOf(bob, 'Ann').getByText('Do not disturb').waitFor();
    await ann.page.getByRole('button', { name: /^Signature/ }).click();
    await ann.page.getByRole('textbox', { name: 'Signature' }).fill('at the harbour');
    await ann.page.keyboard.press('Enter');
    await rowOf(bob, 'Ann').getByText('at the harbour').waitFor();
    await choose('Invisible');
    await rowOf(bob, 'Ann').getByText('Offline').waitFor();
    await choose('Online');
    await rowOf(bob, 'Ann').getByText('at the harbour').waitFor();
  });

  it('one is invisible to one contact, and the page knows that after a reload', async () => {
    const card = async () => {
      await go(ann.page, `#/contacts/${bob.number}@localhost/info`);
      return ann.page.locator('aside').getByRole('radio', { name: /Never sees me/ });
    };
    await (await card()).check();
    await rowOf(bob, 'Ann').getByText('Offline').waitFor();
    await ann.page.reload();
    await expect.poll(async () => (await card()).isChecked()).toBe(true);
    await ann.page
      .locator('aside')
      .getByRole('radio', { name: /Like everybody/ })
      .check();
    await rowOf(bob, 'Ann').getByText('at the harbour').waitFor();
  });

  it('one is visible to one contact while one is invisible', async () => {
    const choose = async (name: string) => {
      await ann.page.getByRole('button', { name: 'How you are seen' }).click();
      await ann.page.getByRole('menuitemradio', { name }).click();
    };
    const see = (name: RegExp) => ann.page.locator('aside').getByRole('radio', { name }).check();
    await choose('Invisible');
    await rowOf(bob, 'Ann').getByText('Offline').waitFor();
    await see(/Always sees me/);
    await rowOf(bob, 'Ann').getByText('at the harbour').waitFor();
    await see(/Like everybody/);
    await rowOf(bob, 'Ann').getByText('Offline').waitFor();
    await choose('Online');
    await rowOf(bob, 'Ann').getByText('at the harbour').waitFor();
  });

  it('who opens the link to a group for members asks, and is let in', async () => {
    await plus(ann, 'New group');
    await dialog(ann).getByLabel('Name').fill('Tea at four');
    await dialog(ann).getByRole('button', { name: 'Create' }).click();
    await dialog(ann).waitFor({ state: 'hidden' });
    await say(ann, 'the kettle is on');
    group = decodeURIComponent(new URL(ann.page.url()).hash.split('/')[2] ?? '');
    expect(group).toMatch(/^7\d{5}@groups\.localhost$/);

    await go(bob.page, `#/join/799998@groups.localhost`);
    await bob.page.getByText('There is no group').waitFor();
    await bob.page.getByRole('button', { name: 'To my messages' }).click();
    await go(bob.page, `#/join/${group}`);
    await bob.page.getByRole('heading', { name: 'Tea at four' }).waitFor();
    await bob.page.getByRole('button', { name: 'Join', exact: true }).click();
    await bob.page.getByLabel('A word to go with it').fill('Milk, no sugar');
    await bob.page.getByRole('button', { name: 'Ask to be let in' }).click();
    await bob.page.getByText('The group has been asked').waitFor();
    await bob.page.getByRole('button', { name: 'To my messages' }).click();

    // Not from what was told while the page was open: from the list of those who wait.
    await ann.page.reload();
    await open(ann, 'Groups', 'Tea at four');
    await go(ann.page, `#/groups/${group}/info`);
    const panel = ann.page.locator('aside');
    await panel.getByText('Milk, no sugar').waitFor();
    await panel.getByRole('button', { name: 'Accept' }).click();
    await panel.getByText('Milk, no sugar').waitFor({ state: 'hidden' });
    await tab(bob, /Groups/);
    await bob.page.getByRole('button', { name: 'Accept' }).click();
    await open(bob, 'Groups', 'Tea at four');
    await sees(bob, 'the kettle is on');
    await say(bob, 'something unkind');
    await sees(ann, 'something unkind');
  });

  it('a message is taken away by who keeps order', async () => {
    await ann.page.locator('article', { hasText: 'something unkind' }).locator('.bubble').click({ button: 'right' });
    await ann.page.getByRole('menuitem', { name: 'Remove for everyone' }).click();
    await dialog(ann).getByRole('button', { name: 'Remove for everyone' }).click();
    for (const who of [ann, bob]) await who.page.locator('article').getByText('Removed by Ann').waitFor();
    expect(await bob.page.getByText('something unkind').count()).toBe(0);
  });

  it('somebody is put out, and banned', async () => {
    await open(ann, 'Groups', 'Tea at four');
    const member = async (what: string) => {
      await go(ann.page, `#/groups/${group}/info`);
      await ann.page.locator('aside').getByRole('tab', { name: 'Members' }).click();
      await ann.page.locator('aside').getByRole('button', { name: /Bob/ }).click();
      await ann.page.getByRole('menuitem', { name: what }).click();
      await dialog(ann).getByRole('button', { name: what }).click();
    };
    await member('Put out');
    await go(bob.page, `#/join/${group}`);
    await bob.page.getByRole('button', { name: 'Join', exact: true }).click();
    await bob.page.getByPlaceholder('Message', { exact: true }).waitFor();
    await member('Ban');
    await go(bob.page, `#/join/${group}`);
    await bob.page.getByRole('button', { name: 'Join', exact: true }).click();
    await bob.page.getByRole('alert').waitFor();
    await bob.page.getByRole('button', { name: 'To my messages' }).click();
  });

  it('a link brings somebody new into the group, and an invitation somebody who is here', async () => {
    await go(ann.page, `#/groups/${group}/info`);
    await ann.page.locator('aside').getByRole('tab', { name: 'About' }).click();
    await ann.page.locator('aside').getByRole('button', { name: 'Invite people' }).click();
    await dialog(ann).getByRole('button', { name: 'Invite by a link' }).click();
    const link = await dialog(ann).locator('.url').innerText();
    await ann.page.keyboard.press('Escape');
    const token = link.split('/').at(-1);

    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
    const page = await context.newPage();
    await page.goto(`${server.url}/#/invite/${token}`);
    await page.getByLabel('What are you called?').fill('Cleo');
    await page.getByLabel('Choose a password').fill('a penguin on the ice');
    await page.getByRole('button', { name: 'Get my number' }).click();
    await page.getByRole('button', { name: 'Go to my messages' }).click();
    const cleo: Person = { page, context, nick: 'Cleo', number: '' };
    await open(cleo, 'Groups', 'Tea at four');
    await sees(cleo, 'the kettle is on');

    const dan = await signUp(browser, server, 'Dan', 'public');
    await go(dan.page, `#/invite/${token}`);
    await dan.page.getByText('Ann invites you into the group Tea at four.').waitFor();
    await dan.page.getByRole('button', { name: 'Join' }).click();
    await sees(dan, 'the kettle is on');
    await go(dan.page, '#/invite/nothing');
    await dan.page.getByText('This invitation is not good any more').waitFor();
    await context.close();
    await dan.context.close();
    expect(complaints).toEqual([]);
  });

  it('an administrator finds people and groups, gives room, and ends a group', async () => {
    server.command('account', 'admin', ann.number, 'on');
    await ann.page.reload();
    await tab(ann, /Contacts/);
    await go(ann.page, '#/admin/people');
    const main = ann.page.locator('main');
    await main.getByRole('searchbox').fill('bo');
    await main.locator('li a').getByText('Bob').click();
    await main.getByRole('button', { name: 'How much it may store' }).click();
    await dialog(ann).getByRole('textbox').fill('5');
    await dialog(ann).getByRole('button', { name: 'Save' }).click();
    await main.getByText('5 MB').waitFor();
    await main.getByRole('button', { name: 'Reset sign-in' }).click();
    await dialog(ann).getByRole('button', { name: 'Reset sign-in' }).click();
    await main.locator('.url').getByText('/#/recover/').waitFor();

    await go(ann.page, '#/admin/storage');
    await main.getByText('Messages and accounts', { exact: true }).waitFor();
    await go(ann.page, '#/admin/invitations');
    await main.getByRole('button', { name: 'Make an invitation' }).click();
    await main.locator('.url').waitFor();
    await main.getByRole('button', { name: 'Take back' }).first().click();
    await dialog(ann).getByRole('button', { name: 'Take back' }).click();
    await ann.page.getByText('The invitation is taken back.').waitFor();

    await go(ann.page, '#/admin/groups');
    await main.locator('li a').getByText('Tea at four').click();
    await main.getByRole('button', { name: 'Settings of the group' }).click();
    await main.getByLabel('Name', { exact: true }).fill('Tea at five');
    await main.getByRole('button', { name: 'Save' }).click();
    await main.getByRole('heading', { name: 'Tea at five' }).waitFor();
    await main.getByRole('button', { name: 'Destroy the group' }).click();
    await dialog(ann).getByRole('textbox').fill('spring');
    await dialog(ann).getByRole('button', { name: 'Destroy the group' }).click();
    await main.getByText('No group is like this').waitFor();
    expect(complaints).toEqual([]);
  });
});
