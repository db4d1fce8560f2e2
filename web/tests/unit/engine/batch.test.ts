import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Event } from '../../../src/api/events';
import type { Contact } from '../../../src/api/model';
import { Batch } from '../../../src/engine/batch';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const contact = (address: string, status: string) => ({ address, status }) as Contact;
const changed = (address: string, status: string): Event => ({
  type: 'contacts',
  changed: [contact(address, status)],
  removed: [],
});

test('a storm of presence is one message, with the last of each', () => {
  const heard: Event[][] = [];
  const batch = new Batch((events) => heard.push(events));
  for (let count = 0; count < 10_000; count++) batch.add(changed(`${count % 1_000}@x`, String(count)));
  expect(heard).toEqual([]);
  vi.runAllTimers();
  expect(heard).toHaveLength(1);
  const [event] = heard[0]!;
  expect(event?.type === 'contacts' && event.changed).toHaveLength(1_000);
  expect(event?.type === 'contacts' && event.changed[7]).toEqual(contact('7@x', '9007'));
});

test('who goes and comes again is there, who comes and goes is not', () => {
  const heard: Event[] = [];
  const batch = new Batch((events) => heard.push(...events));
  batch.add({ type: 'contacts', changed: [], removed: ['a@x'] });
  batch.add(changed('a@x', 'back'));
  batch.add(changed('b@x', 'here'));
  batch.add({ type: 'contacts', changed: [], removed: ['b@x'] });
  batch.flush();
  expect(heard).toEqual([{ type: 'contacts', changed: [contact('a@x', 'back')], removed: ['b@x'] }]);
  batch.add(changed('c@x', 'next'));
  batch.flush();
  expect(heard[1]).toEqual(changed('c@x', 'next'));
});

test('of what replaces itself the last counts, and what happens happens each time', () => {
  const heard: Event[] = [];
  const batch = new Batch((events) => heard.push(...events));
  batch.add({ type: 'connection', connection: { state: 'connecting' } });
  batch.add({ type: 'arrival', address: 'a@x' });
  batch.add({ type: 'arrival', address: 'b@x' });
  batch.add({ type: 'connection', connection: { state: 'online', resumed: true } });
  batch.flush();
  expect(heard).toEqual([
    { type: 'connection', connection: { state: 'online', resumed: true } },
    { type: 'arrival', address: 'a@x' },
    { type: 'arrival', address: 'b@x' },
  ]);
});
