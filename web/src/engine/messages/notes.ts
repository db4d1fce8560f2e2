/** What only concerns oneself, for all of one's devices: drafts, and rows that were closed (docs/extensions.md). */
import type { Address } from '../../api/model';
import { el } from '../../xmpp/xml';
import { PRIVATE, type Item, type Pep } from '../pep';
import { OWN } from './ns';

/** Milliseconds after the last key until a draft goes to other devices. */
const WAIT = 3_000;
const MAX_DRAFT = 10_000;

export interface Note {
  draft: string;
  closed?: number;
}

export class Notes {
  private readonly waiting = new Map<Address, ReturnType<typeof setTimeout>>();
  /** Changed here, and not yet known to the server as it is here: by the change. What the server has of these is older. */
  private readonly ours = new Map<Address, number>();
  private changes = 0;

  constructor(
    private readonly pep: Pep,
    me: () => Address,
    private readonly current: (conversation: Address) => Note,
    private readonly heard: (conversation: Address, note: Note) => void,
  ) {
    pep.on(OWN.chats, ({ from, items, retracted }) => {
      if (from !== me()) return;
      for (const item of items) this.take(item);
      for (const id of retracted) if (!this.ours.has(id)) heard(id, { draft: '' });
    });
  }

  async fetch(): Promise<void> {
    try {
      for (const item of await this.pep.items(OWN.chats)) this.take(item);
    } finally {
      // What the session before could not tell.
      for (const id of this.ours.keys()) if (!this.waiting.has(id)) void this.publish(id);
    }
  }

  /** It is another now; told when it rests. */
  changed(conversation: Address, wait = WAIT): void {
    this.ours.set(conversation, ++this.changes);
    clearTimeout(this.waiting.get(conversation));
    this.waiting.set(
      conversation,
      setTimeout(() => void this.publish(conversation), wait),
    );
  }

  stop(): void {
    for (const timer of this.waiting.values()) clearTimeout(timer);
    this.waiting.clear();
  }

  private take({ id, payload }: Item): void {
    // What is typed here is newer than what was typed elsewhere.
    if (this.ours.has(id)) return;
    const closed = Date.parse(payload.child('closed')?.attrs.at ?? '');
    const draft = (payload.childText('draft') ?? '').slice(0, MAX_DRAFT);
    this.heard(id, { draft, ...(!Number.isNaN(closed) && { closed }) });
  }

  private async publish(conversation: Address): Promise<void> {
    this.waiting.delete(conversation);
    const change = this.ours.get(conversation);
    const { draft, closed } = this.current(conversation);
    const chat = el(
      'chat',
      { xmlns: OWN.chats },
      draft !== '' && el('draft', {}, draft.slice(0, MAX_DRAFT)),
      closed !== undefined && el('closed', { at: new Date(closed).toISOString() }),
    );
    try {
      if (chat.children.length > 0) await this.pep.publish(OWN.chats, conversation, chat, PRIVATE);
      else await this.pep.retract(OWN.chats, conversation);
      // Unless it is another again.
      if (this.ours.get(conversation) === change) this.ours.delete(conversation);
    } catch {
      // It stays on this device until the next session.
    }
  }
}
