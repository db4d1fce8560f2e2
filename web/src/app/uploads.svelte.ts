/** How far the files of our messages have come, by the message's key. */
import { SvelteMap } from 'svelte/reactivity';
import { app } from './app.svelte';

class Uploads {
  #parts = new SvelteMap<string, number>();

  constructor() {
    app.listen((event) => {
      if (event.type === 'upload') {
        if (event.sent >= event.total) this.#parts.delete(event.key);
        else this.#parts.set(event.key, event.sent / event.total);
      } else if (event.type === 'signed-out') this.#parts.clear();
    });
  }

  /** From 0 to 1, while it is under way. */
  part(key: string): number | undefined {
    return this.#parts.get(key);
  }
}

export const uploads = new Uploads();
