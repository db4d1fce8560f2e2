/** History in IndexedDB: survives the tab, the worker and the browser, wherever they are killed. */
import { deleteDB, openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from 'idb';
import type { Address } from '../api/model';
import type { Book, Scope } from './book';
import { target, type Entry } from './facts';
import type { Shelves, Store, Tx } from './store';

/**
 * Raised when the shape changes. History is a copy of the archive, so an older shape is not converted but thrown away; what
 * only this computer has (rows, outbox, notes) stays.
 */
const VERSION = 1;

/** An entry as it lies in the database: with what the indexes need. A property that is missing is not indexed. */
interface Row {
  entry: Entry;
  conversation: Address;
  pos: number;
  id?: string;
  key: string;
  /** Messages: their position, and the ids they go by. */
  shown?: number;
  refs?: string[];
  /** Changes. */
  target?: string;
}

interface Schema extends DBSchema {
  entries: {
    key: [Address, number];
    value: Row;
    indexes: {
      id: [Address, string];
      key: [Address, string];
      shown: [Address, number];
      refs: string;
      target: [Address, string];
    };
  };
  /** Everything small, under `shelf LF key`. */
  values: { key: string; value: unknown };
}

type Open = IDBPTransaction<Schema, ('entries' | 'values')[], 'readonly' | 'readwrite'>;

const shelfRange = (shelf: string) => IDBKeyRange.bound(`${shelf}\n`, `${shelf}\n\uffff`);

export class IdbStore implements Store {
  private constructor(private readonly db: IDBPDatabase<Schema>) {}

  /** One database an account, so that nobody reads another's. */
  static async open(name: string): Promise<IdbStore> {
    const db = await openDB<Schema>(name, VERSION, {
      upgrade(db, _old, _new, open) {
        if (db.objectStoreNames.contains('entries')) db.deleteObjectStore('entries');
        if (db.objectStoreNames.contains('values')) {
          for (const shelf of ['book', 'scope']) void open.objectStore('values').delete(shelfRange(shelf));
        } else {
          db.createObjectStore('values');
        }
        const entries = db.createObjectStore('entries', { keyPath: ['conversation', 'pos'] });
        entries.createIndex('id', ['conversation', 'id']);
        entries.createIndex('key', ['conversation', 'key']);
        entries.createIndex('shown', ['conversation', 'shown']);
        entries.createIndex('refs', 'refs', { multiEntry: true });
        entries.createIndex('target', ['conversation', 'target']);
      },
      // A newer page wants to change the shape, or the data is being deleted: do not stand in its way.
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    });
    return new IdbStore(db);
  }

  async transaction<T>(mode: 'read' | 'write', work: (tx: Tx) => Promise<T>): Promise<T> {
    const open = this.db.transaction(['entries', 'values'], mode === 'read' ? 'readonly' : 'readwrite', {
      // `strict` would sync the disk for each message; the archive has them all, and what is to be sent can wait a moment.
      durability: 'relaxed',
    });
    // Whoever awaits `done` hears of it; without a listener an abort would be an unhandled rejection.
    open.done.catch(() => undefined);
    let result: T;
    try {
      result = await work(new IdbTx(open));
      this.beforeCommit(open);
    } catch (error) {
      try {
        open.abort();
      } catch {
        // It is over already, which is as good.
      }
      throw error;
    }
    await open.done;
    return result;
  }

  /** Tests let it fail, as a worker that is killed just before the commit. */
  protected beforeCommit(_open: Open): void {}

  close(): void {
    this.db.close();
  }

  async wipe(): Promise<void> {
    const open = this.db.transaction(['entries', 'values'], 'readwrite');
    await Promise.all([open.objectStore('entries').clear(), open.objectStore('values').clear(), open.done]);
  }
}

/** Deletes the database of an account, open or not. */
export async function deleteStore(name: string): Promise<void> {
  await deleteDB(name);
}

class IdbTx implements Tx {
  constructor(private readonly open: Open) {}

  private get entries() {
    return this.open.objectStore('entries');
  }

  private async value<T>(shelf: string, key: string): Promise<T | undefined> {
    return (await this.open.objectStore('values').get(`${shelf}\n${key}`)) as T | undefined;
  }

  private async valuesOf<T>(shelf: string): Promise<T[]> {
    return (await this.open.objectStore('values').getAll(shelfRange(shelf))) as T[];
  }

  private async setValue(shelf: string, key: string, value: unknown): Promise<void> {
    await this.open.objectStore('values').put!(value, `${shelf}\n${key}`);
  }

  scope(archive: string) {
    return this.value<Scope>('scope', archive);
  }
  putScope(scope: Scope) {
    return this.setValue('scope', scope.archive, scope);
  }
  book(conversation: Address) {
    return this.value<Book>('book', conversation);
  }
  putBook(book: Book) {
    return this.setValue('book', book.conversation, book);
  }
  books() {
    return this.valuesOf<Book>('book');
  }

  async at(conversation: Address, pos: number) {
    return (await this.entries.get([conversation, pos]))?.entry;
  }
  async byId(conversation: Address, id: string) {
    return (await this.entries.index('id').get([conversation, id]))?.entry;
  }
  async byKey(conversation: Address, key: string) {
    return (await this.entries.index('key').get([conversation, key]))?.entry;
  }
  async byRef(conversation: Address, ref: string) {
    return (await this.entries.index('refs').getAll(`${conversation}\n${ref}`)).map((row) => row.entry);
  }
  async changes(conversation: Address, id: string) {
    return (await this.entries.index('target').getAll([conversation, id])).map((row) => row.entry);
  }
  async neighbour(conversation: Address, pos: number, direction: -1 | 1) {
    const range =
      direction < 0
        ? IDBKeyRange.bound([conversation, -Infinity], [conversation, pos], false, true)
        : IDBKeyRange.bound([conversation, pos], [conversation, Infinity], true, false);
    return (await this.entries.openCursor(range, direction < 0 ? 'prev' : 'next'))?.value.entry;
  }
  async nth(conversation: Address, n: number) {
    const range = IDBKeyRange.bound([conversation, -Infinity], [conversation, Infinity]);
    const cursor = await this.entries.openCursor(range);
    return (n > 0 ? await cursor?.advance(n) : cursor)?.value.entry;
  }
  async messages(conversation: Address, from: number, to: number, limit: number, direction: -1 | 1) {
    const index = this.entries.index('shown');
    const range = IDBKeyRange.bound([conversation, from], [conversation, to]);
    if (direction > 0) return (await index.getAll(range, limit)).map((row) => row.entry);
    // Downwards there is no request for many: one finds where they begin, and they are had from there on.
    const last = await index.openKeyCursor(range, 'prev');
    const begin = limit > 1 ? await last?.advance(limit - 1) : last;
    const wanted = begin ? IDBKeyRange.bound(begin.key, [conversation, to]) : range;
    return (await index.getAll(wanted)).map((row) => row.entry).reverse();
  }
  async put(entry: Entry) {
    const { conversation, pos, id, key, refs } = entry;
    const about = target(entry.fact);
    const row: Row = { entry, conversation, pos, key };
    if (id !== undefined) row.id = id;
    if (about !== undefined) row.target = about;
    if (entry.fact.is === 'message') {
      row.shown = pos;
      row.refs = refs.map((ref) => `${conversation}\n${ref}`);
    }
    await this.entries.put!(row);
  }
  async remove(conversation: Address, from: number, to: number) {
    const range = IDBKeyRange.bound([conversation, from], [conversation, to]);
    const count = await this.entries.count(range);
    if (count > 0) await this.entries.delete!(range);
    return count;
  }

  get<T>(shelf: keyof Shelves, key: string) {
    return this.value<T>(shelf, key);
  }
  all<T>(shelf: keyof Shelves) {
    return this.valuesOf<T>(shelf);
  }
  set(shelf: keyof Shelves, key: string, value: unknown) {
    return this.setValue(shelf, key, value);
  }
  async unset(shelf: keyof Shelves, key: string) {
    await this.open.objectStore('values').delete!(`${shelf}\n${key}`);
  }
}
