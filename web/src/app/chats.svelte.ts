/** The list of conversations, and what is unread in all of them. */
import type { Address, Conversation } from '../api/model';

class Chats {
  #all = new Map<Address, Conversation>();
  #version = $state(0);

  /** Pinned first, then by what moved last. */
  readonly list = $derived.by(() => {
    void this.#version;
    return [...this.#all.values()].sort((a, b) => Number(b.pinned) - Number(a.pinned) || b.at - a.at);
  });

  /** Two tiers: what is for us, and what only goes on. */
  readonly unread = $derived.by(() => {
    let warm = 0;
    let quiet = 0;
    for (const chat of this.list) {
      warm += warmth(chat);
      if (warmth(chat) === 0 && chat.notify !== 'never') quiet += chat.unread;
    }
    return { warm, quiet };
  });

  start(conversations: Conversation[]): void {
    this.#all = new Map(conversations.map((chat) => [chat.address, chat]));
    this.#version += 1;
  }

  change(changed: Conversation[], removed: Address[]): void {
    for (const chat of changed) this.#all.set(chat.address, chat);
    for (const address of removed) this.#all.delete(address);
    this.#version += 1;
  }

  get(address: Address): Conversation | undefined {
    void this.#version;
    return this.#all.get(address);
  }
}

/** How many of a conversation's unread messages are for us. */
export function warmth(chat: Conversation): number {
  if (chat.kind === 'group') return chat.mentions;
  return chat.notify === 'never' ? 0 : chat.unread;
}

export const chats = new Chats();
