/** Ad-hoc commands (XEP-0050), by which settings and the administration work. */
import type { Api } from '../api/api';
import type { Address, Form } from '../api/model';
import { NS } from '../xmpp/ns';
import { StanzaError } from '../xmpp/session';
import { el, type El } from '../xmpp/xml';
import type { Context } from './context';
import { filled, formIn, submit, value } from './forms';

type Step = Parameters<Api['command']>[0];
type Outcome = Awaited<ReturnType<Api['command']>>;
type Values = Record<string, string | string[] | undefined>;

/** Commands of the server's own. */
export const COMMAND = {
  me: 'https://rookery.im/command/me',
  nick: 'https://rookery.im/command/nick',
  invite: 'urn:xmpp:invite#invite',
  inviteToGroup: 'https://rookery.im/command/invite-to-group',
  takeUp: 'https://rookery.im/command/take-up-invitation',
  waiting: 'https://rookery.im/command/membership-requests',
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

  async step({ node, session, action = session ? 'complete' : 'execute', form }: Step, to?: Address): Promise<Outcome> {
    const command = el('command', { xmlns: NS.commands, node, action, sessionid: session });
    if (form) command.add(submit(form));
    return readOutcome(await this.ask('set', command, to));
  }

  /**
   * Runs a command of one form through: the form is asked for, filled with these values, and sent. Gives what the command
   * shows at its end. `to`: a group whose command it is.
   */
  async run(node: string, values?: Values, to?: Address): Promise<Outcome> {
    return values === undefined ? this.step({ node }, to) : this.fill(node, values, to);
  }

  /** The same with a command that may ask for more: what came of its first form. */
  async fill(node: string, values: Values, to?: Address): Promise<Outcome> {
    const first = await this.step({ node }, to);
    if (first.status !== 'executing') return first;
    const form = filled(first.form && value(first.form, 'FORM_TYPE'), values);
    const action = first.actions.includes('next') ? 'next' : 'complete';
    const command = el('command', { xmlns: NS.commands, node, action, sessionid: first.session }, form);
    const outcome = readOutcome(await this.ask('set', command, to));
    const failure = outcome.notes.find((note) => note.type === 'error');
    if (failure) throw new StanzaError('not-acceptable', 'modify', failure.text);
    return outcome;
  }

  private ask(type: 'get' | 'set', payload: El, to = this.context.config.domain): Promise<El> {
    return this.context.session.iq(el('iq', { type, to }, payload));
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
