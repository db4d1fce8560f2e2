import type { Form } from '../api/model';
import { maybe } from '../i18n/index.svelte';

/**
 * A form in the reader's words, where there are some; servers speak English. The sentences are `PREFIX`, `PREFIX.help`,
 * `PREFIX.FIELD`, and for an option `PREFIX.FIELD.VALUE` or, where several fields have the same, `PREFIX.VALUE`.
 */
export function spoken(form: Form, prefix: string): Form {
  const say = (theirs: string, ...names: string[]) => {
    const key = names.find((name) => maybe(`${prefix}.${name}`) !== undefined);
    return key === undefined ? theirs : (maybe(`${prefix}.${key}`) ?? theirs);
  };
  return {
    ...form,
    title: maybe(prefix) ?? form.title,
    instructions: say(form.instructions, 'help'),
    fields: form.fields.map((field) => ({
      ...field,
      label: say(field.label, field.name),
      options: field.options.map((option) => ({
        ...option,
        label: say(option.label || option.value, `${field.name}.${option.value}`, option.value),
      })),
    })),
    ...(form.columns && {
      columns: form.columns.map(({ name, label }) => ({ name, label: say(label, name) })),
    }),
  };
}
