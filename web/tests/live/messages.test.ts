/** Conversations over a real server: every kind of message, both sides seen. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { el } from '../../src/xmpp/xml';
import { befriend, PATIENCE, TalkingPage } from './page';
import { ROOKERY_BIN, Server } from './server';

describe.skipIf(!ROOKERY_BIN)('messages against a Rookery', () => {
  let server: Server;
  const pages: TalkingPage[] = [];
  beforeAll(async () => {
    server = await Server.start({ config: '[http]\npublic_url = "{url}"' });
  });
  afterAll(() => server.remove());
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.engine.signOut('asked').catch(() => {});
  });

  async function arrive(nick: string): Promise<TalkingPage> {
    const page = new TalkingPage(server);
    pages.push(page);
    return page.signUp(nick);
  }

  async function friends(): Promise<[TalkingPage, TalkingPage]> {
    const [pip, squeak] = [await arrive('Pip'), await arrive('Squeak')];
    await befriend(pip, squeak);
    return [pip, squeak];
  }

  test('a message is stored, delivered, read; the row says what is unread', async () => {
    const [pip, squeak] = await friends();
    const sent = await pip.api.send(squeak.address, { body: 'Is it cold?' });
    expect(sent).toMatchObject({ state: 'sending', mine: true, body: 'Is it cold?' });
    const received = await squeak.message(pip.address, 'Is it cold?');
    expect(received).toMatchObject({ mine: false, from: pip.address, kind: 'text' });
    await expect.poll(() => squeak.rows.get(pip.address), PATIENCE).toMatchObject({ unread: 1, mentions: 1 });
    await pip.message(squeak.address, 'Is it cold?', ({ state }) => state === 'delivered');
    await squeak.api.markRead(pip.address, received.key);
    await pip.message(squeak.address, 'Is it cold?', ({ state }) => state === 'read');
    await expect.poll(() => squeak.rows.get(pip.address)?.unread, PATIENCE).toBe(0);
    await expect.poll(() => pip.rows.get(squeak.address)?.last, PATIENCE).toMatchObject({ state: 'read', mine: true });
    expect(squeak.events.filter((event) => event.type === 'alert')).toHaveLength(1);
  });

  test('answers, corrections, reactions, retractions', async () => {
    const [pip, squeak] = await friends();
    await pip.api.send(squeak.address, { body: 'Fsh?' });
    const first = await squeak.message(pip.address, 'Fsh?');
    await squeak.api.send(pip.address, { body: 'What?', replyTo: first.key });
    const answer = await pip.message(squeak.address, 'What?');
    const mine = await pip.message(squeak.address, 'Fsh?');
    expect(answer.replyTo).toMatchObject({ key: mine.key, text: 'Fsh?' });
    await pip.api.edit(squeak.address, mine.key, 'Fish?');
    expect(await squeak.message(pip.address, 'Fish?')).toMatchObject({ key: first.key, edited: true });
    await squeak.api.react(pip.address, first.key, ['🐟', '❤️']);
    const liked = await pip.message(squeak.address, 'Fish?', ({ reactions }) => reactions.length === 2);
    expect(liked.reactions[0]).toMatchObject({ emoji: '🐟', mine: false });
    await squeak.api.react(pip.address, first.key, []);
    await pip.message(squeak.address, 'Fish?', ({ reactions }) => reactions.length === 0);
    await pip.api.retract(squeak.address, mine.key);
    await expect
      .poll(async () => (await squeak.latest(pip.address)).find(({ key }) => key === first.key), PATIENCE)
      .toMatchObject({ body: '', retracted: { moderated: false } });
    await expect(squeak.api.retract(pip.address, first.key)).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('knocks, stickers, urgency, mentions, drafts, typing', async () => {
    const [pip, squeak] = await friends();
    await pip.api.knock(squeak.address);
    await pip.api.send(squeak.address, { body: '', sticker: 'wave' });
    await pip.api.send(squeak.address, { body: 'Now 🐧 please', urgency: 'urgent' });
    const body = '🐧 Squeak, look';
    await pip.api.send(squeak.address, { body, mentions: [{ begin: 3, end: 9, address: squeak.address }] });
    await squeak.message(pip.address, body);
    const messages = await squeak.latest(pip.address);
    expect(messages.map(({ kind }) => kind)).toEqual(['knock', 'sticker', 'text', 'text']);
    expect(messages[0]).toMatchObject({ body: '' });
    expect(messages[1]).toMatchObject({ sticker: 'wave', body: '' });
    expect(messages[2]).toMatchObject({ urgency: 'urgent', body: 'Now 🐧 please' });
    expect(messages[3]!.mentions).toEqual([{ begin: 3, end: 9, address: squeak.address, me: true }]);
    pip.api.typing(squeak.address, true);
    await expect.poll(() => squeak.rows.get(pip.address)?.typing, PATIENCE).toEqual(['Pip']);
    pip.api.typing(squeak.address, false);
    await expect.poll(() => squeak.rows.get(pip.address)?.typing, PATIENCE).toEqual([]);
    const mine = await pip.message(squeak.address, body);
    const better = [{ begin: 4, end: 11, address: squeak.address }];
    await pip.api.edit(squeak.address, mine.key, 'Oh, @Squeak 🐧', better);
    const edited = await squeak.message(pip.address, 'Oh, @Squeak 🐧');
    expect(edited).toMatchObject({ edited: true, mentions: [{ ...better[0], me: true }] });
    await pip.api.edit(squeak.address, mine.key, 'Nobody');
    expect((await squeak.message(pip.address, 'Nobody')).mentions).toEqual([]);
    pip.api.setDraft(squeak.address, 'I wanted to');
    const second = await new TalkingPage(server).signIn(pip.engine.signedIn.me.number);
    pages.push(second);
    await expect.poll(() => second.rows.get(squeak.address)?.draft, PATIENCE).toBe('I wanted to');
  });

  test('files are uploaded, with a small picture and their size', async () => {
    const [pip, squeak] = await friends();
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==',
      'base64',
    );
    const blob = new Blob([png], { type: 'image/png' });
    await pip.api.send(squeak.address, {
      body: 'Look',
      files: [{ blob, name: 'ice berg.png', type: 'image/png', width: 2, height: 2 }],
    });
    const message = await squeak.message(pip.address, 'Look');
    expect(message).toMatchObject({ kind: 'files', files: [{ name: 'ice berg.png', size: png.length, width: 2 }] });
    expect(message.files[0]!.thumbnail?.url).toMatch(/thumbnail/);
    expect((await fetch(message.files[0]!.url)).status).toBe(200);
    expect((await squeak.api.filesOf(pip.address)).messages.map(({ key }) => key)).toEqual([message.key]);
  });

  test('a second device has it all: history, unread, what was read', async () => {
    const [pip, squeak] = await friends();
    for (let i = 0; i < 120; i++) await pip.api.send(squeak.address, { body: `message ${i}` });
    await squeak.message(pip.address, 'message 119');
    await expect.poll(() => squeak.rows.get(pip.address)?.unread, PATIENCE).toBe(120);
    const second = await new TalkingPage(server).signIn(squeak.engine.signedIn.me.number);
    pages.push(second);
    await expect.poll(() => second.rows.get(pip.address)?.unread, PATIENCE).toBe(120);
    const all = await second.all(pip.address);
    expect(all.map(({ body }) => body)).toEqual(Array.from({ length: 120 }, (_, i) => `message ${i}`));
    await second.api.markRead(pip.address, all[99]!.key);
    await expect.poll(() => squeak.rows.get(pip.address)?.unread, PATIENCE).toBe(20);
    await second.api.send(pip.address, { body: 'From the other' });
    expect(await squeak.message(pip.address, 'From the other')).toMatchObject({ mine: true });
    await expect.poll(() => squeak.rows.get(pip.address)?.unread, PATIENCE).toBe(0);
    const { hits } = await second.api.search('"message 17"', pip.address);
    expect(hits[0]?.message.body).toBe('message 17');
    const around = await second.api.history(pip.address, { around: hits[0]!.message.key }, 20);
    expect(around.messages.some(({ key }) => key === hits[0]!.message.key)).toBe(true);
  });

  test('a group: everybody sees one order; moderators take back; who comes later reads it', async () => {
    const [pip, squeak] = await friends();
    const group = await pip.api.createGroup({ name: 'Floe', about: '', private: false, invite: [] });
    await squeak.api.join(group, {});
    await expect.poll(() => squeak.rows.get(group)?.joined, PATIENCE).toBe(true);
    for (let i = 0; i < 10; i++) {
      await pip.api.send(group, { body: `p${i}` });
      await squeak.api.send(group, { body: `s${i}` });
    }
    await pip.message(group, 's9', ({ state }) => state === 'stored');
    await squeak.message(group, 'p9');
    await pip.message(group, 'p9', ({ state }) => state === 'stored');
    const keys = async (page: TalkingPage) => (await page.all(group)).map(({ body }) => body);
    await squeak.message(group, 's9', ({ state }) => state === 'stored');
    expect(await keys(squeak)).toEqual(await keys(pip));
    expect(await keys(pip)).toHaveLength(20);
    await pip.api.markRead(group, (await pip.latest(group)).at(-1)!.key);
    await squeak.api.send(group, { body: 'Pip, are you there?' });
    await expect.poll(() => pip.rows.get(group), PATIENCE).toMatchObject({ unread: 1, mentions: 1 });
    const rude = await pip.message(group, 's3');
    await pip.api.retract(group, rude.key, 'rude');
    await expect
      .poll(async () => (await squeak.latest(group)).some(({ retracted }) => retracted?.moderated), PATIENCE)
      .toBe(true);
    const pod = await arrive('Pod');
    await pod.api.join(group, {});
    await expect.poll(async () => (await pod.latest(group)).length, PATIENCE).toBe(21);
    await expect.poll(() => pod.rows.get(group), PATIENCE).toMatchObject({ unread: 0 });
  });

  test('what nobody has read in a group yet is unread on a new device, too, and what was said before one came is not', async () => {
    const [pip, squeak] = await friends();
    const group = await pip.api.createGroup({ name: 'Floe', about: '', private: true, invite: [] });
    for (let i = 0; i < 3; i++) await pip.api.send(group, { body: `before ${i}` });
    await pip.message(group, 'before 2', ({ state }) => state === 'stored');
    await pip.api.invite(group, squeak.address, '');
    await expect.poll(() => squeak.engine.signedIn.requests.invitations.length, PATIENCE).toBe(1);
    await squeak.api.answerInvitation(group, true);
    await expect.poll(() => squeak.rows.get(group)?.joined, PATIENCE).toBe(true);
    for (let i = 0; i < 2; i++) await pip.api.send(group, { body: `after ${i}` });
    await expect.poll(() => squeak.rows.get(group)?.unread, PATIENCE).toBe(2);
    const second = await new TalkingPage(server).signIn(squeak.engine.signedIn.me.number);
    pages.push(second);
    await expect.poll(() => second.rows.get(group), PATIENCE).toMatchObject({ joined: true, unread: 2 });
    expect((await second.all(group)).map(({ body }) => body)).toHaveLength(5);
    expect(second.rows.get(group)?.unread).toBe(2);
  });

  test('what is refused says so, and can be tried again or thrown away', async () => {
    const pip = await arrive('Pip');
    const nobody = '99999999@localhost';
    const sent = await pip.api.send(nobody, { body: 'Hello?' });
    const failed = await pip.message(nobody, 'Hello?', ({ state }) => state === 'failed');
    expect(failed).toMatchObject({ key: sent.key });
    expect(failed.error?.code).toBe('service-unavailable');
    await pip.api.retry(nobody, sent.key);
    await pip.message(nobody, 'Hello?', ({ state }) => state === 'failed');
    await pip.api.discard(nobody, sent.key);
    await expect.poll(() => pip.latest(nobody), PATIENCE).toEqual([]);
  });

  test('that a message failed says whom it went to, and nobody else', async () => {
    const [pip, squeak] = await friends();
    const pod = await arrive('Pod');
    await befriend(pip, pod);
    const sent = await pip.api.send(squeak.address, { body: 'Heard?' });
    await pip.message(squeak.address, 'Heard?', ({ state }) => state === 'delivered');
    const refuse = ({ engine }: TalkingPage) => {
      const forbidden = el('forbidden', { xmlns: 'urn:ietf:params:xml:ns:xmpp-stanzas' });
      const to = pip.engine.signedIn['context'].session.me;
      const error = el('message', { type: 'error', id: sent.key, to }, el('error', { type: 'cancel' }, forbidden));
      engine.signedIn['context'].session.send(error);
    };
    refuse(pod);
    // Behind it, on the same way.
    await pod.api.send(pip.address, { body: 'Loud and clear' });
    await pip.message(pod.address, 'Loud and clear');
    await pip.api.markRead(pod.address, (await pip.latest(pod.address)).at(-1)!.key);
    expect(pip.rows.get(squeak.address)?.last).toMatchObject({ text: 'Heard?', state: 'delivered' });
    expect(await pip.message(squeak.address, 'Heard?')).toMatchObject({ state: 'delivered' });
    refuse(squeak);
    await pip.message(squeak.address, 'Heard?', ({ state }) => state === 'failed');
  });
});
