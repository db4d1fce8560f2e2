import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MAX_UNACKNOWLEDGED } from '../../../src/xmpp/management';
import { NS } from '../../../src/xmpp/ns';
import { Stream, type Phase } from '../../../src/xmpp/stream';
import { el } from '../../../src/xmpp/xml';
import { ScriptedServer, TOKEN } from './script';

let server: ScriptedServer;
let stream: Stream;
let events: string[];
let phases: Phase[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  server = new ScriptedServer();
  const agent = { id: 'a', software: 'Rookery', device: '', public: false };
  stream = new Stream({ url: 'ws://here', domain: 'here', agent, keepToken: true, connect: server.connect });
  events = [];
  phases = [];
  for (const event of ['fresh', 'resumed', 'interrupted'] as const) stream.on(event, () => void events.push(event));
  stream.on('ended', (error) => void events.push(`ended ${error.condition}`));
  stream.on('phase', (phase) => void phases.push(phase));
});

afterEach(() => {
  stream.stop();
  vi.useRealTimers();
});

const token = () => ({ token: TOKEN, issued: Date.now(), expires: Date.now() + 1e9 });
const begin = () => stream.start({ user: 'pip', token: token() }, true);
const realTimeout = globalThis.setTimeout;
/** Lets what is under way happen (hashing takes its time) while the clock of the test stands still. */
const settle = async (done = () => phases.at(-1)?.state !== 'connecting') => {
  for (let turn = 0; turn < 200; turn++) {
    await new Promise((resolve) => realTimeout(resolve, 5));
    if (done()) return;
  }
};
const pass = async (milliseconds: number) => {
  await vi.advanceTimersByTimeAsync(milliseconds);
  await settle();
};
const message = (text: string) => el('message', { to: 'x@here' }, el('body', {}, text));
const bodies = () => server.stanzas.map((stanza) => stanza.childText('body'));

describe('a session', () => {
  test('begins in one exchange', async () => {
    await begin();
    expect(stream.me).toBe('pip@here/web');
    expect(events).toEqual(['fresh']);
    expect(phases).toEqual([{ state: 'connecting' }, { state: 'online', resumed: false }]);
    expect(server.heard.map((element) => element.name)).toEqual(['open', 'authenticate']);
    expect(server.authentications[0]?.child('bind', NS.bind2)?.child('enable', NS.sm)).toBeDefined();
  });

  test('asks once for what many stanzas are to be acknowledged by', async () => {
    await begin();
    const fates: string[] = [];
    for (let count = 0; count < 50; count++) stream.send(message('x'), (fate) => fates.push(fate));
    await pass(1);
    expect(fates).toHaveLength(50);
    expect(server.heard.filter((element) => element.name === 'r')).toHaveLength(1);
  });

  test('resumes, and repeats what was not handled, in order and once', async () => {
    await begin();
    const fates: string[] = [];
    server.handled = 1;
    for (const text of ['one', 'two', 'three']) stream.send(message(text), (fate) => fates.push(`${text} ${fate}`));
    server.stanzas = server.stanzas.slice(0, 1);
    server.last.drop();
    expect(events).toEqual(['fresh', 'interrupted']);
    stream.send(message('four'), (fate) => fates.push(`four ${fate}`));
    await pass(1_100);
    expect(events).toEqual(['fresh', 'interrupted', 'resumed']);
    const resume = server.authentications[1]?.child('resume', NS.sm);
    expect(resume?.attrs).toMatchObject({ previd: 'session', h: '0' });
    expect(bodies()).toEqual(['one', 'two', 'three', 'four']);
    server.handled = undefined;
    await pass(20_000);
    expect(fates).toEqual(['one', 'two', 'three', 'four'].map((text) => `${text} acknowledged`));
    expect(server.heard.filter((element) => element.name === 'enable')).toEqual([]);
  });

  test('a request is answered after a resumption, and fails with the session', async () => {
    await begin();
    const echo = () => stream.iq(el('iq', { type: 'get' }, el('query', { xmlns: 'test:echo' })));
    server.last.drop();
    const first = echo();
    await pass(1_100);
    await expect(first).resolves.toBeDefined();
    server.deaf = true;
    const second = expect(echo()).rejects.toMatchObject({ condition: 'offline' });
    server.deaf = false;
    server.forgets = true;
    server.last.drop();
    await pass(1_100);
    await second;
    expect(events).toEqual(['fresh', 'interrupted', 'resumed', 'interrupted', 'fresh']);
  });

  test('that cannot go on says what is lost, and what is not', async () => {
    await begin();
    const fates: string[] = [];
    server.deaf = true;
    for (const text of ['one', 'two']) stream.send(message(text), (fate) => fates.push(`${text} ${fate}`));
    server.deaf = false;
    server.forgets = true;
    server.handled = 1;
    server.last.drop();
    await pass(1_100);
    expect(fates).toEqual(['one acknowledged', 'two lost']);
    expect(bodies()).toEqual([]);
  });

  test('counts what it has received', async () => {
    await begin();
    for (let count = 0; count < 3; count++) server.last.push(el('message', { from: 'x@here' }));
    server.last.push(el('r', { xmlns: NS.sm }));
    expect(server.heard.at(-1)?.attrs.h).toBe('3');
  });

  test('ends when the server acknowledges what was never sent', async () => {
    await begin();
    server.last.push(el('a', { xmlns: NS.sm, h: 7 }));
    expect(events).toEqual(['fresh', 'interrupted']);
  });

  test('keeps a bounded number of stanzas', async () => {
    await begin();
    server.last.drop();
    const fates: string[] = [];
    for (let count = 0; count <= MAX_UNACKNOWLEDGED; count++) stream.send(message('x'), (fate) => fates.push(fate));
    expect(fates).toEqual(['lost']);
  });

  test('sends nothing that would end it', async () => {
    server.maxBytes = 10_000;
    await begin();
    const fates: string[] = [];
    stream.send(message('ä'.repeat(5_001)), (fate) => fates.push(fate));
    expect(fates).toEqual(['refused']);
    expect(server.stanzas).toEqual([]);
  });

  test('says whether somebody looks, again after a resumption', async () => {
    await begin();
    stream.setActive(false);
    server.last.drop();
    await pass(1_100);
    expect(server.heard.at(-1)?.is('inactive', NS.csi)).toBe(true);
  });
});

describe('a connection', () => {
  test('is tried again, later each time', async () => {
    await begin();
    server.unreachable = true;
    server.last.drop();
    const waits: number[] = [];
    stream.on('phase', (phase) => {
      if (phase.state === 'waiting') waits.push(phase.retryAt - Date.now());
    });
    await pass(300_000);
    expect(waits.length).toBeGreaterThan(5);
    waits.forEach((wait, at) => {
      expect(wait).toBeLessThanOrEqual(Math.min(60_000, 1_000 * 2 ** (at + 1)));
      expect(wait).toBeGreaterThanOrEqual(0.3 * Math.min(60_000, 1_000 * 2 ** at));
    });
    server.unreachable = false;
    stream.reconnect();
    await settle();
    expect(stream.online).toBe(true);
  });

  test('that is silent is asked, and given up', async () => {
    await begin();
    await pass(66_000);
    expect(server.heard.at(-1)?.name).toBe('r');
    server.deaf = true;
    await pass(90_000);
    expect(events).toEqual(['fresh', 'interrupted']);
  });

  test('that takes a message and says nothing is given up sooner', async () => {
    await begin();
    server.deaf = true;
    stream.send(message('x'), () => {});
    await pass(21_000);
    expect(events).toEqual(['fresh', 'interrupted']);
  });

  test('that hangs while it opens is given up', async () => {
    server.deaf = true;
    begin().catch(() => {});
    await settle(() => server.sockets[0]?.onmessage !== null);
    await pass(16_000);
    expect(phases.map((phase) => phase.state)).toContain('waiting');
  });

  test('is not tried again where one is refused', async () => {
    server.refuses = 'credentials-expired';
    await expect(begin()).rejects.toMatchObject({ condition: 'credentials-expired' });
    await pass(300_000);
    expect(server.sockets).toHaveLength(1);
    expect(events).toEqual(['ended credentials-expired']);
  });

  test('is tried again where the refusal will pass', async () => {
    server.refuses = 'temporary-auth-failure';
    const begun = begin();
    await settle();
    server.refuses = undefined;
    await pass(1_100);
    await begun;
    expect(events).toEqual(['fresh']);
  });

  test('is tried again when it is a ghost of our own that has taken the session', async () => {
    await begin();
    server.last.push(el('error', { xmlns: NS.stream }, el('conflict', { xmlns: NS.streamErrors })));
    await pass(10_000);
    expect(events).toEqual(['fresh', 'interrupted', 'resumed']);
  });

  test('is tried again however late the ghost was, and however often in a long life', async () => {
    await begin();
    for (let count = 0; count < 8; count++) {
      await pass(70_000);
      server.last.push(el('error', { xmlns: NS.stream }, el('conflict', { xmlns: NS.streamErrors })));
      await pass(2_000);
    }
    expect(events.at(-1)).toBe('resumed');
  });

  test('is left to who takes the session again and again', async () => {
    await begin();
    for (let count = 0; count < 6; count++) {
      expect(events.at(-1)).not.toBe('ended conflict');
      server.last.push(el('error', { xmlns: NS.stream }, el('conflict', { xmlns: NS.streamErrors })));
      await pass(10_000);
    }
    expect(events.at(-1)).toBe('ended conflict');
    expect(server.sockets).toHaveLength(6);
  });

  test('is over when it is stopped', async () => {
    await begin();
    const fates: string[] = [];
    server.deaf = true;
    stream.send(message('x'), (fate) => fates.push(fate));
    server.deaf = false;
    stream.stop();
    expect(server.heard.at(-1)?.is('close', NS.framing)).toBe(true);
    expect(fates).toEqual(['lost']);
    await pass(300_000);
    expect(server.sockets).toHaveLength(1);
    await expect(stream.iq(el('iq', { type: 'get' }))).rejects.toMatchObject({ condition: 'offline' });
  });
});

describe('requests of others', () => {
  test('are answered, or refused', async () => {
    await begin();
    server.last.push(el('iq', { type: 'get', id: '1', from: 'x@here' }, el('ping', { xmlns: NS.ping })));
    server.last.push(el('iq', { type: 'get', id: '2', from: 'x@here' }, el('query', { xmlns: 'unknown' })));
    const [pong, refusal] = server.stanzas;
    expect(pong?.attrs).toMatchObject({ type: 'result', id: '1', to: 'x@here' });
    expect(refusal?.attrs).toMatchObject({ type: 'error', id: '2', to: 'x@here' });
    expect(refusal?.child('error')?.child('service-unavailable', NS.stanzaErrors)).toBeDefined();
  });
});
