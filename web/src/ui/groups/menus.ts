/** What one may do with a member of a group: the table of XEP-0045 §5, as far as people use it. */
import type { Affiliation, Group, Member } from '../../api/model';
import { app } from '../../app/app.svelte';
import { attempt } from '../../app/attempt';
import { people } from '../../app/people.svelte';
import { openChat } from '../../app/places';
import { t } from '../../i18n/index.svelte';
import { dialogs } from '../base/dialogs.svelte';
import type { Item } from '../base/menu.svelte';
import { showCard } from '../people/show';

const RANK: Record<Affiliation, number> = { owner: 3, admin: 2, member: 1, none: 0, outcast: -1 };

export function memberMenu(member: Member, group: Group): Item[] {
  const { address } = member;
  const items: (Item | false | undefined)[] = [
    !!address && !member.me && { label: t('contact.write'), icon: 'chats', action: () => openChat(address) },
    !!address &&
      !member.me &&
      !people.get(address) && {
        label: t('add.contact'),
        icon: 'person',
        action: () => void attempt(async () => showCard(await app.api.lookUp(address))),
      },
    ...roles(member, group),
  ];
  const found = items.filter((item): item is Item => !!item);
  return found.length > 0 ? found : [{ label: t('member.nothing'), disabled: true, action: () => {} }];
}

function roles(member: Member, group: Group): Item[] {
  const mine = RANK[group.myAffiliation];
  const theirs = RANK[member.affiliation];
  if (member.me) return [];
  const items: Item[] = [];
  const affiliate = (label: string, affiliation: Affiliation, more: Partial<Item> = {}) => {
    const who = member.address;
    if (who && member.affiliation !== affiliation)
      items.push({ label, ...more, action: () => void affiliateAs(group, who, affiliation) });
  };
  if (group.myAffiliation === 'owner') {
    affiliate(t('member.makeOwner'), 'owner', { icon: 'crown', parted: true });
    affiliate(t('member.makeAdmin'), 'admin', { icon: 'shield' });
  }
  if (mine >= 2 && mine > theirs) affiliate(t('member.makeMember'), 'member', { icon: 'contacts' });
  if (group.myRole === 'moderator' && member.role !== 'none' && mine >= theirs && theirs < 2) {
    const silent = member.role === 'visitor';
    items.push(
      {
        label: t(silent ? 'member.voice' : 'member.silence'),
        icon: silent ? 'megaphone' : 'muted',
        parted: true,
        action: () =>
          void attempt(() => app.api.setRole(group.address, member.nick, silent ? 'participant' : 'visitor')),
      },
      { label: t('member.kick'), icon: 'leave', danger: true, action: () => void kick(member, group) },
    );
  }
  if (mine >= 2 && mine > theirs) {
    const who = member.address;
    if (who)
      items.push({ label: t('member.ban'), icon: 'block', danger: true, action: () => void ban(member, group, who) });
  }
  return items;
}

async function affiliateAs(group: Group, who: string, affiliation: Affiliation): Promise<void> {
  await attempt(() => app.api.setAffiliation(group.address, who, affiliation));
}

async function kick(member: Member, group: Group): Promise<void> {
  const reason = await dialogs.ask({
    title: t('member.kickTitle', { name: member.nick }),
    action: t('member.kick'),
    danger: true,
    field: { label: t('message.reason'), value: '' },
  });
  if (reason !== null) await attempt(() => app.api.setRole(group.address, member.nick, 'none', reason));
}

async function ban(member: Member, group: Group, who: string): Promise<void> {
  const reason = await dialogs.ask({
    title: t('member.banTitle', { name: member.nick }),
    text: t('member.banText'),
    action: t('member.ban'),
    danger: true,
    field: { label: t('message.reason'), value: '' },
  });
  if (reason !== null) await attempt(() => app.api.setAffiliation(group.address, who, 'outcast', reason));
}
