/** What the pages of the administration do: commands of the server, filled in and run through, and lists of it page by page. */
import { ApiError, type Api } from '../api/api';
import type { Form } from '../api/model';
import { app } from './app.svelte';
import { sentence } from './errors';

export type Answer = Awaited<ReturnType<Api['command']>>;
type Values = Record<string, string | string[]>;
export type Row = Record<string, string>;

const OURS = 'https://rookery.im/command/';
const STANDARD = 'http://jabber.org/protocol/admin#';

/** What the pages use, by the names that the server's manual has. */
export const COMMAND = {
  people: `${OURS}people`,
  person: `${STANDARD}user-stats`,
  recovery: `${OURS}recovery-link`,
  disable: `${STANDARD}disable-user`,
  enable: `${STANDARD}reenable-user`,
  end: `${STANDARD}end-user-session`,
  remove: `${STANDARD}delete-user`,
  quota: `${OURS}quota`,
  factor: `${OURS}second-factor`,
  withoutFactor: `${OURS}remove-second-factor`,
  invitations: `${OURS}open-invitations`,
  revoke: `${OURS}revoke-invitations`,
  invite: 'urn:xmpp:invite#create-account',
  review: `${OURS}review`,
  reports: `${OURS}reports`,
  groups: `${OURS}groups`,
  group: `${OURS}group`,
  groupSettings: `${OURS}group-settings`,
  affiliation: `${OURS}group-affiliation`,
  purge: `${OURS}purge-group`,
  destroy: `${OURS}destroy-group`,
  storage: `${OURS}storage`,
  health: `${OURS}health`,
  trace: `${OURS}trace`,
  confirm: `${OURS}confirm`,
} as const;

/** Runs a command: its forms are filled in with these values, one after the other. What it says at last. */
export async function run(node: string, ...forms: Values[]): Promise<Answer> {
  let answer = await app.api.command({ node });
  for (const values of forms) answer = await goOn(node, answer, values);
  return answer;
}

/** One step further, with these values in the form that was asked for. */
export async function goOn(node: string, answer: Answer, values: Values): Promise<Answer> {
  if (answer.status !== 'executing') return answer;
  const action = answer.actions.includes('next') ? 'next' : 'complete';
  const next = await app.api.command({ node, session: answer.session, action, form: filled(answer.form, values) });
  const failure = next.notes.find((note) => note.type === 'error');
  if (failure) throw new ApiError('not-acceptable', failure.text);
  return next;
}

function filled(form: Form | undefined, values: Values): Form | undefined {
  if (!form) return undefined;
  const fields = form.fields.map((field) => {
    const value = values[field.name];
    return value === undefined ? field : { ...field, values: typeof value === 'string' ? [value] : value };
  });
  return { ...form, fields };
}

/** The first value of a field of a result. */
export function said(answer: Answer | undefined, name: string): string {
  return answer?.form?.fields.find((field) => field.name === name)?.values[0] ?? '';
}

export function rowsOf(answer: Answer | undefined): Row[] {
  const rows = answer?.form?.rows ?? [];
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, values]) => [name, values.join(', ')])));
}

/** A list of the server, of which one has seen so many pages. */
export class Listing {
  rows = $state.raw<Row[]>([]);
  /** Where it goes on; empty: that was all. */
  after = $state('');
  busy = $state(false);
  wrong = $state('');
  /** Something was asked for and has come. */
  known = $state(false);
  /** The error of `wrong`, for what can be done about it. */
  error: unknown;
  /** Which of the questions is the last: what comes of others is late. */
  #turn = 0;

  constructor(private readonly node: string) {}

  /** From the beginning, with these conditions. */
  async load(values: Values = {}): Promise<void> {
    this.after = '';
    await this.#ask(values, []);
  }

  /** The next page, with the conditions of the first. */
  async more(values: Values = {}): Promise<void> {
    await this.#ask({ ...values, after: this.after }, this.rows);
  }

  async #ask(values: Values, before: Row[]): Promise<void> {
    const turn = ++this.#turn;
    this.busy = true;
    this.wrong = '';
    try {
      const answer = await run(this.node, values);
      if (turn !== this.#turn) return;
      this.rows = [...before, ...rowsOf(answer)];
      this.after = said(answer, 'after');
      this.known = true;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.error = error;
      this.wrong = sentence(error);
    }
    this.busy = false;
  }
}
