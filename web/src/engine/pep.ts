/** Nodes of accounts and groups (XEP-0060, XEP-0163): asked for, published, and heard of. */
import { NS } from '../xmpp/ns';
import { bare } from '../xmpp/jid';
import { StanzaError, type Session } from '../xmpp/session';
import { el, type El } from '../xmpp/xml';
import { filled } from './forms';

export interface Item {
  id: string;
  /** What was published. */
  payload: El;
  publisher?: string;
}

/** What happened to a node. */
export interface Change {
  /** Whose node it is: a bare address. */
  from: string;
  items: Item[];
  retracted: string[];
  /** The node is gone, or all of its items. */
  emptied: boolean;
}

/** Of a node, by their names in its form (XEP-0060 §16.4.4). */
export type Options = Record<string, string>;

const OLD_OPTIONS = new Set(['pubsub#persist_items', 'pubsub#access_model']);
/** What servers say of an option that they do not know. */
const UNKNOWN = new Set(['bad-request', 'resource-constraint', 'not-acceptable']);

/** Options of nodes that are private and keep every item (XEP-0223). */
export const PRIVATE: Options = {
  'pubsub#persist_items': 'true',
  'pubsub#max_items': 'max',
  'pubsub#send_last_published_item': 'never',
  'pubsub#access_model': 'whitelist',
};

export class Pep {
  private readonly heard = new Map<string, (change: Change) => void>();

  constructor(private readonly session: Session) {}

  /** Nodes of which we want to hear (`+notify`). */
  get nodes(): string[] {
    return [...this.heard.keys()];
  }

  on(node: string, listener: (change: Change) => void): void {
    this.heard.set(node, listener);
  }

  /** Takes a message that is a notification of nodes; others not. */
  receive(message: El): boolean {
    const event = message.child('event', NS.pubsubEvent);
    if (!event) return false;
    const from = bare(message.attrs.from ?? bare(this.session.me));
    for (const part of event.all()) {
      const listener = this.heard.get(part.attrs.node ?? '');
      if (!listener) continue;
      const retracted = part.all('retract').map((item) => item.attrs.id ?? '');
      listener({ from, items: readItems(part), retracted, emptied: part.name === 'purge' || part.name === 'delete' });
    }
    return true;
  }

  /** All items of a node, or those of these ids; none if there is no such node. Of oneself, if nobody is named. */
  async items(node: string, of?: string, ...ids: string[]): Promise<Item[]> {
    const wanted = el('items', { node }, ...ids.map((id) => el('item', { id })));
    const answer = await this.session.iq(el('iq', { type: 'get', to: of }, el('pubsub', { xmlns: NS.pubsub }, wanted)));
    const items = answer.path(['pubsub', NS.pubsub], ['items']);
    return items ? readItems(items) : [];
  }

  /**
   * Publishes an item; the node is made, or made to be, as the options say. What is to be private is not published where it
   * cannot be.
   */
  async publish(node: string, id: string, payload: El, options?: Options, at?: string): Promise<void> {
    try {
      await this.tryPublish(node, id, payload, options, at);
    } catch (error) {
      if (!(error instanceof StanzaError) || !options) throw error;
      if (error.condition === 'conflict') {
        // XEP-0060 §7.1.5: the node is there and is otherwise.
        await this.configure(node, options, at);
        await this.tryPublish(node, id, payload, options, at);
      } else if (UNKNOWN.has(error.condition)) {
        // Older servers know few options of a publication, and all of them of a node: who may read it must be among the few.
        const few = Object.entries(options).filter(([name]) => OLD_OPTIONS.has(name));
        await this.tryPublish(node, id, payload, Object.fromEntries(few), at);
        await this.configure(node, options, at).catch(() => {});
      } else throw error;
    }
  }

  private async tryPublish(node: string, id: string, payload: El, options?: Options, at?: string): Promise<void> {
    const pubsub = el(
      'pubsub',
      { xmlns: NS.pubsub },
      el('publish', { node }, el('item', { id }, payload)),
      options && el('publish-options', {}, filled(NS.publishOptions, options)),
    );
    await this.session.iq(el('iq', { type: 'set', to: at }, pubsub));
  }

  private async configure(node: string, options: Options, at?: string): Promise<void> {
    const configure = el('configure', { node }, filled('http://jabber.org/protocol/pubsub#node_config', options));
    await this.session.iq(el('iq', { type: 'set', to: at }, el('pubsub', { xmlns: NS.pubsubOwner }, configure)));
  }

  async retract(node: string, id: string, at?: string): Promise<void> {
    const retract = el('retract', { node, notify: 'true' }, el('item', { id }));
    await this.session.iq(el('iq', { type: 'set', to: at }, el('pubsub', { xmlns: NS.pubsub }, retract)));
  }
}

function readItems(items: El): Item[] {
  const read: Item[] = [];
  for (const item of items.all('item')) {
    const payload = item.all()[0];
    const { id = '', publisher } = item.attrs;
    if (payload) read.push({ id, payload, ...(publisher !== undefined && { publisher }) });
  }
  return read;
}
