/** Both stores, made so that a test can kill them just before a commit. */
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { IdbStore } from '../../../src/history/idb';
import { MemoryStore } from '../../../src/history/memory';
import type { Store } from '../../../src/history/store';

/** What happens where the store is about to commit; throws to kill it. */
export type BeforeCommit = { now: () => void };

export async function memoryStore(hook: BeforeCommit): Promise<Store> {
  class Mortal extends MemoryStore {
    protected override commit(): void {
      hook.now();
    }
  }
  return new Mortal();
}

let count = 0;

export async function idbStore(hook: BeforeCommit): Promise<Store> {
  globalThis.indexedDB = new IDBFactory();
  const store = await IdbStore.open(`test-${count++}`);
  (store as unknown as { beforeCommit: () => void }).beforeCommit = () => hook.now();
  return store;
}

export const STORES = { memory: memoryStore, idb: idbStore };
