/**
 * The server's own sentences, which are English, in the reader's language. They go by what stands in the server's source, with
 * `{name}` for what differs: `told.json` of a language has them, and what is not there is shown as it came.
 */
import type { Form } from '../api/model';
import { language, maybe } from '../i18n/index.svelte';
import { readable } from './format';

/** One sentence after the other: in one text the server may say several. */
const BETWEEN = /(?<=[.)]) (?=[A-Z\d(])/;
/** What differs ends before the next sentence begins. */
const SLOT = `((?:(?!${BETWEEN.source}).)+?)`;

class Told {
  /** What differs says less than what is always there, so the longest is tried first. */
  #patterns = $derived(
    language.keys
      .filter((key) => key.includes('{'))
      .sort((one, other) => other.length - one.length)
      .map((key) => ({ key, names: [...key.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!), shape: shape(key) })),
  );

  say(text: string): string {
    if (language.tag === 'en' || text === '') return text;
    return (
      this.#sentence(text) ??
      text
        .split(BETWEEN)
        .map((one) => this.#sentence(one) ?? one)
        .join(' ')
    );
  }

  /** All of a form but what the reader has to fill in. `result`: nothing is. */
  form(form: Form, result: boolean): Form {
    const say = (text: string) => this.say(text);
    return {
      ...form,
      title: form.title && say(form.title),
      instructions: say(form.instructions),
      fields: form.fields.map((field) => ({
        ...field,
        label: say(field.label),
        options: field.options.map((option) => ({ ...option, label: say(option.label) })),
        values: result || field.type === 'fixed' ? field.values.map(say) : field.values,
      })),
      ...(form.columns && { columns: form.columns.map(({ name, label }) => ({ name, label: say(label) })) }),
      ...(form.rows && {
        rows: form.rows.map((row) =>
          Object.fromEntries(Object.entries(row).map(([name, values]) => [name, values.map(say)])),
        ),
      }),
    };
  }

  #sentence(text: string): string | undefined {
    const whole = maybe(text);
    if (whole !== undefined) return whole;
    for (const { key, names, shape } of this.#patterns) {
      const found = shape.exec(text);
      if (!found) continue;
      const values = names.map((name, n) => [name, readable(this.#sentence(found[n + 1]!) ?? found[n + 1]!)]);
      return maybe(key, Object.fromEntries(values));
    }
    return undefined;
  }
}

function shape(key: string): RegExp {
  const fixed = key.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${fixed.join(SLOT)}$`, 's');
}

export const told = new Told();
