/** Who has access to the account (XEP-0494; docs/devices.md), and who is let in from here (docs/extensions.md). */
import type { Device, Newcomer } from '../api/model';
import { NS } from '../xmpp/ns';
import { StanzaError } from '../xmpp/session';
import { el, type El } from '../xmpp/xml';
import type { Context } from './context';

export class Devices {
  constructor(private readonly context: Context) {}

  async list(): Promise<Device[]> {
    const answer = await this.context.session.iq(el('iq', { type: 'get' }, el('list', { xmlns: NS.cam })));
    return answer.child('clients', NS.cam)?.all('client').map(read) ?? [];
  }

  async signOut(id: string): Promise<void> {
    try {
      await this.context.session.iq(el('iq', { type: 'set' }, el('revoke', { xmlns: NS.cam, id })));
    } catch (error) {
      // It is signed out, and may know the password: the page says so anyway.
      const known = error instanceof StanzaError && error.stanza?.child('error')?.child(KNOWS_PASSWORD, NS.cam);
      if (!known) throw error;
    }
  }

  /** Signs this device out. Whether the server did, within so many milliseconds. */
  leave(timeout: number): Promise<boolean> {
    const revoke = el('revoke', { xmlns: NS.cam, id: 'current' });
    const done = this.context.session.iq(el('iq', { type: 'set' }, revoke), timeout);
    return done.then(
      () => true,
      () => false,
    );
  }

  /** What waits to be let in. */
  async newcomer(which: { id: string } | { code: string }): Promise<Newcomer> {
    const request = el('iq', { type: 'get' }, el('pairing', { xmlns: NS.pairing, ...which }));
    const seen = (await this.context.session.iq(request)).child('pairing', NS.pairing);
    const text = (name: string) => seen?.childText(name) ?? '';
    return {
      id: seen?.attrs.id ?? '',
      code: seen?.attrs.code ?? '',
      device: text('device'),
      software: text('software'),
      address: text('address'),
      public: seen?.child('public') !== undefined,
    };
  }

  async answerNewcomer(id: string, accept: boolean): Promise<void> {
    const answer = el(accept ? 'approve' : 'refuse', { xmlns: NS.pairing, id });
    await this.context.session.iq(el('iq', { type: 'set' }, answer));
  }
}

const KNOWS_PASSWORD = 'password-reset-required';

function read(client: El): Device {
  const agent = client.child('user-agent');
  const software = agent?.childText('software') ?? '';
  const kind = client.child('address', NS.clients)?.attrs.kind;
  return {
    id: client.attrs.id ?? '',
    name: agent?.childText('device') ?? software,
    software,
    firstSeen: time(client.childText('first-seen')),
    lastSeen: time(client.childText('last-seen')),
    connected: client.attrs.connected === 'true',
    current: client.child('current', NS.clients) !== undefined,
    public: client.child('public', NS.clients) !== undefined,
    ...(kind === 'local' || kind === 'ipv4' || kind === 'ipv6' ? { address: kind } : {}),
  };
}

function time(stamp: string | undefined): number | undefined {
  const at = Date.parse(stamp ?? '');
  return Number.isNaN(at) ? undefined : at;
}
