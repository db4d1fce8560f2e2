/** Whom one does not want to hear of (XEP-0191), and why (XEP-0377). */
import type { Address } from '../api/model';
import * as jid from '../xmpp/jid';
import { NS } from '../xmpp/ns';
import { StanzaError } from '../xmpp/session';
import { el, type El } from '../xmpp/xml';
import type { Context } from './context';
import type { Roster } from './roster';

export class Blocking {
  private readonly blocked = new Set<Address>();

  constructor(
    private readonly context: Context,
    private readonly roster: Roster,
  ) {
    const pushed = (change: (items: Address[]) => void) => (request: El, payload: El) => {
      const { from, type } = request.attrs;
      if (type !== 'set' || (from !== undefined && jid.bare(from) !== context.address)) {
        throw new StanzaError('service-unavailable');
      }
      change(payload.all('item').map((item) => item.attrs.jid ?? ''));
      this.roster.noteBlocked(this.blocked);
      return undefined;
    };
    const { session } = context;
    session.answer(
      'block',
      NS.blocking,
      pushed((items) => items.forEach((address) => this.blocked.add(address))),
    );
    session.answer(
      'unblock',
      NS.blocking,
      pushed((items) => {
        // §3.6: nobody named means everybody.
        if (items.length === 0) this.blocked.clear();
        for (const address of items) this.blocked.delete(address);
      }),
    );
  }

  async fetch(): Promise<void> {
    const answer = await this.context.session.iq(el('iq', { type: 'get' }, el('blocklist', { xmlns: NS.blocking })));
    this.blocked.clear();
    for (const item of answer.child('blocklist', NS.blocking)?.all('item') ?? []) {
      this.blocked.add(item.attrs.jid ?? '');
    }
    this.roster.noteBlocked(this.blocked);
  }

  async block(address: Address, on: boolean): Promise<void> {
    const item = el('item', { jid: address });
    await this.context.session.iq(
      el('iq', { type: 'set' }, el(on ? 'block' : 'unblock', { xmlns: NS.blocking }, item)),
    );
  }

  /** Blocks and says why; `messages` are ids of the own archive. */
  async report(address: Address, reason: 'spam' | 'abuse', text: string, messages: string[]): Promise<void> {
    const report = el(
      'report',
      { xmlns: NS.reporting, reason: `urn:xmpp:reporting:${reason}` },
      ...messages.map((id) => el('stanza-id', { xmlns: NS.sid, by: this.context.address, id })),
      text !== '' && el('text', {}, text),
    );
    const item = el('item', { jid: address }, report);
    await this.context.session.iq(el('iq', { type: 'set' }, el('block', { xmlns: NS.blocking }, item)));
  }
}
