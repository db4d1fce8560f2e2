/** What is known of groups whose conversation or panel was opened. */
import { SvelteMap } from 'svelte/reactivity';
import type { Address, Group, Member } from '../api/model';
import { language } from '../i18n/index.svelte';
import { app } from './app.svelte';
import { comparison, merged } from './members';

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

  /** Who is here first, then by role, then by name. */
  members(address: Address): Member[] | undefined {
    const { locale } = language;
    this.#ask(`members ${address} ${locale}`, async () =>
      this.#members.set(address, (await app.api.members(address)).sort(comparison(locale))),
    );
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
    this.#members.set(address, merged(known, changed, removed, comparison(language.locale)));
  }
}

export const groups = new Groups();
