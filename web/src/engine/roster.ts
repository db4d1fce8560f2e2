/**
 * The people one knows: the roster (RFC 6121 §2), with what is known of each: presence, nick, picture, whether it is blocked.
 * Kept in one's own place, so that the list is there before the connection, and only changes are asked for (§2.6).
 */
import type { Address, Contact } from '../api/model';
import * as jid from '../xmpp/jid';
import { NS } from '../xmpp/ns';
import { StanzaError } from '../xmpp/session';
import { el, type El } from '../xmpp/xml';
import { COMMAND, type Commands } from './commands';
import type { Context } from './context';

/** What is kept. */
interface Kept {
  version: string;
  contacts: Contact[];
}

const KEY = 'roster';
/** Milliseconds after a change before the roster is kept. */
const KEEP_AFTER = 2_000;

const VISIBLE = { usual: 'default', visible: 'always', invisible: 'never' } as const;

export class Roster {
  private readonly contacts = new Map<Address, Contact>();
  /** Listed only because they are blocked. */
  private readonly guests = new Set<Address>();
  private version = '';
  private keeping: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly context: Context,
    private readonly commands: Commands,
    private readonly renamed: (address: Address) => void,
  ) {
    context.session.answer('query', NS.roster, (request, query) => this.pushed(request, query));
  }

  all(): Contact[] {
    return [...this.contacts.values()];
  }

  get(address: Address): Contact | undefined {
    return this.contacts.get(address);
  }

  /** What was kept. */
  async restore(): Promise<void> {
    const kept = await this.context.vault.get<Kept>(KEY);
    if (!kept) return;
    this.version = kept.version;
    for (const contact of kept.contacts) this.contacts.set(contact.address, { ...contact, ...ABSENT });
  }

  /** Asks for what has changed. */
  async fetch(): Promise<void> {
    const { session } = this.context;
    const ver = session.features.rosterVersion ? this.version : undefined;
    const answer = await session.iq(el('iq', { type: 'get' }, el('query', { xmlns: NS.roster, ver })));
    const query = answer.child('query', NS.roster);
    // Nothing: what we have is the roster, and changes follow as pushes (RFC 6121 §2.6.3).
    if (!query) return;
    this.version = query.attrs.ver ?? '';
    const gone = new Set([...this.contacts.keys()].filter((address) => !this.guests.has(address)));
    for (const item of query.all('item')) {
      const contact = this.read(item);
      if (!contact) continue;
      gone.delete(contact.address);
      this.put(contact);
    }
    for (const address of gone) this.drop(address);
  }

  /** Takes over what has become known of a contact; nothing happens if it is none. */
  note(address: Address, change: Partial<Contact>): void {
    const contact = this.contacts.get(address);
    if (!contact || Object.entries(change).every(([key, value]) => contact[key as keyof Contact] === value)) return;
    this.put({ ...contact, ...change });
    if ('nick' in change || 'avatar' in change) this.renamed(address);
  }

  /** Who is blocked. Those of them who are no contacts are listed for as long as they are. */
  noteBlocked(blocked: ReadonlySet<Address>): void {
    for (const contact of this.all()) {
      if (this.guests.has(contact.address) && !blocked.has(contact.address)) this.drop(contact.address);
      else this.note(contact.address, { blocked: blocked.has(contact.address) });
    }
    for (const address of blocked) {
      if (this.contacts.has(address)) continue;
      this.guests.add(address);
      this.put({ ...stranger(address), blocked: true });
    }
  }

  /** Everybody is gone, as far as we know. */
  forgetPresence(): void {
    for (const contact of this.all()) if (contact.show !== 'offline') this.put({ ...contact, ...ABSENT });
  }

  async add(
    address: Address,
    more: { remark: string; categories: string[]; text: string; invitation?: string },
  ): Promise<void> {
    const { session, me } = this.context;
    await this.set(address, { name: more.remark, groups: more.categories });
    // Who asks may be seen, too: one answer is enough (RFC 6121 §3.4).
    session.send(el('presence', { to: address, type: 'subscribed' }));
    session.send(
      el(
        'presence',
        { to: address, type: 'subscribe' },
        more.text !== '' && el('status', {}, more.text),
        me.nick !== '' && el('nick', { xmlns: NS.nick }, me.nick),
        more.invitation !== undefined && el('preauth', { xmlns: NS.preauth, token: more.invitation }),
      ),
    );
  }

  async remove(address: Address): Promise<void> {
    const item = el('item', { jid: address, subscription: 'remove' });
    await this.context.session.iq(el('iq', { type: 'set' }, el('query', { xmlns: NS.roster }, item)));
  }

  change(address: Address, change: { remark?: string; categories?: string[] }): Promise<void> {
    const contact = this.contacts.get(address);
    if (!contact) throw new StanzaError('item-not-found');
    return this.set(address, {
      name: change.remark ?? contact.remark,
      groups: change.categories ?? contact.categories,
    });
  }

  async renameCategory(from: string, to: string): Promise<void> {
    const inIt = this.all().filter((contact) => contact.categories.includes(from));
    await Promise.all(
      inIt.map((contact) => {
        const others = contact.categories.filter((category) => category !== from && category !== to);
        return this.change(contact.address, { categories: to === '' ? others : [...others, to] });
      }),
    );
  }

  async setVisibility(address: Address, visibility: Contact['visibility']): Promise<void> {
    await this.commands.run(COMMAND.visibility, { contact: address, visible: VISIBLE[visibility] });
    this.note(address, { visibility });
  }

  /** To whom one is visible or invisible whatever others see (docs/privacy.md): asked at once, noted when the list is there. */
  async readVisibility(fetched: Promise<unknown>): Promise<void> {
    const { form, session } = await this.commands.step({ node: COMMAND.visibility });
    await fetched;
    void this.commands.step({ node: COMMAND.visibility, session, action: 'cancel' }).catch(() => {});
    const named = (name: string) => new Set(form?.fields.find((field) => field.name === name)?.values);
    const [visible, invisible] = [named('visible-to'), named('invisible-to')];
    for (const { address } of this.all()) {
      const visibility = invisible.has(address) ? 'invisible' : visible.has(address) ? 'visible' : 'usual';
      this.note(address, { visibility });
    }
  }

  private async set(address: Address, { name, groups }: { name: string; groups: string[] }): Promise<void> {
    const item = el(
      'item',
      { jid: address, name: name === '' ? undefined : name },
      ...groups.map((group) => el('group', {}, group)),
    );
    await this.context.session.iq(el('iq', { type: 'set' }, el('query', { xmlns: NS.roster }, item)));
  }

  private pushed(request: El, query: El): undefined {
    const { from } = request.attrs;
    // RFC 6121 §2.1.6: only the own server pushes.
    if (request.attrs.type !== 'set' || (from !== undefined && jid.bare(from) !== this.context.address)) {
      throw new StanzaError('service-unavailable');
    }
    if (query.attrs.ver !== undefined) this.version = query.attrs.ver;
    for (const item of query.all('item')) {
      const contact = this.read(item);
      if (contact) this.put(contact);
      else this.drop(jid.prepared(item.attrs.jid ?? ''));
    }
    return undefined;
  }

  /** What an item says, with what is known besides; nothing if it says that the contact is gone. */
  private read(item: El): Contact | undefined {
    const { jid: address = '', name = '', subscription = 'none', ask } = item.attrs;
    if (subscription === 'remove') return undefined;
    this.guests.delete(jid.prepared(address));
    const known = this.contacts.get(jid.prepared(address)) ?? stranger(jid.prepared(address));
    return {
      ...known,
      remark: name,
      categories: item.all('group').map((group) => group.text()),
      subscription: subscription === 'to' || subscription === 'from' || subscription === 'both' ? subscription : 'none',
      asked: ask === 'subscribe',
    };
  }

  private put(contact: Contact): void {
    const before = this.contacts.get(contact.address);
    this.contacts.set(contact.address, contact);
    this.context.emit({ type: 'contacts', changed: [contact], removed: [] });
    if (before?.remark !== contact.remark) this.renamed(contact.address);
    if (before === undefined || KEPT.some((key) => before[key] !== contact[key])) this.keepSoon();
  }

  private drop(address: Address): void {
    if (!this.contacts.delete(address)) return;
    this.guests.delete(address);
    this.context.emit({ type: 'contacts', changed: [], removed: [address] });
    this.renamed(address);
    this.keepSoon();
  }

  private keepSoon(): void {
    if (this.context.place === 'public') return;
    this.keeping ??= setTimeout(() => {
      this.keeping = undefined;
      const kept: Kept = {
        version: this.version,
        contacts: this.all().filter((contact) => !this.guests.has(contact.address)),
      };
      void this.context.vault.set(KEY, kept).catch(() => {});
    }, KEEP_AFTER);
  }

  stop(): void {
    clearTimeout(this.keeping);
  }
}

/** What of a contact is worth keeping: who comes and goes all the time must not write the roster all the time. */
const KEPT = ['remark', 'nick', 'avatar', 'categories', 'subscription', 'asked', 'visibility', 'blocked'] as const;

const ABSENT = { show: 'offline', status: '', idleSince: undefined } as const;

function stranger(address: Address): Contact {
  return {
    address,
    number: jid.number(address),
    remark: '',
    nick: '',
    categories: [],
    subscription: 'none',
    asked: false,
    visibility: 'usual',
    blocked: false,
    ...ABSENT,
  };
}
