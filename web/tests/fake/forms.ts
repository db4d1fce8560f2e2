/** Forms of the sample world: settings of oneself and of a group. */
import type { Field, Form } from '../../src/api/model';

export function field(
  name: string,
  type: Field['type'],
  label: string,
  values: string[] = [],
  more: Partial<Field> = {},
): Field {
  return { name, type, label, help: '', required: false, values, options: [], ...more };
}

export function privacy(): Form {
  const who = [
    { label: 'Everybody', value: 'all' },
    { label: 'My contacts', value: 'contacts' },
    { label: 'Nobody', value: 'nobody' },
  ];
  return {
    title: 'Privacy',
    instructions: '',
    fields: [
      field('find', 'toggle', 'People can find me in the directory', ['1']),
      field('online', 'toggle', 'Show in the directory whether I am online', ['0']),
      field('strangers', 'choice', 'Who may write to me', ['all'], { options: who }),
      field('urgent', 'choice', 'Who may send me urgent messages', ['contacts'], { options: who }),
      field('receipts', 'toggle', 'Tell senders that I have read', ['1']),
      field('badge', 'toggle', 'A public picture of my presence', ['0'], {
        help: 'For a page of your own: anybody can see it.',
      }),
    ],
  };
}

export function groupSettings(name: string): Form {
  return {
    title: 'Settings of the group',
    instructions: '',
    fields: [
      field('name', 'text', 'Name', [name], { required: true }),
      field('about', 'long', 'What it is about', ['Everybody who keeps an eye on the water.']),
      field('public', 'toggle', 'Can be found by everybody', ['0']),
      field('members', 'toggle', 'Only members may come in', ['1']),
      field('moderated', 'toggle', 'Only those with voice may write', ['0']),
      field('slow', 'text', 'Seconds between two messages of a person', ['0']),
      field('password', 'secret', 'Password', ['']),
    ],
  };
}
