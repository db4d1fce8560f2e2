/**
 * The groups one is in: entered by their bookmarks, entered again when a connection or the server has lost us (XEP-0410),
 * left, made. What a panel asks of one group is in `panel.ts`.
 */
import type { Address } from '../api/model';
import * as jid from '../xmpp/jid';
import { NS } from '../xmpp/ns';
import { StanzaError } from '../xmpp/session';
import { el, type El } from '../xmpp/xml';
import type { Bookmark, Bookmarks } from './bookmarks';
import type { Context } from './context';
import type { Presence } from './presence';
import { Room, type Happening } from './room';

/** How many other nicks are tried where ours is taken. */
const NICK_TRIES = 4;
/** Milliseconds that a group may take to let us in. */
const ENTER_TIMEOUT = 30_000;
/** A group that was silent for so long is asked whether we are in it still, so often is looked. */
const SILENCE = 15 * 60_000;
const LOOK = 5 * 60_000;
/** Milliseconds until a group that did not let us in, for now, is asked again; doubles up to the longest. */
const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 5 * 60_000;
/** Groups that are entered at the same time after a connection: each is a burst of presence. */
const ENTERING_AT_ONCE = 8;

export interface RoomListener {
  happened(room: Room, happening: Happening): void;
}

export class Rooms {
  private readonly rooms = new Map<Address, Room>();
  /** Counts sessions: what is still tried for one that is over ends. */
  private session = 0;
  private readonly looking: ReturnType<typeof setInterval>;

  constructor(
    private readonly context: Context,
    private readonly presence: Presence,
    private readonly bookmarks: () => Bookmarks,
    private readonly listener: RoomListener,
  ) {
    this.looking = setInterval(() => this.look(), LOOK);
  }

  stop(): void {
    this.session++;
    clearInterval(this.looking);
  }

  get(address: Address): Room | undefined {
    return this.rooms.get(address);
  }

  /** Whether an address is a group's, as far as can be told without asking. */
  isGroup(address: Address): boolean {
    return this.rooms.has(address) || jid.domain(address) === this.context.config.groups;
  }

  /** An address as people type it: a number, a name, or the whole. */
  resolve(input: string): Address {
    const text = jid.prepared(input.trim());
    return text.includes('@') ? text : `${text}@${this.context.config.groups}`;
  }

  /** A new session is in no group: those that are bookmarked are entered, and those that we were in. */
  async begin(): Promise<void> {
    const session = ++this.session;
    const wanted = new Set(this.bookmarks().autojoin());
    for (const room of this.rooms.values()) {
      if (room.inside) wanted.add(room.address);
      const removed = room.reset();
      this.listener.happened(room, { changed: [], removed, inside: false });
    }
    const queue = [...wanted];
    const worker = async () => {
      for (let address = queue.shift(); address !== undefined; address = queue.shift()) {
        if (session !== this.session) return;
        if (await this.tryEnter(address)) void this.enterLater(address);
      }
    };
    await Promise.all(Array.from({ length: ENTERING_AT_ONCE }, worker));
  }

  /** The session goes on. Groups elsewhere may have lost us meanwhile; and what a group answered may have been lost with a server. */
  resumed(): void {
    for (const room of this.rooms.values()) {
      if (room.waits && this.bookmarks().get(room.address)?.autojoin) void this.comeBack(room);
      else if (room.inside && jid.domain(room.address) !== this.context.config.groups) void this.ping(room);
    }
  }

  /** A bookmark has come, changed or gone, here or on another device. */
  marked(address: Address, bookmark: Bookmark | undefined): void {
    const room = this.rooms.get(address);
    if (bookmark?.autojoin && !room?.inside && this.context.session.online) void this.comeBack(this.room(address));
    else if (room?.inside && !bookmark?.autojoin) this.depart(room);
  }

  /** Takes presence that is a group's; other presence not. */
  receive(presence: El): boolean {
    const address = jid.bare(presence.attrs.from ?? '');
    const room = this.rooms.get(address);
    if (!room) return presence.child('x', NS.mucUser) !== undefined;
    const { inside } = room;
    const happening = room.receive(presence);
    this.listener.happened(room, happening);
    // The server or the group stopped, and nobody meant us: we come again.
    if (inside && happening.inside === false && !happening.expelled && this.bookmarks().get(address)?.autojoin) {
      void this.enterLater(address);
    }
    return true;
  }

  /** The group says that it does not know us. */
  lost(address: Address): void {
    const room = this.rooms.get(address);
    if (!room?.inside) return;
    const removed = room.reset();
    this.listener.happened(room, { changed: [], removed, inside: false });
    void this.comeBack(room);
  }

  private async comeBack({ address }: Room): Promise<void> {
    if (await this.tryEnter(address)) await this.enterLater(address);
  }

  /** Whether it is worth trying again. */
  private async tryEnter(address: Address): Promise<boolean> {
    try {
      await this.enter(address);
      return false;
    } catch (error) {
      if (!(error instanceof StanzaError)) return false;
      // Without a stanza it is the time that was over, or another attempt of ours.
      return error.stanza === undefined ? error.condition === 'timeout' : error.type === 'wait';
    }
  }

  /** Enters a group that is bookmarked, in time: until it lets us in or says that it will not, or the session is over. */
  private async enterLater(address: Address): Promise<void> {
    const { session } = this;
    for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
      const wanted = this.bookmarks().get(address)?.autojoin && !this.rooms.get(address)?.inside;
      if (session !== this.session || !wanted || !(await this.tryEnter(address))) return;
    }
  }

  /** Enters, and remembers it. */
  async join(address: Address, how: { nick?: string; password?: string }): Promise<boolean> {
    const created = await this.enter(address, how);
    const room = this.room(address);
    const { name = room.name } = this.bookmarks().get(address) ?? {};
    await this.bookmarks().put(address, {
      autojoin: true,
      name,
      nick: how.nick ?? '',
      password: how.password ?? room.password ?? '',
    });
    return created;
  }

  /** §7.2: under the nick that one wants, or one like it. Gives whether the group is new. */
  async enter(address: Address, how: { nick?: string; password?: string } = {}): Promise<boolean> {
    const room = this.room(address);
    const mark = this.bookmarks().get(address);
    const wanted = how.nick || mark?.nick || this.context.me.nick || this.context.me.number;
    room.password = how.password ?? (mark?.password || undefined);
    for (let tries = 0; ; tries++) {
      try {
        return await this.knock(room, wanted + '_'.repeat(tries));
      } catch (error) {
        const taken = error instanceof StanzaError && error.condition === 'conflict' && error.stanza !== undefined;
        if (!taken || tries >= NICK_TRIES) throw error;
      }
    }
  }

  async leave(address: Address): Promise<void> {
    const room = this.rooms.get(address);
    await this.bookmarks().remove(address);
    if (room) this.depart(room);
    this.rooms.delete(address);
  }

  async setNick(address: Address, nick: string): Promise<void> {
    const room = this.rooms.get(address);
    if (!room?.inside) throw new StanzaError('not-acceptable');
    const old = room.nick;
    try {
      await this.knock(room, nick);
    } catch (error) {
      room.nick = old;
      throw error;
    }
    await this.bookmarks().put(address, { nick });
  }

  /** §7.2.14: presence as others see it, to every group that we are in. */
  async announce(): Promise<void> {
    for (const room of this.rooms.values()) {
      if (room.inside) this.context.session.send(await this.presence.own(`${room.address}/${room.nick}`));
    }
  }

  private room(address: Address): Room {
    let room = this.rooms.get(address);
    if (!room) this.rooms.set(address, (room = new Room(address)));
    return room;
  }

  private async knock(room: Room, nick: string): Promise<boolean> {
    const presence = await this.presence.own(`${room.address}/${nick}`);
    if (!room.inside) {
      // What was said is read from the archive.
      const history = el('history', { maxstanzas: 0 });
      presence.add(el('x', { xmlns: NS.muc }, history, room.password && el('password', {}, room.password)));
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const answered = room.enter(nick);
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new StanzaError('timeout', 'wait')), ENTER_TIMEOUT);
      this.context.session.send(presence, (fate) => {
        if (fate !== 'acknowledged') reject(new StanzaError('offline', 'wait'));
      });
    });
    return Promise.race([answered, late]).finally(() => clearTimeout(timer));
  }

  private depart(room: Room): void {
    if (!room.inside) return;
    this.context.session.send(el('presence', { to: `${room.address}/${room.nick}`, type: 'unavailable' }));
    const removed = room.reset();
    this.listener.happened(room, { changed: [], removed, inside: false, expelled: true });
  }

  private look(): void {
    if (!this.context.session.online) return;
    for (const room of this.rooms.values()) {
      if (room.inside && Date.now() - room.heard > SILENCE) void this.ping(room);
    }
  }

  /** XEP-0410 §3: a ping to ourselves tells whether the group knows us. */
  private async ping(room: Room): Promise<void> {
    const to = `${room.address}/${room.nick}`;
    try {
      await this.context.session.iq(el('iq', { type: 'get', to }, el('ping', { xmlns: NS.ping })));
      room.heard = Date.now();
    } catch (error) {
      const condition = error instanceof StanzaError && error.stanza ? error.condition : '';
      if (condition !== 'not-acceptable' && condition !== 'item-not-found') return;
      this.lost(room.address);
    }
  }
}
