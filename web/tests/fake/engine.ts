/**
 * An engine without a network: it has the sample world in memory and answers as the real one would. Only for development, for
 * tests and for pictures. Everything follows from `seed` and `now`, except what people answer when it is `lively`.
 */
import { ApiError, type Api, type Snapshot } from '../../src/api/api';
import type { Event, Listener } from '../../src/api/events';
import type * as m from '../../src/api/model';
import { random } from '../../src/art/seed';
import { Administration, COMMANDS } from './administration';
import { groupSettings, privacy } from './forms';
import { picture, sound } from './pictures';
import { ANSWERS } from './words';
import { DOMAIN, MINUTE, contacts, myself, past, rooms, type Options, type Room } from './world';

export interface FakeOptions extends Partial<Options> {
  /** Others write, type and come online by themselves. */
  lively?: boolean;
  /** Milliseconds that every answer takes. */
  delay?: number;
  signedIn?: boolean;
  place?: m.Place;
}

export class FakeEngine implements Api {
  readonly options: Options;
  #listeners: Listener[] = [];
  #me: m.Me;
  #in: boolean;
  #contacts: Map<string, m.Contact>;
  #rooms: Map<string, Room>;
  #chats = new Map<string, m.Conversation>();
  #past = new Map<string, m.Message[]>();
  #requests: m.ContactRequest[];
  #invitations: m.GroupInvitation[];
  #random: () => number;
  #count = 0;
  #lively: boolean;
  #delay: number;
  #forms = { privacy: privacy() };
  #devices: m.Device[];
  #administration: Administration;

  constructor(more: FakeOptions = {}) {
    const o = { seed: 5, now: Date.now(), contacts: 30, occupants: 300, messages: 2400, ...more };
    this.options = o;
    this.#administration = new Administration(o.now);
    this.#lively = more.lively ?? false;
    this.#delay = more.delay ?? 0;
    this.#in = more.signedIn ?? false;
    this.#me = myself(more.place ?? 'public');
    this.#random = random(o.seed + 99);
    const people = contacts(o);
    this.#contacts = new Map(people.map((one) => [one.address, one]));
    // An account that was just made: nobody knows it yet.
    const empty = people.length === 0;
    this.#rooms = new Map(empty ? [] : rooms(o, people, this.#me).map((room) => [room.group.address, room]));
    this.#requests = empty
      ? []
      : [
          {
            address: `10850@${DOMAIN}`,
            nick: 'Henrik',
            text: 'We met at the chess evening, the one with the bad openings.',
            at: o.now - 40 * MINUTE,
          },
        ];
    this.#invitations = empty
      ? []
      : [
          {
            group: `700555@groups.${DOMAIN}`,
            from: people[4]!.address,
            reason: 'For the summer trip',
            at: o.now - 90 * MINUTE,
          },
        ];
    this.#devices = [
      {
        id: 'd1',
        name: 'This browser',
        software: 'Rookery web 0.1',
        firstSeen: o.now - 3 * MINUTE,
        lastSeen: o.now,
        connected: true,
        current: true,
        public: true,
        address: 'local',
      },
      {
        id: 'd2',
        name: 'Mia’s telephone',
        software: 'Conversations 2.17',
        firstSeen: o.now - 200 * 1440 * MINUTE,
        lastSeen: o.now - 2 * MINUTE,
        connected: true,
        current: false,
        public: false,
        address: 'ipv6',
      },
      {
        id: 'd3',
        name: 'Library, second floor',
        software: 'Rookery web 0.1',
        firstSeen: o.now - 2 * 1440 * MINUTE,
        lastSeen: o.now - 2 * 1440 * MINUTE,
        connected: false,
        current: false,
        public: true,
        address: 'ipv4',
      },
    ];
    this.#list(people);
    if (this.#lively && typeof window !== 'undefined') setInterval(() => this.#live(), 4000);
  }

  // --- the world

  #list(people: m.Contact[]): void {
    const next = random(this.options.seed + 3);
    const some: [string, 'person' | 'group', string][] = [
      ...people.slice(0, 18).map((one): [string, 'person', string] => [one.address, 'person', one.remark || one.nick]),
      ...[...this.#rooms.values()].map(({ group }): [string, 'group', string] => [group.address, 'group', group.name]),
    ];
    some.forEach(([address, kind, title], i) => {
      const messages = this.#messages(address);
      const newest = messages.at(-1);
      const unread = [0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 3, 148, 0, 0][i] ?? 0;
      this.#chats.set(address, {
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
      void next;
    });
  }

  #messages(address: string): m.Message[] {
    let list = this.#past.get(address);
    if (!list) {
      const room = this.#rooms.get(address);
      const contact = this.#contacts.get(address);
      const first = this.#contacts.keys().next().value === address;
      const count = room?.messages ?? (first ? this.options.messages : 60 + ((this.#past.size * 37) % 300));
      list =
        room || contact
          ? past(this.options, address, count, room ? room.members.slice(0, 40) : contact!, this.#me)
          : [];
      this.#past.set(address, list);
    }
    return list;
  }

  #tell(...events: Event[]): void {
    for (const listener of this.#listeners) listener(structuredClone(events));
  }

  async #wait(): Promise<void> {
    if (this.#delay > 0) await new Promise((done) => setTimeout(done, this.#delay));
  }

  #later(ms: number, what: () => void): void {
    setTimeout(what, this.#delay === 0 ? Math.min(ms, 30) : ms);
  }

  #snapshot(): Snapshot {
    return structuredClone({
      signedIn: this.#in,
      connection: this.#in ? { state: 'online', resumed: false } : { state: 'offline' },
      me: this.#in ? this.#me : undefined,
      contacts: this.#in ? [...this.#contacts.values()] : [],
      conversations: this.#in ? [...this.#chats.values()] : [],
      requests: this.#in ? this.#requests : [],
      invitations: this.#in ? this.#invitations : [],
    } satisfies Snapshot);
  }

  #chat(address: string): m.Conversation {
    let chat = this.#chats.get(address);
    if (!chat) {
      const contact = this.#contacts.get(address);
      const room = this.#rooms.get(address);
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
      this.#chats.set(address, chat);
    }
    return chat;
  }

  #changeChat(address: string, change: Partial<m.Conversation>): void {
    const chat = { ...this.#chat(address), ...change };
    this.#chats.set(address, chat);
    this.#tell({ type: 'conversations', changed: [chat], removed: [] });
  }

  #changeMessage(address: string, key: string, change: Partial<m.Message>): m.Message {
    const list = this.#messages(address);
    const at = list.findIndex((one) => one.key === key);
    if (at < 0) throw new ApiError('item-not-found');
    const message = { ...list[at]!, ...change };
    list[at] = message;
    this.#tell({ type: 'messages', conversation: address, changed: [message], removed: [] });
    if (at === list.length - 1) this.#changeChat(address, { last: last(message) });
    return message;
  }

  #append(address: string, message: m.Message): void {
    this.#messages(address).push(message);
    const chat = this.#chat(address);
    const unread = message.mine ? 0 : chat.unread + 1;
    const events: Event[] = [{ type: 'messages', conversation: address, changed: [message], removed: [] }];
    this.#tell(...events);
    this.#changeChat(address, {
      last: last(message),
      at: message.at,
      unread,
      mentions: chat.kind === 'person' ? unread : chat.mentions,
      typing: [],
    });
    if (!message.mine) this.#tell({ type: 'alert', conversation: address, message });
  }

  #make(address: string, more: Partial<m.Message>): m.Message {
    const count = ++this.#count;
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
    const room = this.#rooms.get(address);
    const member = room?.members[1 + Math.floor(this.#random() * 6)];
    this.#append(address, this.#make(address, { body, from: member?.address ?? address, sender: member?.nick ?? '' }));
  }

  /** This many contacts, and occupants of the largest group, are there or away from now on. */
  churn(count: number): void {
    const some = <T>(all: T[]): T[] =>
      Array.from({ length: count }, () => all[Math.floor(this.#random() * all.length)]!);
    const turned = (show: m.Show): m.Show => (show === 'offline' ? 'online' : show === 'online' ? 'away' : 'offline');
    const changed = some([...this.#contacts.values()]).map((one) => ({ ...one, show: turned(one.show) }));
    for (const one of changed) this.#contacts.set(one.address, one);
    const crowd = [...this.#rooms.values()].sort((a, b) => b.members.length - a.members.length)[0];
    const events: Event[] = [{ type: 'contacts', changed, removed: [] }];
    if (crowd) {
      const members = some(crowd.members).map((one) => ({ ...one, show: turned(one.show) }));
      events.push({ type: 'members', conversation: crowd.group.address, changed: members, removed: [] });
    }
    this.#tell(...events);
  }

  /** The connection goes, or comes back. */
  connect(connection: m.Connection): void {
    this.#tell({ type: 'connection', connection });
  }

  #live(): void {
    const people = [...this.#contacts.values()];
    const one = people[Math.floor(this.#random() * people.length)]!;
    if (this.#random() < 0.5 && one.subscription === 'both') {
      const show: m.Show = one.show === 'offline' ? 'online' : this.#random() < 0.5 ? 'offline' : 'away';
      const changed = { ...one, show };
      this.#contacts.set(one.address, changed);
      this.#tell({ type: 'contacts', changed: [changed], removed: [] });
      if (one.show === 'offline') this.#tell({ type: 'arrival', address: one.address });
    } else {
      const chats = [...this.#chats.keys()].slice(0, 12);
      this.#answer(chats[Math.floor(this.#random() * chats.length)]!);
    }
  }

  #answer(address: string): void {
    const name = this.#chat(address).title;
    this.#later(900, () => this.#changeChat(address, { typing: [name] }));
    this.#later(3200, () => this.say(address, ANSWERS[Math.floor(this.#random() * ANSWERS.length)]!));
  }

  // --- coming and going

  async attach(listener: Listener): Promise<Snapshot> {
    this.#listeners.push(listener);
    return this.#snapshot();
  }

  focus(): void {}

  async signIn(who: m.Entrant): Promise<void> {
    await this.#wait();
    if (who.password === 'wrong') throw new ApiError('not-authorized');
    this.#me = { ...this.#me, place: who.place };
    this.#in = true;
    this.#tell({ type: 'signed-in', snapshot: this.#snapshot() });
  }

  async signInRemembered(): Promise<void> {
    await this.signIn({ user: '', password: '', place: 'own' });
  }

  async signUp(who: { nick: string; password: string; name?: string; place: m.Place }): Promise<m.Me> {
    await this.#wait();
    if (who.name === 'ada') throw new ApiError('conflict');
    this.#me = { ...this.#me, nick: who.nick, name: who.name };
    await this.signIn({ user: '', password: '', place: who.place });
    return this.#me;
  }

  async signOut(): Promise<void> {
    this.#in = false;
    this.#tell({ type: 'signed-out', reason: 'asked' });
  }

  async unlock(password: string): Promise<void> {
    await this.#wait();
    if (password === 'wrong') throw new ApiError('not-authorized');
  }

  async changePassword(old: string): Promise<void> {
    await this.#wait();
    if (old === 'wrong') throw new ApiError('not-authorized');
  }

  async deleteAccount(): Promise<void> {
    this.#in = false;
    this.#tell({ type: 'signed-out', reason: 'deleted' });
  }

  reconnect(): void {
    this.connect({ state: 'connecting' });
    this.#later(700, () => this.connect({ state: 'online', resumed: true }));
  }

  // --- oneself

  async setPresence(show: m.Show, status: string): Promise<void> {
    this.#me = { ...this.#me, show, status };
    this.#tell({ type: 'me', me: this.#me });
  }

  async profile(address: m.Address): Promise<m.Card> {
    await this.#wait();
    const contact = this.#contacts.get(address);
    const room = this.#rooms.get(address)?.group;
    if (room)
      return {
        ...empty(address),
        kind: 'group',
        nick: room.name,
        number: room.number,
        about: room.about,
        members: room.occupants,
      };
    const mine = address === this.#me.address;
    return {
      ...empty(address),
      nick: mine ? this.#me.nick : (contact?.nick ?? ''),
      name: mine ? this.#me.name : undefined,
      avatar: mine ? this.#me.avatar : contact?.avatar,
      about: 'Tea, tides and very long walks.',
      location: 'At the sound',
      interests: ['Chess', 'Weather'],
      website: 'https://example.org',
      birthday: '1990-04-01',
    };
  }

  async setProfile(card: Partial<m.Card>): Promise<void> {
    await this.#wait();
    if (card.nick !== undefined) this.#me = { ...this.#me, nick: card.nick };
    this.#tell({ type: 'me', me: this.#me });
  }

  async setAvatar(shown: { blob: Blob } | null): Promise<void> {
    this.#pictures.clear();
    if (shown) this.#pictures.set('mine', shown.blob);
    this.#me = { ...this.#me, avatar: shown ? 'mine' : undefined };
    this.#tell({ type: 'me', me: this.#me });
  }

  #pictures = new Map<string, Blob>();

  async avatar(_address: m.Address, hash: string): Promise<Blob | null> {
    return this.#pictures.get(hash) ?? null;
  }

  async exportLink(): Promise<string> {
    await this.#wait();
    return 'about:blank#export';
  }

  async privacy(): Promise<m.Form> {
    await this.#wait();
    return structuredClone(this.#forms.privacy);
  }

  async setPrivacy(form: m.Form): Promise<void> {
    this.#forms.privacy = form;
  }

  #reach: m.ReachSettings = {
    active: false,
    zone: 'UTC',
    urgent: 'named',
    tells: 'text',
    ways: ['mail', 'sms'],
    addresses: [{ way: 'sms', address: '+4917112345', verified: true }],
    rules: [{ way: 'sms', address: '+4917112345', after: 60, least: 'urgent', unread: true }],
    allowed: [],
  };

  async reach(): Promise<m.ReachSettings> {
    await this.#wait();
    return structuredClone(this.#reach);
  }

  async setReach(settings: m.ReachSettings): Promise<void> {
    this.#reach = settings;
  }

  async reachAddress(what: string, way: string, address: string, code?: string): Promise<void> {
    const { addresses } = this.#reach;
    const rest = addresses.filter((one) => one.way !== way || one.address !== address);
    if (what === 'prove' && code === '000000') throw new ApiError('not-acceptable');
    if (what === 'test') return;
    this.#reach.addresses = what === 'remove' ? rest : [...rest, { way, address, verified: what === 'prove' }];
  }

  async devices(): Promise<m.Device[]> {
    await this.#wait();
    return structuredClone(this.#devices);
  }

  async signOutDevice(id: string): Promise<void> {
    this.#devices = this.#devices.filter((device) => device.current || (id !== 'all' && device.id !== id));
  }

  async newcomer(which: { id: string } | { code: string }): Promise<m.Newcomer> {
    await this.#wait();
    if ('code' in which && which.code.startsWith('0')) throw new ApiError('item-not-found');
    const device = 'Firefox · Windows';
    return { id: 'n1', code: '482915307', device, software: 'Rookery', address: '192.0.2.7', public: true };
  }

  async answerNewcomer(): Promise<void> {
    await this.#wait();
  }

  // --- people

  #changeContact(address: m.Address, change: Partial<m.Contact>): void {
    const contact = this.#contacts.get(address);
    if (!contact) return;
    const changed = { ...contact, ...change };
    this.#contacts.set(address, changed);
    this.#tell({ type: 'contacts', changed: [changed], removed: [] });
  }

  async addContact(address: m.Address, more: { remark: string; categories: string[] }): Promise<void> {
    await this.#wait();
    const card = await this.lookUp(address);
    this.#contacts.set(address, {
      address,
      number: card.number,
      remark: more.remark,
      nick: card.nick,
      categories: more.categories,
      subscription: 'none',
      asked: true,
      show: 'offline',
      status: '',
      visibility: 'usual',
      blocked: false,
    });
    this.#changeContact(address, {});
  }

  async answerRequest(address: m.Address, accept: boolean): Promise<void> {
    const request = this.#requests.find((one) => one.address === address);
    this.#requests = this.#requests.filter((one) => one.address !== address);
    this.#tell({ type: 'requests', requests: this.#requests, invitations: this.#invitations });
    if (!accept || !request) return;
    this.#contacts.set(address, {
      address,
      number: address.split('@')[0],
      remark: '',
      nick: request.nick,
      categories: [],
      subscription: 'both',
      asked: false,
      show: 'online',
      status: '',
      visibility: 'usual',
      blocked: false,
    });
    this.#changeContact(address, {});
  }

  async removeContact(address: m.Address): Promise<void> {
    this.#contacts.delete(address);
    this.#tell({ type: 'contacts', changed: [], removed: [address] });
  }

  async setContact(address: m.Address, change: { remark?: string; categories?: string[] }): Promise<void> {
    this.#changeContact(address, change);
    if (change.remark !== undefined && this.#chats.has(address)) {
      const contact = this.#contacts.get(address)!;
      this.#changeChat(address, { title: contact.remark || contact.nick });
    }
  }

  async setVisibility(address: m.Address, visibility: m.Contact['visibility']): Promise<void> {
    this.#changeContact(address, { visibility });
  }

  async renameCategory(from: string, to: string): Promise<void> {
    const changed = [...this.#contacts.values()]
      .filter((one) => one.categories.includes(from))
      .map((one) => ({ ...one, categories: to ? one.categories.map((name) => (name === from ? to : name)) : [] }));
    for (const one of changed) this.#contacts.set(one.address, one);
    this.#tell({ type: 'contacts', changed, removed: [] });
  }

  async block(address: m.Address, on: boolean): Promise<void> {
    this.#changeContact(address, { blocked: on });
  }

  async report(): Promise<void> {
    await this.#wait();
  }

  async lookUp(input: string): Promise<m.Card> {
    await this.#wait();
    const local = input.trim().split('@')[0]!.toLowerCase();
    if (!/^[\w.-]+$/.test(local)) throw new ApiError('jid-malformed');
    if (local === '99999' || local === 'nobody') throw new ApiError('item-not-found');
    const group = /^7\d{5}$/.test(local);
    const address = `${local}@${group ? 'groups.' : ''}${DOMAIN}`;
    const contact = this.#contacts.get(address);
    const room = this.#rooms.get(address)?.group;
    return {
      ...empty(address),
      kind: group ? 'group' : 'person',
      nick: room?.name ?? contact?.nick ?? (group ? 'Summer trip' : `Somebody (${local})`),
      about: group ? 'Two weeks, three boats.' : 'Tea, tides and very long walks.',
      members: group ? (room?.occupants ?? 12) : undefined,
    };
  }

  async findPeople(words: string): Promise<m.Card[]> {
    await this.#wait();
    return [...this.#contacts.values()]
      .filter((one) => one.nick.toLowerCase().includes(words.toLowerCase()))
      .slice(0, 20)
      .map((one) => ({ ...empty(one.address), nick: one.nick, about: one.status, online: one.show === 'online' }));
  }

  async findGroups(words: string): Promise<m.Card[]> {
    await this.#wait();
    return [...this.#rooms.values()]
      .filter(({ group }) => group.name.toLowerCase().includes(words.toLowerCase()))
      .map(({ group }) => ({
        ...empty(group.address),
        kind: 'group',
        nick: group.name,
        about: group.subject,
        members: group.occupants,
      }));
  }

  async invitation(token: string): Promise<m.Invitation> {
    await this.#wait();
    if (token.startsWith('old')) throw new ApiError('item-not-found');
    const { address, nick } = [...this.#contacts.values()][2]!;
    const group = [...this.#rooms.values()][0]!.group;
    const into = token.startsWith('g') && { group: group.address, groupName: group.name };
    return { from: address, nick, contact: !into, groupName: '', ...into };
  }

  async takeUp(): Promise<void> {
    await this.#wait();
  }

  async inviteLink(group?: m.Address): Promise<{ url: string; expires?: number }> {
    await this.#wait();
    return {
      url: `https://${DOMAIN}/invite/${group ? 'g' : 'p'}7Kq2mVx9TzRw`,
      expires: this.options.now + 7 * 1440 * MINUTE,
    };
  }

  // --- conversations

  async open(address: m.Address): Promise<m.Conversation> {
    const chat = this.#chat(address);
    this.#tell({ type: 'conversations', changed: [chat], removed: [] });
    return structuredClone(chat);
  }

  async history(address: m.Address, where: m.Where, limit: number): Promise<m.Page> {
    await this.#wait();
    const all = this.#messages(address);
    const index = (key: string) => all.findIndex((one) => one.key === key);
    let from = all.length - limit;
    if ('before' in where) from = index(where.before) - limit;
    else if ('after' in where) from = index(where.after) + 1;
    else if ('around' in where) from = index(where.around) - Math.floor(limit / 2);
    else if ('at' in where) {
      const found = all.findIndex((one) => one.at >= where.at);
      from = (found < 0 ? all.length : found) - Math.floor(limit / 2);
    }
    const to = 'before' in where ? index(where.before) : Math.min(all.length, Math.max(0, from) + limit);
    const start = Math.max(0, Math.min(from, 'after' in where ? from : Math.max(0, all.length - limit)));
    const messages = await Promise.all(all.slice(start, Math.max(start, to)).map((one) => this.#drawn(one)));
    return {
      messages: structuredClone(messages),
      atStart: start === 0,
      atEnd: to >= all.length,
      cutBefore: false,
      cutAfter: false,
    };
  }

  /** Pictures are drawn when somebody looks. */
  async #drawn(message: m.Message): Promise<m.Message> {
    const file = message.files[0];
    if (typeof document === 'undefined' || !file) return message;
    if (file.url.startsWith('picture:')) {
      const [, seed, size] = file.url.split(':');
      const [width, height] = size!.split('x').map(Number) as [number, number];
      file.url = URL.createObjectURL(await picture(Number(seed) + 1, width, height));
    } else if (file.url === 'voice:') {
      file.url = URL.createObjectURL(sound(file.duration! / 1000));
    }
    return message;
  }

  async send(address: m.Address, what: m.Outgoing): Promise<m.Message> {
    const replied = what.replyTo ? this.#messages(address).find((one) => one.key === what.replyTo) : undefined;
    const message = this.#make(address, {
      mine: true,
      from: this.#me.address,
      body: what.body,
      kind: what.sticker
        ? 'sticker'
        : what.files?.some((file) => file.voice)
          ? 'voice'
          : what.files?.length
            ? 'files'
            : 'text',
      sticker: what.sticker,
      urgency: what.urgency ?? 'normal',
      mentions: (what.mentions ?? []).map((one) => ({ ...one, me: false })),
      files: (what.files ?? []).map((file) => ({
        url: URL.createObjectURL(file.blob),
        name: file.name,
        type: file.type,
        size: file.blob.size,
        width: file.width,
        height: file.height,
        duration: file.duration,
      })),
      replyTo: replied && {
        id: replied.stanzaId!,
        key: replied.key,
        sender: replied.mine ? this.#me.nick : replied.sender,
        text: replied.body,
      },
      state: 'sending',
    });
    this.#append(address, message);
    const size = what.files?.reduce((sum, file) => sum + file.blob.size, 0) ?? 0;
    for (let step = 1; step <= (size ? 5 : 0); step++)
      this.#later(step * 250, () =>
        this.#tell({ type: 'upload', key: message.key, sent: (size * step) / 5, total: size }),
      );
    const fails = what.body.includes('fail');
    const begin = size ? 1500 : 250;
    this.#later(begin, () =>
      this.#changeMessage(
        address,
        message.key,
        fails
          ? { state: 'failed', error: { code: 'resource-constraint', text: 'The server has no room for it just now.' } }
          : { state: 'stored' },
      ),
    );
    if (fails) return structuredClone(message);
    this.#later(begin + 500, () => this.#changeMessage(address, message.key, { state: 'delivered' }));
    this.#later(begin + 1300, () => this.#changeMessage(address, message.key, { state: 'read' }));
    if (this.#lively) this.#later(2000, () => this.#answer(address));
    return structuredClone(message);
  }

  async retry(address: m.Address, key: string): Promise<void> {
    this.#changeMessage(address, key, { state: 'sending', error: undefined });
    this.#later(500, () => this.#changeMessage(address, key, { state: 'stored' }));
  }

  async discard(address: m.Address, key: string): Promise<void> {
    const list = this.#messages(address);
    list.splice(
      list.findIndex((one) => one.key === key),
      1,
    );
    this.#tell({ type: 'messages', conversation: address, changed: [], removed: [key] });
  }

  async edit(address: m.Address, key: string, body: string, mentions: m.Outgoing['mentions'] = []): Promise<void> {
    this.#changeMessage(address, key, { body, mentions: mentions.map((one) => ({ ...one, me: false })), edited: true });
  }

  async retract(address: m.Address, key: string, reason = ''): Promise<void> {
    this.#changeMessage(address, key, {
      body: '',
      files: [],
      reactions: [],
      preview: undefined,
      retracted: { by: this.#me.nick, reason, moderated: false },
    });
  }

  async react(address: m.Address, key: string, emojis: string[]): Promise<void> {
    const message = this.#messages(address).find((one) => one.key === key);
    const reactions = (message?.reactions ?? [])
      .map((one) => {
        const others = one.names.filter((name) => name !== this.#me.nick);
        const mine = emojis.includes(one.emoji);
        return { emoji: one.emoji, mine, names: mine ? [...others, this.#me.nick] : others };
      })
      .filter((one) => one.names.length > 0);
    for (const emoji of emojis)
      if (!reactions.some((one) => one.emoji === emoji)) reactions.push({ emoji, mine: true, names: [this.#me.nick] });
    this.#changeMessage(address, key, { reactions });
  }

  async knock(address: m.Address): Promise<void> {
    this.#append(address, this.#make(address, { mine: true, from: this.#me.address, kind: 'knock', state: 'stored' }));
  }

  async markRead(address: m.Address): Promise<void> {
    if (this.#chat(address).unread > 0) this.#changeChat(address, { unread: 0, mentions: 0 });
  }

  typing(): void {}

  setDraft(address: m.Address, text: string): void {
    this.#changeChat(address, { draft: text });
  }

  async setPinned(address: m.Address, on: boolean): Promise<void> {
    this.#changeChat(address, { pinned: on });
  }

  async setNotify(address: m.Address, notify: m.Notify): Promise<void> {
    this.#changeChat(address, { notify });
  }

  async close(address: m.Address): Promise<void> {
    this.#chats.delete(address);
    this.#tell({ type: 'conversations', changed: [], removed: [address] });
  }

  async search(text: string, address?: m.Address): Promise<{ hits: m.Hit[]; more?: string }> {
    await this.#wait();
    const needle = text.toLowerCase();
    const hits: m.Hit[] = [];
    for (const where of address ? [address] : this.#chats.keys())
      for (const message of this.#messages(where).slice(-600))
        if (message.body.toLowerCase().includes(needle)) hits.push({ message, title: this.#chat(where).title });
    return { hits: structuredClone(hits.sort((a, b) => b.message.at - a.message.at).slice(0, 50)) };
  }

  async filesOf(address: m.Address): Promise<{ messages: m.Message[]; more?: string }> {
    await this.#wait();
    const some = this.#messages(address)
      .filter((one) => one.kind === 'files')
      .slice(-24)
      .reverse();
    return { messages: structuredClone(await Promise.all(some.map((one) => this.#drawn(one)))) };
  }

  async preview(): Promise<m.LinkPreview | null> {
    return null;
  }

  // --- groups

  #room(address: m.Address): Room {
    const room = this.#rooms.get(address);
    if (!room) throw new ApiError('item-not-found');
    return room;
  }

  #changeGroup(address: m.Address, change: Partial<m.Group>): void {
    const room = this.#room(address);
    room.group = { ...room.group, ...change };
    this.#tell({ type: 'group', group: room.group });
    if (change.name !== undefined) this.#changeChat(address, { title: change.name });
  }

  async createGroup(what: { name: string; about: string; private: boolean }): Promise<m.Address> {
    await this.#wait();
    const number = String(700_900 + this.#rooms.size);
    const address = `${number}@groups.${DOMAIN}`;
    const model = this.#rooms.values().next().value!;
    const mine = model.members.find((one) => one.me)!;
    this.#rooms.set(address, {
      group: {
        ...model.group,
        address,
        number,
        name: what.name,
        about: what.about,
        subject: '',
        notices: [],
        requests: [],
        occupants: 1,
        public: !what.private,
      },
      members: [{ ...mine, affiliation: 'owner', role: 'moderator' }],
      messages: 0,
    });
    await this.open(address);
    return address;
  }

  async join(address: m.Address): Promise<void> {
    await this.#wait();
    if (!this.#rooms.has(address)) throw new ApiError('registration-required');
    this.#changeChat(address, { joined: true });
  }

  async askToJoin(): Promise<void> {
    await this.#wait();
  }

  async answerInvitation(group: m.Address): Promise<void> {
    this.#invitations = this.#invitations.filter((one) => one.group !== group);
    this.#tell({ type: 'requests', requests: this.#requests, invitations: this.#invitations });
  }

  async leave(address: m.Address): Promise<void> {
    await this.close(address);
  }

  async group(address: m.Address): Promise<m.Group> {
    await this.#wait();
    const model = this.#rooms.values().next().value!.group;
    // A group that one can hear of and is not in.
    if (address === `700500@groups.${DOMAIN}`)
      return { ...model, address, number: '700500', name: 'Summer trip', membersOnly: true, occupants: 14, myNick: '' };
    return structuredClone(this.#room(address).group);
  }

  async members(address: m.Address): Promise<m.Member[]> {
    await this.#wait();
    return structuredClone(this.#room(address).members);
  }

  async invite(): Promise<void> {
    await this.#wait();
  }

  async setSubject(group: m.Address, subject: string): Promise<void> {
    this.#changeGroup(group, { subject });
  }

  async setNick(group: m.Address, nick: string): Promise<void> {
    this.#changeGroup(group, { myNick: nick });
  }

  async groupSettings(group: m.Address): Promise<m.Form> {
    await this.#wait();
    return groupSettings(this.#room(group).group.name);
  }

  async setGroupSettings(group: m.Address, form: m.Form): Promise<void> {
    await this.#wait();
    this.#changeGroup(group, { name: form.fields.find((one) => one.name === 'name')?.values[0] ?? '' });
  }

  async setGroupAvatar(): Promise<void> {}

  #changeMember(group: m.Address, id: (member: m.Member) => boolean, change: Partial<m.Member>): void {
    const room = this.#room(group);
    const at = room.members.findIndex(id);
    if (at < 0) return;
    room.members[at] = { ...room.members[at]!, ...change };
    this.#tell({ type: 'members', conversation: group, changed: [room.members[at]], removed: [] });
  }

  async setAffiliation(group: m.Address, who: m.Address, affiliation: m.Affiliation): Promise<void> {
    this.#changeMember(group, (one) => one.address === who, { affiliation });
  }

  async setRole(group: m.Address, nick: string, role: m.Role): Promise<void> {
    this.#changeMember(group, (one) => one.nick === nick, { role });
  }

  async answerMembership(group: m.Address, who: m.Address): Promise<void> {
    const { requests } = this.#room(group).group;
    this.#changeGroup(group, { requests: requests.filter((one) => one.address !== who) });
  }

  async addNotice(group: m.Address, text: string): Promise<void> {
    const { notices } = this.#room(group).group;
    const notice = { id: `n${++this.#count}x`, text, by: this.#me.nick, at: this.options.now };
    this.#changeGroup(group, { notices: [notice, ...notices] });
  }

  async removeNotice(group: m.Address, id: string): Promise<void> {
    const { notices } = this.#room(group).group;
    this.#changeGroup(group, { notices: notices.filter((one) => one.id !== id) });
  }

  async destroyGroup(group: m.Address): Promise<void> {
    await this.close(group);
  }

  // --- this browser

  async pushKey(): Promise<string | null> {
    return null;
  }

  async pushSubscribe(): Promise<void> {}
  async pushUnsubscribe(): Promise<void> {}

  // --- administration

  async commands(): Promise<{ node: string; name: string }[]> {
    await this.#wait();
    return COMMANDS;
  }

  async command(step: Parameters<Api['command']>[0]): ReturnType<Api['command']> {
    await this.#wait();
    return this.#administration.step(step);
  }
}

function empty(address: m.Address): m.Card {
  const local = address.split('@')[0]!;
  return {
    address,
    number: /^\d+$/.test(local) ? local : undefined,
    nick: '',
    about: '',
    interests: [],
    kind: 'person',
  };
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
