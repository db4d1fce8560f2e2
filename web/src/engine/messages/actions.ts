/** What somebody does in a conversation: speaks, changes what was said, reads, types. */
import { ApiError } from '../../api/api';
import type * as m from '../../api/model';
import type { Address } from '../../api/model';
import type { Entry } from '../../history/facts';
import * as jid from '../../xmpp/jid';
import { StanzaError } from '../../xmpp/session';
import type { Messages } from './messages';
import type { Item } from './outbox';
import { snippet } from './render';
import { writeDisplayed, writeModeration, type Draft } from './write';

/** Entries of a page while files are looked for, and such pages for one answer. */
const FILES = { page: 200, pages: 5, wanted: 40 } as const;

const NOTHING: Draft = { body: '', files: [], urgency: 'normal', mentions: [] };

export class Actions {
  constructor(private readonly messages: Messages) {}

  async send(address: Address, what: m.Outgoing): Promise<m.Message> {
    const { body, urgency = 'normal', mentions = [], sticker, files = [] } = what;
    const replyTo = what.replyTo === undefined ? undefined : await this.replyTo(address, what.replyTo);
    const draft: Draft = {
      ...{ body, files: [], urgency, mentions },
      ...(sticker !== undefined && { sticker }),
      ...(replyTo && { replyTo }),
      ...(files.length === 1 && files[0]!.voice && { voice: true }),
    };
    return this.say(address, draft, files);
  }

  async knock(address: Address): Promise<void> {
    await this.say(address, { ...NOTHING, knock: true }, []);
  }

  private async say(address: Address, draft: Draft, uploads: m.OutgoingFile[]): Promise<m.Message> {
    await this.answered(address).catch(() => {});
    const item = this.item(address, { is: 'message', draft, uploads });
    this.messages.talk.sent(address);
    await this.messages.outbox.add(item);
    return this.messages.itemMessage(item);
  }

  /** Who writes stands at the end of the conversation, and has read what came last. */
  private async answered(address: Address): Promise<void> {
    if (this.messages.rows.get(address).unread === 0) return;
    const { entry } = await this.messages.log.newest(address);
    if (entry && !entry.mine) await this.markRead(address, entry.key);
  }

  /** Everything of ours has an id of its own, which nobody can guess. */
  private item(conversation: Address, what: Item['what']): Item {
    const group = this.messages.isGroup(conversation);
    return { key: crypto.randomUUID(), conversation, group, at: Date.now(), what };
  }

  /** XEP-0461 §3.1: in groups by the id that the group gave, otherwise by the sender's. */
  private async replyTo(address: Address, key: string): Promise<NonNullable<Draft['replyTo']>> {
    const entry = await this.entry(address, key);
    const group = this.messages.isGroup(address);
    const to = group ? `${address}/${entry.nick}` : entry.from;
    return { id: this.name(entry, group), to, text: entry.view?.body || snippet(entry.view!) };
  }

  /** How others know the message: in a group by the group's id. */
  private name(entry: Entry, group: boolean): string {
    return (group ? entry.id : undefined) ?? entry.refs[0] ?? entry.key;
  }

  private async entry(address: Address, key: string): Promise<Entry> {
    const entry = await this.messages.log.entry(address, key);
    if (!entry) throw new ApiError('item-not-found');
    return entry;
  }

  async discard(address: Address, key: string): Promise<void> {
    await this.messages.outbox.discard(key);
    this.messages.around.context.emit({ type: 'messages', conversation: address, changed: [], removed: [key] });
    await this.messages.updateRow(address, key);
  }

  async edit(address: Address, key: string, body: string, mentions: m.Outgoing['mentions'] = []): Promise<void> {
    const entry = await this.entry(address, key);
    if (!entry.mine || !entry.view) throw new ApiError('forbidden');
    const { files, urgency, replyTo } = entry.view;
    // XEP-0308 §3: it replaces all of what was said, so it says itself whom it mentions, and what it answers.
    const { id, to, text } = replyTo ?? {};
    const answers = id !== undefined && to !== undefined && { replyTo: { id, to, text: text ?? '' } };
    const draft: Draft = { body, files, urgency, mentions, ...answers };
    // XEP-0308 §4: always the id of the first version.
    await this.change(this.item(address, { is: 'correction', target: entry.refs[0] ?? key, draft }));
  }

  async retract(address: Address, key: string, reason?: string): Promise<void> {
    const entry = await this.entry(address, key);
    const group = this.messages.isGroup(address);
    if (entry.mine) return this.change(this.item(address, { is: 'retraction', target: this.name(entry, group) }));
    if (!group || entry.id === undefined) throw new ApiError('forbidden');
    await this.messages.around.context.session.iq(writeModeration(address, entry.id, reason)).catch(rejected);
  }

  async react(address: Address, key: string, emojis: string[]): Promise<void> {
    const target = this.name(await this.entry(address, key), this.messages.isGroup(address));
    await this.change(this.item(address, { is: 'reaction', target, emojis }));
  }

  /** Shown at once; taken back if it is refused. */
  private async change(item: Item): Promise<void> {
    const { messages } = this;
    await messages.inOrder(() => messages.log.live(messages.saidOf(item)));
    await messages.outbox.add(item);
  }

  async markRead(address: Address, key: string): Promise<void> {
    const { messages } = this;
    const entry = await messages.log.entry(address, key);
    if (entry?.id === undefined) return;
    const id = entry.id;
    if (!(await messages.inOrder(() => messages.log.readUpTo(address, id)))) return;
    messages.marks.publish(address, id);
    const person = jid.bare(address);
    // In a group everybody would be told; our own devices know by the mark.
    if (!messages.isGroup(address) && !entry.mine && messages.around.seesUs(person)) {
      messages.around.context.session.send(writeDisplayed(address, false, this.name(entry, false)));
    }
    const { exact } = await messages.log.unread(address);
    if (exact) return messages.counts.count(address);
    const { entry: newest } = await messages.log.newest(address);
    if (newest?.key === key) await messages.counts.nothing(address);
  }

  typing(address: Address, on: boolean): void {
    const { around, talk } = this.messages;
    // In a large group it costs everybody something, and tells nobody much.
    const told = this.messages.isGroup(address)
      ? around.groups.inside(address) && around.groups.membersOnly(address) === true
      : around.seesUs(jid.bare(address));
    if (told && around.context.session.online) talk.say(address, on);
  }

  setDraft(address: Address, text: string): void {
    const { rows, notes } = this.messages;
    if (rows.get(address).draft === text) return;
    void rows.change(address, { draft: text });
    notes.changed(address, text === '' ? 0 : undefined);
  }

  async close(address: Address): Promise<void> {
    const row = this.messages.rows.get(address);
    await this.messages.rows.change(address, { closed: Math.max(row.at, Date.now()), opened: undefined, draft: '' });
    this.messages.notes.changed(address, 0);
  }

  /** Messages with files, newest first, read back page by page. */
  async filesOf(address: Address, before?: string): Promise<{ messages: m.Message[]; more?: string }> {
    const found: m.Message[] = [];
    let where: m.Where = before === undefined ? { latest: true } : { before };
    for (let page = 0; page < FILES.pages && found.length < FILES.wanted; page++) {
      const slice = await this.messages.log.page(address, where, FILES.page);
      const files = slice.entries.filter(({ view }) => view !== undefined && !view.retracted && view.files.length > 0);
      found.push(...(await this.messages.show(address, files, slice.seen)).reverse());
      const oldest = slice.entries[0];
      if (slice.atStart || slice.cutBefore || !oldest) return { messages: found };
      where = { before: oldest.key };
    }
    return { messages: found, ...('before' in where && { more: where.before }) };
  }
}

function rejected(error: unknown): never {
  if (error instanceof StanzaError) throw new ApiError(error.condition, error.text);
  throw error;
}
