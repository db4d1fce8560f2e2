/**
 * What is to be sent. It is kept before anything leaves, and until it is known to be in the archive, so it survives whatever
 * happens to connections and to this computer; and it is sent once: after a session that was lost, the archive is asked
 * whether it has it, before it is sent again under the same id.
 */
import { ApiError } from '../../api/api';
import type { Address, Failure, OutgoingFile } from '../../api/model';
import type { Content, Fact, Said } from '../../history/facts';
import type { Store } from '../../history/store';
import * as jid from '../../xmpp/jid';
import type { Session } from '../../xmpp/session';
import type { El } from '../../xmpp/xml';
import type { Uploads } from './upload';
import { writeMessage, writeReaction, writeRetraction, type Draft, type Envelope } from './write';

/** What waits to be sent; more is refused. */
const MAX_WAITING = 500;
/** Sent ones that are remembered for the case that an error comes back. */
const MAX_SENT = 200;

/** Milliseconds until what is out of reach is tried again. */
const TRY_AGAIN = 10_000;

export interface Item {
  /** Origin-id, and key of the message. */
  key: string;
  conversation: Address;
  group: boolean;
  /** When it was written; orders what waits. */
  at: number;
  what:
    | { is: 'message'; draft: Draft; uploads: OutgoingFile[] }
    | { is: 'correction'; target: string; draft: Draft }
    | { is: 'reaction'; target: string; emojis: string[] }
    | { is: 'retraction'; target: string };
  /** Why it failed; it waits for somebody to decide. */
  error?: Failure;
  /** It has left at least once: it may be in the archive. */
  left?: true;
}

export interface Surround {
  /** In the group, or the other is a person. */
  canSend(item: Item): boolean;
  /** Whether the archive has it; it is in the history then. Rejects if that cannot be known now. */
  isKept(item: Item): Promise<boolean>;
  /** Counts sessions. */
  session(): number;
  /** Something goes into the account's archive now. */
  hold(): Promise<void>;
  /** The server has it. */
  stored(item: Item): Promise<void>;
  /** It looks different, or is gone. */
  changed(item: Item): void;
  progress(item: Item, sent: number, total: number): void;
  failed(item: Item): void;
}

export class Outbox {
  private readonly items = new Map<string, Item>();
  /** Of the session at hand: on their way, uploads included; by the turn that brings them. */
  private readonly under = new Map<string, number>();
  private turns = 0;
  /** Of these, what goes into the account's archive, from before it leaves until it is acknowledged. */
  private readonly flying = new Set<string>();
  private readonly sent = new Map<string, Item>();
  /** What the server has just taken, and is being written down as that. */
  private readonly finishing = new Map<string, Promise<void>>();
  private stopped = false;

  constructor(
    private readonly store: Store,
    private readonly session: Session,
    private readonly uploads: Uploads,
    private readonly around: Surround,
  ) {}

  async restore(): Promise<void> {
    const items = await this.store.transaction('read', (tx) => tx.all<Item>('outbox'));
    for (const item of items) this.items.set(item.key, item);
  }

  /** What waits in a conversation, oldest first. */
  waiting(conversation: Address): Item[] {
    return [...this.items.values()].filter((item) => item.conversation === conversation).sort((a, b) => a.at - b.at);
  }

  get(key: string): Item | undefined {
    return this.items.get(key);
  }

  /** All that this session has sent into the account's archive was acknowledged. */
  get quiet(): boolean {
    return this.flying.size === 0;
  }

  /** Kept when it resolves; then it leaves as soon as it can. */
  async add(item: Item): Promise<void> {
    if (this.items.size >= MAX_WAITING) throw new ApiError('resource-constraint');
    await this.keep(item);
    void this.run(item.key);
  }

  /** Sends what waits: of everybody, or of one group that we have come into. A session that is over took nothing along. */
  begin(conversation?: Address): void {
    for (const { key, conversation: where } of [...this.items.values()].sort((a, b) => a.at - b.at)) {
      if (conversation === undefined || where === conversation) void this.run(key);
    }
  }

  /** The session is over, with what was under way in it. */
  lost(): void {
    for (const key of [...this.under.keys()]) if (!this.uploading.has(key)) this.under.delete(key);
    this.flying.clear();
  }

  async retry(key: string): Promise<void> {
    const item = this.items.get(key);
    if (!item?.error) throw new ApiError('item-not-found');
    const { error: _, ...again } = item;
    await this.keep({ ...again, at: Date.now() });
    void this.run(key);
  }

  /** Takes out what has not left. */
  async discard(key: string): Promise<Item> {
    const item = this.items.get(key);
    if (!item) throw new ApiError('item-not-found');
    await this.forget(key);
    return item;
  }

  /** The group shows it to everybody, or the archive has it. */
  async arrived(key: string): Promise<void> {
    const item = this.items.get(key);
    // The error may have come first.
    if (item && !item.error) await this.forget(key);
    this.under.delete(key);
  }

  /** What was sent lately or waits, if an error from there can be about it: anybody may say that something failed. */
  concerned(key: string, from: Address): Item | undefined {
    const item = this.items.get(key) ?? this.sent.get(key);
    return item && mayRefuse(item, from) ? item : undefined;
  }

  /** An error came back for it, maybe after the server had taken it. */
  async refused(key: string, code: string, text: string): Promise<boolean> {
    // Taken first and refused then: in this order it is written down, too.
    await this.finishing.get(key);
    const item = this.items.get(key) ?? this.sent.get(key);
    if (!item) return false;
    this.under.delete(key);
    this.flying.delete(key);
    this.sent.delete(key);
    const { left: _, ...rest } = item;
    await this.fail(rest, { code, text });
    return true;
  }

  /** It was not taken, and is sent when `begin` is called the next time. */
  postpone(key: string): void {
    this.under.delete(key);
  }

  stop(): void {
    this.stopped = true;
  }

  private readonly uploading = new Set<string>();

  private async keep(item: Item): Promise<void> {
    this.items.set(item.key, item);
    await this.store.transaction('write', (tx) => tx.set('outbox', item.key, item));
    this.around.changed(item);
  }

  private async forget(key: string): Promise<void> {
    this.items.delete(key);
    await this.store.transaction('write', (tx) => tx.unset('outbox', key));
  }

  private async fail(item: Item, error: Failure): Promise<void> {
    await this.keep({ ...item, error });
    this.around.failed(item);
  }

  private async run(key: string): Promise<void> {
    if (this.under.has(key)) return;
    const turn = ++this.turns;
    this.under.set(key, turn);
    try {
      await this.advance(key);
    } catch (error) {
      // Its session is over, and another turn brings it.
      if (this.under.get(key) !== turn) return;
      this.under.delete(key);
      this.flying.delete(key);
      const item = this.items.get(key);
      if (!item || this.stopped) return;
      if (error instanceof ApiError && error.code !== 'offline') {
        const { code, text, values } = error;
        await this.fail(item, { code, text, values });
      }
      // A session that is over begins anew and tries again; the archive or HTTP alone may be out of reach for a while.
      else setTimeout(() => !this.stopped && void this.run(key), TRY_AGAIN);
    }
  }

  private async advance(key: string): Promise<void> {
    let item = this.items.get(key);
    if (!item || item.error) return void this.under.delete(key);
    if (item.left && this.around.canSend(item) && (await this.around.isKept(item))) return this.finish(item);
    item = await this.upload(item);
    if (!this.around.canSend(item)) return void this.under.delete(key);
    const session = this.around.session();
    if (!item.group) {
      this.flying.add(key);
      await this.around.hold();
    }
    if (!item.left) await this.keep((item = { ...item, left: true }));
    // Another session has begun meanwhile, which sends what waits itself.
    if (this.stopped || !this.items.has(key) || session !== this.around.session()) return;
    this.send(item);
  }

  private send(item: Item): void {
    const { key } = item;
    const turn = this.under.get(key);
    this.session.send(stanzaOf(item), (fate) => {
      // It was refused meanwhile, and is on its way again: this is about the time before.
      if (this.under.has(key) && this.under.get(key) !== turn) return;
      this.flying.delete(key);
      if (fate === 'refused') void this.refused(key, 'too-long', '');
      // Whether it arrived is asked when the next session has begun.
      else if (fate === 'lost') this.under.delete(key);
      // A group shows what it has taken; there only that counts.
      else if (!item.group && !this.items.get(key)?.error) void this.finish(item);
    });
  }

  private async finish(item: Item): Promise<void> {
    this.remember(item);
    const finishing = this.around.stored(item).then(() => this.arrived(item.key));
    this.finishing.set(item.key, finishing);
    try {
      await finishing;
    } finally {
      this.finishing.delete(item.key);
    }
    this.around.changed(item);
  }

  private remember(item: Item): void {
    this.sent.set(item.key, item);
    if (this.sent.size > MAX_SENT) this.sent.delete(this.sent.keys().next().value!);
  }

  /** Brings files there, one after the other; what is there already stays. */
  private async upload(item: Item): Promise<Item> {
    if (item.what.is !== 'message' || item.what.uploads.length === 0) return item;
    this.uploading.add(item.key);
    try {
      const total = item.what.uploads.reduce((sum, file) => sum + file.blob.size, 0);
      let before = 0;
      let now: Item = item;
      for (const file of item.what.uploads) {
        const info = await this.uploads.upload(file, (sent) => this.around.progress(item, before + sent, total));
        if (!this.items.has(item.key)) throw new ApiError('item-not-found');
        before += file.blob.size;
        now = withFile(now, info);
        await this.keep(now);
      }
      return now;
    } finally {
      this.uploading.delete(item.key);
    }
  }
}

/** Who says of an item that it failed: whom it went to, the group for what went into it, or (without an address) our server. */
function mayRefuse({ conversation, group }: Item, from: Address): boolean {
  if (from === '' || from === conversation) return true;
  // Of several devices one; for a group, that would be an occupant.
  return !group && (jid.bare(from) === conversation || from === jid.bare(conversation));
}

function withFile(item: Item, file: Draft['files'][number]): Item {
  if (item.what.is !== 'message') return item;
  const { draft, uploads } = item.what;
  return {
    ...item,
    what: { is: 'message', draft: { ...draft, files: [...draft.files, file] }, uploads: uploads.slice(1) },
  };
}

export function stanzaOf(item: Item): El {
  const to: Envelope = { to: item.conversation, group: item.group, id: item.key };
  const { what } = item;
  switch (what.is) {
    case 'message':
      return writeMessage(to, what.draft);
    case 'correction':
      return writeMessage(to, what.draft, what.target);
    case 'reaction':
      return writeReaction(to, what.target, what.emojis);
    case 'retraction':
      return writeRetraction(to, what.target);
  }
}

/** What an item says, as a fact; files that are not there yet are shown from what is known of them. */
export function factOf({ what }: Item): Fact {
  switch (what.is) {
    case 'message':
      return { is: 'message', content: contentOf(what.draft, what.uploads) };
    case 'correction':
      return { is: 'correction', target: what.target, content: contentOf(what.draft, []) };
    case 'reaction':
      return { is: 'reaction', target: what.target, emojis: what.emojis };
    case 'retraction':
      return { is: 'retraction', target: what.target, reason: '' };
  }
}

function contentOf(draft: Draft, uploads: OutgoingFile[]): Content {
  const { body, urgency, mentions, sticker, replyTo, knock, voice } = draft;
  const coming = uploads.map(({ blob, name, type, width, height, duration }) => ({
    ...{ url: '', name, type, size: blob.size },
    ...(width && { width }),
    ...(height && { height }),
    ...(duration && { duration }),
  }));
  const files = [...draft.files, ...coming];
  const kind = sticker ? 'sticker' : knock ? 'knock' : voice ? 'voice' : files.length > 0 ? 'files' : 'text';
  return { kind, body, files, urgency, mentions, ...(sticker && { sticker }), ...(replyTo && { replyTo }) };
}

/** An item as it goes into the history. */
export function saidOf(item: Item, me: Address, sender: string, nick: string): Said {
  const { key, conversation, at } = item;
  return { conversation, key, refs: [key], at, mine: true, from: me, sender, nick, fact: factOf(item) };
}
