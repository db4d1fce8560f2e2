/**
 * The conversations of an account: takes what comes, keeps it, shows it, and sends what is to be sent. Puts the parts
 * together; what each of them does is theirs.
 */
import { ApiError } from '../../api/api';
import type * as m from '../../api/model';
import type { Address } from '../../api/model';
import { Unreachable } from '../../history/archive';
import type { Change } from '../../history/draft';
import { fold, type Entry, type Said } from '../../history/facts';
import { History, type Slice } from '../../history/history';
import * as jid from '../../xmpp/jid';
import { NS } from '../../xmpp/ns';
import { readError } from '../../xmpp/session';
import { el, type El } from '../../xmpp/xml';
import type { Conversations, MakeConversations, Surroundings } from '../conversations';
import { Actions } from './actions';
import { Counts, type Inbox } from './counts';
import { archiveEnd, Mam } from './mam';
import { Marks } from './marks';
import { Notes } from './notes';
import { OWN } from './ns';
import { Outbox, saidOf, type Item } from './outbox';
import { Place } from './place';
import { carbonOf, isCarbon, readMessage, type Reader } from './read';
import { Render } from './render';
import { lastOf, Rows } from './rows';
import { Typing } from './typing';
import { putByFetch, putByXhr, Uploads } from './upload';
import { writeReceipt, writeState } from './write';

/** Milliseconds after which the archive is asked where it put what we have sent. */
const SETTLE = 2_000;
/** Milliseconds until an archive that is out of reach is asked again. */
const TRY_AGAIN = 5_000;
/** Messages remembered that came live, for the case that they come again: a resumption brings less than so many. */
const MAX_RUNG = 2_000;
/** Pages of the archive that are searched for something of ours, of 100 entries each. */
const LOOK_BACK = 10;
/** Found messages whose place is remembered, so that one can jump there. */
const MAX_HITS = 1_000;

export const makeMessages: MakeConversations = (around) => new Messages(around);

export class Messages implements Conversations {
  /** What was said. */
  readonly log: History;
  readonly outbox: Outbox;
  readonly rows: Rows;
  readonly counts: Counts;
  private readonly rung = new Set<string>();
  readonly render: Render;
  readonly marks: Marks;
  readonly notes: Notes;
  readonly mam: Mam;
  readonly talk: Typing;
  private readonly place: Place;
  private readonly actions: Actions;
  /** What comes in is taken one after the other. */
  private incoming: Promise<unknown> = Promise.resolve();
  /** What is shown is told in the order in which it was kept. */
  private telling: Promise<unknown> = Promise.resolve();
  private entering: Promise<unknown> = Promise.resolve();
  private looked: ReadonlySet<Address> = new Set();
  /** Conversations of which a page was cut for want of a connection. */
  private readonly cut = new Set<Address>();
  /** What was missed before this session is here; otherwise conversations have gaps at their ends. */
  private whole = false;
  private stopped = false;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  /** Ids in the archive of messages that were found, by key. */
  private readonly hits = new Map<string, string>();
  private session = 0;
  /** Groups that we have come into in this session. */
  private readonly here = new Set<Address>();

  constructor(readonly around: Surroundings) {
    const { context } = around;
    this.place = new Place(context);
    this.mam = new Mam(context.session, this.reader);
    this.log = new History(
      this.place,
      this.mam,
      (conversation) => this.archiveOf(conversation),
      (changes) => this.kept(changes),
      this.place.max,
    );
    const put = typeof XMLHttpRequest === 'undefined' ? putByFetch : putByXhr;
    const uploads = new Uploads(context.session, context.config, put);
    this.outbox = new Outbox(this.place, context.session, uploads, {
      canSend: (item) => !item.group || this.here.has(item.conversation),
      isKept: (item) => this.isKept(item),
      session: () => this.session,
      hold: () => this.log.hold(),
      stored: (item) => this.stored(item),
      changed: (item) => this.itemChanged(item),
      progress: ({ key }, sent, total) => context.emit({ type: 'upload', key, sent, total }),
      failed: (item) => void this.itemFailed(item),
    });
    this.render = new Render(around);
    this.talk = new Typing(
      (conversation) => this.rows.tell(conversation),
      (conversation, state) => context.session.send(writeState(conversation, this.isGroup(conversation), state)),
    );
    this.rows = new Rows(this.place, around, (conversation) => this.talk.names(conversation));
    this.counts = new Counts(this.log, this.rows, this.render);
    const me = () => context.address;
    const by = (conversation: Address) => this.archiveOf(conversation) || me();
    this.marks = new Marks(context.pep, me, by, (conversation, id) => void this.readElsewhere(conversation, id));
    this.notes = new Notes(
      context.pep,
      me,
      (conversation) => this.rows.get(conversation),
      (conversation, { draft, closed }) => void this.rows.change(conversation, { draft, closed }),
    );
    this.actions = new Actions(this);
  }

  private get reader(): Reader {
    const { context, groups, names } = this.around;
    return {
      get address() {
        return context.address;
      },
      isGroup: (address) => names.kind(address) === 'group',
      isMe: (group, nick, occupant) => {
        const own = groups.occupantId(group);
        return own !== undefined && occupant !== undefined ? own === occupant : groups.nick(group) === nick;
      },
      realAddress: (group, nick) => groups.realAddress(group, nick),
    };
  }

  /** A group, not somebody in it. */
  isGroup(address: Address): boolean {
    return !address.includes('/') && this.around.names.kind(address) === 'group';
  }

  archiveOf(conversation: Address): string {
    return this.isGroup(conversation) ? conversation : '';
  }

  // --- coming and going

  list(): m.Conversation[] {
    return this.rows.list();
  }

  async restore(): Promise<void> {
    await Promise.all([this.rows.restore(), this.outbox.restore()]);
    this.restored = true;
  }
  private restored = false;

  async begin(): Promise<void> {
    this.session++;
    const end = archiveEnd(this.around.context.session.bound);
    this.whole = false;
    this.talk.clear();
    this.here.clear();
    this.outbox.lost();
    const begun = this.inOrder(() => this.log.begin('', end));
    const ready = this.restored ? begun : this.restore().then(() => begun);
    const counted = this.learnUnread(ready);
    this.entering = this.entering.then(() => counted).catch(() => {});
    const notes = this.notes.fetch().catch(() => undefined);
    await ready;
    const caught = this.catchUp();
    await Promise.all([counted, notes]);
    void caught.then(() => this.marks.flush());
  }

  /** How far we have read, and what the server counts as unread: groups are entered when that is known. */
  private async learnUnread(ready: Promise<void>): Promise<void> {
    const inbox = this.askInbox();
    const places = this.marks.fetch().catch(() => new Map<Address, string>());
    await ready;
    for (const [conversation, id] of await places) await this.log.readUpTo(conversation, id);
    await this.takeInbox(await inbox);
  }

  resumed(): void {
    this.settleSoon();
  }

  joined(group: Address, inside: boolean): void {
    if (!inside) {
      this.here.delete(group);
      this.log.end(group);
      this.rows.tell(group);
      return;
    }
    this.here.add(group);
    void this.inOrder(() => this.log.begin(group));
    // One after the other: who is in fifty groups does not ask for fifty pages at once.
    this.entering = this.entering.then(() => this.enter(group)).catch(() => {});
  }

  private async enter(group: Address): Promise<void> {
    this.rows.tell(group);
    await this.incoming;
    try {
      await this.log.refresh(group);
      const read = await this.counts.enter(group);
      if (read !== undefined) this.marks.publish(group, read);
      await this.updateRow(group);
    } finally {
      this.outbox.begin(group);
    }
  }

  changed(address: Address): void {
    if (this.rows.has(address) || this.isGroup(address)) this.rows.tell(address);
  }

  watched(addresses: ReadonlySet<Address>): void {
    this.looked = addresses;
  }

  async stop(wipe: boolean): Promise<void> {
    this.stopped = true;
    clearTimeout(this.settling);
    clearTimeout(this.again);
    this.outbox.stop();
    this.marks.stop();
    this.notes.stop();
    this.talk.clear();
    await this.incoming;
    await this.telling;
    if (wipe) await this.place.wipe();
    else this.place.close();
  }

  // --- what was missed

  private async catchUp(): Promise<void> {
    const { session } = this;
    clearTimeout(this.again);
    try {
      this.whole = await this.log.catchUp(this.outbox.quiet);
    } catch {
      if (!this.stopped && session === this.session) this.again = setTimeout(() => void this.catchUp(), TRY_AGAIN);
      return;
    }
    if (this.stopped || session !== this.session) return;
    for (const conversation of this.cut) this.around.context.emit({ type: 'history', conversation, anew: false });
    this.cut.clear();
    this.outbox.begin();
    for (const conversation of this.rows.addresses())
      if (!this.isGroup(conversation)) await this.counts.count(conversation);
  }

  /**
   * Where the archive put what we have sent: asked a moment later, for all that was sent until then, and again until all of it has
   * its place. Without a connection it waits for one.
   */
  private settleSoon(): void {
    this.settling ??= setTimeout(() => {
      this.settling = undefined;
      void this.settle().catch(() => {});
    }, SETTLE);
  }

  private async settle(): Promise<void> {
    const { session } = this.around.context;
    if (this.stopped || !session.online) return;
    await this.log.catchUp(this.outbox.quiet).catch(() => {});
    if (!this.stopped && (await this.log.isHeld())) this.settleSoon();
  }

  private askInbox(): Promise<Inbox | undefined> {
    return this.mam.inbox().then(
      (entries) => this.counts.inbox(entries),
      () => undefined,
    );
  }

  private async takeInbox(inbox: Inbox | undefined): Promise<void> {
    if (inbox) await this.counts.take(inbox);
  }

  // --- what comes in

  inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.incoming.then(work);
    this.incoming = done.catch((error: unknown) => {
      if (!this.stopped) console.error('history', error);
    });
    return done;
  }

  receive(message: El): void {
    if (this.mam.receive(message)) return;
    const copy = isCarbon(message);
    const inner = copy ? carbonOf(message, this.around.context.address) : message;
    if (!inner) return;
    if (inner.attrs.type === 'error') {
      if (!copy) void this.refused(inner);
      return;
    }
    const said = readMessage(inner, this.reader, { forwarded: copy });
    this.hearTyping(inner, said);
    if (!said || (said.fact.is === 'nothing' && said.id === undefined)) return;
    const nth = this.counts.hear();
    void this.inOrder(() => this.take(said, nth)).catch(() => {});
  }

  private async take(said: Said, nth: number): Promise<void> {
    const fresh = await this.log.live(said);
    const ours = said.mine ? this.outbox.get(said.key) : undefined;
    if (ours) await this.outbox.arrived(ours.key);
    if (said.mine || !(fresh || this.isNews(said))) return;
    this.acknowledge(said);
    if (said.fact.is !== 'message') return;
    this.noteRung(said);
    await this.ring(said, nth);
  }

  /** The archive was asked in between and had it a moment before it came: nobody has been told of it. */
  private isNews({ fact, conversation, key }: Said): boolean {
    return fact.is === 'message' && !this.rung.has(`${conversation} ${key}`);
  }

  private noteRung({ conversation, key }: Said): void {
    this.rung.add(`${conversation} ${key}`);
    if (this.rung.size > MAX_RUNG) this.rung.delete(this.rung.values().next().value!);
  }

  /** XEP-0184: we have it. Only who may know that we are here is told. */
  private acknowledge({ receipt, conversation, refs }: Said): void {
    const id = refs[0];
    if (!receipt || id === undefined || !this.around.seesUs(jid.bare(conversation))) return;
    this.around.context.session.send(writeReceipt(conversation, 'chat', id));
  }

  private async ring({ conversation, key }: Said, nth: number): Promise<void> {
    const entry = await this.log.entry(conversation, key);
    if (!entry?.view) return;
    const concerns = await this.counts.ring(entry, nth);
    const notify = this.rows.notify(conversation);
    const heard = notify === 'always' || (notify === 'on-mention' && concerns);
    if (!heard || this.looked.has(conversation)) return;
    const [message] = await this.show(conversation, [entry]);
    if (message) this.around.context.emit({ type: 'alert', conversation, message });
  }

  private hearTyping(message: El, said: Said | undefined): void {
    const from = message.attrs.from ?? '';
    const group = message.attrs.type === 'groupchat';
    const bare = jid.bare(from);
    if (bare === this.around.context.address || said?.mine) return;
    const nick = jid.resource(from);
    if (group && nick === this.around.groups.nick(bare)) return;
    const whisper = !group && this.isGroup(bare);
    const conversation = whisper ? from : bare;
    const name = group || whisper ? nick : this.around.names.title(bare);
    const state = message.all().find((child) => child.ns === NS.chatStates)?.name;
    if (state === undefined && !message.child('body')) return;
    if (name !== '') this.talk.heard(conversation, name, state === 'composing');
  }

  private async refused(message: El): Promise<void> {
    const { id = '', from = '' } = message.attrs;
    const error = readError(message);
    const item = this.outbox.concerned(id, from);
    if (!item) return;
    const { conversation } = item;
    // XEP-0045 §7.4: the group does not know us (any more): it is sent when we are in it again.
    if (error.condition === 'not-acceptable' && item.group) {
      this.outbox.postpone(id);
      return this.around.groups.lost(jid.bare(from));
    }
    await this.inOrder(async () => {
      if (await this.outbox.refused(id, error.condition, error.text)) await this.log.drop(conversation, id);
    });
  }

  // --- what we send

  private async isKept(item: Item): Promise<boolean> {
    const { conversation, key, group } = item;
    if (group) await this.log.refresh(conversation);
    if (await this.log.isArchived(conversation, key)) return true;
    // Everything behind the cursor was read, and the cursor waited before it left.
    if (!group && this.whole) return false;
    const archive = this.archiveOf(conversation);
    let before: string | undefined = '';
    for (let page = 0; page < LOOK_BACK && before !== undefined; page++) {
      const who = group ? {} : { with: conversation };
      const found = await this.mam.query({ archive, ...who, before, max: 100 });
      if (found.said.some((said) => said.key === key)) return true;
      before = found.complete ? undefined : found.first;
    }
    return false;
  }

  private async stored(item: Item): Promise<void> {
    await this.inOrder(() => this.log.live({ ...this.saidOf(item), at: Date.now() }));
    if (!item.group) this.settleSoon();
  }

  saidOf(item: Item): Said {
    const { context, groups } = this.around;
    const { conversation, group } = item;
    const nick = group ? (groups.nick(conversation) ?? '') : '';
    const sender = group ? (groups.occupantId(conversation) ?? `${conversation}/${nick}`) : context.address;
    return saidOf(item, context.address, sender, nick);
  }

  private itemChanged(item: Item): void {
    if (item.what.is !== 'message' || !this.outbox.get(item.key)) return void this.updateRow(item.conversation);
    this.telling = this.telling.then(async () => {
      // It may be there by now.
      if (!this.outbox.get(item.key)) return;
      const message = await this.itemMessage(item);
      this.around.context.emit({ type: 'messages', conversation: item.conversation, changed: [message], removed: [] });
    });
    void this.updateRow(item.conversation);
  }

  /** A message that is not there yet, as it is shown. */
  async itemMessage(item: Item): Promise<m.Message> {
    const said = this.saidOf(item);
    const entry: Entry = { ...said, pos: Infinity };
    const shown: Entry = { ...entry, view: fold(entry, []) };
    const [message] = await this.show(item.conversation, [shown], -Infinity);
    return {
      ...message!,
      state: item.error ? 'failed' : 'sending',
      ...(item.error && { error: item.error }),
    };
  }

  private async itemFailed(item: Item): Promise<void> {
    // A change that was refused is taken back; there is nothing to look at.
    if (item.what.is === 'message') return;
    await this.outbox.discard(item.key);
    await this.inOrder(() => this.log.drop(item.conversation, item.key));
  }

  // --- what is shown

  /** After each commit of the history. */
  private kept(changes: Change[]): void {
    for (const change of changes) {
      this.telling = this.telling
        .then(() => this.tell(change))
        .catch((error: unknown) => {
          if (!this.stopped) console.error('history', error);
        });
    }
  }

  private async tell({ conversation, changed, added, removed, proven, missed, anew }: Change): Promise<void> {
    if (this.stopped) return;
    // Whoever asked for a page gets it as an answer.
    const news = proven && !missed ? changed.filter((entry) => !added.has(entry.key)) : changed;
    const messages = await this.show(conversation, news);
    const { emit } = this.around.context;
    if (messages.length > 0 || removed.length > 0) emit({ type: 'messages', conversation, changed: messages, removed });
    if (proven && (this.cut.delete(conversation) || missed || anew)) emit({ type: 'history', conversation, anew });
    if (missed) for (const entry of news) if (!entry.mine) this.acknowledge(entry);
    await this.updateRow(conversation);
  }

  /** As the page shows them, with what they answer. */
  async show(conversation: Address, entries: Entry[], seen?: number): Promise<m.Message[]> {
    if (entries.length === 0) return [];
    const answered = entries.flatMap((entry) => entry.view?.replyTo?.id ?? []);
    const quoted = await this.log.entries(conversation, answered);
    const place = seen ?? (await this.log.newest(conversation)).seen;
    return entries.map((entry) => {
      return this.render.message(entry, { seen: place }, quoted.get(entry.view?.replyTo?.id ?? ''));
    });
  }

  /** The row of a conversation after something of it has changed, or the message of a key is gone. */
  async updateRow(conversation: Address, gone?: string): Promise<void> {
    if (this.stopped) return;
    const { entry, seen } = await this.log.newest(conversation);
    const row = this.rows.get(conversation);
    if (gone !== undefined && row.last?.key === gone && !entry)
      await this.rows.change(conversation, { last: undefined });
    const waiting = this.outbox.waiting(conversation).findLast((item) => item.what.is === 'message');
    if (waiting) {
      const { kind, body, state } = await this.itemMessage(waiting);
      const last = { key: waiting.key, mine: true, text: body, kind, state };
      await this.rows.change(conversation, { at: waiting.at, last });
    } else if (entry && (entry.at >= row.at || !row.last || [entry.key, gone].includes(row.last.key))) {
      await this.rows.change(conversation, { at: entry.at, last: lastOf(entry, seen, this.render) });
    }
    await this.counts.count(conversation);
  }

  private async readElsewhere(conversation: Address, id: string): Promise<void> {
    if (!(await this.inOrder(() => this.log.readUpTo(conversation, id)))) return;
    const { exact } = await this.log.unread(conversation);
    if (exact) return this.counts.count(conversation);
    // What is not here the server has counted.
    await this.takeInbox(await this.askInbox());
  }

  // --- what the page asks

  async open(address: Address): Promise<m.Conversation> {
    await this.rows.change(address, { opened: true, closed: undefined });
    if (this.archiveOf(address) === '' || this.around.groups.inside(address)) {
      void this.log.refresh(address).catch(() => {});
    }
    return this.rows.conversation(this.rows.get(address));
  }

  async pageOf(address: Address, where: m.Where, limit: number): Promise<m.Page> {
    const slice = await this.log.page(address, await this.placeOf(address, where), limit);
    const messages = await this.show(address, slice.entries, slice.seen);
    if ('latest' in where || slice.atEnd) {
      for (const item of this.outbox.waiting(address)) {
        if (item.what.is === 'message' && !messages.some(({ key }) => key === item.key)) {
          messages.push(await this.itemMessage(item));
        }
      }
    }
    if (slice.cutBefore || slice.cutAfter) this.cut.add(address);
    const { atStart, atEnd, cutBefore, cutAfter } = slice;
    return { messages, atStart, atEnd, cutBefore, cutAfter };
  }

  /** Jumps go by a key, by the archive's id of something that was found, or by the id that an answer speaks of. */
  private async placeOf(address: Address, where: m.Where): Promise<m.Where> {
    if (!('around' in where)) return where;
    const { around } = where;
    if (await this.log.entry(address, around)) return where;
    const id = this.hits.get(`${address}\n${around}`);
    if (id !== undefined) return { around: id };
    if (this.isGroup(address)) return where;
    // A person's message is spoken of by an id that the archive does not know: look back for it.
    let slice: Slice = await this.log.page(address, { latest: true }, 100);
    for (let page = 0; page < LOOK_BACK && slice.entries[0] && !slice.atStart; page++) {
      slice = await this.log.page(address, { before: slice.entries[0].key }, 100);
      if (slice.entries.some((entry) => entry.refs.includes(around))) break;
    }
    return where;
  }

  async search(text: string, address?: Address, before?: string): Promise<{ hits: m.Hit[]; more?: string }> {
    const archive = address === undefined ? '' : this.archiveOf(address);
    const who = archive === '' ? address : undefined;
    const { said, more } = await this.mam.search(text, archive, who, before).catch((error: unknown) => {
      throw error instanceof Unreachable ? new ApiError(error.message, '') : error;
    });
    const hits: m.Hit[] = [];
    for (const one of said) {
      if (one.fact.is !== 'message') continue;
      const known = await this.log.entry(one.conversation, one.key);
      const bare: Entry = { ...one, pos: -Infinity };
      const entry = known ?? { ...bare, view: fold(bare, []) };
      const [message] = await this.show(one.conversation, [entry]);
      if (!message) continue;
      if (one.id !== undefined) this.remember(one.conversation, one.key, one.id);
      hits.push({ message, title: this.rows.conversation(this.rows.get(one.conversation)).title });
    }
    return { hits, ...(more !== undefined && { more }) };
  }

  private remember(conversation: Address, key: string, id: string): void {
    this.hits.set(`${conversation}\n${key}`, id);
    if (this.hits.size > MAX_HITS) this.hits.delete(this.hits.keys().next().value!);
  }

  async preview(url: string): Promise<m.LinkPreview | null> {
    const { session, config } = this.around.context;
    const request = el('preview', { xmlns: OWN.preview, url });
    const answer = await session.iq(el('iq', { type: 'get', to: config.domain }, request)).catch(() => undefined);
    const preview = answer?.child('preview', OWN.preview);
    const text = (name: string) => preview?.childText(name)?.trim() ?? '';
    if (!preview || text('title') === '') return null;
    const { url: source = '', width, height } = preview.child('image')?.attrs ?? {};
    const size = { width: Number(width) || 0, height: Number(height) || 0 };
    return {
      ...{ url, title: text('title'), description: text('description'), site: text('site') },
      ...(source !== '' && { image: { url: source, ...size } }),
    };
  }

  // --- what the page does

  history = (address: Address, where: m.Where, limit: number) => this.pageOf(address, where, limit);
  send = (address: Address, what: m.Outgoing) => this.actions.send(address, what);
  retry = (_address: Address, key: string) => this.outbox.retry(key);
  discard = (address: Address, key: string) => this.actions.discard(address, key);
  edit = (...what: Parameters<Conversations['edit']>) => this.actions.edit(...what);
  retract = (address: Address, key: string, reason?: string) => this.actions.retract(address, key, reason);
  react = (address: Address, key: string, emojis: string[]) => this.actions.react(address, key, emojis);
  knock = (address: Address) => this.actions.knock(address);
  markRead = (address: Address, key: string) => this.actions.markRead(address, key);
  typing = (address: Address, on: boolean) => this.actions.typing(address, on);
  setDraft = (address: Address, text: string) => this.actions.setDraft(address, text);
  close = (address: Address) => this.actions.close(address);
  filesOf = (address: Address, before?: string) => this.actions.filesOf(address, before);
}
