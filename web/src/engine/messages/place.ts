/** Where an account's history is kept, opened when it is first needed: only then its address is known. */
import { MemoryStore } from '../../history/memory';
import { MAX_ENTRIES, type Store, type Tx } from '../../history/store';
import type { Context } from '../context';
import { MemoryVault } from '../vault';

export class Place implements Store {
  private opened: Promise<Store> | undefined;
  private readonly stays: boolean;

  constructor(private readonly context: Context) {
    const { place, vault } = context;
    // Who keeps no account keeps no messages either.
    this.stays = place === 'own' && !(vault instanceof MemoryVault) && typeof indexedDB !== 'undefined';
  }

  get max(): number {
    return this.stays ? MAX_ENTRIES.idb : MAX_ENTRIES.memory;
  }

  private get name(): string {
    return `rookery-history ${this.context.address}`;
  }

  private open(): Promise<Store> {
    this.opened ??= this.stays
      ? this.kept().catch((error: unknown) => {
          console.error('history is not kept', error);
          return new MemoryStore();
        })
      : Promise.resolve(new MemoryStore());
    return this.opened;
  }

  private async kept(): Promise<Store> {
    const { IdbStore } = await import('../kept');
    return IdbStore.open(this.name);
  }

  async transaction<T>(mode: 'read' | 'write', work: (tx: Tx) => Promise<T>): Promise<T> {
    return (await this.open()).transaction(mode, work);
  }

  close(): void {
    void this.opened?.then((store) => store.close());
  }

  async wipe(): Promise<void> {
    const store = await this.open();
    await store.wipe().catch(() => {});
    store.close();
    if (this.stays) await import('../kept').then(({ deleteStore }) => deleteStore(this.name));
  }
}
