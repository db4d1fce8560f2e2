/** The sample world in memory: what there is, how it changes, and who is told. The parts of the engine act on it. */
import { ApiError, type Snapshot } from '../../src/api/api';
import type { Event, Listener } from '../../src/api/events';
import type * as m from '../../src/api/model';
import { random } from '../../src/art/seed';
import { contacts, invitations, myself, past, requests, rooms, type Options, type Room } from './sample';
import { ANSWERS } from './words';

export interface FakeOptions extends Partial<Options> {
  /** Others write, type and come online by themselves. */
  lively?: boolean;
  /** Milliseconds that every answer takes. */
  delay?: number;
  signedIn?: boolean;
  place?: m.Place;
}

export class World {
  readonly options: Options;
  readonly lively: boolean;
  signedIn: boolean;
  me: m.Me;
  readonly contacts: Map<m.Address, m.Contact>;
  readonly rooms: Map<m.Address, Room>;
  readonly chats = new Map<m.Address, m.Conversation>();
  requests: m.ContactRequest[];
  invitations: m.GroupInvitation[];
  private readonly delay: number;
  private readonly listeners: Listener[] = [];
  private readonly past = new Map<m.Address, m.Message[]>();
  private readonly random: () => number;
  private made = 0;

  constructor(more: FakeOptions = {}) {
    const o = { seed: 5, now: Date.now(), contacts: 30, occupants: 300, messages: 2400, ...more };
    this.options = o;
    this.lively = more.lively ?? false;
    this.delay = more.delay ?? 0;
    this.signedIn = more.signedIn ?? false;
    this.me = myself(more.place ?? 'public');
    this.random = random(o.seed + 99);
    const people = contacts(o);
    this.contacts = new Map(people.map((one) => [one.address, one]));
    // An account that was just made: nobody knows it yet.
    const empty = people.length === 0;
    this.rooms = new Map(empty ? [] : rooms(o, people, this.me).map((room) => [room.group.address, room]));
    this.requests = empty ? [] : requests(o.now);
    this.invitations = empty ? [] : invitations(o.now, people[4]!.address);
    this.list(people);
    if (this.lively && typeof window !== 'undefined') setInterval(() => this.live(), 4000);
  }

  attach(listener: Listener): Snapshot {
    this.listeners.push(listener);
    return this.snapshot();
  }

  /** A number that was not given before. */
  count(): number {
    return ++this.made;
  }

  list(people: m.Contact[]): void {
    const some: [string, 'person' | 'group', string][] = [
      ...people.slice(0, 18).map((one): [string, 'person', string] => [one.address, 'person', one.remark || one.nick]),
      ...[...this.rooms.values()].map(({ group }): [string, 'group', string] => [group.address, 'group', group.name]),
    ];
    some.forEach(([address, kind, title], i) => {
      const messages = this.messages(address);
      const newest = messages.at(-1);
      const unread = [0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 3, 148, 0, 0][i] ?? 0;
      this.chats.set(address, {
        address,
        kind,
        title,
        last: newest && last(newest),
        at: newest?.at ?? this.options.now,
        unread: newest?.mine ? 0 : unread,
        mentions: kind === 'person' ? (newest?.mine ? 0 : unread) : i === 18 && !newest?.mine ? 1 : 0,
        notify: kind === 'group' && i === 21 ? 'on-mention' : i === 22 ? 'never' : 'always',
        pinned: i === 0 || i === 18,
        draft: i === 5 ? 'I was thinking that we could' : '',
        typing: i === 2 ? [title] : [],
        joined: kind === 'group' ? true : undefined,
      });
    });
  }

  messages(address: string): m.Message[] {
    let list = this.past.get(address);
    if (!list) {
      const room = this.rooms.get(address);
      const contact = this.contacts.get(address);
      const first = this.contacts.keys().next().value === address;
      const count = room?.messages ?? (first ? this.options.messages : 60 + ((this.past.size * 37) % 300));
      list =
        room || contact ? past(this.options, address, count, room ? room.members.slice(0, 40) : contact!, this.me) : [];
      this.past.set(address, list);
    }
    return list;
  }

  tell(...events: Event[]): void {
    for (const listener of this.listeners) listener(structuredClone(events));
  }

  async wait(): Promise<void> {
    if (this.delay > 0) await new Promise((done) => setTimeout(done, this.delay));
  }

  later(ms: number, what: () => void): void {
    setTimeout(what, this.delay === 0 ? Math.min(ms, 30) : ms);
  }

  snapshot(): Snapshot {
    return structuredClone({
      signedIn: this.signedIn,
      connection: this.signedIn ? { state: 'online', resumed: false } : { state: 'offline' },
      me: this.signedIn ? this.me : undefined,
      contacts: this.signedIn ? [...this.contacts.values()] : [],
      conversations: this.signedIn ? [...this.chats.values()] : [],
      requests: this.signedIn ? this.requests : [],
      invitations: this.signedIn ? this.invitations : [],
    } satisfies Snapshot);
  }

  chat(address: string): m.Conversation {
    let chat = this.chats.get(address);
    if (!chat) {
      const contact = this.contacts.get(address);
      const room = this.rooms.get(address);
      chat = {
        address,
        kind: room || address.includes('@groups.') ? 'group' : 'person',
        title: room?.group.name ?? (contact ? contact.remark || contact.nick : address.split('@')[0]!),
        at: this.options.now,
        unread: 0,
        mentions: 0,
        notify: 'always',
        pinned: false,
        draft: '',
        typing: [],
        joined: room ? true : undefined,
      };
      this.chats.set(address, chat);
    }
    return chat;
  }

  changeChat(address: string, change: Partial<m.Conversation>): void {
    const chat = { ...this.chat(address), ...change };
    this.chats.set(address, chat);
    this.tell({ type: 'conversations', changed: [chat], removed: [] });
  }

  changeMessage(address: string, key: string, change: Partial<m.Message>): m.Message {
    const list = this.messages(address);
    const at = list.findIndex((one) => one.key === key);
    if (at < 0) throw new ApiError('item-not-found');
    const message = { ...list[at]!, ...change };
    list[at] = message;
    this.tell({ type: 'messages', conversation: address, changed: [message], removed: [] });
    if (at === list.length - 1) this.changeChat(address, { last: last(message) });
    return message;
  }

  append(address: string, message: m.Message): void {
    this.messages(address).push(message);
    const chat = this.chat(address);
    const unread = message.mine ? 0 : chat.unread + 1;
    const events: Event[] = [{ type: 'messages', conversation: address, changed: [message], removed: [] }];
    this.tell(...events);
    this.changeChat(address, {
      last: last(message),
      at: message.at,
      unread,
      mentions: chat.kind === 'person' ? unread : chat.mentions,
      typing: [],
    });
    if (!message.mine) this.tell({ type: 'alert', conversation: address, message });
  }

  make(address: string, more: Partial<m.Message>): m.Message {
    const count = this.count();
    return {
      key: `new${count}`,
      conversation: address,
      stanzaId: `n${count}`,
      at: Math.max(Date.now(), this.options.now),
      order: Math.max(Date.now(), this.options.now),
      mine: false,
      from: address,
      sender: '',
      kind: 'text',
      body: '',
      files: [],
      mentions: [],
      edited: false,
      reactions: [],
      urgency: 'normal',
      state: 'read',
      ...more,
    };
  }

  /** Somebody says something: for tests, and for the lively world. */
  say(address: string, body: string): void {
    const room = this.rooms.get(address);
    const member = room?.members[1 + Math.floor(this.random() * 6)];
    this.append(address, this.make(address, { body, from: member?.address ?? address, sender: member?.nick ?? '' }));
  }

  /** This many contacts, and occupants of the largest group, are there or away from now on. */
  churn(count: number): void {
    const some = <T>(all: T[]): T[] =>
      Array.from({ length: count }, () => all[Math.floor(this.random() * all.length)]!);
    const turned = (show: m.Show): m.Show => (show === 'offline' ? 'online' : show === 'online' ? 'away' : 'offline');
    const changed = some([...this.contacts.values()]).map((one) => ({ ...one, show: turned(one.show) }));
    for (const one of changed) this.contacts.set(one.address, one);
    const crowd = [...this.rooms.values()].sort((a, b) => b.members.length - a.members.length)[0];
    const events: Event[] = [{ type: 'contacts', changed, removed: [] }];
    if (crowd) {
      const members = some(crowd.members).map((one) => ({ ...one, show: turned(one.show) }));
      events.push({ type: 'members', conversation: crowd.group.address, changed: members, removed: [] });
    }
    this.tell(...events);
  }

  /** The connection goes, or comes back. */
  connect(connection: m.Connection): void {
    this.tell({ type: 'connection', connection });
  }

  live(): void {
    const people = [...this.contacts.values()];
    const one = people[Math.floor(this.random() * people.length)]!;
    if (this.random() < 0.5 && one.subscription === 'both') {
      const show: m.Show = one.show === 'offline' ? 'online' : this.random() < 0.5 ? 'offline' : 'away';
      const changed = { ...one, show };
      this.contacts.set(one.address, changed);
      this.tell({ type: 'contacts', changed: [changed], removed: [] });
      if (one.show === 'offline') this.tell({ type: 'arrival', address: one.address });
    } else {
      const chats = [...this.chats.keys()].slice(0, 12);
      this.answer(chats[Math.floor(this.random() * chats.length)]!);
    }
  }

  answer(address: string): void {
    const name = this.chat(address).title;
    this.later(900, () => this.changeChat(address, { typing: [name] }));
    this.later(3200, () => this.say(address, ANSWERS[Math.floor(this.random() * ANSWERS.length)]!));
  }

  changeContact(address: m.Address, change: Partial<m.Contact>): void {
    const contact = this.contacts.get(address);
    if (!contact) return;
    const changed = { ...contact, ...change };
    this.contacts.set(address, changed);
    this.tell({ type: 'contacts', changed: [changed], removed: [] });
  }

  room(address: m.Address): Room {
    const room = this.rooms.get(address);
    if (!room) throw new ApiError('item-not-found');
    return room;
  }

  changeGroup(address: m.Address, change: Partial<m.Group>): void {
    const room = this.room(address);
    room.group = { ...room.group, ...change };
    this.tell({ type: 'group', group: room.group });
    if (change.name !== undefined) this.changeChat(address, { title: change.name });
  }

  tellRequests(): void {
    this.tell({ type: 'requests', requests: this.requests, invitations: this.invitations });
  }

  closeChat(address: m.Address): void {
    this.chats.delete(address);
    this.tell({ type: 'conversations', changed: [], removed: [address] });
  }
}

function last(message: m.Message): m.Conversation['last'] {
  return {
    key: message.key,
    mine: message.mine,
    sender: message.sender || undefined,
    text: message.body,
    kind: message.kind,
    state: message.state,
  };
}
