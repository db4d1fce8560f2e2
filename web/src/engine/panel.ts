/** What the panel of a group shows and does: settings, people, notices, requests (XEP-0045 §7 to §10; docs/rooms.md). */
import type { Address, Affiliation, Form, Group, Member, Role } from '../api/model';
import * as jid from '../xmpp/jid';
import { NS } from '../xmpp/ns';
import { StanzaError } from '../xmpp/session';
import { el, type El } from '../xmpp/xml';
import type { Bookmarks } from './bookmarks';
import { COMMAND, type Commands } from './commands';
import type { Context } from './context';
import { filled, formIn, submit, value } from './forms';
import { readAffiliation, type Room } from './room';
import type { Rooms } from './rooms';

type Notice = Group['notices'][number];
type Request = Group['requests'][number];

/** What disco tells of a group (§6.4). */
interface Facts {
  name: string;
  about: string;
  features: Set<string>;
  occupants: number;
  slow: number;
  avatar: string | undefined;
}

/** Requests that wait in one group, and notices that are shown. */
const MAX_REQUESTS = 100;
const MAX_NOTICES = 50;
/** What a request to become a member is (§7.10, §9.9). */
const REGISTER = 'http://jabber.org/protocol/muc#register';

export class Panels {
  private readonly facts = new Map<Address, Facts>();
  private readonly notices = new Map<Address, Notice[]>();
  private readonly requests = new Map<Address, Map<Address, Request>>();
  /** Groups whose panel somebody has opened: these hear of changes. */
  private readonly shown = new Set<Address>();
  private readonly listed = new Set<Address>();

  constructor(
    private readonly context: Context,
    private readonly commands: Commands,
    private readonly rooms: Rooms,
    private readonly bookmarks: Bookmarks,
  ) {
    context.pep.on(NS.notices, ({ from }) => {
      if (this.shown.has(from)) void this.readNotices(from).then(() => this.tell(from));
    });
  }

  // --- what it shows

  async group(address: Address): Promise<Group> {
    this.shown.add(address);
    await Promise.all([this.readFacts(address), this.readNotices(address), this.readRequests(address)]);
    return this.compose(address);
  }

  /** Who asks to be let in, where one decides about that: also those who asked before this session. */
  private async readRequests(address: Address): Promise<void> {
    const affiliation = this.rooms.get(address)?.me?.affiliation;
    if (affiliation !== 'owner' && affiliation !== 'admin') return;
    const { form } = await this.commands.step({ node: COMMAND.waiting }, address).catch(() => ({ form: undefined }));
    // A server that has no such list tells of requests as they come.
    if (!form?.rows) return;
    const waiting = form.rows.slice(0, MAX_REQUESTS).map((row): [Address, Request] => {
      const said = (name: string) => row[name]?.join('\n') ?? '';
      const who = jid.prepared(said('muc#jid'));
      const [nick, text] = [said('muc#register_roomnick'), said('muc#register_faqentry')];
      return [who, { address: who, nick, text }];
    });
    this.requests.set(address, new Map(waiting));
  }

  /** Asks what the group is, and remembers its name. */
  async readFacts(address: Address): Promise<Facts> {
    const answer = await this.ask(address, 'get', el('query', { xmlns: NS.discoInfo }));
    const query = answer.child('query', NS.discoInfo);
    const form = query && formIn(query, NS.mucRoomInfo);
    const said = (name: string) => (form ? value(form, name) : undefined);
    const facts: Facts = {
      name: query?.child('identity')?.attrs.name ?? '',
      about: said('muc#roominfo_description') ?? '',
      features: new Set(query?.all('feature').map((feature) => feature.attrs.var ?? '')),
      occupants: Number(said('muc#roominfo_occupants') ?? 0) || 0,
      slow: Number(said('muc#roominfo_slow_mode_duration') ?? 0) || 0,
      avatar: said('muc#roominfo_avatarhash') || undefined,
    };
    this.facts.set(address, facts);
    const room = this.rooms.get(address);
    if (room) {
      room.name = facts.name;
      room.avatar = facts.avatar ?? room.avatar;
      room.membersOnly = facts.features.has('muc_membersonly');
    }
    return facts;
  }

  private compose(address: Address): Group {
    const facts = this.facts.get(address);
    const room = this.rooms.get(address);
    const has = (feature: string) => facts?.features.has(feature) ?? false;
    return {
      address,
      number: jid.number(address),
      name: facts?.name ?? room?.name ?? '',
      about: facts?.about ?? '',
      subject: room?.subject ?? '',
      avatar: room?.avatar ?? facts?.avatar,
      myNick: room?.inside ? room.nick : '',
      myAffiliation: room?.me?.affiliation ?? 'none',
      myRole: room?.me?.role ?? 'none',
      occupants: room?.inside ? room.occupants.size : (facts?.occupants ?? 0),
      membersOnly: has('muc_membersonly'),
      moderated: has('muc_moderated'),
      open: has('muc_nonanonymous'),
      persistent: has('muc_persistent'),
      public: has('muc_public'),
      hasPassword: has('muc_passwordprotected'),
      ...(facts?.slow && { slow: facts.slow }),
      notices: this.notices.get(address) ?? [],
      requests: [...(this.requests.get(address)?.values() ?? [])],
    };
  }

  /** Those who are there, and those who belong to it and are away, as far as we may know them. */
  async members(address: Address): Promise<Member[]> {
    this.listed.add(address);
    const room = this.rooms.get(address);
    const present = [...(room?.occupants.values() ?? [])];
    const here = new Set(present.map((member) => member.address));
    const lists = await Promise.all(
      (['owner', 'admin', 'member'] as const).map((affiliation) => this.affiliated(address, affiliation)),
    );
    return [...present, ...lists.flat().filter((member) => !here.has(member.address))];
  }

  /** Those of an affiliation; nobody where we may not know. */
  async affiliated(address: Address, affiliation: Affiliation): Promise<Member[]> {
    const query = el('query', { xmlns: NS.mucAdmin }, el('item', { affiliation }));
    const answer = await this.ask(address, 'get', query).catch((error: unknown) => {
      if (error instanceof StanzaError && error.stanza) return undefined;
      throw error;
    });
    const items = answer?.child('query', NS.mucAdmin)?.all('item') ?? [];
    return items.map(({ attrs }): Member => {
      const who = attrs.jid ?? '';
      return {
        id: who,
        nick: attrs.nick ?? jid.local(who),
        address: who,
        affiliation: readAffiliation(attrs.affiliation ?? affiliation),
        role: 'none',
        show: 'offline',
        status: '',
        hats: [],
        me: who === this.context.address,
      };
    });
  }

  // --- what changes by itself

  /** People have come, gone or changed. */
  happened(room: Room, changed: Member[], removed: string[]): void {
    if (this.listed.has(room.address)) {
      const gone = removed.filter((id) => !changed.some((member) => member.id === id));
      this.context.emit({ type: 'members', conversation: room.address, changed, removed: gone });
    }
    if (!this.shown.has(room.address)) return;
    this.tell(room.address);
    // The panel may have been opened before we were in: only now it is known that we decide.
    if (changed.some((member) => member.me)) {
      void this.readRequests(room.address).then(
        () => this.tell(room.address),
        () => {},
      );
    }
  }

  /** Takes a message of the group itself that is about its panel; others not. */
  receive(message: El): boolean {
    const { from = '', type } = message.attrs;
    const address = jid.bare(from);
    const room = this.rooms.get(address);
    if (type === 'groupchat' && room && message.child('subject') && !message.child('body')) {
      room.subject = message.childText('subject') ?? '';
      this.tell(address);
      // What it is about is something that was said, too.
      return false;
    }
    if (jid.resource(from) !== '') return false;
    const form = formIn(message, REGISTER);
    if (form && room) return this.requested(address, form);
    const user = message.child('x', NS.mucUser);
    if (!user || user.child('invite')) return false;
    // §10.2.1: its configuration is another; §9: somebody who is away has another affiliation.
    const codes = user.all('status').map((status) => Number(status.attrs.code));
    if (codes.some((code) => code >= 102 && code <= 104) || codes.some((code) => code >= 170 && code <= 174)) {
      void this.readFacts(address).then(
        () => this.tell(address),
        () => {},
      );
    }
    for (const item of user.all('item')) this.affiliationChanged(address, item);
    return true;
  }

  private affiliationChanged(address: Address, { attrs }: El): void {
    const who = attrs.jid && jid.bare(attrs.jid);
    if (!who || !this.listed.has(address)) return;
    const affiliation = readAffiliation(attrs.affiliation);
    const member: Member = {
      id: who,
      nick: attrs.nick ?? jid.local(who),
      address: who,
      affiliation,
      role: 'none',
      show: 'offline',
      status: '',
      hats: [],
      me: who === this.context.address,
    };
    const belongs = affiliation !== 'none' && affiliation !== 'outcast';
    this.context.emit({
      type: 'members',
      conversation: address,
      changed: belongs ? [member] : [],
      removed: belongs ? [] : [who],
    });
  }

  private requested(address: Address, form: Form): true {
    const who = jid.prepared(value(form, 'muc#jid') ?? '');
    const waiting = this.requests.get(address) ?? new Map<Address, Request>();
    this.requests.set(address, waiting);
    if (who === '' || waiting.size >= MAX_REQUESTS) return true;
    const about = form.fields.find((field) => field.name === 'muc#register_faqentry');
    waiting.set(who, {
      address: who,
      nick: value(form, 'muc#register_roomnick') ?? '',
      text: about?.values.join('\n') ?? '',
    });
    this.tell(address);
    return true;
  }

  private tell(address: Address): void {
    if (this.rooms.get(address) || this.shown.has(address)) {
      this.context.emit({ type: 'group', group: this.compose(address) });
    }
  }

  // --- what it does

  /** §10.1: a group for good, under the next number (XEP-0307). */
  async create(what: { name: string; about: string; private: boolean; invite: Address[] }): Promise<Address> {
    const { groups } = this.context.config;
    const unique = await this.ask(groups, 'get', el('unique', { xmlns: NS.mucUnique }));
    const address = `${unique.childText('unique', NS.mucUnique) ?? ''}@${groups}`;
    if (!(await this.rooms.enter(address))) throw new StanzaError('conflict');
    await this.configure(
      address,
      filled(NS.mucRoomConfig, {
        'muc#roomconfig_roomname': what.name,
        'muc#roomconfig_roomdesc': what.about,
        'muc#roomconfig_persistentroom': '1',
        'muc#roomconfig_publicroom': what.private ? '0' : '1',
        'muc#roomconfig_membersonly': what.private ? '1' : '0',
        // Friends know each other; strangers need not.
        'muc#roomconfig_whois': what.private ? 'anyone' : 'moderators',
      }),
    );
    await this.bookmarks.put(address, { autojoin: true, name: what.name });
    await this.readFacts(address).catch(() => {});
    for (const who of what.invite) await this.invite(address, who, '');
    return address;
  }

  async settings(address: Address): Promise<Form> {
    const answer = await this.ask(address, 'get', el('query', { xmlns: NS.mucOwner }));
    const query = answer.child('query', NS.mucOwner);
    const form = query && formIn(query);
    if (!form) throw new StanzaError('forbidden', 'auth');
    return form;
  }

  async setSettings(address: Address, form: Form): Promise<void> {
    await this.configure(address, submit(form));
    await this.readFacts(address);
    this.tell(address);
  }

  private async configure(address: Address, form: El): Promise<void> {
    await this.ask(address, 'set', el('query', { xmlns: NS.mucOwner }, form));
  }

  async destroy(address: Address, reason: string): Promise<void> {
    const destroy = el('destroy', {}, reason !== '' && el('reason', {}, reason));
    await this.ask(address, 'set', el('query', { xmlns: NS.mucOwner }, destroy));
    await this.rooms.leave(address);
  }

  /** §7.8.2: by way of the group, which makes a member of whom it concerns. */
  invite(address: Address, who: Address, reason: string): Promise<void> {
    const invite = el('invite', { to: who }, reason !== '' && el('reason', {}, reason));
    return this.say(el('message', { to: address }, el('x', { xmlns: NS.mucUser }, invite)));
  }

  setSubject(address: Address, subject: string): Promise<void> {
    return this.say(el('message', { to: address, type: 'groupchat' }, el('subject', {}, subject)));
  }

  async setAffiliation(address: Address, who: Address, affiliation: Affiliation, reason = ''): Promise<void> {
    const item = el('item', { jid: who, affiliation }, reason !== '' && el('reason', {}, reason));
    await this.ask(address, 'set', el('query', { xmlns: NS.mucAdmin }, item));
  }

  async setRole(address: Address, nick: string, role: Role, reason = ''): Promise<void> {
    const item = el('item', { nick, role }, reason !== '' && el('reason', {}, reason));
    await this.ask(address, 'set', el('query', { xmlns: NS.mucAdmin }, item));
  }

  /** §7.10 */
  async askToJoin(address: Address, text: string): Promise<void> {
    const answer = await this.ask(address, 'get', el('query', { xmlns: NS.register }));
    const query = answer.child('query', NS.register);
    if (query?.child('registered')) return;
    const { me } = this.context;
    const form = filled(REGISTER, {
      'muc#register_roomnick': me.nick || me.number,
      'muc#register_faqentry': text === '' ? undefined : text.split('\n'),
    });
    await this.ask(address, 'set', el('query', { xmlns: NS.register }, form));
  }

  /** §9.9 */
  async answerRequest(address: Address, who: Address, accept: boolean): Promise<void> {
    const request = this.requests.get(address)?.get(who);
    const form = filled(REGISTER, {
      'muc#jid': who,
      'muc#register_roomnick': request?.nick,
      'muc#register_allow': accept ? '1' : '0',
    });
    await this.say(el('message', { to: address }, form));
    this.requests.get(address)?.delete(who);
    this.tell(address);
  }

  /** Out of it for good: no member any more, where one was. */
  async leave(address: Address): Promise<void> {
    const room = this.rooms.get(address);
    if (room?.me?.affiliation === 'member') {
      await this.ask(address, 'set', el('query', { xmlns: NS.register }, el('remove'))).catch(() => {});
    }
    await this.rooms.leave(address);
  }

  async addNotice(address: Address, text: string): Promise<void> {
    const id = crypto.randomUUID();
    const entry = el(
      'entry',
      { xmlns: NS.atom },
      el('id', {}, `urn:uuid:${id}`),
      el('title', {}, text.split('\n', 1)[0] ?? ''),
      el('content', { type: 'text' }, text),
      el('author', {}, el('name', {}, this.context.me.nick || this.context.me.number)),
      el('updated', {}, new Date().toISOString()),
    );
    await this.context.pep.publish(NS.notices, id, entry, undefined, address);
    await this.readNotices(address);
    this.tell(address);
  }

  async removeNotice(address: Address, id: string): Promise<void> {
    await this.context.pep.retract(NS.notices, id, address);
    await this.readNotices(address);
    this.tell(address);
  }

  private async readNotices(address: Address): Promise<void> {
    const items = await this.context.pep.items(NS.notices, address).catch(() => []);
    const notices = items.map(({ id, payload }): Notice => {
      const updated = Date.parse(payload.childText('updated') ?? payload.childText('published') ?? '');
      return {
        id,
        text: payload.childText('content') || payload.childText('title') || '',
        by: payload.child('author')?.childText('name') ?? '',
        at: Number.isNaN(updated) ? 0 : updated,
      };
    });
    notices.sort((a, b) => b.at - a.at);
    this.notices.set(address, notices.slice(0, MAX_NOTICES));
  }

  private ask(to: string, type: 'get' | 'set', payload: El): Promise<El> {
    return this.context.session.iq(el('iq', { type, to }, payload));
  }

  /** A message that is done when the server has it. */
  private say(message: El): Promise<void> {
    return new Promise((resolve, reject) => {
      this.context.session.send(message, (fate) => {
        if (fate === 'acknowledged') resolve();
        else reject(new StanzaError(fate === 'lost' ? 'offline' : 'too-large', 'wait'));
      });
    });
  }
}
