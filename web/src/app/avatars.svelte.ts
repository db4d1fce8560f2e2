/** Pictures of people and groups, fetched once and held as object URLs. */
import { SvelteMap } from 'svelte/reactivity';
import type { Address } from '../api/model';
import { app } from './app.svelte';

/** Pictures held at once: more than any screen shows, few enough to forget about. */
const MOST = 400;

class Avatars {
  #urls = new SvelteMap<string, string>();
  #asked = new Set<string>();

  /** The picture's URL when it is there; asks for it the first time. */
  url(address: Address, hash: string): string | undefined {
    if (!this.#asked.has(hash)) {
      this.#asked.add(hash);
      void this.#fetch(address, hash);
    }
    return this.#urls.get(hash);
  }

  async #fetch(address: Address, hash: string): Promise<void> {
    try {
      const blob = await app.api.avatar(address, hash);
      if (!blob) return;
      if (this.#urls.size >= MOST) this.#drop(this.#urls.keys().next().value!);
      this.#urls.set(hash, URL.createObjectURL(blob));
    } catch {
      // Without its picture it is a penguin.
      this.#asked.delete(hash);
    }
  }

  #drop(hash: string): void {
    URL.revokeObjectURL(this.#urls.get(hash)!);
    this.#urls.delete(hash);
    this.#asked.delete(hash);
  }

  clear(): void {
    for (const hash of [...this.#urls.keys()]) this.#drop(hash);
    this.#asked.clear();
  }
}

export const avatars = new Avatars();
