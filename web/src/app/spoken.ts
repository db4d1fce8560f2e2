import type { Form } from '../api/model';
import { maybe } from '../i18n/index.svelte';

/**
 * A form in the reader's words, where there are some; servers speak English. The sentences are `PREFIX`, `PREFIX.help`,
 * `PREFIX.FIELD`, and for an option `PREFIX.FIELD.VALUE` or, where several fields have the same, `PREFIX.VALUE`. The title of a
 * `result` says what came of it, and nothing has to be explained any more.
 */
export function spoken(form: Form, prefix: string, result = false): Form {
  const say = (theirs: string, ...names: string[]) => {
    const key = names.find((name) => maybe(`${prefix}.${name}`) !== undefined);
    return key === undefined ? theirs : (maybe(`${prefix}.${key}`) ?? theirs);
  };
  return {
    ...form,
    title: result ? form.title : (maybe(prefix) ?? form.title),
    instructions: result ? form.instructions : say(form.instructions, 'help'),
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
