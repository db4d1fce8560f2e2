/** Groups. */
import { ApiError, type Api } from '../../src/api/api';
import type * as m from '../../src/api/model';
import { groupSettings } from './forms';
import { DOMAIN } from './sample';
import type { World } from './world';

export function groups(world: World) {
  return {
    async createGroup(what: { name: string; about: string; private: boolean }): Promise<m.Address> {
      await world.wait();
      const number = String(700_900 + world.rooms.size);
      const address = `${number}@groups.${DOMAIN}`;
      const model = world.rooms.values().next().value!;
      const mine = model.members.find((one) => one.me)!;
      world.rooms.set(address, {
        group: {
          ...model.group,
          address,
          number,
          name: what.name,
          about: what.about,
          subject: '',
          notices: [],
          requests: [],
          occupants: 1,
          public: !what.private,
        },
        members: [{ ...mine, affiliation: 'owner', role: 'moderator' }],
        messages: 0,
      });
      world.changeChat(address, {});
      return address;
    },

    async join(address: m.Address): Promise<void> {
      await world.wait();
      if (!world.rooms.has(address)) throw new ApiError('registration-required');
      world.changeChat(address, { joined: true });
    },

    async askToJoin(): Promise<void> {
      await world.wait();
    },

    async answerInvitation(group: m.Address): Promise<void> {
      world.invitations = world.invitations.filter((one) => one.group !== group);
      world.tellRequests();
    },

    async leave(address: m.Address): Promise<void> {
      await world.closeChat(address);
    },

    async group(address: m.Address): Promise<m.Group> {
      await world.wait();
      const model = world.rooms.values().next().value!.group;
      // A group that one can hear of and is not in.
      if (address === `700500@groups.${DOMAIN}`)
        return {
          ...model,
          address,
          number: '700500',
          name: 'Summer trip',
          membersOnly: true,
          occupants: 14,
          myNick: '',
        };
      return structuredClone(world.room(address).group);
    },

    async members(address: m.Address): Promise<m.Member[]> {
      await world.wait();
      return structuredClone(world.room(address).members);
    },

    async invite(): Promise<void> {
      await world.wait();
    },

    async setSubject(group: m.Address, subject: string): Promise<void> {
      world.changeGroup(group, { subject });
    },

    async setNick(group: m.Address, nick: string): Promise<void> {
      world.changeGroup(group, { myNick: nick });
    },

    async groupSettings(group: m.Address): Promise<m.Form> {
      await world.wait();
      return groupSettings(world.room(group).group.name);
    },

    async setGroupSettings(group: m.Address, form: m.Form): Promise<void> {
      await world.wait();
      world.changeGroup(group, { name: form.fields.find((one) => one.name === 'name')?.values[0] ?? '' });
    },

    async setGroupAvatar(): Promise<void> {},

    async setAffiliation(group: m.Address, who: m.Address, affiliation: m.Affiliation): Promise<void> {
      changeMember(world, group, (one) => one.address === who, { affiliation });
    },

    async setRole(group: m.Address, nick: string, role: m.Role): Promise<void> {
      changeMember(world, group, (one) => one.nick === nick, { role });
    },

    async answerMembership(group: m.Address, who: m.Address): Promise<void> {
      const { requests } = world.room(group).group;
      world.changeGroup(group, { requests: requests.filter((one) => one.address !== who) });
    },

    async addNotice(group: m.Address, text: string): Promise<void> {
      const { notices } = world.room(group).group;
      const notice = { id: `n${world.count()}x`, text, by: world.me.nick, at: world.options.now };
      world.changeGroup(group, { notices: [notice, ...notices] });
    },

    async removeNotice(group: m.Address, id: string): Promise<void> {
      const { notices } = world.room(group).group;
      world.changeGroup(group, { notices: notices.filter((one) => one.id !== id) });
    },

    async destroyGroup(group: m.Address): Promise<void> {
      await world.closeChat(group);
    },
  } satisfies Partial<Api>;
}

function changeMember(
  world: World,
  group: m.Address,
  id: (member: m.Member) => boolean,
  change: Partial<m.Member>,
): void {
  const room = world.room(group);
  const at = room.members.findIndex(id);
  if (at < 0) return;
  room.members[at] = { ...room.members[at]!, ...change };
  world.tell({ type: 'members', conversation: group, changed: [room.members[at]], removed: [] });
}
