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

/** As the engine puts it together: the commands of the server, each headed by what it is about. */
export function privacy(): Form {
  const heading = (name: string, label: string, help = '') => field(name, 'fixed', label, [label], { help });
  const choice = (name: string, label: string, value: string, ...values: string[]) =>
    field(name, 'choice', label, [value], { options: values.map((one) => ({ label: one, value: one })) });
  return {
    title: '',
    instructions: '',
    fields: [
      heading('who-sees-me', 'Who sees me', 'Contacts are those whom you let see when you are here.'),
      choice('who-sees-me#presence', 'Who sees when I am here', 'contacts', 'everybody', 'contacts', 'nobody'),
      choice('who-sees-me#last', 'Who sees when I was here last', 'nobody', 'everybody', 'contacts', 'nobody'),
      heading('strangers', 'Messages from strangers', 'Strangers are people who are not on your list.'),
      choice('strangers#strangers', 'What strangers send is', 'set-aside', 'accept', 'set-aside', 'refuse'),
      heading('directory', 'How others find me', 'Nobody finds you as long as you do not allow it.'),
      choice('directory#findable', 'I am found by', 'exactly', 'nobody', 'exactly', 'everybody'),
      field('directory#nick', 'text', 'Nick', ['Mia']),
      field('directory#online', 'toggle', 'Who finds me sees that I am online', ['0']),
      heading('archive-preferences', 'What is archived of my messages'),
      choice('archive-preferences#default', 'Archive messages', 'always', 'always', 'roster', 'never'),
      field('archive-preferences#always', 'addresses', 'But always with', []),
      field('archive-preferences#never', 'addresses', 'And never with', ['10137@nest.example']),
      // One that this page has no words for.
      heading('weather', 'What the weather is'),
      choice('weather#sky', 'The sky is', 'blue', 'blue', 'grey'),
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
