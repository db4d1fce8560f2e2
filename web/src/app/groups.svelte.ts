/** What is known of groups whose conversation or panel was opened. */
import { SvelteMap } from 'svelte/reactivity';
import type { Address, Group, Member } from '../api/model';
import { language } from '../i18n/index.svelte';
import { app } from './app.svelte';

const PRESENCE = { chat: 0, online: 0, dnd: 1, away: 2, xa: 3, invisible: 4, offline: 5 };
const AFFILIATION = { owner: 0, admin: 1, member: 2, none: 3, outcast: 4 };

class Groups {
  #groups = new SvelteMap<Address, Group>();
  #members = new SvelteMap<Address, Member[]>();
  #asked = new Set<string>();

  constructor() {
    app.listen((event) => {
      if (event.type === 'group') this.#groups.set(event.group.address, event.group);
      else if (event.type === 'members') this.#change(event.conversation, event.changed, event.removed);
      else if (event.type === 'signed-out') {
        this.#groups.clear();
        this.#members.clear();
        this.#asked.clear();
      }
    });
  }

  /** Asks for it the first time. */
  get(address: Address): Group | undefined {
    this.#ask(`group ${address}`, async () => this.#groups.set(address, await app.api.group(address)));
    return this.#groups.get(address);
  }

  members(address: Address): Member[] | undefined {
    this.#ask(`members ${address}`, async () => this.#members.set(address, await app.api.members(address)));
    return this.#members.get(address);
  }

  #ask(what: string, ask: () => Promise<unknown>): void {
    if (this.#asked.has(what)) return;
    this.#asked.add(what);
    // Not within whoever reads: what is read must not change while it is read.
    queueMicrotask(() => ask().catch(() => this.#asked.delete(what)));
  }

  #change(address: Address, changed: Member[], removed: string[]): void {
    const known = this.#members.get(address);
    if (!known) return;
    const byId = new Map(known.map((member) => [member.id, member]));
    for (const member of changed) byId.set(member.id, member);
    for (const id of removed) byId.delete(id);
    this.#members.set(address, [...byId.values()]);
  }
}

/** Who is here first, then by role, then by name. */
export function sorted(members: readonly Member[]): Member[] {
  const order = new Intl.Collator(language.locale, { numeric: true, sensitivity: 'base' });
  return [...members].sort(
    (a, b) =>
      PRESENCE[a.show] - PRESENCE[b.show] ||
      AFFILIATION[a.affiliation] - AFFILIATION[b.affiliation] ||
      order.compare(a.nick, b.nick),
  );
}

export const groups = new Groups();
