/** Coming and going, oneself, devices, settings. */
import { ApiError, type Api } from '../../src/api/api';
import type * as m from '../../src/api/model';
import type { Listener } from '../../src/api/events';
import { privacy } from './forms';
import { devices, emptyCard, reach } from './sample';
import type { World } from './world';

export function account(world: World) {
  let form = privacy();
  let reached = reach();
  let list = devices(world.options.now);
  const pictures = new Map<string, Blob>();

  async function signIn(who: m.Entrant): Promise<void> {
    await world.wait();
    if (who.password === 'wrong') throw new ApiError('not-authorized');
    world.me = { ...world.me, place: who.place };
    world.signedIn = true;
    world.tell({ type: 'signed-in', snapshot: world.snapshot() });
  }

  return {
    async attach(listener: Listener) {
      return world.attach(listener);
    },

    focus(): void {},

    signIn,

    async signInRemembered(): Promise<void> {
      await signIn({ user: '', password: '', place: 'own' });
    },

    async signUp(who: { nick: string; password: string; name?: string; place: m.Place }): Promise<m.Me> {
      await world.wait();
      if (who.name === 'ada') throw new ApiError('conflict');
      world.me = { ...world.me, nick: who.nick, name: who.name };
      await signIn({ user: '', password: '', place: who.place });
      return world.me;
    },

    async signOut(): Promise<void> {
      world.signedIn = false;
      world.tell({ type: 'signed-out', reason: 'asked' });
    },

    async unlock(password: string): Promise<void> {
      await world.wait();
      if (password === 'wrong') throw new ApiError('not-authorized');
    },

    async changePassword(old: string): Promise<void> {
      await world.wait();
      if (old === 'wrong') throw new ApiError('not-authorized');
    },

    async deleteAccount(): Promise<void> {
      world.signedIn = false;
      world.tell({ type: 'signed-out', reason: 'deleted' });
    },

    reconnect(): void {
      world.connect({ state: 'connecting' });
      world.later(700, () => world.connect({ state: 'online', resumed: true }));
    },

    async setPresence(show: m.Show, status: string): Promise<void> {
      world.me = { ...world.me, show, status };
      world.tell({ type: 'me', me: world.me });
    },

    async profile(address: m.Address): Promise<m.Card> {
      await world.wait();
      const contact = world.contacts.get(address);
      const room = world.rooms.get(address)?.group;
      if (room)
        return {
          ...emptyCard(address),
          kind: 'group',
          nick: room.name,
          number: room.number,
          about: room.about,
          members: room.occupants,
        };
      const mine = address === world.me.address;
      return {
        ...emptyCard(address),
        nick: mine ? world.me.nick : (contact?.nick ?? ''),
        name: mine ? world.me.name : undefined,
        avatar: mine ? world.me.avatar : contact?.avatar,
        about: 'Tea, tides and very long walks.',
        location: 'At the sound',
        interests: ['Chess', 'Weather'],
        website: 'https://example.org',
        birthday: '1990-04-01',
      };
    },

    async setProfile(card: Partial<m.Card>): Promise<void> {
      await world.wait();
      if (card.nick !== undefined) world.me = { ...world.me, nick: card.nick };
      world.tell({ type: 'me', me: world.me });
    },

    async setAvatar(shown: { blob: Blob } | null): Promise<void> {
      pictures.clear();
      if (shown) pictures.set('mine', shown.blob);
      world.me = { ...world.me, avatar: shown ? 'mine' : undefined };
      world.tell({ type: 'me', me: world.me });
    },

    async avatar(_address: m.Address, hash: string): Promise<Blob | null> {
      return pictures.get(hash) ?? null;
    },

    async exportLink(): Promise<string> {
      await world.wait();
      return 'about:blank#export';
    },

    async privacy(): Promise<m.Form> {
      await world.wait();
      return structuredClone(form);
    },

    async setPrivacy(form: m.Form): Promise<void> {
      form = form;
    },

    async reach(): Promise<m.ReachSettings> {
      await world.wait();
      return structuredClone(reached);
    },

    async setReach(settings: m.ReachSettings): Promise<void> {
      reached = settings;
    },

    async reachAddress(what: string, way: string, address: string, code?: string): Promise<void> {
      const { addresses } = reached;
      const rest = addresses.filter((one) => one.way !== way || one.address !== address);
      if (what === 'prove' && code === '000000') throw new ApiError('not-acceptable');
      if (what === 'test') return;
      reached.addresses = what === 'remove' ? rest : [...rest, { way, address, verified: what === 'prove' }];
    },

    async devices(): Promise<m.Device[]> {
      await world.wait();
      return structuredClone(list);
    },

    async signOutDevice(id: string): Promise<void> {
      list = list.filter((device) => device.current || (id !== 'all' && device.id !== id));
    },

    async newcomer(which: { id: string } | { code: string }): Promise<m.Newcomer> {
      await world.wait();
      if ('code' in which && which.code.startsWith('0')) throw new ApiError('item-not-found');
      const device = 'Firefox · Windows';
      return { id: 'n1', code: '482915307', device, software: 'Rookery', address: '192.0.2.7', public: true };
    },

    async answerNewcomer(): Promise<void> {
      await world.wait();
    },

    async pushKey(): Promise<string | null> {
      return null;
    },

    async pushSubscribe(): Promise<void> {},

    async pushUnsubscribe(): Promise<void> {},
  } satisfies Partial<Api>;
}
