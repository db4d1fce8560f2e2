/** History in memory: what public-computer mode has, and the model that IndexedDB is compared with. */
import type { Address } from '../api/model';
import type { Book, Scope } from './book';
import { target, type Entry } from './facts';
import type { Shelves, Store, Tx } from './store';

/** Entries of a conversation by position, with the ways to find them. */
class Shelf {
  readonly entries: Entry[] = [];

  /** The index of the first entry at or after a position. */
  find(pos: number): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle]!.pos < pos) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  at(pos: number): Entry | undefined {
    const found = this.entries[this.find(pos)];
    return found?.pos === pos ? found : undefined;
  }
}

/** Finds entries by an id of theirs; an entry may have several. */
class Index {
  private readonly map = new Map<string, Set<Entry>>();

  constructor(private readonly ids: (entry: Entry) => string[]) {}

  add(entry: Entry): void {
    for (const id of this.ids(entry)) {
      const set = this.map.get(id);
      if (set) set.add(entry);
      else this.map.set(id, new Set([entry]));
    }
  }

  delete(entry: Entry): void {
    for (const id of this.ids(entry)) {
      const set = this.map.get(id);
      set?.delete(entry);
      if (set?.size === 0) this.map.delete(id);
    }
  }

  get(conversation: Address, id: string): Entry[] {
    return [...(this.map.get(`${conversation}\n${id}`) ?? [])];
  }
}

const named = (entry: Entry, id: string | undefined): string[] =>
  id === undefined ? [] : [`${entry.conversation}\n${id}`];

export class MemoryStore implements Store {
  private readonly shelves = new Map<Address, Shelf>();
  private readonly ids = new Index((entry) => named(entry, entry.id));
  private readonly keys = new Index((entry) => named(entry, entry.key));
  private readonly refs = new Index((entry) =>
    entry.fact.is === 'message' ? entry.refs.flatMap((ref) => named(entry, ref)) : [],
  );
  private readonly targets = new Index((entry) => named(entry, target(entry.fact)));
  private readonly values = new Map<string, unknown>();
  private queue: Promise<unknown> = Promise.resolve();
  /** Takes back what the transaction at hand has done, the last first. */
  private undo: (() => void)[] = [];

  transaction<T>(_mode: 'read' | 'write', work: (tx: Tx) => Promise<T>): Promise<T> {
    const run = this.queue.then(async () => {
      this.undo = [];
      try {
        const result = await work(this.tx);
        this.commit();
        return result;
      } catch (error) {
        for (const step of this.undo.reverse()) step();
        throw error;
      }
    });
    this.queue = run.catch(() => undefined);
    return run;
  }

  /** Tests let it fail, as a worker that is killed just before the commit. */
  protected commit(): void {}

  close(): void {}

  async wipe(): Promise<void> {
    await this.queue;
    for (const shelf of this.shelves.values()) for (const entry of [...shelf.entries]) this.drop(entry);
    this.shelves.clear();
    this.values.clear();
  }

  private shelf(conversation: Address): Shelf {
    let shelf = this.shelves.get(conversation);
    if (!shelf) this.shelves.set(conversation, (shelf = new Shelf()));
    return shelf;
  }

  private insert(entry: Entry): void {
    const shelf = this.shelf(entry.conversation);
    const old = shelf.at(entry.pos);
    if (old) this.drop(old);
    shelf.entries.splice(shelf.find(entry.pos), 0, entry);
    for (const index of [this.ids, this.keys, this.refs, this.targets]) index.add(entry);
  }

  private drop(entry: Entry): void {
    const shelf = this.shelf(entry.conversation);
    shelf.entries.splice(shelf.find(entry.pos), 1);
    for (const index of [this.ids, this.keys, this.refs, this.targets]) index.delete(entry);
  }

  private setValue(name: string, value: unknown): void {
    const had = this.values.has(name);
    const old = this.values.get(name);
    this.undo.push(() => (had ? this.values.set(name, old) : this.values.delete(name)));
    if (value === undefined) this.values.delete(name);
    else this.values.set(name, value);
  }

  private valuesOf<T>(prefix: string): T[] {
    const found: T[] = [];
    for (const [name, value] of this.values) if (name.startsWith(prefix)) found.push(value as T);
    return found;
  }

  private readonly tx: Tx = {
    scope: async (archive) => this.values.get(`scope\n${archive}`) as Scope | undefined,
    putScope: async (scope) => this.setValue(`scope\n${scope.archive}`, scope),
    book: async (conversation) => this.values.get(`book\n${conversation}`) as Book | undefined,
    putBook: async (book) => this.setValue(`book\n${book.conversation}`, book),
    books: async () => this.valuesOf<Book>('book\n'),

    at: async (conversation, pos) => this.shelf(conversation).at(pos),
    byId: async (conversation, id) => this.ids.get(conversation, id)[0],
    byKey: async (conversation, key) => this.keys.get(conversation, key)[0],
    byRef: async (conversation, ref) => this.refs.get(conversation, ref),
    changes: async (conversation, id) => this.targets.get(conversation, id),
    neighbour: async (conversation, pos, direction) => {
      const shelf = this.shelf(conversation);
      const index = shelf.find(pos);
      if (direction < 0) return shelf.entries[index - 1];
      return shelf.entries[index]?.pos === pos ? shelf.entries[index + 1] : shelf.entries[index];
    },
    nth: async (conversation, n) => this.shelf(conversation).entries[n],
    messages: async (conversation, from, to, limit, direction) => {
      const shelf = this.shelf(conversation);
      const found: Entry[] = [];
      let i = direction > 0 ? shelf.find(from) : Math.min(shelf.find(to), shelf.entries.length - 1);
      for (; found.length < limit; i += direction) {
        const entry = shelf.entries[i];
        if (!entry || (direction > 0 ? entry.pos > to : entry.pos < from)) break;
        if (entry.fact.is === 'message' && entry.pos <= to) found.push(entry);
      }
      return found;
    },
    put: async (entry) => {
      const old = this.shelf(entry.conversation).at(entry.pos);
      this.undo.push(() => (old ? this.insert(old) : this.drop(entry)));
      this.insert(entry);
    },
    remove: async (conversation, from, to) => {
      const shelf = this.shelf(conversation);
      const begin = shelf.find(from);
      const gone = shelf.entries.slice(begin).filter((entry) => entry.pos <= to);
      for (const entry of gone) {
        this.drop(entry);
        this.undo.push(() => this.insert(entry));
      }
      return gone.length;
    },

    get: async <T>(shelf: keyof Shelves, key: string) => this.values.get(`${shelf}\n${key}`) as T | undefined,
    all: async <T>(shelf: keyof Shelves) => this.valuesOf<T>(`${shelf}\n`),
    set: async (shelf, key, value) => this.setValue(`${shelf}\n${key}`, value),
    unset: async (shelf, key) => this.setValue(`${shelf}\n${key}`, undefined),
  };
}
