/** What the server found behind links, asked for once when a message with one is shown. */
import { SvelteMap } from 'svelte/reactivity';
import type { LinkPreview } from '../api/model';
import { app } from './app.svelte';
import type { Block, Span } from './styling';

/** Remembered at once, those without anything to show included. */
const MOST = 300;

class Previews {
  #found = new SvelteMap<string, LinkPreview | null>();
  #asked = new Set<string>();

  /** What is known of the link; asks for it the first time. */
  of(url: string): LinkPreview | undefined {
    if (app.config?.previews && !this.#asked.has(url)) {
      this.#asked.add(url);
      void this.#fetch(url);
    }
    return this.#found.get(url) ?? undefined;
  }

  async #fetch(url: string): Promise<void> {
    // Without a connection, or too fast: it can be asked for when it is shown again.
    const found = await app.api.preview(url).catch(() => undefined);
    if (found === undefined) this.#asked.delete(url);
    else this.#found.set(url, found);
    if (this.#asked.size > MOST) this.clear();
  }

  clear(): void {
    this.#found.clear();
    this.#asked.clear();
  }
}

export const previews = new Previews();

/** The first link that is not in a quote. */
export function firstLink(blocks: readonly Block[]): string | undefined {
  for (const block of blocks) {
    const link = block.type === 'text' ? linkIn(block.spans) : undefined;
    if (link !== undefined) return link;
  }
  return undefined;
}

function linkIn(spans: readonly Span[]): string | undefined {
  for (const span of spans) {
    const link = span.type === 'link' ? span.href : 'spans' in span ? linkIn(span.spans) : undefined;
    if (link?.startsWith('http')) return link;
  }
  return undefined;
}
