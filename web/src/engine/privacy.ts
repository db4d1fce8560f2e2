/** Who sees, finds and reaches one: several commands of the server as one form (docs/privacy.md). */
import type { Form } from '../api/model';
import type { Commands } from './commands';

const COMMANDS = ['who-sees-me', 'strangers', 'directory', 'who-adds-me', 'archive-preferences', 'push-content'].map(
  (name) => `https://rookery.im/command/${name}`,
);

/** In the form's names, what comes from which command. */
const SEPARATOR = '#';

/** The fields of all commands that the server has, each headed by what its command is called. */
export async function readPrivacy(commands: Commands): Promise<Form> {
  const forms = await Promise.all(
    COMMANDS.map(async (node) => {
      const outcome = await commands.step({ node }).catch(() => undefined);
      if (outcome?.status !== 'executing' || !outcome.form) return [];
      void commands.step({ node, session: outcome.session, action: 'cancel' }).catch(() => {});
      const { title, instructions, fields } = outcome.form;
      const name = node.slice(node.lastIndexOf('/') + 1);
      const heading: Form['fields'][number] = {
        name: name,
        type: 'fixed',
        label: title,
        help: instructions,
        required: false,
        values: [title],
        options: [],
      };
      return [heading, ...fields.map((field) => ({ ...field, name: `${name}${SEPARATOR}${field.name}` }))];
    }),
  );
  return { title: '', instructions: '', fields: forms.flat() };
}

/** Sends each command the fields that are its own. */
export async function writePrivacy(commands: Commands, form: Form): Promise<void> {
  const byCommand = new Map<string, Record<string, string[]>>();
  for (const { name, type, values } of form.fields) {
    const at = name.indexOf(SEPARATOR);
    if (at < 0 || type === 'fixed' || type === 'hidden') continue;
    const node = `https://rookery.im/command/${name.slice(0, at)}`;
    if (!COMMANDS.includes(node)) continue;
    byCommand.set(node, { ...byCommand.get(node), [name.slice(at + 1)]: values });
  }
  // One after the other: the server lets an account have a few commands under way.
  for (const [node, values] of byCommand) await commands.run(node, values);
}
