/** Drafts between devices: what was typed or sent here is newer than what the server has, until the server has it. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Notes, type Note } from '../../../src/engine/messages/notes';
import type { Item, Pep } from '../../../src/engine/pep';
import { el } from '../../../src/xmpp/xml';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ANN = 'ann@x';

/** An account with one conversation, and a server that keeps what is published while it is reached. */
function account() {
  const server = { reached: true, items: new Map<string, Item>() };
  const reach = () => (server.reached ? Promise.resolve() : Promise.reject(new Error('offline')));
  const pep = {
    on: () => {},
    items: () => reach().then(() => [...server.items.values()]),
    publish: (_: string, id: string, payload: Item['payload']) =>
      reach().then(() => server.items.set(id, { id, payload })),
    retract: (_: string, id: string) => reach().then(() => server.items.delete(id)),
  };
  const here: Note = { draft: '' };
  const notes = new Notes(
    pep as unknown as Pep,
    () => 'me@x',
    () => here,
    (_, { draft }) => void (here.draft = draft),
  );
  const type = (draft: string) => {
    here.draft = draft;
    notes.changed(ANN, draft === '' ? 0 : undefined);
    return vi.runAllTimersAsync();
  };
  const there = () => server.items.get(ANN)?.payload.childText('draft') ?? '';
  return { server, here, notes, type, there };
}

test('what was typed without a connection is not replaced by what the server has, and is told to it', async () => {
  const { server, here, notes, type, there } = account();
  await type('half a');
  expect(there()).toBe('half a');
  server.reached = false;
  await type('half a thought');
  server.reached = true;
  await notes.fetch();
  await vi.runAllTimersAsync();
  expect(here.draft).toBe('half a thought');
  expect(there()).toBe('half a thought');
});

test('what was sent without a connection does not come back as a draft', async () => {
  const { server, here, notes, type, there } = account();
  await type('a thought');
  server.reached = false;
  await type('');
  server.reached = true;
  await notes.fetch();
  await vi.runAllTimersAsync();
  expect(here.draft).toBe('');
  expect(there()).toBe('');
});

test('what another device types is taken when ours is told', async () => {
  const { server, here, notes, type } = account();
  await type('mine');
  server.items.set(ANN, { id: ANN, payload: el('chat', {}, el('draft', {}, 'theirs')) });
  await notes.fetch();
  expect(here.draft).toBe('theirs');
});
