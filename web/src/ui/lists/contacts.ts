/** What can be done with a contact of the list; the same is behind the buttons of the card. */
import type { Contact } from '../../api/model';
import { app } from '../../app/app.svelte';
import { attempt } from '../../app/attempt';
import { categoryLabel, nameOf, people } from '../../app/people.svelte';
import { openChat, togglePanel } from '../../app/places';
import { t } from '../../i18n/index.svelte';
import { dialogs } from '../base/dialogs.svelte';
import type { Item } from '../base/menu.svelte';

export async function editRemark(contact: Contact): Promise<void> {
  const remark = await dialogs.ask({
    title: t('contact.remark'),
    action: t('save'),
    field: {
      label: t('contact.remarkLabel'),
      value: contact.remark,
      help: t('contact.remarkHelp', { nick: contact.nick }),
    },
  });
  if (remark !== null) await attempt(() => app.api.setContact(contact.address, { remark }));
}

/** Asks for the name of a new category and makes it. */
export async function newCategory(): Promise<string | null> {
  const name = await dialogs.ask({
    title: t('category.new'),
    action: t('category.create'),
    field: { label: t('category.name'), value: '', required: true },
  });
  if (name && !people.names.includes(name)) people.made = [...people.made, name];
  return name || null;
}

/** Moves a contact out of one category into another. */
export function move(contact: Contact, from: string, to: string): void {
  if (from === to) return;
  const categories = contact.categories.filter((name) => name !== from && name !== to);
  if (to) categories.push(to);
  void attempt(() => app.api.setContact(contact.address, { categories }));
}

export function moveItems(contact: Contact, from: string): Item[] {
  return [
    ...[...people.names, ''].map((name) => ({
      label: categoryLabel(name),
      checked: name === from,
      action: () => move(contact, from, name),
    })),
    {
      label: t('category.new'),
      icon: 'plus' as const,
      parted: true,
      action: () => void newCategory().then((name) => name && move(contact, from, name)),
    },
  ];
}

export async function removeContact(contact: Contact): Promise<void> {
  const sure = await dialogs.confirm({
    title: t('contact.removeTitle', { name: nameOf(contact) }),
    text: t('contact.removeText'),
    action: t('contact.remove'),
    danger: true,
  });
  if (sure) await attempt(() => app.api.removeContact(contact.address));
}

export async function blockContact(contact: Contact): Promise<void> {
  if (contact.blocked) {
    await attempt(() => app.api.block(contact.address, false), t('contact.unblocked'));
    return;
  }
  const sure = await dialogs.confirm({
    title: t('contact.blockTitle', { name: nameOf(contact) }),
    text: t('contact.blockText'),
    action: t('contact.block'),
    danger: true,
  });
  if (sure) await attempt(() => app.api.block(contact.address, true));
}

export function contactMenu(contact: Contact, category: string, openMove: () => void): Item[] {
  return [
    { label: t('contact.write'), icon: 'chats', action: () => openChat(contact.address) },
    { label: t('card.open'), icon: 'info', action: () => togglePanel(contact.address, 'info') },
    { label: t('contact.remark'), icon: 'edit', action: () => void editRemark(contact) },
    { label: t('contact.move'), icon: 'tag', disabled: category === undefined, action: openMove },
    {
      label: t(contact.blocked ? 'contact.unblock' : 'contact.block'),
      icon: 'block',
      parted: true,
      action: () => void blockContact(contact),
    },
    { label: t('contact.remove'), icon: 'trash', danger: true, action: () => void removeContact(contact) },
  ];
}
