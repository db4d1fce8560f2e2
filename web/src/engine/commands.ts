/** Ad-hoc commands (XEP-0050), by which settings and the administration work. */
import type { Api } from '../api/api';
import type { Form } from '../api/model';
import { NS } from '../xmpp/ns';
import { StanzaError } from '../xmpp/session';
import { el, type El } from '../xmpp/xml';
import type { Context } from './context';
import { filled, formIn, submit, value } from './forms';

type Step = Parameters<Api['command']>[0];
type Outcome = Awaited<ReturnType<Api['command']>>;

/** Commands of the server's own. */
export const COMMAND = {
  me: 'https://rookery.im/command/me',
  nick: 'https://rookery.im/command/nick',
  invite: 'urn:xmpp:invite#invite',
  visibility: 'https://rookery.im/command/visibility',
  export: 'https://rookery.im/command/export',
} as const;

export class Commands {
  constructor(private readonly context: Context) {}

  /** What this account may run. */
  async list(): Promise<{ node: string; name: string }[]> {
    const query = el('query', { xmlns: NS.discoItems, node: NS.commands });
    const answer = await this.ask('get', query);
    const items = answer.child('query', NS.discoItems)?.all('item') ?? [];
    return items.map(({ attrs }) => ({ node: attrs.node ?? '', name: attrs.name ?? '' }));
  }

  async step({ node, session, action = session ? 'complete' : 'execute', form }: Step): Promise<Outcome> {
    const command = el('command', { xmlns: NS.commands, node, action, sessionid: session });
    if (form) command.add(submit(form));
    return readOutcome(await this.ask('set', command));
  }

  /**
   * Runs a command of one form through: the form is asked for, filled with these values, and sent. Gives what the command
   * shows at its end.
   */
  async run(node: string, values?: Record<string, string | string[] | undefined>): Promise<Outcome> {
    const first = await this.step({ node });
    if (first.status !== 'executing' || values === undefined) return first;
    const form = filled(first.form && value(first.form, 'FORM_TYPE'), values);
    const command = el('command', { xmlns: NS.commands, node, action: 'complete', sessionid: first.session }, form);
    const outcome = readOutcome(await this.ask('set', command));
    const failure = outcome.notes.find((note) => note.type === 'error');
    if (failure) throw new StanzaError('not-acceptable', 'modify', failure.text);
    return outcome;
  }

  private ask(type: 'get' | 'set', payload: El): Promise<El> {
    return this.context.session.iq(el('iq', { type, to: this.context.config.domain }, payload));
  }
}

function readOutcome(answer: El): Outcome {
  const command = answer.child('command', NS.commands);
  if (!command) throw new StanzaError('undefined-condition');
  const { status, sessionid = '' } = command.attrs;
  const actions = command.child('actions');
  const form: Form | undefined = formIn(command);
  return {
    status: status === 'executing' || status === 'canceled' ? status : 'completed',
    session: sessionid,
    ...(form && { form }),
    notes: command.all('note').map((note) => {
      const { type } = note.attrs;
      return { type: type === 'warn' || type === 'error' ? type : 'info', text: note.text() };
    }),
    actions: actions ? actions.all().map((action) => action.name) : status === 'executing' ? ['complete'] : [],
  };
}
