/** The ways in which a connection is cut. Each leaves everything as it will be mended: by itself, or within its time. */
import type { Page } from 'playwright-core';
import type { Proxy } from '../../live/proxy';
import type { Server } from '../../live/server';
import type { Random } from '../../unit/history/model';
import { composer, PASSWORD, type Person } from '../people';

/** Somebody, the way to the server, and all tabs. */
export interface Device {
  person: Person;
  proxy: Proxy;
  tabs: Page[];
  place: 'own' | 'public';
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const KINDS = {
  drop: 46,
  half: 8,
  stall: 12,
  'stall and drop': 8,
  away: 8,
  offline: 8,
  kill: 4,
  reload: 6,
} as const;
export type Kind = keyof typeof KINDS;

export function kindOf(random: Random): Kind {
  let roll = random.below(Object.values(KINDS).reduce((sum, weight) => sum + weight, 0));
  for (const [kind, weight] of Object.entries(KINDS)) if ((roll -= weight) < 0) return kind as Kind;
  return 'drop';
}

/** Cuts; `leaving` is told before a public page forgets what it has not sent. */
export async function cut(
  kind: Kind,
  device: Device,
  server: Server,
  random: Random,
  leaving: () => Promise<void>,
): Promise<void> {
  const { proxy, person } = device;
  switch (kind) {
    case 'drop':
      return proxy.drop();
    case 'half':
      proxy.halfClose();
      // A browser that knows of a change of its network asks whether the connection lives; else it would take its time.
      return void setTimeout(() => proxy.drop(), 300 + random.below(2_000));
    case 'stall':
      return proxy.stall(50 + random.below(3_000));
    case 'stall and drop':
      proxy.stall(60_000);
      return void setTimeout(() => proxy.drop(), 100 + random.below(1_000));
    case 'away':
    case 'offline': {
      proxy.down = true;
      proxy.drop();
      if (kind === 'offline') await person.context.setOffline(true);
      await pause(random.below(1_500));
      proxy.down = false;
      if (kind === 'offline') await person.context.setOffline(false);
      return;
    }
    case 'kill':
      await server.end('SIGKILL');
      await pause(random.below(500));
      return server.run();
    case 'reload':
      return device.place === 'own' ? reload(device, random) : comeBack(device, leaving);
  }
}

/** A tab is loaded again; or all of them, and the engine with them. */
async function reload(device: Device, random: Random): Promise<void> {
  const tabs = random.chance(0.5) ? device.tabs : [random.pick(device.tabs)];
  await Promise.all(tabs.map((tab) => tab.goto('about:blank')));
  await Promise.all(tabs.map((tab) => arrive(tab, device.proxy.url)));
}

async function arrive(tab: Page, url: string): Promise<void> {
  await tab.goto(`${url}/#/chats`);
  await tab.getByRole('tab', { name: /Chats/ }).waitFor();
}

/** On a public computer nothing is left after a reload: one signs in again. */
async function comeBack({ person, proxy }: Device, leaving: () => Promise<void>): Promise<void> {
  const { page } = person;
  await leaving();
  await page.goto('about:blank');
  await page.goto(`${proxy.url}/#/sign-in`);
  await page.getByLabel('Number or name').fill(person.number);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('tab', { name: /Chats/ }).waitFor();
}

/** Writes a word; resolves when one sees it. */
export async function write(page: Page, word: string): Promise<void> {
  const field = composer({ page });
  await field.fill(word);
  await field.press('Enter');
  await page.locator('article', { hasText: word }).last().waitFor();
}
