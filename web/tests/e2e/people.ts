/** People in front of a real server: each in a browser context of its own, which knows nothing of the others. */
import { type Browser, type BrowserContext, type Locator, type Page, chromium } from 'playwright-core';
import { ARGS } from '../../scripts/site.mjs';
import type { Server } from '../live/server';

export const PASSWORD = 'a penguin on the ice';

/** Somebody at a desk, who reads English. */
export const DESK = { viewport: { width: 1280, height: 800 }, locale: 'en-GB' };

/** Where a page is found: a server, or a way to one. */
type Site = Pick<Server, 'url'>;

export interface Person {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly nick: string;
  readonly number: string;
}

/** What pages complain about: errors of scripts, and breaches of the policy. */
export const complaints: string[] = [];

/** A browser; what it is started with beside the usual, such as a microphone. */
export async function launch(...more: string[]): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: [...ARGS, ...more] });
}

/** A page of this context at the server's address. */
export async function look(context: BrowserContext, server: Site, hash = ''): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (said) => {
    // A server that is away is no mistake of the page, nor that these contexts have no push service.
    if (said.type() === 'error' && !/WebSocket|ERR_CONNECTION|Failed to load resource|incognito/.test(said.text()))
      complaints.push(said.text());
  });
  await page.goto(server.url + '/' + hash);
  return page;
}

/** Somebody who comes for the first time, and has a number afterwards. */
export async function signUp(
  browser: Browser,
  server: Site,
  nick: string,
  place: 'public' | 'own',
  script?: () => void,
): Promise<Person> {
  const context = await newContext(browser);
  if (script) await context.addInitScript(script);
  return signUpIn(context, server, nick, place);
}

/** A browser context for somebody at a desk. */
export const newContext = (browser: Browser) => browser.newContext(DESK);

/** The same, in a browser context that is there. */
export async function signUpIn(
  context: BrowserContext,
  server: Site,
  nick: string,
  place: 'public' | 'own',
): Promise<Person> {
  const page = await look(context, server);
  await page.getByText('Get a number').click();
  await page.getByLabel('What are you called?').fill(nick);
  await page.getByLabel('Choose a password').fill(PASSWORD);
  if (place === 'own') await page.getByText('My own device').click();
  await page.getByRole('button', { name: 'Get my number' }).click();
  const on = page.getByRole('button', { name: 'Go to my messages' });
  await on.waitFor();
  const number = /\b[1-9]\d{4,}\b/.exec(await page.locator('main').innerText())?.[0];
  if (number === undefined) throw new Error('the card has no number');
  await on.click();
  await page.getByRole('tab', { name: 'Contacts' }).waitFor();
  return { page, context, nick, number };
}

/** Fills in the form for signing in, and sends it. */
export async function fillIn(page: Page, user: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('Number or name').fill(user);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
}

/** Somebody who has an account comes in at another computer. */
export async function signIn(
  browser: Browser,
  server: Site,
  who: Pick<Person, 'nick' | 'number'>,
  password = PASSWORD,
) {
  const context = await newContext(browser);
  const page = await look(context, server);
  await fillIn(page, who.number, password);
  await page.getByRole('tab', { name: 'Contacts' }).waitFor();
  return { ...who, page, context };
}

/** The one asks by number, the other accepts. */
export async function befriend(one: Person, other: Person): Promise<void> {
  await plus(one, 'Add a contact');
  const dialog = one.page.getByRole('dialog');
  await dialog.getByRole('textbox').first().fill(other.number);
  await one.page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Send request' }).click();
  await other.page.getByRole('tab', { name: /Contacts/ }).click();
  await other.page.getByRole('button', { name: 'Accept' }).click();
  await one.page.getByRole('tab', { name: /Contacts/ }).click();
  await one.page.getByText('1/1').waitFor();
}

/** A command of the menu behind "+". */
export async function plus(person: Person, what: string): Promise<void> {
  await person.page.getByRole('button', { name: /^Add/ }).first().click();
  await person.page.getByRole('menuitem', { name: what }).click();
}

/** Opens the conversation with this title, in the tab of this name. */
export async function open(person: Person, tab: 'Chats' | 'Contacts' | 'Groups', title: string): Promise<void> {
  await person.page.getByRole('tab', { name: new RegExp(tab) }).click();
  await person.page.getByRole('tabpanel').getByText(title, { exact: true }).first().click();
  await composer(person).waitFor();
}

/** Where one writes; dialogs have fields of their own. */
export const composer = (person: Pick<Person, 'page'>) => person.page.getByPlaceholder('Message', { exact: true });

export async function say(person: Person, text: string): Promise<void> {
  await composer(person).fill(text);
  await person.page.keyboard.press('Enter');
}

/** The message with this text, once. */
export async function sees(person: Person, text: string): Promise<void> {
  const row = person.page.locator('article', { hasText: text });
  await row.first().waitFor();
  const count = await row.count();
  if (count !== 1) throw new Error(`${person.nick} sees "${text}" ${count} times`);
}

/** All that a browser can keep of a site. */
export async function kept({ page, context }: Pick<Person, 'page' | 'context'>) {
  const inside = await page.evaluate(async () => ({
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    databases: (await indexedDB.databases()).map((one) => one.name),
    caches: 'caches' in window ? await caches.keys() : [],
    workers: (await navigator.serviceWorker?.getRegistrations())?.length ?? 0,
  }));
  return { ...inside, cookies: await context.cookies() };
}

export const NOTHING = { local: [], session: [], databases: [], caches: [], workers: 0, cookies: [] };

/** Messages with this text. */
export const row = (person: Person, text: string): Locator => person.page.locator('article', { hasText: text });

/** The newest message. */
export const last = (person: Person): Locator => person.page.locator('article').last();

/** A command of a message's menu. */
export async function command(message: Locator, name: string): Promise<void> {
  await message.click({ button: 'right' });
  await message.page().getByRole('menuitem', { name, exact: true }).click();
}

/** A group of the two, open before both; gives its address. */
export async function makeGroup(owner: Person, name: string, guest: Person): Promise<string> {
  await plus(owner, 'New group');
  const dialog = owner.page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByText(guest.nick, { exact: true }).click();
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await guest.page.getByRole('tab', { name: /Groups/ }).click();
  await guest.page.getByRole('button', { name: 'Accept' }).click();
  await open(guest, 'Groups', name);
  await owner.page.getByText('2 here').first().waitFor();
  return /[^/]+@groups\.[^/?]+/.exec(guest.page.url())![0];
}
