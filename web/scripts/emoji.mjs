/**
 * Makes src/art/emoji/<language>.json for the emoji picker from emojibase-data: groups of [emoji, words to find it by, whether it has
 * tones of skin]. Run it when that package is updated; what it writes is committed.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from './site.mjs';

const require = createRequire(import.meta.url);
/** Newer ones are not yet in the fonts of most systems. */
const NEWEST = 15;
/** Parts to make others of, not to send. */
const COMPONENTS = 2;
/** More words find hardly more. */
const WORDS = 6;

mkdirSync(join(ROOT, 'src/art/emoji'), { recursive: true });
for (const language of ['en', 'zh']) {
  const data = JSON.parse(readFileSync(require.resolve(`emojibase-data/${language}/data.json`), 'utf8'));
  const groups = new Map();
  for (const one of data) {
    if (one.group === undefined || one.group === COMPONENTS || one.version > NEWEST) continue;
    if (!groups.has(one.group)) groups.set(one.group, []);
    groups.get(one.group).push(one);
  }
  const rows = [...groups]
    .sort(([a], [b]) => a - b)
    .map(([, list]) =>
      list
        .sort((a, b) => a.order - b.order)
        .map((one) => [one.emoji, [one.label, ...(one.tags ?? []).slice(0, WORDS)].join(' '), one.skins ? 1 : 0]),
    );
  writeFileSync(join(ROOT, `src/art/emoji/${language}.json`), JSON.stringify(rows) + '\n');
}
