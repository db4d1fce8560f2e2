/**
 * Where one is, in the address's hash: `#/chats/10042@example.org/info?at=key`. The browser's back is our back, and a link
 * to a place can be kept. Parts are percent-encoded one by one.
 */
class Route {
  parts = $state.raw<string[]>([]);
  query = $state.raw(new URLSearchParams());
  /** Counts what asked for a place, the one at hand included; steps back and forth ask for nothing. */
  asked = $state(0);
  /** How many steps back are ours; each entry of the history knows its own. */
  #depth = 0;

  constructor() {
    if (typeof window === 'undefined') return;
    this.#depth = history.state?.depth ?? 0;
    history.replaceState({ depth: this.#depth }, '');
    this.#read();
    addEventListener('popstate', () => this.#moved());
  }

  /** A step back or forth has its number; one without is new, by us or by a link. */
  #moved(): void {
    const known: number | undefined = history.state?.depth;
    this.#depth = known ?? this.#depth + 1;
    if (known === undefined) {
      history.replaceState({ depth: this.#depth }, '');
      this.asked++;
    }
    this.#read();
  }

  #read(): void {
    const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
    this.parts = path
      .split('/')
      .filter((part) => part !== '')
      .map(decoded);
    this.query = new URLSearchParams(query);
  }

  go(parts: string[], query?: Record<string, string>): void {
    const hash = address(parts, query);
    if (hash === location.hash) return void this.asked++;
    location.hash = hash;
    this.#read();
  }

  /** Goes there without a step to come back to. */
  replace(parts: string[], query?: Record<string, string>): void {
    history.replaceState({ depth: this.#depth }, '', address(parts, query));
    this.asked++;
    this.#read();
  }

  /** One step back, or to `otherwise` if the step before is not ours. */
  back(otherwise: string[]): void {
    if (this.#depth === 0) return this.replace(otherwise);
    history.back();
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The hash of a place. `@` stays readable. */
export function address(parts: string[], query?: Record<string, string>): string {
  const path = parts.map((part) => encodeURIComponent(part).replaceAll('%40', '@')).join('/');
  return `#/${path}${query ? `?${new URLSearchParams(query)}` : ''}`;
}

export const route = new Route();
