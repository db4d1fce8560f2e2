/**
 * What is kept on one's own computer, in IndexedDB: fetched only there. A page that keeps nothing does not even load the code
 * that could.
 */
import { openDB, type IDBPDatabase } from 'idb';
import { PICTURE, type Vault } from './vault';

export { deleteStore, IdbStore } from '../history/idb';

const NAME = 'rookery-account';
const SHELF = 'things';
/** Pictures that are kept, of some kilobytes each. */
const MAX_PICTURES = 1_000;

export class StoredVault implements Vault {
  private constructor(private db: IDBPDatabase | undefined) {}

  static async open(): Promise<StoredVault> {
    const vault: StoredVault = new StoredVault(undefined);
    vault.db = await openDB(NAME, 1, {
      upgrade: (db) => void db.createObjectStore(SHELF),
      // Another build wants another form of it: it must not wait for us.
      blocking: () => vault.close(),
    });
    // Nobody waits for it.
    void vault.prune().catch(() => {});
    return vault;
  }

  async get<T>(key: string): Promise<T | undefined> {
    return (await this.db?.get(SHELF, key)) as T | undefined;
  }

  async set(key: string, value: unknown): Promise<void> {
    await this.db?.put(SHELF, value, key);
  }

  async unset(key: string): Promise<void> {
    await this.db?.delete(SHELF, key);
  }

  async wipe(): Promise<void> {
    this.close();
    await new Promise<void>((resolve) => {
      const request = indexedDB.deleteDatabase(NAME);
      request.onsuccess = request.onerror = request.onblocked = () => resolve();
    });
  }

  private close(): void {
    this.db?.close();
    this.db = undefined;
  }

  /** Pictures come again when they are wanted: when there are too many, half of them go. */
  private async prune(): Promise<void> {
    const range = IDBKeyRange.bound(PICTURE, `${PICTURE}\uffff`);
    const keys = (await this.db?.getAllKeys(SHELF, range)) ?? [];
    if (keys.length <= MAX_PICTURES) return;
    for (const key of keys.filter((_, at) => at % 2 === 0)) await this.db?.delete(SHELF, key);
  }
}
