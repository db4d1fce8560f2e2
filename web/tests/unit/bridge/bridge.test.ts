import { expect, test, vi } from 'vitest';
import { ApiError, type Api, type Snapshot } from '../../../src/api/api';
import type { Event, Listener } from '../../../src/api/events';
import { remote } from '../../../src/bridge/remote';
import { serve, type TabApi } from '../../../src/bridge/serve';

const SNAPSHOT = { signedIn: false, contacts: [] } as unknown as Snapshot;
const ARRIVAL: Event = { type: 'arrival', address: 'a@x' };

/** A page and an engine with a channel between them. */
function pair(engine: Partial<TabApi>): Api {
  const { port1, port2 } = new MessageChannel();
  serve(port2, () => Promise.resolve({ detach: () => {}, ...engine } as TabApi));
  return remote(port1);
}

test('what is asked is answered', async () => {
  const api = pair({ lookUp: (input) => Promise.resolve({ address: `${input}@x` } as never) });
  expect(await api.lookUp('1')).toEqual({ address: '1@x' });
});

test('errors keep what they say', async () => {
  const api = pair({ history: () => Promise.reject(new ApiError('quota', 'Full.', { limit: 5 })) });
  const error: unknown = await api.history('a@x', { latest: true }, 10).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ name: 'ApiError', code: 'quota', text: 'Full.', values: { limit: 5 } });
});

test('what fails otherwise, or is not there, is an error too', async () => {
  const api = pair({
    devices: () => {
      throw new TypeError('oh');
    },
  });
  await expect(api.devices()).rejects.toMatchObject({ code: 'internal' });
  await expect(api.commands()).rejects.toMatchObject({ code: 'internal' });
  await expect(api.setDraft('a@x', (() => {}) as never)).toBeUndefined();
  await expect(api.addContact('a@x', (() => {}) as never)).rejects.toMatchObject({ code: 'internal' });
});

test('the snapshot comes first, then what happened since', async () => {
  let listener: Listener | undefined;
  const api = pair({
    attach: (given) => {
      listener = given;
      given([ARRIVAL]);
      return Promise.resolve(SNAPSHOT);
    },
  });
  const order: unknown[] = [];
  const snapshot = await api.attach((events) => order.push(...events));
  order.push(snapshot);
  listener?.([{ type: 'signed-out', reason: 'asked' }]);
  await expect.poll(() => order).toHaveLength(3);
  expect(order[0]).toEqual(SNAPSHOT);
  expect(order[1]).toEqual(ARRIVAL);
});

test('a page that says that it goes is let go of', async () => {
  const detach = vi.fn();
  const { port1, port2 } = new MessageChannel();
  serve(port2, () => Promise.resolve({ detach, attach: () => Promise.resolve(SNAPSHOT) } as unknown as TabApi));
  await remote(port1).attach(() => {});
  port1.postMessage({ bye: true });
  await expect.poll(() => detach.mock.calls.length).toBe(1);
});

test('an engine that cannot be made says so, and is asked for again', async () => {
  const { port1, port2 } = new MessageChannel();
  let tries = 0;
  serve(port2, () => {
    tries++;
    if (tries === 1) return Promise.reject(new ApiError('offline'));
    return Promise.resolve({ detach: () => {}, commands: () => Promise.resolve([]) } as unknown as TabApi);
  });
  const api = remote(port1);
  await expect(api.commands()).rejects.toMatchObject({ code: 'offline' });
  expect(await api.commands()).toEqual([]);
});
