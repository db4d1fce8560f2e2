/** Completing the name of somebody in the group after `@`. */
import type { Member } from '../../api/model';

/** More names than this are found by typing on. */
const MOST = 6;

/** The word after `@` in which the cursor is, and where it begins. */
export function completion(text: string, caret: number): { from: number; word: string } | undefined {
  const match = /(?:^|[\s(])@([^\s@]{0,40})$/u.exec(text.slice(0, caret));
  if (!match) return undefined;
  const word = match[1]!;
  return { from: caret - word.length - 1, word };
}

/** Members whose name, or a word of it, begins so; who is here comes first. */
export function matches(members: readonly Member[], word: string): Member[] {
  const needle = word.toLocaleLowerCase();
  const found: Member[] = [];
  for (const member of members) {
    if (member.me) continue;
    const name = member.nick.toLocaleLowerCase();
    if (name.startsWith(needle) || name.includes(` ${needle}`)) found.push(member);
  }
  return found.sort((a, b) => Number(a.role === 'none') - Number(b.role === 'none')).slice(0, MOST);
}
