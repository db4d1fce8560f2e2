/**
 * Sentences. `t('key', { n: 3 })` gives the sentence in the reader's language; a language is a few files, for what is seen
 * before signing in, for the administration, for what the server says by itself and for the rest, each fetched when it is first
 * needed.
 */
import enStart from './en/start.json';
import enAdminUrl from './en/admin.json?url';
import type enAdmin from './en/admin.json';
import type enMain from './en/main.json';
import enMainUrl from './en/main.json?url';
import zhAdminUrl from './zh/admin.json?url';
import zhMainUrl from './zh/main.json?url';
import zhStartUrl from './zh/start.json?url';
import zhToldUrl from './zh/told.json?url';

export type Key = keyof typeof enStart | keyof typeof enMain | keyof typeof enAdmin;
export type Values = Record<string, string | number>;
/** A sentence, or one for each plural category of the language (chosen by the value `n`). */
type Entry = string | Partial<Record<Intl.LDMLPluralRule, string>>;
type Words = Record<string, Entry>;
type Part = 'start' | 'main' | 'admin' | 'told';

/** Languages that there are, named as their readers name them. */
export const LANGUAGES = { en: 'English', zh: '简体中文' } as const;
export type Tag = keyof typeof LANGUAGES;

/** Where each part is; what everybody needs first is here already. */
const packs: Record<Tag, Record<Part, Words | string>> = {
  en: { start: enStart, main: enMainUrl, admin: enAdminUrl, told: {} },
  zh: { start: zhStartUrl, main: zhMainUrl, admin: zhAdminUrl, told: zhToldUrl },
};

async function load(tag: Tag, part: Part): Promise<Words> {
  const pack = packs[tag][part];
  if (typeof pack !== 'string') return pack;
  const answer = await fetch(pack);
  if (!answer.ok) throw new Error(`${pack}: ${answer.status}`);
  return (packs[tag][part] = (await answer.json()) as Words);
}

/** Languages whose script runs from right to left, for when one of them is added. */
const RIGHT_TO_LEFT = ['ar', 'fa', 'he', 'ur'];

class Language {
  tag = $state<Tag>('en');
  #words = $state.raw<Words>(enStart);
  #parts = new Set<Part>(['start']);
  readonly dir = $derived(RIGHT_TO_LEFT.includes(this.tag) ? 'rtl' : 'ltr');
  /** With the reader's region, so that times and dates are written as they are used to. */
  readonly locale = $derived(
    navigator.languages.find((tag) => tag.split('-')[0] === this.tag) ?? (this.tag === 'zh' ? 'zh-CN' : this.tag),
  );
  #plural = $derived(new Intl.PluralRules(this.locale));
  /** Writes numbers. */
  readonly numbers = $derived(new Intl.NumberFormat(this.locale));

  /** Fetches what is needed of `tag`, then shows it all at once. */
  async use(tag: Tag, ...parts: Part[]): Promise<void> {
    for (const part of parts) this.#parts.add(part);
    const loaded = await Promise.all([...this.#parts].map((part) => load(tag, part)));
    this.#words = Object.assign({}, ...loaded);
    this.tag = tag;
  }

  get keys(): string[] {
    return Object.keys(this.#words);
  }

  entry(key: string, values?: Values): string | undefined {
    const entry = this.#words[key];
    if (entry === undefined || typeof entry === 'string') return entry;
    return entry[this.#plural.select(Number(values?.n ?? 0))] ?? entry.other;
  }
}

export const language = new Language();

/** The sentence for `key`, with `{name}` replaced from `values`. Numbers are written as the language writes them. */
export function t(key: Key, values?: Values): string {
  return fill(language.entry(key, values) ?? key, values);
}

/** The sentence for a key that came from outside (a code of an error), or undefined if there is none. */
export function maybe(key: string, values?: Values): string | undefined {
  const entry = language.entry(key, values);
  return entry === undefined ? undefined : fill(entry, values);
}

function fill(sentence: string, values?: Values): string {
  if (!values) return sentence;
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? language.numbers.format(value) : value;
  });
}

/** The language of this browser, as far as we have it. */
export function preferred(): Tag {
  for (const tag of navigator.languages) {
    const base = tag.split('-')[0] ?? '';
    if (base in LANGUAGES) return base as Tag;
  }
  return 'en';
}
