/** Forms of the sample world: settings, and the administrator's commands. */
import type { Field, Form } from '../../src/api/model';

function field(
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

export const COMMANDS = [
  { node: 'rookery:people', name: 'People' },
  { node: 'rookery:invites', name: 'Invitations' },
  { node: 'rookery:review', name: 'Review new accounts' },
  { node: 'rookery:reports', name: 'Reports' },
  { node: 'rookery:storage', name: 'Storage and quotas' },
  { node: 'rookery:health', name: 'Health' },
  { node: 'rookery:announce', name: 'Announce to everybody' },
  { node: 'rookery:trace', name: 'Where is my message?' },
];

export function command(node: string, form?: Form): { form?: Form; done: boolean; note?: string } {
  if (node === 'rookery:people')
    return {
      done: true,
      form: {
        title: 'People',
        instructions: '',
        fields: [],
        columns: [
          { name: 'number', label: 'Number' },
          { name: 'nick', label: 'Nick' },
          { name: 'seen', label: 'Last seen' },
          { name: 'used', label: 'Storage' },
        ],
        rows: Array.from({ length: 12 }, (_, i) => ({
          number: [String(10_101 + i * 37)],
          nick: [['Ada Lindqvist', 'Bo Andersen', 'Chen Xiaoyu', 'Dara Okafor'][i % 4]!],
          seen: [i % 3 === 0 ? 'now' : `${i} days ago`],
          used: [`${(i * 13.7).toFixed(1)} MB`],
        })),
      },
    };
  if (node === 'rookery:health')
    return {
      done: true,
      form: {
        title: 'Health',
        instructions: 'Everything is well. Up for 12 days and 4 hours.',
        fields: [
          field('sessions', 'fixed', 'Sessions', ['214']),
          field('messages', 'fixed', 'Messages in the last minute', ['96']),
          field('store', 'fixed', 'Commit, median', ['1.8 ms']),
          field('disk', 'fixed', 'Free disk', ['184 GB']),
        ],
      },
    };
  if (form) return { done: true, note: 'Done.' };
  return {
    done: false,
    form: {
      title: COMMANDS.find((one) => one.node === node)?.name ?? node,
      instructions: 'Please fill in what is asked.',
      fields: [
        field('who', 'address', 'Number or address', [], { required: true }),
        field('reason', 'long', 'Reason'),
        field('mode', 'choice', 'How', ['soft'], {
          options: [
            { label: 'Softly', value: 'soft' },
            { label: 'At once', value: 'hard' },
          ],
        }),
        field('tell', 'toggle', 'Tell the person', ['1']),
      ],
    },
  };
}
