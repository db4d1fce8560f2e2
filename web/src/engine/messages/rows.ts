/** The list of conversations: what each row shows, kept so that it is there before the connection is. */
import type { Address, Conversation, Notify } from '../../api/model';
import type { Entry } from '../../history/facts';
import type { Store } from '../../history/store';
import * as jid from '../../xmpp/jid';
import type { Surroundings } from '../conversations';
import { snippet, type Render } from './render';

/** Rows that are kept; the oldest beyond it are in the server's inbox. */
const MAX_ROWS = 2_000;

/** A row as it is kept: without what other parts know better. */
export interface Row {
  address: Address;
  at: number;
  last?: Conversation['last'];
  unread: number;
  mentions: number;
  draft: string;
  /** When it was taken out of the list; what comes later brings it back. */
  closed?: number;
  /** Somebody wants to see it though nothing was said. */
  opened?: true;
}

export class Rows {
  private readonly rows = new Map<Address, Row>();

  constructor(
    private readonly store: Store,
    private readonly around: Surroundings,
    private readonly typing: (address: Address) => string[],
  ) {}

  async restore(): Promise<void> {
    const rows = await this.store.transaction('read', (tx) => tx.all<Row>('rows'));
    for (const row of rows) this.rows.set(row.address, row);
  }

  get(address: Address): Row {
    return this.rows.get(address) ?? { address, at: 0, unread: 0, mentions: 0, draft: '' };
  }

  has(address: Address): boolean {
    return this.rows.has(address);
  }

  addresses(): Address[] {
    return [...this.rows.keys()];
  }

  list(): Conversation[] {
    for (const group of this.around.groups.bookmarked())
      if (!this.rows.has(group)) this.rows.set(group, this.get(group));
    return [...this.rows.values()].filter((row) => this.shown(row)).map((row) => this.conversation(row));
  }

  /** Changes a row, keeps it, and tells what is to be shown. */
  async change(address: Address, change: Partial<Row>): Promise<void> {
    const row = { ...this.get(address), ...change };
    this.rows.set(address, row);
    this.tell(address);
    await this.store.transaction('write', async (tx) => {
      await tx.set('rows', address, row);
      const surplus = this.surplus();
      if (surplus) await tx.unset('rows', surplus);
    });
  }

  private surplus(): Address | undefined {
    if (this.rows.size <= MAX_ROWS) return undefined;
    const oldest = [...this.rows.values()].reduce((a, b) => (b.at < a.at && b.draft === '' ? b : a));
    this.rows.delete(oldest.address);
    return oldest.address;
  }

  /** Something else about it has changed. */
  tell(address: Address): void {
    const row = this.get(address);
    const shown = this.shown(row);
    this.around.context.emit({
      type: 'conversations',
      changed: shown ? [this.conversation(row)] : [],
      removed: shown ? [] : [address],
    });
  }

  private shown(row: Row): boolean {
    if (row.closed !== undefined && row.at <= row.closed && row.draft === '') return false;
    const bookmarked = () => this.around.groups.bookmarked().includes(row.address);
    return row.last !== undefined || row.draft !== '' || row.opened === true || row.unread > 0 || bookmarked();
  }

  conversation(row: Row): Conversation {
    const { names, groups, bookmarks } = this.around;
    const { address } = row;
    const whisper = jid.resource(address);
    const kind = whisper ? 'person' : names.kind(address);
    const avatar = whisper ? groups.avatarOf(jid.bare(address), whisper) : names.avatar(address);
    return {
      address,
      kind,
      title: whisper ? `${whisper} · ${names.title(jid.bare(address))}` : names.title(address),
      ...(avatar !== undefined && { avatar }),
      ...(row.last && { last: row.last }),
      at: row.at,
      unread: row.unread,
      mentions: kind === 'person' ? row.unread : row.mentions,
      notify: this.notify(address),
      pinned: bookmarks.pinned(address),
      draft: row.draft,
      typing: this.typing(address),
      ...(kind === 'group' && { joined: groups.inside(address) }),
    };
  }

  /** As the account says, or else: people and small private groups always, open groups when we are meant (docs/push.md). */
  notify(address: Address): Notify {
    const { names, groups, bookmarks } = this.around;
    const group = names.kind(jid.bare(address)) === 'group' && jid.resource(address) === '';
    const usual = group && groups.membersOnly(address) !== true ? 'on-mention' : 'always';
    return bookmarks.notify(address) ?? usual;
  }
}

/** What a row shows of the newest message. */
export function lastOf(entry: Entry, seen: number, render: Render): NonNullable<Conversation['last']> {
  const message = render.message(entry, { seen });
  return {
    key: entry.key,
    mine: entry.mine,
    ...(entry.nick !== '' && { sender: entry.nick }),
    text: entry.view ? snippet(entry.view) : '',
    kind: message.kind,
    state: message.state,
  };
}
