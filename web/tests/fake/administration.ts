/** The administrator's commands of the sample world (docs/administration.md). */
import { ApiError, type Api } from '../../src/api/api';
import type { Form } from '../../src/api/model';
import { COMMAND } from '../../src/app/admin.svelte';
import { field, groupSettings } from './forms';
import { DOMAIN, MINUTE } from './sample';

type Step = Parameters<Api['command']>[0];
type Outcome = Awaited<ReturnType<Api['command']>>;
type Result = { form?: Form; note?: string };

const NAMES: [node: string, name: string][] = [
  [COMMAND.people, 'People'],
  [COMMAND.person, 'About a user'],
  [COMMAND.recovery, 'Make a link to set a new password'],
  [COMMAND.disable, 'Disable users'],
  [COMMAND.enable, 'Enable users again'],
  [COMMAND.end, 'End sessions of users'],
  [COMMAND.remove, 'Delete users'],
  [COMMAND.quota, 'How much somebody may store'],
  [COMMAND.withoutFactor, 'Take an administrator’s second factor away'],
  [COMMAND.invitations, 'Invitations of all'],
  [COMMAND.revoke, 'Take invitations back'],
  [COMMAND.invite, 'Invite somebody to make an account'],
  [COMMAND.review, 'Review new accounts'],
  [COMMAND.reports, 'Reports of spam and abuse'],
  [COMMAND.groups, 'Groups'],
  [COMMAND.group, 'About a group'],
  [COMMAND.groupSettings, 'Configure a group'],
  [COMMAND.affiliation, 'Make somebody something to a group'],
  [COMMAND.purge, 'Delete what was said in a group'],
  [COMMAND.destroy, 'Destroy a group'],
  [COMMAND.storage, 'Storage'],
  [COMMAND.health, 'How the server is'],
  [COMMAND.trace, 'Where is my message?'],
  ['http://jabber.org/protocol/admin#announce', 'Announce to those online'],
  ['http://jabber.org/protocol/admin#edit-admin', 'Edit the administrators'],
];

export const COMMANDS = NAMES.map(([node, name]) => ({ node, name }));

/** What the first forms ask for that must be there to be filled in. */
const ASKED = ['accountjid', 'accountjids', 'group', 'words', 'state', 'after', 'ids', 'megabytes', 'days', 'reason'];
const PEOPLE = ['Ada Lindqvist', 'Bo Andersen', 'Chen Xiaoyu', 'Dara Okafor', 'Elif Demir', 'Finn Moreau'];
const GROUPS = ['Watch on the water', 'Chess evenings', 'House of the four doors', 'Summer trip', '读书会'];
const PAGE = 12;

function form(fields: Form['fields'], more: Partial<Form> = {}): Form {
  return { title: '', instructions: '', fields, ...more };
}

function facts(values: Record<string, string | string[]>): Form['fields'] {
  return Object.entries(values).map(([name, value]) => field(name, 'text', name, [value].flat()));
}

function table(rows: Record<string, string>[], fields: Form['fields'] = []): Form {
  const columns = Object.keys(rows[0] ?? {}).map((name) => ({ name, label: name }));
  return form(fields, {
    columns,
    rows: rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, [value]]))),
  });
}

function page(rows: Record<string, string>[], values: Record<string, string>): Form {
  const words = values.words?.toLowerCase() ?? '';
  const found = rows.filter((row) => Object.values(row).some((cell) => cell.toLowerCase().includes(words)));
  const from = Number(values.after ?? 0) || 0;
  const shown = found.slice(from, from + PAGE);
  return table(shown, from + PAGE < found.length ? facts({ after: String(from + PAGE) }) : []);
}

export class Administration {
  /** Accounts that wait, invitations and reports that are open: these go as they are decided. */
  #waiting = ['Ivo, 10877', 'Liselotte von der Heide, 10878'];
  #invitations = [
    { id: 'a1', for: 'account, contact', name: '', group: '', uses: '1', by: `10042@${DOMAIN}` },
    { id: 'b2', for: 'account', name: 'nora', group: '', uses: '1', by: '' },
    { id: 'c3', for: 'account, group', name: '', group: `700011@groups.${DOMAIN}`, uses: '12', by: `10101@${DOMAIN}` },
  ];
  #reports = ['17: spam by 10866@elsewhere.example', '16: abuse by 10310@nest.example'];
  #quotas = new Map<string, string>();

  constructor(private readonly now: number) {}

  step({ node, session, action, form: given }: Step): Outcome {
    if (action === 'cancel') return { status: 'canceled', session: 's1', notes: [], actions: [] };
    const stage = session === undefined ? 0 : session === 's1' ? 1 : 2;
    const values = Object.fromEntries((given?.fields ?? []).map((one) => [one.name, one.values[0] ?? '']));
    const next = this.#asks(node, stage);
    if (next) {
      const last = node !== COMMAND.reports && !(node === COMMAND.groupSettings && stage === 0);
      const actions = [last ? 'complete' : 'next', 'cancel'];
      return { status: 'executing', session: stage === 0 ? 's1' : 's2', form: next, notes: [], actions };
    }
    const { form: result, note } = this.#does(node, values);
    const notes: Outcome['notes'] = note ? [{ type: 'info', text: note }] : [];
    return { status: 'completed', session: 's1', ...(result && { form: result }), notes, actions: [] };
  }

  /** The form of this stage, if there is one. */
  #asks(node: string, stage: number): Form | undefined {
    if (node === COMMAND.storage || node === COMMAND.health) return undefined;
    if (node === COMMAND.review) return stage === 0 ? this.#review() : undefined;
    if (node === COMMAND.reports) return [this.#queue(), this.#report()][stage];
    if (node === COMMAND.groupSettings && stage === 1) return groupSettings(GROUPS[0]!);
    if (stage > 0) return undefined;
    return form(
      ASKED.map((name) => field(name, 'text', name)),
      { title: NAMES.find(([one]) => one === node)?.[1] ?? '' },
    );
  }

  #does(node: string, values: Record<string, string>): Result {
    switch (node) {
      case COMMAND.people:
        return { form: page(this.#people(), values) };
      case COMMAND.person:
        return { form: this.#person(values.accountjid?.split('@')[0] ?? '') };
      case COMMAND.groups:
        return { form: page(this.#groups(), values) };
      case COMMAND.group:
        return { form: this.#group(values.group ?? '') };
      case COMMAND.storage:
        return { form: this.#storage() };
      case COMMAND.health:
        return { form: this.#health() };
      case COMMAND.invitations: {
        const expires = new Date(this.now + 5 * 1440 * MINUTE).toISOString();
        return { form: table(this.#invitations.map((one) => ({ ...one, expires }))) };
      }
      case COMMAND.invite:
      case COMMAND.recovery:
        return {
          form: form(
            facts({
              uri: 'xmpp:nest.example?register;preauth=7Kq2mVx9TzRw',
              'landing-url': `https://${DOMAIN}/invite/7Kq2mVx9TzRw`,
              page: `https://${DOMAIN}/#/recover/7Kq2mVx9TzRw`,
              expire: new Date(this.now + 1440 * MINUTE).toISOString(),
            }),
          ),
        };
      case COMMAND.revoke:
        this.#invitations = this.#invitations.filter((one) => one.id !== values.ids);
        return { note: 'One invitation is taken back.' };
      case COMMAND.review:
        this.#waiting = this.#waiting.filter((one) => one !== values.accounts);
        return { note: 'Done.' };
      case COMMAND.reports:
        this.#reports.shift();
        return { note: 'The report is closed.' };
      case COMMAND.quota:
        this.#quotas.set(values.accountjid ?? '', `${values.megabytes}000000`);
        return { note: 'Done.' };
      default:
        return { note: 'Done.' };
    }
  }

  #people(): Record<string, string>[] {
    return Array.from({ length: 30 }, (_, i) => ({
      number: String(10_101 + i * 37),
      address: i % 3 === 0 ? `user${i}@${DOMAIN}` : `${10_101 + i * 37}@${DOMAIN}`,
      nick: `${PEOPLE[i % PEOPLE.length]}`,
      state: i === 0 ? 'administrator' : i % 11 === 4 ? 'disabled' : i % 13 === 7 ? 'waiting' : 'enabled',
      last: i % 7 === 6 ? 'never' : new Date(this.now - i * 190 * MINUTE).toISOString(),
      bytes: String(Math.round(i * 13.7e6)),
      quota: '1000000000',
    }));
  }

  #person(number: string): Form {
    const found = this.#people().find((one) => one.number === number);
    if (!found) throw new ApiError('item-not-found', `There is no account ${number}.`);
    const own = this.#quotas.get(found.address!);
    return form(
      facts({
        accountjid: found.address!,
        number,
        nick: found.nick!,
        created: new Date(this.now - 300 * 1440 * MINUTE).toISOString(),
        lastlogin: found.last!,
        disabled: String(found.state === 'disabled'),
        waits: String(found.state === 'waiting'),
        admin: String(found.state === 'administrator'),
        'second-factor': String(found.state === 'administrator'),
        rostersize: '42',
        files: '118',
        'files-bytes': found.bytes!,
        quota: own ?? found.quota!,
        'own-quota': String(own !== undefined),
        onlineresources: ['Conversations.x7Kq, last heard 2 minutes ago', 'Rookery.web, last heard now'],
      }),
    );
  }

  #groups(): Record<string, string>[] {
    return Array.from({ length: 17 }, (_, i) => ({
      number: String(700_011 + i * 3),
      address: `${700_011 + i * 3}@groups.${DOMAIN}`,
      title: `${GROUPS[i % GROUPS.length]}${i < GROUPS.length ? '' : ` ${i}`}`,
      people: String(3 + i * 19),
      present: String(i * 7),
      messages: i === 2 ? '100000+' : String(120 + i * 811),
      kind: i % 2 === 0 ? 'members-only, hidden' : '',
    }));
  }

  #group(number: string): Form {
    const found = this.#groups().find((one) => one.number === number);
    if (!found) throw new ApiError('item-not-found', `There is no group ${number}.`);
    return form(
      facts({
        ...found,
        description: 'Everybody who keeps an eye on the water.',
        owners: [`10042@${DOMAIN}`, `10101@${DOMAIN}`],
        banned: '2',
        bytes: '48200000',
        created: new Date(this.now - 420 * 1440 * MINUTE).toISOString(),
        'created-by': `10042@${DOMAIN}`,
      }),
    );
  }

  #storage(): Form {
    const most = this.#people()
      .reverse()
      .slice(0, 8)
      .map(({ number = '', address = '', bytes = '', quota = '' }) => ({
        number,
        address,
        files: '118',
        bytes,
        quota,
      }));
    return table(
      most,
      facts({
        'archive-bytes': '8412000000',
        'free-bytes': '240000000',
        'index-bytes': '1930000000',
        files: '20418',
        'files-bytes': '31700000000',
        'files-most': '100000000000',
        'account-most': '1000000000',
        'retention-days': '365',
      }),
    );
  }

  #health(): Form {
    return form(
      facts({
        Sessions: '214',
        'Messages in the last minute': '96',
        'Commit, median': '1.8 ms',
        'Free disk': '184 GB',
      }),
      { title: 'How the server is' },
    );
  }

  #review(): Form | undefined {
    if (this.#waiting.length === 0) return undefined;
    const options = this.#waiting.map((label) => ({ label, value: label }));
    return form([
      field('accounts', 'choices', 'These', [], { options }),
      field('action', 'choice', 'are', ['approve']),
    ]);
  }

  #queue(): Form | undefined {
    if (this.#reports.length === 0) return undefined;
    const options = this.#reports.map((label) => ({ label, value: label.split(':')[0]! }));
    return form([field('report', 'choice', 'Report', [], { options })]);
  }

  #report(): Form {
    const options = [
      { label: 'do nothing, and close it', value: 'dismiss' },
      { label: 'remove the messages for everybody here', value: 'remove' },
      { label: 'block the address for everybody here', value: 'block' },
      { label: 'nothing now, it waits on', value: 'wait' },
    ];
    return form(
      [
        field('reported', 'fixed', 'Reported', ['10866@elsewhere.example']),
        field('reporter', 'fixed', 'By', [`10101@${DOMAIN}`]),
        field('record', 'fixed', 'Reports about the same', ['3 reports of 3 accounts, 2 waiting']),
        field('message-0', 'fixed', 'Message of 23 November', ['You have won a boat.', 'Send me your password.']),
        field('action', 'choice', 'What is to be done', ['wait'], { options }),
        field('all', 'toggle', 'Close all reports about the same with it', ['true']),
      ],
      { title: this.#reports[0] ?? '' },
    );
  }
}
