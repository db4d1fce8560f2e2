import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signUp } from '../../src/xmpp/register';
import { Stream } from '../../src/xmpp/stream';
import { el, type El } from '../../src/xmpp/xml';
import { MISSING, Other, type Kind } from './others';
import { PASSWORD, PATIENCE, TalkingPage } from './page';
import { Network } from './socket';

for (const [kind, why] of Object.entries(MISSING)) if (why) console.log(`Tests against ${kind} are skipped: ${why}.`);

describe.each(Object.keys(MISSING) as Kind[])('the engine against %s', (kind) => {
  describe.skipIf(MISSING[kind] !== undefined)('where it is installed', () => {
    let server: Other;
    beforeAll(async () => {
      server = await Other.start(kind);
    });
    afterAll(() => server?.remove());

    const begin = async (network: Network, name: string) => {
      const { websocket: url, domain } = server;
      await signUp({ url, domain, connect: network.connect }, { name, nick: name, password: PASSWORD });
      const agent = { id: crypto.randomUUID(), software: 'Rookery', device: 'Test', public: false };
      return new Stream({ url, domain, agent, keepToken: true, connect: network.connect });
    };

    test('signs up, signs in, and goes on after a cut', async () => {
      const network = new Network();
      const stream = await begin(network, 'pip');
      const seen: string[] = [];
      for (const event of ['fresh', 'resumed'] as const) stream.on(event, () => void seen.push(event));
      await stream.start({ user: 'pip', secret: { password: PASSWORD } }, false);
      expect(stream.me).toMatch(/^pip@localhost\/./);
      stream.send(el('presence'));
      const said: string[] = [];
      stream.on('stanza', (stanza: El) => {
        const body = stanza.childText('body');
        if (body) said.push(body);
      });
      const fates: string[] = [];
      const say = (text: string) =>
        stream.send(el('message', { to: stream.me, type: 'chat' }, el('body', {}, text)), (fate) => fates.push(fate));
      say('one');
      await expect.poll(() => fates, { timeout: 10_000 }).toEqual(['acknowledged']);
      network.cut();
      say('two');
      await expect.poll(() => seen, { timeout: 10_000 }).toEqual(['fresh', 'resumed']);
      await expect.poll(() => fates, { timeout: 10_000 }).toEqual(['acknowledged', 'acknowledged']);
      await expect.poll(() => said, { timeout: 10_000 }).toEqual(['one', 'two']);
      stream.stop();
    });

    test('a wrong password stops at once', async () => {
      const network = new Network();
      const stream = await begin(network, 'squeak');
      const opened = network.opened;
      await expect(stream.start({ user: 'squeak', secret: { password: 'no' } }, true)).rejects.toMatchObject({
        condition: 'not-authorized',
      });
      expect(network.opened).toBe(opened + 1);
    });

    test('two become contacts, talk, and meet in a group', async () => {
      const arrive = (name: string) => new TalkingPage(server).signUp(name, name);
      const [chirp, peep] = [await arrive('chirp'), await arrive('peep')];
      await chirp.api.addContact('peep@localhost', { remark: 'P', categories: ['Friends'], text: 'Hello' });
      await expect.poll(() => peep.engine.signedIn.requests.contacts.length, PATIENCE).toBe(1);
      await peep.api.answerRequest('chirp@localhost', true);
      await expect.poll(() => chirp.contact('peep@localhost')?.subscription, PATIENCE).toBe('both');
      await expect.poll(() => chirp.contact('peep@localhost')?.show, PATIENCE).toBe('online');
      await peep.api.setPresence('dnd', 'Fishing');
      await expect.poll(() => chirp.contact('peep@localhost')?.status, PATIENCE).toBe('Fishing');

      await chirp.api.send('peep@localhost', { body: 'Any luck?' });
      const { key } = await peep.message('chirp@localhost', 'Any luck?');
      await peep.api.markRead('chirp@localhost', key);
      await chirp.message('peep@localhost', 'Any luck?', ({ state }) => state === 'read');
      chirp.network.cut();
      await peep.api.send('chirp@localhost', { body: 'Three herrings' });
      await chirp.message('peep@localhost', 'Three herrings');

      const group = 'colony@groups.localhost';
      await chirp.api.join(group, {});
      await chirp.api.setGroupSettings(group, await chirp.api.groupSettings(group));
      await peep.api.join(group, { nick: 'chirp' });
      const nicks = async () => (await chirp.api.members(group)).map(({ nick }) => nick).sort();
      await expect.poll(nicks, PATIENCE).toEqual(['chirp', 'chirp_']);
      await peep.api.send(group, { body: 'Herrings for all' });
      await chirp.message(group, 'Herrings for all', ({ sender }) => sender === 'chirp_');
      for (const { engine } of [chirp, peep]) await engine.signOut('asked');
    });
  });
});
