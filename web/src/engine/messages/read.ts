/** From a stanza to a fact: who said what in which conversation, or which message it changes. */
import type { Address } from '../../api/model';
import type { Content, Fact, Said } from '../../history/facts';
import * as jid from '../../xmpp/jid';
import { NS } from '../../xmpp/ns';
import type { El } from '../../xmpp/xml';
import { stampOf } from '../delay';
import { readContent } from './content';
import { OWN } from './ns';

/** Emoji of one reaction, and letters of one, that are looked at. */
const MAX_EMOJIS = 20;

/** What reading needs to know of the account. */
export interface Reader {
  readonly address: Address;
  isGroup(address: Address): boolean;
  /** Whether the occupant of this group is ourselves. */
  isMe(group: Address, nick: string, occupant: string | undefined): boolean;
  realAddress(group: Address, nick: string): Address | undefined;
}

/** How a stanza came. */
export interface Way {
  /** The archive's id of it, where the archive itself says so. */
  id?: string;
  /** When the archive (or who forwards it) says that it was sent. */
  at?: number;
  /** A copy of what another device of ours has sent, or an archived one: `from` may be ourselves. */
  forwarded: boolean;
}

/** What is inside a carbon (XEP-0280), if the own account forwards it; others' are forged. */
export function carbonOf(message: El, me: Address): El | undefined {
  const { from } = message.attrs;
  if (from !== undefined && from !== me) return undefined;
  const copy = message.child('sent', NS.carbons) ?? message.child('received', NS.carbons);
  return copy?.path(['forwarded', NS.forward], ['message', NS.client]);
}

export const isCarbon = (message: El): boolean =>
  message.all().some((child) => child.ns === NS.carbons && (child.name === 'sent' || child.name === 'received'));

/** Undefined if it belongs to no conversation: administration of groups, errors, announcements of nodes. */
export function readMessage(message: El, reader: Reader, way: Way): Said | undefined {
  const { type = 'normal', from = reader.address, to = reader.address } = message.attrs;
  if (type === 'error' || message.child('event', NS.pubsubEvent)) return undefined;
  // What is a headline is news of the moment; a knock is what some clients send as one.
  if (type === 'headline' && !message.child('attention', NS.attention)) return undefined;
  return type === 'groupchat' ? readGroup(message, reader, way, from) : readPrivate(message, reader, way, from, to);
}

function readGroup(message: El, reader: Reader, way: Way, from: string): Said | undefined {
  const group = jid.bare(from);
  const nick = jid.resource(from);
  const occupant = message.child('occupant-id', NS.occupantId)?.attrs.id;
  const shown = message.path(['x', NS.mucUser], ['item'])?.attrs.jid;
  const real = shown === undefined ? reader.realAddress(group, nick) : jid.bare(shown);
  const mine = nick !== '' && (real === reader.address || reader.isMe(group, nick, occupant));
  const fact = factOf(message, { group: true, byGroup: nick === '' });
  if (!fact) return undefined;
  return said(message, way, group, {
    conversation: group,
    mine,
    from: mine ? reader.address : (real ?? from),
    sender: occupant ?? from,
    nick,
    fact,
  });
}

function readPrivate(message: El, reader: Reader, way: Way, from: string, to: string): Said | undefined {
  const mine = jid.bare(from) === reader.address;
  const other = mine ? to : from;
  const whisper = reader.isGroup(jid.bare(other));
  // What a group itself says to us is administration: invitations, forms.
  if (whisper && jid.resource(other) === '') return undefined;
  const conversation = whisper ? other : jid.bare(other);
  const sender = mine ? reader.address : conversation;
  const fact = factOf(message, { group: false, byGroup: false });
  if (!fact) return undefined;
  return said(message, way, reader.address, { conversation, mine, from: sender, sender, nick: '', fact });
}

type Parts = Pick<Said, 'conversation' | 'mine' | 'from' | 'sender' | 'nick' | 'fact'>;

/** `by` is who may give the archive's id (XEP-0359 §4): the own account, or the group. */
function said(message: El, way: Way, by: Address, parts: Parts): Said | undefined {
  const given = message.all('stanza-id', NS.sid).find((one) => one.attrs.by === by)?.attrs.id;
  const id = way.id ?? given;
  const origin = message.child('origin-id', NS.sid)?.attrs.id;
  const refs = [
    ...new Set([message.attrs.id, origin, id].filter((ref) => ref !== undefined && ref !== '')),
  ] as string[];
  const key = (parts.mine ? (origin ?? id) : id) ?? refs[0];
  // What has no name at all and is not kept is nothing that could be shown twice; it is not shown.
  if (key === undefined) return undefined;
  const at = way.at ?? stampOf(message) ?? Date.now();
  const receipt = !parts.mine && message.child('request', NS.receipts) !== undefined;
  return { ...parts, key, refs, at, ...(id !== undefined && { id }), ...(receipt && { receipt }) };
}

/** What the message is; `nothing` where it takes a place in an archive without saying anything to us. */
function factOf(message: El, { group, byGroup }: { group: boolean; byGroup: boolean }): Fact | undefined {
  const tombstone = tombstoneOf(message);
  if (tombstone) return { is: 'message', content: { ...BURIED, tombstone } };
  const retraction = retractionOf(message, group, byGroup);
  if (retraction) return retraction;
  if (byGroup) return { is: 'nothing' };
  const reactions = message.child('reactions', NS.reactions);
  if (reactions?.attrs.id) {
    const emojis = reactions.all('reaction').map((one) => one.text().trim());
    const some = emojis.filter((emoji) => emoji !== '' && emoji.length <= MAX_EMOJIS);
    return { is: 'reaction', target: reactions.attrs.id, emojis: [...new Set(some)].slice(0, MAX_EMOJIS) };
  }
  const reached = reachedOf(message);
  if (reached) return reached;
  const receipt = message.child('received', NS.receipts)?.attrs.id;
  const marker = message.child('displayed', NS.markers)?.attrs.id;
  const content = readContent(message);
  if (!content) {
    // XEP-0333 §4: displayed says more than received.
    if (marker) return { is: 'marker', target: marker };
    return receipt ? { is: 'receipt', target: receipt } : { is: 'nothing' };
  }
  const corrected = message.child('replace', NS.correct)?.attrs.id;
  return corrected ? { is: 'correction', target: corrected, content } : { is: 'message', content };
}

/** Shown at the last of the messages that it is about. The server lets nobody else say it. */
function reachedOf(message: El): Fact | undefined {
  const reach = message.child('reach', OWN.reach);
  const target = reach?.all('for').at(-1)?.attrs.id;
  const step = reach?.child('attempt', OWN.reach) ?? reach?.child('end', OWN.reach);
  if (!target || !step) return undefined;
  const { id = '', way = '', state = '', at = '' } = step.attrs;
  return { is: 'reach', target, attempt: id, way, state, at: Date.parse(at) || 0 };
}

const BURIED: Content = { kind: 'text', body: '', files: [], mentions: [], urgency: 'normal' };

/** XEP-0424 §5.1, XEP-0425 §5: what the archive has in the place of a message that was taken back. */
function tombstoneOf(message: El): Content['tombstone'] {
  const gone = message.child('retracted', NS.retract);
  if (!gone) return undefined;
  const by = gone.child('moderated', NS.moderate)?.attrs.by;
  const moderated = gone.child('moderated', NS.moderate) !== undefined;
  return { reason: gone.childText('reason') ?? '', moderated, ...(by !== undefined && { by: jid.resource(by) || by }) };
}

function retractionOf(message: El, group: boolean, byGroup: boolean): Fact | undefined {
  const retract = message.child('retract', NS.retract);
  const target = retract?.attrs.id;
  if (!retract || !target) return undefined;
  const moderated = retract.child('moderated', NS.moderate);
  // XEP-0425 §4: that a moderator took it back says only the group itself.
  if (moderated && !(group && byGroup)) return { is: 'nothing' };
  const by = moderated?.attrs.by;
  return {
    is: 'retraction',
    target,
    reason: retract.childText('reason') ?? moderated?.childText('reason') ?? '',
    ...(moderated && { moderated: { by: by === undefined ? '' : jid.resource(by) || by } }),
  };
}
