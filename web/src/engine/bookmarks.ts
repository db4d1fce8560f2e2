/**
 * Groups that one is in (XEP-0402), and for any conversation whether it makes itself heard (XEP-0492) and is pinned (XEP-0469). What
 * others have put into a bookmark stays in it.
 */
import type { Address, Notify } from '../api/model';
import * as jid from '../xmpp/jid';
import { NS } from '../xmpp/ns';
import { el, type El } from '../xmpp/xml';
import type { Context } from './context';
import { isTrue } from './forms';
import { PRIVATE, type Item } from './pep';

export interface Bookmark {
  autojoin: boolean;
  name: string;
  nick: string;
  password: string;
  /** Everything else that stands in it. */
  extensions: El[];
}

const PINNED = 'urn:xmpp:bookmarks-pinning:0';
const NOTIFY: Notify[] = ['always', 'on-mention', 'never'];

export class Bookmarks {
  private readonly marks = new Map<Address, Bookmark>();

  constructor(
    private readonly context: Context,
    /** A bookmark is another, or gone. */
    private readonly changed: (address: Address, bookmark: Bookmark | undefined) => void,
  ) {
    context.pep.on(NS.bookmarks, ({ from, items, retracted, emptied }) => {
      if (from !== context.address) return;
      for (const item of items) this.take(item);
      for (const address of emptied ? [...this.marks.keys()] : retracted) this.drop(jid.prepared(address));
    });
  }

  async fetch(): Promise<void> {
    const items = await this.context.pep.items(NS.bookmarks).catch((): Item[] => []);
    const gone = new Set(this.marks.keys());
    for (const item of items) {
      gone.delete(jid.prepared(item.id));
      this.take(item);
    }
    for (const address of gone) this.drop(address);
  }

  get(address: Address): Bookmark | undefined {
    return this.marks.get(address);
  }

  /** Addresses that are entered by themselves. */
  autojoin(): Address[] {
    return [...this.marks].filter(([, mark]) => mark.autojoin).map(([address]) => address);
  }

  notify(address: Address): Notify | undefined {
    const notify = this.marks.get(address)?.extensions.find((extension) => extension.is('notify', NS.notify));
    return NOTIFY.find((level) => notify?.child(level));
  }

  pinned(address: Address): boolean {
    return this.marks.get(address)?.extensions.some((extension) => extension.is('pinned', PINNED)) ?? false;
  }

  setNotify(address: Address, notify: Notify): Promise<void> {
    return this.extend(address, el('notify', { xmlns: NS.notify }, el(notify)));
  }

  setPinned(address: Address, on: boolean): Promise<void> {
    return this.extend(address, el('pinned', { xmlns: PINNED }), on);
  }

  async put(address: Address, change: Partial<Bookmark>): Promise<void> {
    const mark = { ...(this.marks.get(address) ?? EMPTY), ...change };
    await this.context.pep.publish(NS.bookmarks, address, write(mark), PRIVATE);
    this.set(address, mark);
  }

  async remove(address: Address): Promise<void> {
    if (!this.marks.has(address)) return;
    await this.context.pep.retract(NS.bookmarks, address);
    this.drop(address);
  }

  /** Puts an extension in the place of the one of its kind. */
  private extend(address: Address, extension: El, on = true): Promise<void> {
    const others = this.marks.get(address)?.extensions.filter((other) => other.ns !== extension.ns) ?? [];
    return this.put(address, { extensions: on ? [...others, extension] : others });
  }

  private take({ id, payload }: Item): void {
    if (!payload.is('conference', NS.bookmarks)) return;
    this.set(jid.prepared(id), {
      autojoin: isTrue(payload.attrs.autojoin),
      name: payload.attrs.name ?? '',
      nick: payload.childText('nick') ?? '',
      password: payload.childText('password') ?? '',
      extensions: payload.child('extensions')?.all() ?? [],
    });
  }

  private set(address: Address, mark: Bookmark): void {
    this.marks.set(address, mark);
    this.changed(address, mark);
  }

  private drop(address: Address): void {
    if (this.marks.delete(address)) this.changed(address, undefined);
  }
}

const EMPTY: Bookmark = { autojoin: false, name: '', nick: '', password: '', extensions: [] };

function write({ autojoin, name, nick, password, extensions }: Bookmark): El {
  return el(
    'conference',
    { xmlns: NS.bookmarks, autojoin: String(autojoin), name: name === '' ? undefined : name },
    nick !== '' && el('nick', {}, nick),
    password !== '' && el('password', {}, password),
    extensions.length > 0 && el('extensions', {}, ...extensions),
  );
}
