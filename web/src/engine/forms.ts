/** Data forms (XEP-0004), as the page shows them and as they travel. */
import type { Field, Form } from '../api/model';
import { NS } from '../xmpp/ns';
import { el, type El } from '../xmpp/xml';

const TYPES: Record<string, Field['type']> = {
  'text-single': 'text',
  'text-private': 'secret',
  'text-multi': 'long',
  boolean: 'toggle',
  'list-single': 'choice',
  'list-multi': 'choices',
  'jid-multi': 'addresses',
  'jid-single': 'address',
  fixed: 'fixed',
  hidden: 'hidden',
};

export function readForm(x: El): Form {
  const reported = x.child('reported');
  const rows = x.all('item').map((item) => {
    const cells = item.all('field').map((field): [string, string[]] => [field.attrs.var ?? '', values(field)]);
    return Object.fromEntries(cells);
  });
  return {
    title: x.childText('title') ?? '',
    instructions: x
      .all('instructions')
      .map((line) => line.text())
      .join('\n'),
    fields: x.all('field').map(readField),
    ...(reported && {
      columns: reported.all('field').map(({ attrs }) => ({ name: attrs.var ?? '', label: attrs.label ?? '' })),
      rows,
    }),
  };
}

function readField(field: El): Field {
  const { var: name = '', label = '', type = 'text-single' } = field.attrs;
  const known = TYPES[type] ?? 'text';
  const given = values(field);
  return {
    name,
    type: known,
    label,
    help: field.childText('desc') ?? '',
    required: field.child('required') !== undefined,
    values: known === 'toggle' ? given.map((value) => String(isTrue(value))) : given,
    options: field
      .all('option')
      .map((option) => ({ label: option.attrs.label ?? '', value: option.childText('value') ?? '' })),
  };
}

const values = (field: El): string[] => field.all('value').map((value) => value.text());

export const isTrue = (value: string | undefined): boolean => value === '1' || value === 'true';

/** A form that was filled in. */
export function submit(form: Form): El {
  const x = el('x', { xmlns: NS.form, type: 'submit' });
  for (const { name, type, values } of form.fields) {
    if (type !== 'fixed' && name !== '') x.add(fieldOf(name, values));
  }
  return x;
}

/** A form of these values, under its type (XEP-0068). */
export function filled(formType: string | undefined, values: Record<string, string | string[] | undefined>): El {
  const x = el('x', { xmlns: NS.form, type: 'submit' });
  if (formType !== undefined) x.add(el('field', { var: 'FORM_TYPE', type: 'hidden' }, el('value', {}, formType)));
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) x.add(fieldOf(name, typeof value === 'string' ? [value] : value));
  }
  return x;
}

function fieldOf(name: string, values: string[]): El {
  return el('field', { var: name }, ...values.map((value) => el('value', {}, value)));
}

/** The first value of a field. */
export function value(form: Form, name: string): string | undefined {
  return form.fields.find((field) => field.name === name)?.values[0];
}

/** What an element has for a form, of this type if one is said. */
export function formIn(element: El, formType?: string): Form | undefined {
  for (const x of element.all('x', NS.form)) {
    const form = readForm(x);
    if (formType === undefined || value(form, 'FORM_TYPE') === formType) return form;
  }
  return undefined;
}
