/** Notifications while no tab is open (docs/push.md). */
import { NS } from '../xmpp/ns';
import { StanzaError } from '../xmpp/session';
import { el } from '../xmpp/xml';
import type { Context } from './context';

export class Push {
  constructor(private readonly context: Context) {}

  async key(): Promise<string | null> {
    const told = this.context.config.push_key;
    if (told) return told;
    try {
      const answer = await this.context.session.iq(el('iq', { type: 'get' }, el('key', { xmlns: NS.webpush })));
      return answer.childText('key', NS.webpush) || null;
    } catch (error) {
      if (error instanceof StanzaError && error.stanza) return null;
      throw error;
    }
  }

  async subscribe({ endpoint, p256dh, auth }: { endpoint: string; p256dh: string; auth: string }): Promise<void> {
    const subscribe = el('subscribe', { xmlns: NS.webpush, endpoint }, el('p256dh', {}, p256dh), el('auth', {}, auth));
    await this.context.session.iq(el('iq', { type: 'set' }, subscribe));
  }

  async unsubscribe(endpoint: string): Promise<void> {
    await this.context.session.iq(el('iq', { type: 'set' }, el('unsubscribe', { xmlns: NS.webpush, endpoint })));
  }
}
