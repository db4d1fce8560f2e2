/** Members that change one by one are in the same order as those that are sorted at once. */
import { describe, expect, it } from 'vitest';
import type { Affiliation, Member, Show } from '../../src/api/model';
import { comparison, merged } from '../../src/app/members';
import { random } from '../../src/art/seed';

const SHOWS: Show[] = ['online', 'away', 'dnd', 'offline'];
const AFFILIATIONS: Affiliation[] = ['owner', 'member', 'none'];
const compare = comparison('en');

function member(id: number, next: () => number): Member {
  const pick = <T>(of: T[]): T => of[Math.floor(next() * of.length)]!;
  const nick = `${pick(['ada', 'Bo', 'Çelik', '王'])} ${id}`;
  const who = { nick, affiliation: pick(AFFILIATIONS), show: pick(SHOWS), role: 'participant' as const };
  return { id: String(id), ...who, address: undefined, status: '', hats: [], me: false };
}

describe('merged', () => {
  it.each([1, 2, 3, 4, 5])('is as sorting all of them, seed %i', (seed) => {
    const next = random(seed);
    let list: Member[] = [];
    for (let round = 0; round < 60; round++) {
      const changed = Array.from({ length: Math.floor(next() * 6) }, () => member(Math.floor(next() * 80), next));
      const removed = Array.from({ length: Math.floor(next() * 3) }, () => String(Math.floor(next() * 80)));
      const all = new Map(list.map((one) => [one.id, one]));
      for (const one of changed) all.set(one.id, one);
      for (const id of removed) all.delete(id);
      list = merged(list, changed, removed, compare);
      expect(list).toEqual([...all.values()].sort(compare));
    }
  });
});
