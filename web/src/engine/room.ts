/**
 * One group as we know it from within (XEP-0045): whether we are in it, under which nick, and who else is. Reads presence; what
 * is said is the conversations'.
 */
import type { Address, Affiliation, Member, Role, Show } from '../api/model';
import * as jid from '../xmpp/jid';
import { NS } from '../xmpp/ns';
import { readError, StanzaError } from '../xmpp/session';
import type { El } from '../xmpp/xml';

/** What a presence in a group changes. */
export interface Happening {
  changed: Member[];
  removed: string[];
  /** We have come in, or are out. */
  inside?: boolean;
  /** Out, and not to come again by ourselves. */
  expelled?: boolean;
  /** The group's own picture: its hash, or empty. */
  picture?: string;
}

export const STATUS = {
  self: '110',
  created: '201',
  banned: '301',
  nick: '303',
  kicked: '307',
  nonMember: '322',
} as const;
/** We are out for good: removed, or no member of what is for members only (§9.1, §9.2, §10.2.1). */
const EXPELLING: string[] = ['301', '307', '321', '322'];

export class Room {
  /** Under which we are in it, or want to be. */
  nick = '';
  inside = false;
  password: string | undefined;
  readonly occupants = new Map<string, Member>();
  /** What the group was when we last asked. */
  name = '';
  avatar: string | undefined;
  membersOnly: boolean | undefined;
  subject = '';
  /** When something was heard of it: who hears nothing may have been forgotten (XEP-0410). */
  heard = Date.now();

  private entering: { resolve: (created: boolean) => void; reject: (error: Error) => void } | undefined;

  constructor(readonly address: Address) {}

  get me(): Member | undefined {
    return this.occupants.get(this.nick);
  }

  /** Waits for the group's answer to our presence; gives whether the group is new (§10.1.1). */
  enter(nick: string): Promise<boolean> {
    this.nick = nick;
    this.entering?.reject(new StanzaError('conflict'));
    return new Promise((resolve, reject) => (this.entering = { resolve, reject }));
  }

  /** The group has not answered yet. */
  get waits(): boolean {
    return this.entering !== undefined;
  }

  /** Nobody is there any more, as far as we know. */
  reset(): string[] {
    const gone = [...this.occupants.values()].map((member) => member.id);
    this.occupants.clear();
    this.inside = false;
    return gone;
  }

  /** What a presence of the group or of somebody in it says. */
  receive(presence: El): Happening {
    this.heard = Date.now();
    const nick = jid.resource(presence.attrs.from ?? '');
    if (presence.attrs.type === 'error') return this.failed(presence);
    if (nick === '') return { ...NOTHING, picture: photo(presence) };
    const user = presence.child('x', NS.mucUser);
    const codes = user?.all('status').map((status) => status.attrs.code ?? '') ?? [];
    return presence.attrs.type === 'unavailable'
      ? this.went(nick, user, codes)
      : this.came(nick, presence, user, codes);
  }

  private failed(presence: El): Happening {
    const { entering } = this;
    this.entering = undefined;
    entering?.reject(readError(presence));
    return NOTHING;
  }

  private came(nick: string, presence: El, user: El | undefined, codes: string[]): Happening {
    const self = codes.includes(STATUS.self);
    // §7.2.2: the group may have given us another nick.
    if (self) this.nick = nick;
    const before = this.occupants.get(nick);
    const member = readMember(nick, presence, user?.child('item'), self || (this.inside && nick === this.nick));
    this.occupants.set(nick, member);
    const removed = before && before.id !== member.id ? [before.id] : [];
    if (!self) return { changed: [member], removed };
    const { entering } = this;
    this.entering = undefined;
    entering?.resolve(codes.includes(STATUS.created));
    if (this.inside) return { changed: [member], removed };
    this.inside = true;
    return { changed: [...this.occupants.values()], removed, inside: true };
  }

  private went(nick: string, user: El | undefined, codes: string[]): Happening {
    const member = this.occupants.get(nick);
    this.occupants.delete(nick);
    const self = codes.includes(STATUS.self) || nick === this.nick;
    const fresh = user?.child('item')?.attrs.nick;
    if (codes.includes(STATUS.nick) && fresh !== undefined) {
      // §7.6: the presence under the new nick follows, with the same occupant id.
      if (self) this.nick = fresh;
      if (member) this.occupants.set(fresh, { ...member, nick: fresh });
      return NOTHING;
    }
    if (!self) return { changed: [], removed: member ? [member.id] : [] };
    const destroyed = user?.child('destroy') !== undefined;
    const expelled = destroyed || codes.some((code) => EXPELLING.includes(code));
    return { changed: [], removed: [...this.reset(), ...(member ? [member.id] : [])], inside: false, expelled };
  }
}

const NOTHING: Happening = { changed: [], removed: [] };

function photo(presence: El): string | undefined {
  return presence.path(['x', NS.vcardUpdate], ['photo'])?.text();
}

function readMember(nick: string, presence: El, item: El | undefined, me: boolean): Member {
  const { affiliation, role, jid: real } = item?.attrs ?? {};
  const said = presence.childText('show');
  const show: Show = said === 'away' || said === 'xa' || said === 'dnd' || said === 'chat' ? said : 'online';
  const avatar = photo(presence);
  return {
    // Where there are no occupant ids, the nick is what one is known by.
    id: presence.child('occupant-id', NS.occupantId)?.attrs.id ?? `nick:${nick}`,
    nick,
    ...(real !== undefined && { address: jid.bare(real) }),
    ...(avatar && { avatar }),
    affiliation: readAffiliation(affiliation),
    role: readRole(role),
    show,
    status: presence.childText('status') ?? '',
    hats:
      presence
        .child('hats', NS.hats)
        ?.all('hat')
        .map(({ attrs }) => {
          const hue = Number(attrs.hue);
          const { uri = '', title = '' } = attrs;
          return { uri, title, ...(attrs.hue !== undefined && !Number.isNaN(hue) && { hue }) };
        }) ?? [],
    me,
  };
}

export function readAffiliation(text: string | undefined): Affiliation {
  return text === 'owner' || text === 'admin' || text === 'member' || text === 'outcast' ? text : 'none';
}

function readRole(text: string | undefined): Role {
  return text === 'moderator' || text === 'participant' || text === 'visitor' ? text : 'none';
}
