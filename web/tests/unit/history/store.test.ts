/** What both stores must do alike. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Entry } from '../../../src/history/facts';
import type { Store } from '../../../src/history/store';
import { entryAt } from './said';
import { STORES, type BeforeCommit } from './stores';

describe.each(Object.entries(STORES))('%s', (_name, make) => {
  let store: Store;
  let hook: BeforeCommit;

  beforeEach(async () => {
    hook = { now: () => undefined };
    store = await make(hook);
  });

  const put = (...entries: Entry[]) =>
    store.transaction('write', async (tx) => {
      for (const entry of entries) await tx.put(entry);
    });

  it('finds an entry by its place, its ids, and what it changes', async () => {
    const message = entryAt('a', 1, { id: 'id1', key: 'k1', refs: ['m1', 'o1'] });
    const change = entryAt('a', 2, { id: 'id2', key: 'k2', fact: { is: 'receipt', target: 'm1' } });
    await put(message, change, entryAt('b', 1, { id: 'id1', key: 'k1', refs: ['m1'] }));
    await store.transaction('read', async (tx) => {
      expect(await tx.at('a', 1)).toEqual(message);
      expect(await tx.at('a', 1.5)).toBeUndefined();
      expect(await tx.byId('a', 'id1')).toEqual(message);
      expect(await tx.byKey('a', 'k2')).toEqual(change);
      expect(await tx.byRef('a', 'o1')).toEqual([message]);
      expect(await tx.byRef('a', 'none')).toEqual([]);
      expect(await tx.changes('a', 'm1')).toEqual([change]);
    });
  });

  it('walks from entry to entry, over fractions and below zero', async () => {
    await put(entryAt('a', -3), entryAt('a', 0.25), entryAt('a', 7), entryAt('b', 5));
    await store.transaction('read', async (tx) => {
      expect((await tx.neighbour('a', 0.25, -1))?.pos).toBe(-3);
      expect((await tx.neighbour('a', 0.25, 1))?.pos).toBe(7);
      expect((await tx.neighbour('a', 1, -1))?.pos).toBe(0.25);
      expect(await tx.neighbour('a', 7, 1)).toBeUndefined();
      expect(await tx.neighbour('a', -3, -1)).toBeUndefined();
      expect((await tx.nth('a', 0))?.pos).toBe(-3);
      expect((await tx.nth('a', 2))?.pos).toBe(7);
      expect(await tx.nth('a', 3)).toBeUndefined();
    });
  });

  it('gives messages without changes, from either end', async () => {
    await put(...[1, 2, 3, 4, 5].map((pos) => entryAt('a', pos)));
    await put(entryAt('a', 3.5, { fact: { is: 'nothing' } }));
    const places = (from: number, to: number, limit: number, direction: -1 | 1) =>
      store.transaction('read', async (tx) =>
        (await tx.messages('a', from, to, limit, direction)).map((entry) => entry.pos),
      );
    expect(await places(2, 5, 10, 1)).toEqual([2, 3, 4, 5]);
    expect(await places(2, 5, 2, 1)).toEqual([2, 3]);
    expect(await places(1, 4, 3, -1)).toEqual([4, 3, 2]);
    expect(await places(1, 4.5, 2, -1)).toEqual([4, 3]);
    expect(await places(-Infinity, Infinity, 10, -1)).toEqual([5, 4, 3, 2, 1]);
    expect(await places(6, 9, 10, -1)).toEqual([]);
  });

  it('removes a span and says how much that was', async () => {
    await put(entryAt('a', 1, { refs: ['r'] }), entryAt('a', 2), entryAt('a', 3), entryAt('b', 2));
    const gone = await store.transaction('write', (tx) => tx.remove('a', 1, 2));
    expect(gone).toBe(2);
    await store.transaction('read', async (tx) => {
      expect(await tx.byRef('a', 'r')).toEqual([]);
      expect((await tx.neighbour('a', -Infinity, 1))?.pos).toBe(3);
      expect(await tx.at('b', 2)).toBeDefined();
    });
  });

  it('replaces what stands at a place, with the ways to find it', async () => {
    await put(entryAt('a', 1, { id: 'old', refs: ['old'] }));
    await put(entryAt('a', 1, { id: 'new', refs: ['new'] }));
    await store.transaction('read', async (tx) => {
      expect(await tx.byId('a', 'old')).toBeUndefined();
      expect(await tx.byRef('a', 'old')).toEqual([]);
      expect((await tx.byRef('a', 'new')).length).toBe(1);
    });
  });

  it('keeps what is small by shelf and key', async () => {
    await store.transaction('write', async (tx) => {
      await tx.set('rows', 'a', 1);
      await tx.set('rows', 'b', 2);
      await tx.set('outbox', 'a', 3);
      await tx.unset('rows', 'b');
      await tx.putBook({ conversation: 'a', intervals: [], count: 0 });
      await tx.putScope({ archive: '', epoch: 1, since: 1, cursor: 'x' });
    });
    await store.transaction('read', async (tx) => {
      expect(await tx.get('rows', 'a')).toBe(1);
      expect(await tx.all('rows')).toEqual([1]);
      expect(await tx.all('outbox')).toEqual([3]);
      expect((await tx.books()).length).toBe(1);
      expect((await tx.scope(''))?.cursor).toBe('x');
    });
  });

  it.each(['in its work', 'before its commit'])('keeps nothing of what failed %s', async (when) => {
    await put(entryAt('a', 1, { key: 'first' }));
    if (when !== 'in its work') {
      hook.now = () => {
        throw new Error('killed');
      };
    }
    const failed = store.transaction('write', async (tx) => {
      await tx.put(entryAt('a', 1, { key: 'second' }));
      await tx.put(entryAt('a', 2));
      await tx.remove('a', 1, 1);
      await tx.set('rows', 'a', 1);
      if (when === 'in its work') throw new Error('killed');
    });
    await expect(failed).rejects.toThrow('killed');
    hook.now = () => undefined;
    await store.transaction('read', async (tx) => {
      expect((await tx.at('a', 1))?.key).toBe('first');
      expect((await tx.byKey('a', 'first'))?.pos).toBe(1);
      expect(await tx.at('a', 2)).toBeUndefined();
      expect(await tx.get('rows', 'a')).toBeUndefined();
    });
  });

  it('lets those who write wait for one another', async () => {
    const add = () =>
      store.transaction('write', async (tx) => {
        const was = (await tx.get<number>('notes', 'n')) ?? 0;
        await tx.set('notes', 'n', was + 1);
      });
    await Promise.all(Array.from({ length: 20 }, add));
    expect(await store.transaction('read', (tx) => tx.get('notes', 'n'))).toBe(20);
  });

  it('leaves nothing when it is wiped', async () => {
    await put(entryAt('a', 1));
    await store.transaction('write', (tx) => tx.set('rows', 'a', 1));
    await store.wipe();
    await store.transaction('read', async (tx) => {
      expect(await tx.at('a', 1)).toBeUndefined();
      expect(await tx.all('rows')).toEqual([]);
    });
  });
});
