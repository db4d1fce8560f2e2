/** The contacts, by category, as the list shows them. */
import type { Address, Contact, Show } from '../api/model';
import { language, t } from '../i18n/index.svelte';

/** Order in a category: who can talk now comes first. */
const RANK: Record<Show, number> = { chat: 0, online: 0, dnd: 1, away: 2, xa: 3, invisible: 4, offline: 5 };

export interface Category {
  /** Empty for those who are in no category. */
  name: string;
  online: number;
  /** All of them, shown or not. */
  total: number;
  contacts: Contact[];
}

/** What a contact is called here: our remark, what it calls itself, its number, its address. */
export function nameOf(contact: Pick<Contact, 'remark' | 'nick' | 'number' | 'address'>): string {
  return contact.remark || contact.nick || contact.number || contact.address.split('@')[0] || contact.address;
}

export function isHere(show: Show): boolean {
  return show !== 'offline' && show !== 'invisible';
}

class People {
  #all = new Map<Address, Contact>();
  /** Counts changes; what is derived from `#all` reads it. */
  #version = $state(0);
  #waiting = false;
  /** Names of the categories that are folded. */
  folded = $state.raw(new Set<string>());
  /** Categories that were made and have nobody yet. */
  made = $state.raw<string[]>([]);
  /** Only who is there. */
  onlyOnline = $state(false);

  /** Where each name stands in the alphabet; undefined after a name has changed. Presence changes often, names seldom. */
  #places: Map<Address, number> | undefined;
  #order: Intl.Collator | undefined;
  #locale = '';

  readonly categories = $derived.by(() => this.#sorted());

  start(contacts: Contact[]): void {
    this.#all = new Map(contacts.map((contact) => [contact.address, contact]));
    this.#places = undefined;
    this.made = [];
    this.#version += 1;
  }

  change(changed: Contact[], removed: Address[]): void {
    for (const contact of changed) {
      const known = this.#all.get(contact.address);
      if (!known || nameOf(known) !== nameOf(contact)) this.#places = undefined;
      this.#all.set(contact.address, contact);
    }
    for (const address of removed) this.#all.delete(address);
    // Many come and go at once after a connection: one sorting for all of them.
    if (this.#waiting) return;
    this.#waiting = true;
    setTimeout(
      () => {
        this.#waiting = false;
        this.#version += 1;
      },
      this.#all.size > 2000 ? 200 : 0,
    );
  }

  get(address: Address): Contact | undefined {
    void this.#version;
    return this.#all.get(address);
  }

  get all(): Contact[] {
    void this.#version;
    return [...this.#all.values()];
  }

  get size(): number {
    void this.#version;
    return this.#all.size;
  }

  /** Names of all categories, for menus. */
  readonly names = $derived(this.categories.map((category) => category.name).filter(Boolean));

  fold(name: string): void {
    const folded = new Set(this.folded);
    if (!folded.delete(name)) folded.add(name);
    this.folded = folded;
  }

  #alphabet(): { order: Intl.Collator; places: Map<Address, number> } {
    if (!this.#order || this.#locale !== language.locale) {
      this.#locale = language.locale;
      this.#order = new Intl.Collator(this.#locale, { numeric: true, sensitivity: 'base' });
      this.#places = undefined;
    }
    const order = this.#order;
    if (!this.#places) {
      const named = [...this.#all.values()].map((contact) => ({ address: contact.address, name: nameOf(contact) }));
      named.sort((a, b) => order.compare(a.name, b.name));
      this.#places = new Map(named.map(({ address }, place) => [address, place]));
    }
    return { order, places: this.#places };
  }

  #sorted(): Category[] {
    void this.#version;
    const byName = new Map<string, Category>();
    for (const name of this.made) byName.set(name, { name, online: 0, total: 0, contacts: [] });
    for (const contact of this.#all.values()) {
      if (contact.blocked && contact.subscription === 'none') continue;
      for (const name of contact.categories.length > 0 ? contact.categories : ['']) {
        let category = byName.get(name);
        if (!category) byName.set(name, (category = { name, online: 0, total: 0, contacts: [] }));
        category.total += 1;
        if (!this.onlyOnline || isHere(contact.show)) category.contacts.push(contact);
        if (isHere(contact.show)) category.online += 1;
      }
    }
    const { order, places } = this.#alphabet();
    for (const { contacts } of byName.values())
      contacts.sort(
        (a, b) => RANK[a.show] - RANK[b.show] || (places.get(a.address) ?? 0) - (places.get(b.address) ?? 0),
      );
    return [...byName.values()].sort((a, b) => Number(!a.name) - Number(!b.name) || order.compare(a.name, b.name));
  }
}

export const people = new People();

/** The heading of a category; who is in none is under a heading of its own. */
export function categoryLabel(name: string): string {
  return name || t('contacts.uncategorised');
}
