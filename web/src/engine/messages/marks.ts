/**
 * How far conversations have been read, for our other devices (XEP-0490), for the server's counts (XEP-0430), and for who
 * wrote (XEP-0333).
 */
import type { Address } from '../../api/model';
import * as jid from '../../xmpp/jid';
import { NS } from '../../xmpp/ns';
import { el, type El } from '../../xmpp/xml';
import { PRIVATE, type Pep } from '../pep';

/** Milliseconds in which several places of one conversation become one. */
const WAIT = 500;

export class Marks {
  private readonly waiting = new Map<Address, string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly pep: Pep,
    me: () => Address,
    /** The archive that gives the ids: the account's, or the group's. */
    private readonly by: (conversation: Address) => Address,
    /** Another device has read up to here. */
    heard: (conversation: Address, id: string) => void,
  ) {
    pep.on(NS.mds, ({ from, items }) => {
      if (from !== me()) return;
      for (const { id, payload } of items) {
        const read = readMark(payload);
        if (read) heard(addressOf(id), read);
      }
    });
  }

  /** All places, by conversation. */
  async fetch(): Promise<Map<Address, string>> {
    const items = await this.pep.items(NS.mds);
    const places = new Map<Address, string>();
    for (const { id, payload } of items) {
      const read = readMark(payload);
      if (read) places.set(addressOf(id), read);
    }
    return places;
  }

  publish(conversation: Address, id: string): void {
    this.waiting.set(conversation, id);
    this.timer ??= setTimeout(() => void this.flush(), WAIT);
  }

  /** Publishes what waits; what cannot be published now waits for the next session. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const [conversation, id] of [...this.waiting]) {
      const place = el('stanza-id', { xmlns: NS.sid, by: this.by(conversation), id });
      const displayed = el('displayed', { xmlns: NS.mds }, place);
      try {
        await this.pep.publish(NS.mds, conversation, displayed, PRIVATE);
        if (this.waiting.get(conversation) === id) this.waiting.delete(conversation);
      } catch {
        return;
      }
    }
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

const readMark = (payload: El): string | undefined => payload.child('stanza-id', NS.sid)?.attrs.id;

/** Items are named by the conversation; of an occupant the nick keeps its letters. */
function addressOf(id: string): Address {
  const nick = jid.resource(id);
  return nick === '' ? jid.prepared(id) : `${jid.prepared(id)}/${nick}`;
}
