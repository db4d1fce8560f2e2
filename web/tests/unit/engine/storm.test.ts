import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Event } from '../../../src/api/events';
import { apiFor } from '../../../src/engine/api';
import { Engine } from '../../../src/engine/engine';
import { makeMessages } from '../../../src/engine/messages/messages';
import { NS } from '../../../src/xmpp/ns';
import { el, type El } from '../../../src/xmpp/xml';
import { ScriptedServer, TOKEN, type ScriptedSocket } from '../xmpp/script';

const PEOPLE = 10_000;

/** A server with a roster of many, and nothing else. */
class Crowd extends ScriptedServer {
  override async receive(socket: ScriptedSocket, element: El): Promise<void> {
    await super.receive(socket, element);
    if (element.name !== 'iq') return;
    const result = el('iq', { type: 'result', id: element.attrs.id });
    if (element.child('query', NS.roster)) {
      const items = Array.from({ length: PEOPLE }, (_, at) =>
        el(
          'item',
          { jid: `${10_001 + at}@here`, subscription: 'both', name: `N ${at}` },
          el('group', {}, `G ${at % 20}`),
        ),
      );
      result.add(el('query', { xmlns: NS.roster }, ...items));
    }
    socket.push(result);
  }
}

beforeEach(() => void vi.spyOn(console, 'error'));
afterEach(() => void vi.restoreAllMocks());

test('ten thousand contacts come online in a few messages to the page', async () => {
  const server = new Crowd();
  const config = { domain: 'here', groups: 'groups.here', websocket: 'ws://here/', origin: 'http://here' };
  const engine = new Engine({ config, keeps: false, conversations: makeMessages, connect: server.connect });
  const posts: Event[][] = [];
  const api = apiFor(engine);
  await api.attach((events) => posts.push(events));
  // The scripted server knows tokens only; what follows is as after any sign-in.
  const token = { token: TOKEN, issued: Date.now(), expires: Date.now() + 1e6 };
  await engine.enterWith({ user: 'pip', token }, 'public');
  const { snapshot } = posts.flat().find((event) => event.type === 'signed-in')!;
  expect(snapshot.contacts).toHaveLength(PEOPLE);
  posts.length = 0;

  const began = performance.now();
  for (let at = 0; at < PEOPLE; at++) {
    const from = `${10_001 + at}@here/x`;
    server.last.push(
      `<presence xmlns='jabber:client' from='${from}'><show>away</show><status>S ${at}</status></presence>`,
    );
  }
  const took = performance.now() - began;
  await expect.poll(() => posts.flat().length).toBeGreaterThan(0);
  const changed = posts.flat().flatMap((event) => (event.type === 'contacts' ? event.changed : []));
  expect(changed).toHaveLength(PEOPLE);
  expect(changed.at(-1)).toMatchObject({ show: 'away', status: `S ${PEOPLE - 1}` });
  expect(posts.length).toBeLessThan(5);
  console.log(`${PEOPLE} presences: ${Math.round(took)} ms, ${posts.length} messages to the page`);
  await api.signOut();
});
