/**
 * The little that an account keeps besides its messages: who is remembered here, the roster, pictures. In IndexedDB in one's
 * own place (`kept.ts`), in memory where others use the computer too.
 */
export interface Vault {
  get<T>(key: string): Promise<T | undefined>;
  set(key: string, value: unknown): Promise<void>;
  unset(key: string): Promise<void>;
  /** Nothing stays. */
  wipe(): Promise<void>;
}

/** Keys of pictures begin so. */
export const PICTURE = 'picture:';

export class MemoryVault implements Vault {
  private readonly things = new Map<string, unknown>();

  get<T>(key: string): Promise<T | undefined> {
    return Promise.resolve(this.things.get(key) as T | undefined);
  }
  set(key: string, value: unknown): Promise<void> {
    this.things.set(key, value);
    return Promise.resolve();
  }
  unset(key: string): Promise<void> {
    this.things.delete(key);
    return Promise.resolve();
  }
  wipe(): Promise<void> {
    this.things.clear();
    return Promise.resolve();
  }
}
