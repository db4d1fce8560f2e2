/** Several tabs of one's own device where there are no shared workers, as in Chrome on Android: one of them has the engine of all. */
import type { Browser } from 'playwright-core';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server } from '../live/server';
import { type Person, befriend, complaints, launch, look, open, say, sees, signUp } from './people';

describe.skipIf(ROOKERY_BIN === undefined)('tabs without a shared worker', () => {
  let server: Server;
  let browser: Browser;
  let ann: Person;
  /** Bob's tabs, the first of which leads. */
  let bob: Person;
  let second: Person;

  beforeAll(async () => {
    server = await Server.start();
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'public');
    bob = await signUp(browser, server, 'Bob', 'own', () => {
      Object.defineProperty(globalThis, 'SharedWorker', { value: undefined });
    });
    await befriend(ann, bob);
    await open(ann, 'Contacts', 'Bob');
    await open(bob, 'Contacts', 'Ann');
    second = await tab();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.remove();
  });

  /** Another tab of Bob's, at the conversation with Ann. */
  async function tab(): Promise<Person> {
    const one: Person = { ...bob, page: await look(bob.context, server, '#/contacts') };
    await open(one, 'Contacts', 'Ann');
    return one;
  }

  /** How often a session of Bob's began. */
  const sessions = () =>
    readFileSync(join(server.folder, 'log'), 'utf8').match(new RegExp(`session begins uid=${bob.number}`, 'g'))!.length;

  it('both show and send, over one session', async () => {
    const before = sessions();
    await say(ann, 'to both tabs');
    for (const who of [bob, second]) await sees(who, 'to both tabs');
    await say(second, 'from the second');
    for (const who of [ann, bob, second]) await sees(who, 'from the second');
    await say(bob, 'from the first');
    for (const who of [ann, bob, second]) await sees(who, 'from the first');
    expect(sessions()).toBe(before);
  });

  it('when the tab that leads is closed, another goes on', async () => {
    await bob.page.close();
    await say(ann, 'who is there now?');
    await sees(second, 'who is there now?');
    await say(second, 'the second is');
    await sees(ann, 'the second is');
    await sees(second, 'from the first');
    const third = await tab();
    await say(third, 'and a third');
    for (const who of [ann, second, third]) await sees(who, 'and a third');
    expect(complaints).toEqual([]);
    await third.page.close();
  });

  // Not run: in about half of the runs the new leader is not there within half a minute, and why is not known. It is not the machine's
  // load, and not an open transaction of IndexedDB.
  it.skip('when the browser freezes the tab that leads, another goes on, and nothing is lost or said twice', async () => {
    const third = await tab();
    const devtools = await second.page.context().newCDPSession(second.page);
    // As a browser freezes it: no task of the page runs, and the lock is still its own.
    await devtools.send('Debugger.enable');
    await devtools.send('Debugger.pause');
    // Nobody asks anything: the tab that is looked at finds out by itself.
    await say(ann, 'is the ice thick?');
    await sees(third, 'is the ice thick?');
    await say(third, 'it is');
    await sees(ann, 'it is');
    await devtools.send('Debugger.disable');
    // It begins anew, at the tab that leads now.
    await sees(second, 'it is');
    await say(second, 'and thawed');
    for (const who of [ann, second, third])
      for (const text of ['is the ice thick?', 'it is', 'and thawed']) await sees(who, text);
    expect(complaints).toEqual([]);
  });
});
