import 'fake-indexeddb/auto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD, TalkingPage as Page } from './page';
import { ROOKERY_BIN, Server } from './server';

describe.skipIf(!ROOKERY_BIN)('the engine against a Rookery', () => {
  let server: Server;
  const pages: Page[] = [];
  beforeAll(async () => {
    server = await Server.start();
  });
  afterAll(() => server.remove());
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.engine.signOut('asked');
  });

  async function arrive(nick: string): Promise<Page> {
    const page = new Page(server);
    pages.push(page);
    return page.signUp(nick);
  }

  test('from nothing to a list', async () => {
    const pip = await arrive('Pip');
    const { snapshot } = await pip.event('signed-in');
    expect(snapshot.me).toMatchObject({ nick: 'Pip', show: 'online', place: 'own', admin: false });
    expect(snapshot.me?.address).toBe(`${snapshot.me?.number}@localhost`);
    expect(snapshot.connection).toEqual({ state: 'online', resumed: false });
    expect(snapshot.contacts).toEqual([]);
    await pip.api.signOut();
    expect((await pip.event('signed-out')).reason).toBe('asked');
    await expect(pip.api.devices()).rejects.toMatchObject({ name: 'ApiError', code: 'not-signed-in' });
  });

  test('a wrong password is said as such', async () => {
    const page = new Page(server);
    await page.attach();
    const who = { user: '10001', password: 'no', place: 'public' as const };
    await expect(page.api.signIn(who)).rejects.toMatchObject({ name: 'ApiError', code: 'not-authorized' });
  });

  test('two become contacts, and see each other come and go', async () => {
    const [pip, squeak] = [await arrive('Pip'), await arrive('Squeak')];
    await pip.api.addContact(squeak.address, { remark: 'Sq', categories: ['Friends'], text: 'It is me' });
    const { requests } = await squeak.event('requests', (event) => event.requests.length === 1);
    expect(requests[0]).toMatchObject({ address: pip.address, nick: 'Pip', text: 'It is me' });
    await squeak.api.answerRequest(pip.address, true);
    await expect.poll(() => pip.contact(squeak.address)?.subscription, { timeout: 10_000 }).toBe('both');
    await expect.poll(() => squeak.contact(pip.address)?.subscription, { timeout: 10_000 }).toBe('both');
    expect(pip.contact(squeak.address)).toMatchObject({ remark: 'Sq', categories: ['Friends'], asked: false });
    await squeak.api.setPresence('dnd', 'Fishing');
    await pip.event('contacts', ({ changed }) => changed.some((one) => one.show === 'dnd' && one.status === 'Fishing'));
    await expect.poll(() => pip.contact(squeak.address)?.nick, { timeout: 10_000 }).toBe('Squeak');

    await squeak.api.setPresence('invisible', '');
    await pip.event('contacts', ({ changed }) => changed.some((one) => one.show === 'offline'));
    await squeak.api.setVisibility(pip.address, 'visible');
    await expect.poll(() => pip.contact(squeak.address)?.show).toBe('online');
    await squeak.api.setPresence('invisible', 'Under water');
    await expect.poll(() => pip.contact(squeak.address)?.status).toBe('Under water');
    await squeak.api.setVisibility(pip.address, 'usual');
    await expect.poll(() => pip.contact(squeak.address)?.show).toBe('offline');
    await squeak.api.setPresence('online', '');
    await expect.poll(() => pip.contact(squeak.address)?.show).toBe('online');

    await pip.api.renameCategory('Friends', 'Colony');
    await expect.poll(() => pip.contact(squeak.address)?.categories).toEqual(['Colony']);
    await pip.api.setVisibility(squeak.address, 'invisible');
    await expect.poll(() => squeak.contact(pip.address)?.show).toBe('offline');
    await pip.api.block(squeak.address, true);
    await expect.poll(() => pip.contact(squeak.address)?.blocked).toBe(true);
    await pip.api.block(squeak.address, false);
    await expect.poll(() => pip.contact(squeak.address)?.blocked).toBe(false);
    await pip.api.removeContact(squeak.address);
    await expect.poll(() => pip.contact(squeak.address)).toBeUndefined();
  });

  test('a profile and a picture', async () => {
    const [pip, squeak] = [await arrive('Pip'), await arrive('Squeak')];
    await pip.api.setProfile({ nick: 'Pipkin', about: 'Likes ice', interests: ['fish', 'snow'], location: 'South' });
    const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);
    await pip.api.setAvatar({ blob: new Blob([png], { type: 'image/png' }), width: 64, height: 64 });
    const hash = pip.engine.signedIn.me.avatar!;
    expect(await pip.api.profile(pip.address)).toMatchObject({
      nick: 'Pipkin',
      about: 'Likes ice',
      interests: ['fish', 'snow'],
      location: 'South',
      avatar: hash,
    });
    await squeak.api.addContact(pip.address, { remark: '', categories: [], text: '' });
    await pip.event('requests', (event) => event.requests.length === 1);
    await pip.api.answerRequest(squeak.address, true);
    await expect.poll(() => squeak.contact(pip.address)?.avatar, { timeout: 10_000 }).toBe(hash);
    const picture = await squeak.api.avatar(pip.address, hash);
    expect(picture?.type).toBe('image/png');
    expect(await squeak.api.avatar(pip.address, 'f'.repeat(40))).toBeNull();
    expect(await squeak.api.profile(pip.address)).toMatchObject({ nick: 'Pipkin', about: 'Likes ice' });
    expect(await squeak.api.lookUp(pip.engine.signedIn.me.number)).toMatchObject({
      address: pip.address,
      kind: 'person',
    });
  });

  test('devices are listed, and signed out from afar', async () => {
    const pip = await arrive('Pip');
    const other = new Page(server);
    pages.push(other);
    await other.attach();
    await other.api.signIn({ user: pip.address, password: PASSWORD, place: 'public' });
    const devices = await pip.api.devices();
    expect(devices).toHaveLength(2);
    expect(devices.filter((device) => device.current)).toHaveLength(1);
    const theirs = devices.find((device) => !device.current)!;
    expect(theirs).toMatchObject({ public: true, connected: true, address: 'local' });
    await pip.api.signOutDevice(theirs.id);
    expect((await other.event('signed-out')).reason).toBe('elsewhere');
    expect(other.engine.account).toBeUndefined();
  });

  test('the password is changed, and the account deleted', async () => {
    const pip = await arrive('Pip');
    await expect(pip.api.changePassword('wrong', 'anders')).rejects.toMatchObject({ code: 'not-authorized' });
    await pip.api.changePassword(PASSWORD, 'ein anderes Pferd');
    pip.network.cut();
    await pip.event('connection', ({ connection }) => connection.state === 'online');
    await expect(pip.api.deleteAccount(PASSWORD)).rejects.toMatchObject({ code: 'not-authorized' });
    await pip.api.deleteAccount('ein anderes Pferd');
    expect((await pip.event('signed-out')).reason).toBe('deleted');
  });

  test('privacy is one form, commands are listed, invitations are links', async () => {
    const pip = await arrive('Pip');
    const form = await pip.api.privacy();
    const presence = form.fields.find((field) => field.name === 'who-sees-me#presence')!;
    expect(presence.values).toEqual(['contacts']);
    presence.values = ['nobody'];
    await pip.api.setPrivacy(form);
    const again = await pip.api.privacy();
    expect(again.fields.find((field) => field.name === 'who-sees-me#presence')?.values).toEqual(['nobody']);
    const commands = await pip.api.commands();
    expect(commands.map((command) => command.node)).toContain('https://rookery.im/command/me');
    const { url, expires } = await pip.api.inviteLink();
    expect(url).toMatch(/^(xmpp:|http)/);
    expect(expires).toBeGreaterThan(Date.now());
  });

  test('in an own place the list is there before the connection, and only changes are asked for', async () => {
    const squeak = await arrive('Squeak');
    const first = new Page(server, true);
    await first.signUp('Pip');
    await first.api.addContact(squeak.address, { remark: 'Sq', categories: ['Friends'], text: '' });
    await expect.poll(() => first.contact(squeak.address)?.remark).toBe('Sq');
    // The roster is kept a moment after it has changed.
    const kept = () =>
      new Promise<number>((resolve) => {
        const request = indexedDB.open('rookery-account');
        request.onsuccess = () => {
          const db = request.result;
          const get = db.transaction('things').objectStore('things').get('roster');
          get.onsuccess = () => {
            db.close();
            const { contacts = [] } = (get.result ?? {}) as { contacts?: unknown[] };
            resolve(contacts.length);
          };
        };
      });
    await expect.poll(kept, { timeout: 10_000 }).toBe(1);
    await first.engine.outdated();

    const second = new Page(server, true);
    pages.push(second);
    await second.attach();
    expect(second.snapshot).toMatchObject({ signedIn: false, remembered: { nick: 'Pip' } });
    second.network.down = true;
    await second.api.signInRemembered();
    const { snapshot } = await second.event('signed-in');
    expect(snapshot.contacts).toMatchObject([{ address: squeak.address, remark: 'Sq', show: 'offline' }]);
    expect(snapshot.me?.nick).toBe('Pip');
    second.network.down = false;
    second.api.reconnect();
    await second.event('connection', ({ connection }) => connection.state === 'online');
    await expect.poll(() => second.network.sent.join('')).toMatch(/jabber:iq:roster' ver='[^']+'/);

    await second.api.signOut();
    const third = new Page(server, true);
    await third.attach();
    expect(third.snapshot?.remembered).toBeUndefined();
  });

  test('a group: made, found, entered, talked about, left', async () => {
    const [pip, squeak] = [await arrive('Pip'), await arrive('Squeak')];
    const group = await pip.api.createGroup({ name: 'Colony', about: 'Ice', private: false, invite: [] });
    expect(group).toMatch(/^7[0-9]{5}@groups\.localhost$/);
    expect((await squeak.api.findGroups('colo')).map((card) => card.address)).toEqual([group]);
    const number = group.split('@')[0]!;
    expect(await squeak.api.lookUp(number)).toMatchObject({ kind: 'group', nick: 'Colony', about: 'Ice' });
    await squeak.api.join(number, {});
    expect(await squeak.api.group(group)).toMatchObject({
      name: 'Colony',
      about: 'Ice',
      myNick: 'Squeak',
      occupants: 2,
      persistent: true,
      public: true,
      membersOnly: false,
    });
    const members = async () =>
      (await pip.api.members(group)).map(({ nick, affiliation, me }) => ({ nick, affiliation, me }));
    await expect.poll(members).toEqual(
      expect.arrayContaining([
        { nick: 'Pip', affiliation: 'owner', me: true },
        { nick: 'Squeak', affiliation: 'none', me: false },
      ]),
    );
    await pip.api.setAffiliation(group, squeak.address, 'admin');
    await pip.event('members', ({ changed }) => changed.some((one) => one.affiliation === 'admin'));
    await squeak.api.setNick(group, 'Squeaky');
    await pip.event('members', ({ changed }) => changed.some((one) => one.nick === 'Squeaky'));
    await pip.api.setSubject(group, 'Fish prices');
    await pip.api.addNotice(group, 'Bring fish\nand ice');
    expect((await pip.api.group(group)).notices).toMatchObject([{ text: 'Bring fish\nand ice', by: 'Pip' }]);
    const form = await pip.api.groupSettings(group);
    form.fields.find((field) => field.name === 'muc#roomconfig_roomdesc')!.values = ['Snow'];
    await pip.api.setGroupSettings(group, form);
    await expect.poll(async () => (await squeak.api.group(group)).about).toBe('Snow');
    await squeak.api.leave(group);
    await pip.event('members', ({ removed }) => removed.length > 0);
    await pip.api.destroyGroup(group, '');
    await expect(squeak.api.lookUp(group)).rejects.toMatchObject({ code: 'item-not-found' });
  });

  test('a private group: by invitation, or by asking', async () => {
    const [pip, squeak, chirp] = [await arrive('Pip'), await arrive('Squeak'), await arrive('Chirp')];
    const group = await pip.api.createGroup({
      name: 'Huddle',
      about: '',
      private: true,
      invite: [squeak.address],
    });
    const { invitations } = await squeak.event('requests', (event) => event.invitations.length === 1);
    expect(invitations[0]).toMatchObject({ group, from: pip.address });
    await squeak.api.answerInvitation(group, true);
    expect(await squeak.api.group(group)).toMatchObject({ membersOnly: true, myAffiliation: 'member' });
    await expect(chirp.api.join(group, {})).rejects.toMatchObject({ code: 'registration-required' });
    await pip.api.group(group);
    await chirp.api.askToJoin(group, 'Please');
    const asked = await pip.event('group', ({ group }) => group.requests.length === 1);
    expect(asked.group.requests).toEqual([{ address: chirp.address, nick: 'Chirp', text: 'Please' }]);
    await pip.api.answerMembership(group, chirp.address, true);
    await expect
      .poll(() =>
        chirp.api.join(group, {}).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    // A new session enters by itself what was entered before.
    pip.network.cut();
    await expect.poll(() => pip.engine.signedIn.connection.state).toBe('online');
    await expect.poll(async () => (await pip.api.group(group)).occupants).toBe(3);
  });

  test('a new session is in its groups again', async () => {
    const pip = await arrive('Pip');
    const group = await pip.api.createGroup({ name: 'Colony', about: '', private: false, invite: [] });
    const again = new Page(server);
    pages.push(again);
    await again.attach();
    await again.api.signIn({ user: pip.engine.signedIn.me.number, password: PASSWORD, place: 'public' });
    await expect.poll(() => again.engine.signedIn.rooms.get(group)?.inside, { timeout: 10_000 }).toBe(true);
    expect(again.engine.signedIn.title(group)).toBe('Colony');
  });
});
