import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

type Words = Record<string, string | Record<string, string>>;
const folder = new URL('../../src/i18n/', import.meta.url);
const words = (tag: string, part: string): Words =>
  JSON.parse(readFileSync(new URL(`${tag}/${part}.json`, folder), 'utf8'));
const others = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'en')
  .map((entry) => entry.name);

/** The names in braces of all forms of a sentence. */
function slots(entry: Words[string]): string[] {
  const forms = typeof entry === 'string' ? [entry] : Object.values(entry);
  return [...new Set(forms.flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();
}

describe.each(['start', 'main', 'admin'])('sentences of %s', (part) => {
  const english = words('en', part);

  it.each(others)('%s has the same keys, and the same values in them', (tag) => {
    const their = words(tag, part);
    expect(Object.keys(their).sort()).toEqual(Object.keys(english).sort());
    for (const [key, entry] of Object.entries(english)) expect(slots(their[key]!), key).toEqual(slots(entry));
  });

  it.each(['en', ...others])('%s has each plural form that it needs', (tag) => {
    const needed = new Intl.PluralRules(tag).resolvedOptions().pluralCategories;
    for (const [key, entry] of Object.entries(words(tag, part)))
      if (typeof entry !== 'string') expect(Object.keys(entry).sort(), key).toEqual([...needed].sort());
  });
});
