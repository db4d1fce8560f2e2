/**
 * One signed-in account: its parts, put together, and the order in which things begin. It is thrown away when the session is
 * over, so nothing of one account can reach another.
 */
import type { Snapshot } from '../api/api';
import type { Event } from '../api/events';
import type { Address, Connection, Contact, Me, Place, Show } from '../api/model';
import * as jid from '../xmpp/jid';
import { NS } from '../xmpp/ns';
import type { Stream } from '../xmpp/stream';
import { el, type El } from '../xmpp/xml';
import { Blocking } from './blocking';
import { Bookmarks } from './bookmarks';
import { Caps } from './caps';
import { COMMAND, Commands } from './commands';
import type { Context, Names, ServerConfig } from './context';
import type { Conversations, MakeConversations } from './conversations';
import { Devices } from './devices';
import { isTrue, value } from './forms';
import { Panels } from './panel';
import { People } from './people';
import { Pep } from './pep';
import { Pictures } from './pictures';
import { Presence } from './presence';
import { Push } from './push';
import { readInvitation, Requests } from './requests';
import type { Happening, Room } from './room';
import { Rooms } from './rooms';
import { Roster } from './roster';
import type { Vault } from './vault';

const ME = 'me';

export interface AccountOptions {
  config: ServerConfig;
  place: Place;
  vault: Vault;
  emit: (event: Event) => void;
  conversations: MakeConversations;
}

export class Account implements Names {
  readonly me: Me;
  readonly commands: Commands;
  readonly roster: Roster;
  readonly presence: Presence;
  readonly requests: Requests;
  readonly blocking: Blocking;
  readonly devices: Devices;
  readonly push: Push;
  readonly bookmarks: Bookmarks;
  readonly rooms: Rooms;
  readonly panels: Panels;
  readonly pictures: Pictures;
  readonly people: People;
  readonly conversations: Conversations;
  connection: Connection = { state: 'connecting' };

  private readonly context: Context;

  constructor(
    readonly stream: Stream,
    private readonly options: AccountOptions,
  ) {
    const { config, place, vault } = options;
    const me: Me = { address: '', number: '', nick: '', show: 'online', status: '', place, admin: false };
    this.me = me;
    const emit = (event: Event) => this.options.emit(event);
    const pep = new Pep(stream);
    const address = () => me.address;
    const context: Context = {
      session: stream,
      config,
      place,
      vault,
      pep,
      me,
      emit,
      get address() {
        return address();
      },
    };
    this.context = context;
    const caps = new Caps(context);
    this.commands = new Commands(context);
    this.roster = new Roster(context, this.commands, (who) => this.conversations.changed(who));
    this.presence = new Presence(context, this.roster, caps);
    this.requests = new Requests(context, this.roster);
    this.blocking = new Blocking(context, this.roster);
    this.devices = new Devices(context);
    this.push = new Push(context);
    this.rooms = new Rooms(context, this.presence, () => this.bookmarks, {
      happened: (room, happening) => this.happened(room, happening),
    });
    this.bookmarks = new Bookmarks(context, (who, bookmark) => {
      if (this.begun) this.rooms.marked(who, bookmark);
      this.conversations.changed(who);
    });
    this.panels = new Panels(context, this.commands, this.rooms, this.bookmarks);
    this.pictures = new Pictures(context, (who) => this.rooms.isGroup(who));
    this.people = new People(context, this.commands, this.roster, this.rooms, this.panels, this.pictures);
    this.conversations = options.conversations({
      context,
      names: this,
      seesUs: (who) => ['from', 'both'].includes(this.roster.get(who)?.subscription ?? 'none'),
      bookmarks: this.bookmarks,
      groups: {
        nick: (group) => this.rooms.get(group)?.nick || undefined,
        inside: (group) => this.rooms.get(group)?.inside ?? false,
        lost: (group) => this.rooms.lost(group),
        occupantId: (group) => this.rooms.get(group)?.me?.id,
        realAddress: (group, nick) => this.rooms.get(group)?.occupants.get(nick)?.address,
        avatarOf: (group, nick) => this.rooms.get(group)?.occupants.get(nick)?.avatar,
        bookmarked: () => this.bookmarks.autojoin(),
        membersOnly: (group) => this.rooms.get(group)?.membersOnly,
      },
    });
    stream.on('stanza', (stanza) => this.receive(stanza));
    stream.on('fresh', () => void this.begin());
    stream.on('resumed', () => {
      this.rooms.resumed();
      this.conversations.resumed();
    });
  }

  private begun = false;

  /** What was kept here: shown before there is a connection. */
  async restore(address: Address): Promise<void> {
    this.setAddress(address);
    Object.assign(this.me, await this.options.vault.get<Partial<Me>>(ME), { place: this.options.place });
    await Promise.all([this.roster.restore(), this.conversations.restore()]);
  }

  /**
   * A new session: everything is asked for at once, so that the list is there after one round trip. Presence is said when the
   * requests are on their way; what comes of it comes after their answers.
   */
  async begin(): Promise<void> {
    this.begun = false;
    this.setAddress(jid.bare(this.stream.me));
    this.requests.begin();
    const roster = this.roster.fetch();
    void this.roster
      .readVisibility(roster)
      .then(() => this.presence.reveal())
      .catch(() => {});
    const asked = [
      roster.then(() => this.blocking.fetch()),
      this.fetchMe(),
      this.bookmarks.fetch(),
      this.carbons(),
      this.presence.begin(),
    ];
    const conversations = this.conversations.begin();
    await Promise.allSettled(asked);
    this.begun = true;
    void this.rooms.begin();
    await conversations.catch(() => {});
    this.ready?.();
  }

  private ready: (() => void) | undefined;
  /** Resolves when the first session has begun. */
  readonly live = new Promise<void>((resolve) => (this.ready = resolve));

  private setAddress(address: Address): void {
    this.me.address = address;
    this.me.number = jid.number(address) ?? this.me.number;
    if (jid.number(address) === undefined) this.me.name = jid.local(address);
  }

  /** Number, name, nick, and whether one may administrate; where a server has no word for it, what the nodes say. */
  private async fetchMe(): Promise<void> {
    try {
      const { form } = await this.commands.run(COMMAND.me);
      if (!form) return;
      const name = value(form, 'name');
      Object.assign(this.me, {
        number: value(form, 'number') ?? this.me.number,
        nick: value(form, 'nick') || this.me.nick,
        admin: isTrue(value(form, 'admin')),
        ...(name && { name }),
      });
    } catch {
      const [item] = await this.context.pep.items(NS.nick).catch(() => []);
      this.me.nick = item?.payload.text() ?? this.me.nick;
    }
    this.tellMe();
  }

  private async carbons(): Promise<void> {
    if (this.stream.features.carbons) return;
    await this.stream.iq(el('iq', { type: 'set' }, el('enable', { xmlns: NS.carbons })));
  }

  async setVisibility(address: Address, visibility: Contact['visibility']): Promise<void> {
    await this.roster.setVisibility(address, visibility);
    await this.presence.revealTo(address, visibility === 'visible');
  }

  tellMe(): void {
    this.context.emit({ type: 'me', me: { ...this.me } });
    if (this.options.place === 'own') void this.options.vault.set(ME, { ...this.me }).catch(() => {});
  }

  async setPresence(show: Show, status: string): Promise<void> {
    const before = { show: this.me.show, status: this.me.status };
    Object.assign(this.me, { show, status });
    try {
      await this.presence.announce();
    } catch (error) {
      Object.assign(this.me, before);
      throw error;
    }
    await this.rooms.announce();
    this.tellMe();
  }

  snapshot(): Snapshot {
    return {
      signedIn: true,
      connection: this.connection,
      me: { ...this.me },
      contacts: this.roster.all().map((contact) => ({ ...contact })),
      conversations: this.conversations.list(),
      requests: this.requests.contacts,
      invitations: this.requests.invitations,
    };
  }

  /** Says yes or no to an invitation into a group. */
  async answerInvitation(group: Address, accept: boolean): Promise<void> {
    const invitation = this.requests.take(group);
    if (!accept) {
      const decline = el('decline', { to: invitation?.from });
      this.stream.send(el('message', { to: group }, el('x', { xmlns: NS.mucUser }, decline)));
      return;
    }
    await this.join(group, invitation?.password === undefined ? {} : { password: invitation.password });
  }

  /** Enters a group for good, and learns what it is. */
  async join(address: Address, how: { nick?: string; password?: string }): Promise<void> {
    await this.rooms.join(address, how);
    const facts = await this.panels.readFacts(address).catch(() => undefined);
    if (facts?.name) await this.bookmarks.put(address, { name: facts.name });
    this.conversations.changed(address);
  }

  // --- names

  kind(address: Address): 'person' | 'group' {
    return this.rooms.isGroup(address) ? 'group' : 'person';
  }

  title(address: Address): string {
    const contact = this.roster.get(address);
    const group = this.rooms.get(address)?.name || this.bookmarks.get(address)?.name;
    return contact?.remark || contact?.nick || group || (jid.number(address) ?? jid.local(address)) || address;
  }

  avatar(address: Address): string | undefined {
    return this.roster.get(address)?.avatar ?? this.rooms.get(address)?.avatar;
  }

  // --- what comes in

  /** Each part takes what is its own; what nobody takes has been said. */
  private receive(stanza: El): void {
    if (stanza.name === 'presence') return this.receivePresence(stanza);
    if (stanza.name !== 'message') return;
    if (this.context.pep.receive(stanza)) return;
    if (this.panels.receive(stanza)) return;
    // An invitation is also something that was said: the conversation shows it.
    const invitation = readInvitation(stanza);
    if (invitation && !this.rooms.get(invitation.group)?.inside) this.requests.invited(invitation);
    this.conversations.receive(stanza);
  }

  private receivePresence(presence: El): void {
    if (this.rooms.receive(presence)) return;
    this.requests.receive(presence);
    this.presence.receive(presence);
  }

  private happened(room: Room, { changed, removed, inside, expelled, picture }: Happening): void {
    if (picture !== undefined) room.avatar = picture || undefined;
    if (changed.length > 0 || removed.length > 0 || inside !== undefined) this.panels.happened(room, changed, removed);
    if (inside !== undefined) this.conversations.joined(room.address, inside);
    if (inside) {
      // Who is in it needs no invitation any more.
      this.requests.take(room.address);
      this.learn(room);
    }
    if (expelled) void this.bookmarks.put(room.address, { autojoin: false }).catch(() => {});
    if (picture !== undefined) this.conversations.changed(room.address);
  }

  private learn(room: Room): void {
    void this.panels.readFacts(room.address).then(
      () => this.conversations.changed(room.address),
      () => {},
    );
  }

  async stop(wipe: boolean): Promise<void> {
    this.stream.stop();
    this.roster.stop();
    this.rooms.stop();
    await this.conversations.stop(wipe);
  }
}
