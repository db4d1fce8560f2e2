/** Two tiers of what is unread: for us, and only going on. */
import { expect, it } from 'vitest';
import type { Conversation } from '../../src/api/model';
import { warmth } from '../../src/app/chats.svelte';

it('a silent person is grey, and a silent group is warm where one is meant', () => {
  const chat = (more: Partial<Conversation>) => warmth({ unread: 3, mentions: 3, ...more } as Conversation);
  expect(chat({ kind: 'person', notify: 'always' })).toBe(3);
  expect(chat({ kind: 'person', notify: 'never' })).toBe(0);
  expect(chat({ kind: 'group', notify: 'never', mentions: 1 })).toBe(1);
  expect(chat({ kind: 'group', notify: 'always', mentions: 0 })).toBe(0);
});
