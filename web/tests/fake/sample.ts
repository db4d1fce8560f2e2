/** The sample world: people, groups, what was said. All of it follows from the seed and the time. */
import type * as m from '../../src/api/model';
import { hash, random } from '../../src/art/seed';
import { GROUPS, LINES, LINES_ZH, PEOPLE, STATUSES } from './words';

export const DOMAIN = 'nest.example';
export const MINUTE = 60_000;

export interface Options {
  seed: number;
  now: number;
  /** How many contacts; those beyond the thirty have made-up names. */
  contacts: number;
  /** Occupants of the largest group. */
  occupants: number;
  /** Messages in the first conversation. */
  messages: number;
}

export function myself(place: m.Place): m.Me {
  return {
    address: `10042@${DOMAIN}`,
    number: '10042',
    name: 'mia',
    nick: 'Mia',
    show: 'online',
    status: 'Watching the ice',
    place,
    admin: true,
  };
}

const SHOWS: m.Show[] = ['online', 'online', 'chat', 'away', 'dnd', 'xa', 'offline', 'offline', 'offline'];

export function contacts(o: Options): m.Contact[] {
  const next = random(o.seed);
  return Array.from({ length: o.contacts }, (_, i) => {
    const known = PEOPLE[i];
    const number = String(10_101 + i * 37);
    const show = SHOWS[Math.floor(next() * SHOWS.length)]!;
    const base = PEOPLE[i % PEOPLE.length]!;
    return {
      address: `${number}@${DOMAIN}`,
      number,
      remark: i === 3 ? 'Dara (upstairs)' : '',
      nick: known ? known[0] : `${base[0]} ${i}`,
      categories: known ? (known[1] ? [known[1]] : []) : [`Team ${i % 40}`],
      subscription: i === 29 ? 'none' : 'both',
      asked: i === 29,
      show: i === 29 ? 'offline' : i < 3 ? 'online' : show,
      status: STATUSES[Math.floor(next() * STATUSES.length)]!,
      idleSince: show === 'away' ? o.now - 25 * MINUTE : undefined,
      visibility: 'usual',
      blocked: i === 28,
    } satisfies m.Contact;
  });
}

export interface Room {
  group: m.Group;
  members: m.Member[];
  messages: number;
}

export function rooms(o: Options, people: m.Contact[], me: m.Me): Room[] {
  const next = random(o.seed + 7);
  return GROUPS.map(([name, subject, size, messages], i) => {
    const number = String(700_011 + i * 13);
    const count = i === 3 ? o.occupants : size;
    const members: m.Member[] = Array.from({ length: count }, (_, n) => {
      const known = people[(n * 7 + i * 3) % people.length]!;
      const stranger = n >= people.length;
      return {
        id: `o${i}-${n}`,
        nick: stranger ? `Guest ${n}` : known.nick,
        address: stranger ? undefined : known.address,
        affiliation: n === 0 ? 'owner' : n < 3 ? 'admin' : n < 12 ? 'member' : 'none',
        role: next() < 0.25 && n > 4 ? 'none' : n < 3 ? 'moderator' : 'participant',
        show: SHOWS[Math.floor(next() * SHOWS.length)]!,
        status: '',
        hats: n === 1 ? [{ uri: 'urn:example:host', title: 'Host', hue: 200 }] : [],
        me: false,
      };
    });
    for (const member of members) if (member.role === 'none') member.show = 'offline';
    members.unshift({
      id: `o${i}-me`,
      nick: me.nick,
      address: me.address,
      affiliation: i % 2 === 0 ? 'owner' : 'member',
      role: i % 2 === 0 ? 'moderator' : 'participant',
      show: 'online',
      status: '',
      hats: [],
      me: true,
    });
    const group: m.Group = {
      address: `${number}@groups.${DOMAIN}`,
      number,
      name,
      about: i === 0 ? 'Everybody who keeps an eye on the water.' : '',
      subject,
      myNick: me.nick,
      myAffiliation: i % 2 === 0 ? 'owner' : 'member',
      myRole: i % 2 === 0 ? 'moderator' : 'participant',
      occupants: members.filter((member) => member.role !== 'none').length,
      membersOnly: i !== 3,
      moderated: false,
      open: i !== 3,
      persistent: true,
      public: i === 3,
      hasPassword: false,
      slow: i === 3 ? 10 : undefined,
      notices:
        i === 0
          ? [
              { id: 'n1', text: subject, by: 'Ibrahim Sesay', at: o.now - 26 * 60 * MINUTE },
              {
                id: 'n2',
                text: 'The boat house has a new lock. Keys at Greta’s.',
                by: 'Greta Holm',
                at: o.now - 9 * 24 * 60 * MINUTE,
              },
            ]
          : [],
      requests:
        i === 0 ? [{ address: `10977@${DOMAIN}`, nick: 'Noor', text: 'I moved in at the pier, Bo sent me.' }] : [],
    };
    return { group, members, messages };
  });
}

/** Who was told of a message by other ways, as one was not here. */
const TOLD = `10249@${DOMAIN}`;

/** What was said there last, and how it came to whom it was for. */
function told(o: Options, me: m.Me): m.Message {
  const at = o.now - 3 * MINUTE;
  return {
    key: `${TOLD}#told`,
    conversation: TOLD,
    stanzaId: 'told',
    at,
    order: at,
    mine: true,
    from: me.address,
    sender: '',
    kind: 'text',
    body: 'The storm gate at the pier is stuck half open. Can you come?',
    files: [],
    mentions: [],
    edited: false,
    reactions: [],
    urgency: 'urgent',
    state: 'stored',
    reached: [
      { attempt: 'a1', way: 'pager', state: 'failed', at: at + MINUTE / 2 },
      { attempt: 'a2', way: 'sms', state: 'delivered', at: at + MINUTE },
      { attempt: 'a3', way: 'mail', state: 'queued', at: at + 2 * MINUTE },
    ],
  };
}

/** A conversation's past, oldest first. */
export function past(
  o: Options,
  address: m.Address,
  count: number,
  senders: m.Member[] | m.Contact,
  me: m.Me,
): m.Message[] {
  const next = random(hash(address) ^ o.seed);
  const group = Array.isArray(senders);
  const zh = group ? address.startsWith('700037') : /[\u4e00-\u9fff]/.test(senders.nick);
  const lines = zh ? LINES_ZH : LINES;
  const list: m.Message[] = [];
  // From the newest to the oldest, so that the newest page does not depend on how many there are.
  let at = o.now - Math.floor((4 + next() * 50) * MINUTE) - (hash(address) % 40) * 17 * MINUTE;
  let speaker = next() < 0.5 ? -1 : Math.floor(next() * 8);
  for (let i = 0; i < count; i++) {
    if (next() < 0.45) speaker = next() < 0.4 ? -1 : Math.floor(next() * (group ? senders.length : 1));
    const member = group ? senders[Math.max(0, speaker) % senders.length]! : undefined;
    const mine = speaker < 0 || member?.me === true;
    const from = mine ? me.address : (member?.address ?? (group ? `${address}/${member!.nick}` : senders.address));
    const body = lines[Math.floor(next() * lines.length)]!;
    const message: m.Message = {
      key: `${address}#${count - i}`,
      conversation: address,
      stanzaId: `s${count - i}`,
      at,
      order: at,
      mine,
      from,
      sender: group && !mine ? member!.nick : '',
      avatar: undefined,
      kind: 'text',
      body,
      files: [],
      mentions: [],
      edited: next() < 0.02,
      reactions: [],
      urgency: 'normal',
      state: mine ? (next() < 0.95 || i > 6 ? 'read' : 'delivered') : 'read',
    };
    season(message, i, next, me);
    list.push(message);
    at -=
      next() < 0.72
        ? Math.floor(next() * 2 * MINUTE)
        : next() < 0.8
          ? Math.floor(next() * 90 * MINUTE)
          : Math.floor(next() * 20 * 60 * MINUTE);
  }
  list.reverse();
  if (address === TOLD) list.push(told(o, me));
  for (let i = 6; i < list.length; i++)
    if (random(i + hash(address))() < 0.05) answer(list[i]!, list[i - 3]!, me, group ? '' : senders.nick);
  return list;
}

function answer(message: m.Message, to: m.Message, me: m.Me, name: string): void {
  if (message.kind !== 'text' || to.body === '') return;
  message.replyTo = {
    id: to.stanzaId!,
    key: to.key,
    sender: to.mine ? me.nick : to.sender || name,
    text: to.body,
  };
}

/** Makes something else than plain text of some. */
function season(message: m.Message, i: number, next: () => number, me: m.Me): void {
  const luck = next();
  if (luck < 0.035) {
    const wide = next() > 0.4;
    message.kind = 'files';
    message.body = luck < 0.015 ? 'Look!' : '';
    message.files = [
      {
        url: `picture:${i}:${wide ? '960x640' : '640x860'}`,
        name: `harbour-${i}.jpg`,
        type: 'image/jpeg',
        size: 284_300,
        width: wide ? 960 : 640,
        height: wide ? 640 : 860,
      },
    ];
  } else if (luck < 0.05) {
    message.kind = 'files';
    message.body = '';
    message.files = [{ url: 'about:blank', name: 'Rota November.pdf', type: 'application/pdf', size: 1_482_000 }];
  } else if (luck < 0.065) {
    message.kind = 'voice';
    message.body = '';
    message.files = [
      {
        url: 'voice:',
        name: 'voice.ogg',
        type: 'audio/ogg',
        size: 38_000,
        duration: 4000 + Math.floor(next() * 20_000),
      },
    ];
  } else if (luck < 0.085) {
    message.kind = 'sticker';
    message.body = '';
    message.sticker = ['wave', 'love', 'laugh', 'sleep', 'party', 'fish', 'ok', 'coffee'][i % 8];
  } else if (luck < 0.092) {
    message.kind = 'knock';
    message.body = '';
  } else if (luck < 0.098) {
    message.kind = 'encrypted';
    message.body = '';
  } else if (luck < 0.104) {
    message.retracted = { by: message.mine ? me.nick : message.sender, reason: '', moderated: false };
    message.body = '';
  }
  if (next() < 0.09)
    message.reactions.push({ emoji: '❤️', names: ['Ada Lindqvist', 'Bo Andersen'], mine: next() < 0.3 });
  if (next() < 0.04) message.reactions.push({ emoji: '😂', names: ['Kenji Sato'], mine: false });
  if (message.body.startsWith('https://'))
    message.preview = {
      url: 'https://example.org/tides',
      title: 'Tide tables for the sound',
      description: 'High and low water for every day of the year, with moon and daylight.',
      site: 'example.org',
    };
}

/** Who asks to be a contact. */
export function requests(now: number): m.ContactRequest[] {
  const text = 'We met at the chess evening, the one with the bad openings.';
  return [{ address: `10850@${DOMAIN}`, nick: 'Henrik', text, at: now - 40 * MINUTE }];
}

export function invitations(now: number, from: m.Address): m.GroupInvitation[] {
  return [{ group: `700555@groups.${DOMAIN}`, from, reason: 'For the summer trip', at: now - 90 * MINUTE }];
}

export function devices(now: number): m.Device[] {
  return [
    {
      id: 'd1',
      name: 'This browser',
      software: 'Rookery web 0.1',
      firstSeen: now - 3 * MINUTE,
      lastSeen: now,
      connected: true,
      current: true,
      public: true,
      address: 'local',
    },
    {
      id: 'd2',
      name: 'Mia’s telephone',
      software: 'Conversations 2.17',
      firstSeen: now - 200 * 1440 * MINUTE,
      lastSeen: now - 2 * MINUTE,
      connected: true,
      current: false,
      public: false,
      address: 'ipv6',
    },
    {
      id: 'd3',
      name: 'Library, second floor',
      software: 'Rookery web 0.1',
      firstSeen: now - 2 * 1440 * MINUTE,
      lastSeen: now - 2 * 1440 * MINUTE,
      connected: false,
      current: false,
      public: true,
      address: 'ipv4',
    },
  ];
}

/** One who is told by mail and SMS; a pager's code is on its way. */
export function reach(): m.ReachSettings {
  return {
    active: true,
    zone: 'Europe/Copenhagen',
    urgent: 'named',
    tells: 'sender',
    quiet: { from: '22:00', to: '07:00' },
    ways: ['mail', 'sms', 'pager'],
    addresses: [
      { way: 'mail', address: 'mia.lindqvist-andersen@harbour-watch.example', verified: true },
      { way: 'sms', address: '+4520123456', verified: true },
      { way: 'pager', address: '4711', verified: false },
    ],
    rules: [
      {
        way: 'mail',
        address: 'mia.lindqvist-andersen@harbour-watch.example',
        after: 600,
        least: 'normal',
        unread: false,
      },
      { way: 'sms', address: '+4520123456', after: 60, least: 'urgent', unread: true },
    ],
    allowed: [`10900@${DOMAIN}`],
  };
}

/** What one knows of somebody of whom one knows nothing. */
export function emptyCard(address: m.Address): m.Card {
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
