/** Who wants to be a contact (RFC 6121 §3), and who invites us into groups (XEP-0249, XEP-0045 §7.8). */
import type { Address, ContactRequest, GroupInvitation } from '../api/model';
import * as jid from '../xmpp/jid';
import { NS } from '../xmpp/ns';
import { el, type El } from '../xmpp/xml';
import type { Context } from './context';
import { stampOf } from './delay';
import type { Roster } from './roster';

/** Requests that are shown; the server keeps more. */
const MAX_REQUESTS = 500;

export class Requests {
  private readonly people = new Map<Address, ContactRequest>();
  private readonly groups = new Map<Address, GroupInvitation>();

  constructor(
    private readonly context: Context,
    private readonly roster: Roster,
  ) {}

  get contacts(): ContactRequest[] {
    return [...this.people.values()];
  }

  get invitations(): GroupInvitation[] {
    return [...this.groups.values()];
  }

  /** A new session: the server says again who waits (RFC 6121 §3.1.3). */
  begin(): void {
    this.people.clear();
  }

  receive(presence: El): void {
    const { from = '', type } = presence.attrs;
    const address = jid.bare(from);
    if (type === 'unsubscribe') return this.forget(address);
    if (type !== 'subscribe') return;
    const contact = this.roster.get(address);
    // We have asked ourselves: that is the answer.
    if (contact && (contact.asked || contact.subscription === 'to')) return this.accept(address);
    if (this.people.size >= MAX_REQUESTS && !this.people.has(address)) return;
    this.people.set(address, {
      address,
      nick: presence.childText('nick', NS.nick) ?? '',
      text: presence.childText('status') ?? '',
      at: stampOf(presence) ?? this.people.get(address)?.at ?? Date.now(),
    });
    this.tell();
  }

  /** Somebody invites us into a group. */
  invited(invitation: GroupInvitation): void {
    if (this.groups.size >= MAX_REQUESTS && !this.groups.has(invitation.group)) return;
    this.groups.set(invitation.group, invitation);
    this.tell();
  }

  answer(address: Address, accept: boolean): Promise<void> {
    if (accept) this.accept(address);
    else this.context.session.send(el('presence', { to: address, type: 'unsubscribed' }));
    this.forget(address);
    return Promise.resolve();
  }

  /** The invitation into a group, taken out of the list. */
  take(group: Address): GroupInvitation | undefined {
    const invitation = this.groups.get(group);
    if (this.groups.delete(group)) this.tell();
    return invitation;
  }

  private accept(address: Address): void {
    const { session, me } = this.context;
    session.send(el('presence', { to: address, type: 'subscribed' }));
    const contact = this.roster.get(address);
    if (contact?.subscription === 'to' || contact?.subscription === 'both' || contact?.asked) return;
    const nick = me.nick !== '' && el('nick', { xmlns: NS.nick }, me.nick);
    session.send(el('presence', { to: address, type: 'subscribe' }, nick));
  }

  private forget(address: Address): void {
    if (this.people.delete(address)) this.tell();
  }

  private tell(): void {
    this.context.emit({ type: 'requests', requests: this.contacts, invitations: this.invitations });
  }
}

/** What a message says of an invitation, in either form. */
export function readInvitation(message: El): GroupInvitation | undefined {
  const { from = '', type } = message.attrs;
  if (type === 'error' || type === 'groupchat') return undefined;
  const at = stampOf(message) ?? Date.now();
  const user = message.child('x', NS.mucUser);
  const mediated = user?.child('invite');
  if (mediated) {
    const password = user?.childText('password');
    return {
      group: jid.bare(from),
      from: jid.bare(mediated.attrs.from ?? ''),
      reason: mediated.childText('reason') ?? '',
      ...(password !== undefined && { password }),
      at,
    };
  }
  const direct = message.child('x', NS.directInvite);
  if (!direct?.attrs.jid) return undefined;
  const { jid: group, reason = '', password } = direct.attrs;
  return { group: jid.prepared(group), from: jid.bare(from), reason, ...(password !== undefined && { password }), at };
}
