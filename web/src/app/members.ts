/** The order of the members of a group: who is here first, then by role, then by name. */
import type { Affiliation, Member, Show } from '../api/model';

const PRESENCE: Record<Show, number> = { chat: 0, online: 0, dnd: 1, away: 2, xa: 3, invisible: 4, offline: 5 };
const AFFILIATION: Record<Affiliation, number> = { owner: 0, admin: 1, member: 2, none: 3, outcast: 4 };

type Comparison = (a: Member, b: Member) => number;

export function comparison(locale: string): Comparison {
  const order = new Intl.Collator(locale, { numeric: true, sensitivity: 'base' });
  return (a, b) =>
    PRESENCE[a.show] - PRESENCE[b.show] ||
    AFFILIATION[a.affiliation] - AFFILIATION[b.affiliation] ||
    order.compare(a.nick, b.nick);
}

/**
 * The list after some have changed. Of ten thousand a few do, many times a second: they are put where they belong, and the others
 * are not compared again.
 */
export function merged(
  known: readonly Member[],
  changed: readonly Member[],
  removed: readonly string[],
  compare: Comparison,
): Member[] {
  const gone = new Set(removed);
  const fresh = [...new Map(changed.map((member) => [member.id, member])).values()].filter(({ id }) => !gone.has(id));
  for (const { id } of fresh) gone.add(id);
  const rest = known.filter(({ id }) => !gone.has(id));
  const list: Member[] = [];
  let from = 0;
  for (const member of fresh.sort(compare)) {
    const to = after(rest, member, compare);
    for (; from < to; from++) list.push(rest[from]!);
    list.push(member);
  }
  for (; from < rest.length; from++) list.push(rest[from]!);
  return list;
}

/** How many stand before it, in a list that is in order. */
function after(list: readonly Member[], member: Member, compare: Comparison): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(list[middle]!, member) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
