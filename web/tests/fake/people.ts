/** Contacts, and who else there is. */
import { ApiError, type Api } from '../../src/api/api';
import type * as m from '../../src/api/model';
import { DOMAIN, MINUTE, emptyCard } from './sample';
import type { World } from './world';

export function people(world: World) {
  async function lookUp(input: string): Promise<m.Card> {
    await world.wait();
    const local = input.trim().split('@')[0]!.toLowerCase();
    if (!/^[\w.-]+$/.test(local)) throw new ApiError('jid-malformed');
    if (local === '99999' || local === 'nobody') throw new ApiError('item-not-found');
    const group = /^7\d{5}$/.test(local);
    const address = `${local}@${group ? 'groups.' : ''}${DOMAIN}`;
    const contact = world.contacts.get(address);
    const room = world.rooms.get(address)?.group;
    return {
      ...emptyCard(address),
      kind: group ? 'group' : 'person',
      nick: room?.name ?? contact?.nick ?? (group ? 'Summer trip' : `Somebody (${local})`),
      about: group ? 'Two weeks, three boats.' : 'Tea, tides and very long walks.',
      members: group ? (room?.occupants ?? 12) : undefined,
    };
  }

  return {
    async addContact(address: m.Address, more: { remark: string; categories: string[] }): Promise<void> {
      await world.wait();
      const card = await lookUp(address);
      world.contacts.set(address, {
        address,
        number: card.number,
        remark: more.remark,
        nick: card.nick,
        categories: more.categories,
        subscription: 'none',
        asked: true,
        show: 'offline',
        status: '',
        visibility: 'usual',
        blocked: false,
      });
      world.changeContact(address, {});
    },

    async answerRequest(address: m.Address, accept: boolean): Promise<void> {
      const request = world.requests.find((one) => one.address === address);
      world.requests = world.requests.filter((one) => one.address !== address);
      world.tellRequests();
      if (!accept || !request) return;
      world.contacts.set(address, {
        address,
        number: address.split('@')[0],
        remark: '',
        nick: request.nick,
        categories: [],
        subscription: 'both',
        asked: false,
        show: 'online',
        status: '',
        visibility: 'usual',
        blocked: false,
      });
      world.changeContact(address, {});
    },

    async removeContact(address: m.Address): Promise<void> {
      world.contacts.delete(address);
      world.tell({ type: 'contacts', changed: [], removed: [address] });
    },

    async setContact(address: m.Address, change: { remark?: string; categories?: string[] }): Promise<void> {
      world.changeContact(address, change);
      if (change.remark !== undefined && world.chats.has(address)) {
        const contact = world.contacts.get(address)!;
        world.changeChat(address, { title: contact.remark || contact.nick });
      }
    },

    async setVisibility(address: m.Address, visibility: m.Contact['visibility']): Promise<void> {
      world.changeContact(address, { visibility });
    },

    async renameCategory(from: string, to: string): Promise<void> {
      const changed = [...world.contacts.values()]
        .filter((one) => one.categories.includes(from))
        .map((one) => ({ ...one, categories: to ? one.categories.map((name) => (name === from ? to : name)) : [] }));
      for (const one of changed) world.contacts.set(one.address, one);
      world.tell({ type: 'contacts', changed, removed: [] });
    },

    async block(address: m.Address, on: boolean): Promise<void> {
      world.changeContact(address, { blocked: on });
    },

    async report(): Promise<void> {
      await world.wait();
    },

    lookUp,

    async findPeople(words: string): Promise<m.Card[]> {
      await world.wait();
      return [...world.contacts.values()]
        .filter((one) => one.nick.toLowerCase().includes(words.toLowerCase()))
        .slice(0, 20)
        .map((one) => ({
          ...emptyCard(one.address),
          nick: one.nick,
          about: one.status,
          online: one.show === 'online',
        }));
    },

    async findGroups(words: string): Promise<m.Card[]> {
      await world.wait();
      return [...world.rooms.values()]
        .filter(({ group }) => group.name.toLowerCase().includes(words.toLowerCase()))
        .map(({ group }) => ({
          ...emptyCard(group.address),
          kind: 'group',
          nick: group.name,
          about: group.subject,
          members: group.occupants,
        }));
    },

    async invitation(token: string): Promise<m.Invitation> {
      await world.wait();
      if (token.startsWith('old')) throw new ApiError('item-not-found');
      const { address, nick } = [...world.contacts.values()][2]!;
      const group = [...world.rooms.values()][0]!.group;
      const into = token.startsWith('g') && { group: group.address, groupName: group.name };
      return { from: address, nick, contact: !into, groupName: '', ...into };
    },

    async takeUp(): Promise<void> {
      await world.wait();
    },

    async inviteLink(group?: m.Address): Promise<{ url: string; expires?: number }> {
      await world.wait();
      return {
        url: `https://${DOMAIN}/invite/${group ? 'g' : 'p'}7Kq2mVx9TzRw`,
        expires: world.options.now + 7 * 1440 * MINUTE,
      };
    },
  } satisfies Partial<Api>;
}
