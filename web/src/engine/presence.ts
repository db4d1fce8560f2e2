/** Who is there: presence of contacts (RFC 6121 §4), and one's own. */
import type { Address, Contact, Show } from '../api/model';
import * as jid from '../xmpp/jid';
import { NS } from '../xmpp/ns';
import { el, type El } from '../xmpp/xml';
import type { Caps } from './caps';
import type { Context } from './context';
import type { Roster } from './roster';

interface Resource {
  show: Show;
  status: string;
  priority: number;
  idleSince: number | undefined;
}

/** Whom one would talk to first. */
const RANK: Record<Show, number> = { chat: 0, online: 1, dnd: 2, away: 3, xa: 4, invisible: 5, offline: 6 };
/** After a connection everybody arrives at once, and nobody is announced, for so many milliseconds. */
const SETTLING = 8_000;

export class Presence {
  private readonly resources = new Map<Address, Map<string, Resource>>();
  private since = 0;
  private invisible = false;

  constructor(
    private readonly context: Context,
    private readonly roster: Roster,
    private readonly caps: Caps,
  ) {}

  /** A new session: nobody is there until they say so, and we say it too. */
  async begin(): Promise<void> {
    this.resources.clear();
    this.roster.forgetPresence();
    this.since = Date.now();
    this.invisible = false;
    await this.announce();
  }

  /** Presence to everybody who may see it. */
  async announce(): Promise<void> {
    const { session, me } = this.context;
    const invisible = me.show === 'invisible';
    // XEP-0186: the wish comes before the presence, so that nobody sees it for a moment.
    if (invisible !== this.invisible) {
      const wish = el(invisible ? 'invisible' : 'visible', { xmlns: NS.invisible });
      const done = session.iq(el('iq', { type: 'set' }, wish));
      // Who asked to be invisible must not be seen because the server cannot do it.
      if (invisible) await done;
      else done.catch(() => {});
      this.invisible = invisible;
    }
    session.send(await this.own());
    await this.reveal();
  }

  /** While others do not see us, those are told in particular who always do: XEP-0186 leaves that to the client. */
  async reveal(): Promise<void> {
    for (const { address, visibility } of this.roster.all())
      if (visibility === 'visible') await this.revealTo(address, true);
  }

  async revealTo(address: Address, visible: boolean): Promise<void> {
    if (this.context.me.show !== 'invisible') return;
    this.context.session.send(visible ? await this.own(address) : el('presence', { to: address, type: 'unavailable' }));
  }

  /** As contacts and groups get it. */
  async own(to?: string): Promise<El> {
    const { show, status } = this.context.me;
    const told = show === 'invisible' || show === 'online' ? undefined : show;
    return el(
      'presence',
      { to },
      told !== undefined && el('show', {}, told),
      status !== '' && el('status', {}, status),
      await this.caps.element(),
    );
  }

  receive(presence: El): void {
    const { from = '', type } = presence.attrs;
    const address = jid.bare(from);
    if (address === this.context.address || (type !== undefined && type !== 'unavailable')) return;
    if (type === 'unavailable') this.resources.get(address)?.delete(jid.resource(from));
    else this.come(address, jid.resource(from), presence);
    this.show(address);
  }

  private come(address: Address, resource: string, presence: El): void {
    let known = this.resources.get(address);
    if (!known) this.resources.set(address, (known = new Map<string, Resource>()));
    const said = presence.childText('show');
    const idle = Date.parse(presence.child('idle', NS.idle)?.attrs.since ?? '');
    known.set(resource, {
      show: said === 'away' || said === 'xa' || said === 'dnd' || said === 'chat' ? said : 'online',
      status: presence.childText('status') ?? '',
      priority: Number(presence.childText('priority') ?? 0) || 0,
      idleSince: Number.isNaN(idle) ? undefined : idle,
    });
    const photo = presence.path(['x', NS.vcardUpdate], ['photo'])?.text();
    if (photo !== undefined) this.roster.note(address, { avatar: photo === '' ? undefined : photo });
  }

  /** Of several devices the one that one would reach. */
  private show(address: Address): void {
    const contact = this.roster.get(address);
    if (!contact) return;
    let best: Resource | undefined;
    for (const resource of this.resources.get(address)?.values() ?? []) {
      const better =
        best === undefined ||
        resource.priority > best.priority ||
        (resource.priority === best.priority && RANK[resource.show] < RANK[best.show]);
      if (better) best = resource;
    }
    const seen: Pick<Contact, 'show' | 'status' | 'idleSince'> = best
      ? { show: best.show, status: best.status, idleSince: best.idleSince }
      : { show: 'offline', status: '', idleSince: undefined };
    const arrives = contact.show === 'offline' && seen.show !== 'offline';
    this.roster.note(address, seen);
    if (arrives && Date.now() - this.since > SETTLING) this.context.emit({ type: 'arrival', address });
  }
}
