import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Token } from '../../src/xmpp/negotiation';
import { NS } from '../../src/xmpp/ns';
import { signUp } from '../../src/xmpp/register';
import { Stream } from '../../src/xmpp/stream';
import { el, type El } from '../../src/xmpp/xml';
import { ROOKERY_BIN, Server } from './server';
import { Network } from './socket';

describe.skipIf(!ROOKERY_BIN)('the stream against a Rookery', () => {
  let server: Server;
  beforeAll(async () => {
    server = await Server.start();
  });
  afterAll(() => server.remove());

  function stream(network: Network, id: string = crypto.randomUUID(), keepToken = true): Stream {
    const agent = { id, software: 'Rookery', device: 'Test', public: !keepToken };
    return new Stream({ url: server.websocket, domain: server.domain, agent, keepToken, connect: network.connect });
  }

  const once = (made: Stream, event: 'fresh' | 'resumed' | 'interrupted') =>
    new Promise<void>((resolve) => {
      const off = made.on(event, () => {
        off();
        resolve();
      });
    });

  test('signs up, signs in, and comes back with a token', async () => {
    const network = new Network();
    const entry = { nick: 'Pip', password: 'korrekt Pferd' };
    const user = await signUp({ url: server.websocket, domain: server.domain, connect: network.connect }, entry);
    expect(user).toMatch(/^[0-9]+$/);

    const id = crypto.randomUUID();
    const first = stream(network, id);
    let token: Token | undefined;
    first.on('token', (fresh) => (token = fresh));
    await first.start({ user, secret: { password: entry.password } }, false);
    expect(first.me).toMatch(new RegExp(`^${user}@localhost/Rookery/`));
    expect(first.features).toMatchObject({ rosterVersion: true, carbons: true, csi: true, resumption: true });
    expect(token).toBeDefined();
    first.stop();

    const second = stream(network, id);
    await second.start({ user, token: token! }, false);
    expect(second.me).toBe(first.me);
    const roster = await second.iq(el('iq', { type: 'get' }, el('query', { xmlns: NS.roster })));
    expect(roster.child('query', NS.roster)).toBeDefined();
    second.stop();
  });

  test('a wrong password stops at once', async () => {
    const network = new Network();
    const made = stream(network);
    await expect(made.start({ user: '10001', secret: { password: 'wrong' } }, true)).rejects.toMatchObject({
      condition: 'not-authorized',
    });
    expect(network.opened).toBe(1);
  });

  test('is resumed after a cut and after a crash, and loses nothing', async () => {
    const network = new Network();
    const entry = { nick: 'Pip', password: 'korrekt Pferd' };
    const user = await signUp({ url: server.websocket, domain: server.domain, connect: network.connect }, entry);
    const made = stream(network);
    await made.start({ user, secret: { password: entry.password } }, false);
    const me = made.me;
    made.send(el('presence'));
    const got: string[] = [];
    made.on('stanza', (stanza: El) => {
      const body = stanza.childText('body');
      if (body) got.push(body);
    });
    let fresh = 0;
    made.on('fresh', () => fresh++);
    const fates: string[] = [];
    const say = (text: string) =>
      made.send(el('message', { to: me, type: 'chat' }, el('body', {}, text)), (fate) => fates.push(fate));

    const acknowledged = (count: number) =>
      expect.poll(() => fates.length, { timeout: 10_000, interval: 20 }).toBe(count);
    say('one');
    await acknowledged(1);
    const back = once(made, 'resumed');
    network.cut();
    say('two');
    made.reconnect();
    await back;
    await acknowledged(2);

    const gone = once(made, 'interrupted');
    const again = once(made, 'resumed');
    await server.end('SIGKILL');
    await gone;
    say('three');
    await server.run();
    made.reconnect();
    await again;
    await acknowledged(3);
    await expect.poll(() => got, { timeout: 10_000 }).toEqual(['one', 'two', 'three']);
    expect(fates).toEqual(['acknowledged', 'acknowledged', 'acknowledged']);
    expect(fresh).toBe(0);
    expect(made.me).toBe(me);
    made.stop();
  });
});
