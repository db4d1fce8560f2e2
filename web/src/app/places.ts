/** Ways to the places of the messenger. */
import type { Address } from '../api/model';
import { address as hash, route } from './route.svelte';

export type List = 'chats' | 'contacts' | 'groups';
export const LISTS: readonly List[] = ['chats', 'contacts', 'groups'];

/** The list that is shown beside: it stays when a conversation is opened from it. */
export function listNow(): List {
  const first = route.parts[0] as List;
  return LISTS.includes(first) ? first : 'chats';
}

/** The hash of a conversation, beside the list that is shown. */
export function chatHash(address: Address, list = listNow()): string {
  return hash([list, address]);
}

/** Opens a conversation; at a message if one is named. */
export function openChat(address: Address, at?: string): void {
  route.go([listNow(), address], at ? { at } : undefined);
}

/** Shows something beside the conversation, or puts it away if it is shown. */
export function togglePanel(address: Address, panel: 'info' | 'search'): void {
  const open = route.parts[2] === panel;
  if (open) route.back([listNow(), address]);
  else route.go([listNow(), address, panel]);
}

export function isGroup(address: Address, groups: string): boolean {
  return address.endsWith(`@${groups}`);
}
