/** From what somebody does to stanzas. All of ours carry an origin-id, by which they are known again (XEP-0359). */
import type { Address, FileInfo, Message } from '../../api/model';
import type { Content } from '../../history/facts';
import { NS } from '../../xmpp/ns';
import { el, type El } from '../../xmpp/xml';
import { writeFile } from './files';
import { OWN } from './ns';
import { toPoints } from './text';

/** Where a stanza goes, and under which id. */
export interface Envelope {
  to: Address;
  group: boolean;
  /** Its id and origin-id: the message's key. */
  id: string;
}

/** Something to say, ready to be written: files are uploaded. */
export interface Draft {
  body: string;
  files: FileInfo[];
  voice?: boolean;
  sticker?: string;
  knock?: boolean;
  urgency: Message['urgency'];
  mentions: Content['mentions'];
  replyTo?: { id: string; to: Address; text: string };
}

/** What other clients show in front of the text; without letters, since nobody knows their language. */
const MARKS = { important: '❗ ', urgent: '‼️ ' } as const;
/** Lines and letters of a quotation that other clients see. */
const QUOTE = { lines: 4, letters: 300 } as const;

function envelope({ to, group, id }: Envelope, ...children: (El | undefined | false)[]): El {
  const origin = el('origin-id', { xmlns: NS.sid, id });
  return el('message', { to, type: group ? 'groupchat' : 'chat', id }, ...children, origin);
}

const hint = (name: 'store' | 'no-store'): El => el(name, { xmlns: NS.hints });

/** The body with its parts for others, and where each of them stands. */
class Body {
  text = '';
  private readonly fallbacks: El[] = [];

  add(text: string): void {
    this.text += text;
  }

  /** Text that stands for something, and is not shown by who knows that. */
  instead(of: string, text: string): void {
    const start = toPoints(this.text, this.text.length);
    this.text += text;
    const range = el('body', { start, end: toPoints(this.text, this.text.length) });
    this.fallbacks.push(el('fallback', { xmlns: NS.fallback, for: of }, range));
  }

  elements(): El[] {
    return [...(this.text === '' ? [] : [el('body', {}, this.text)]), ...this.fallbacks];
  }
}

export function writeMessage(to: Envelope, draft: Draft, corrects?: string): El {
  const { replyTo, urgency, files, sticker } = draft;
  const body = new Body();
  if (urgency !== 'normal') body.instead(OWN.urgency, MARKS[urgency]);
  if (replyTo) body.instead(NS.reply, quoted(replyTo.text));
  const begin = toPoints(body.text, body.text.length);
  body.add(draft.body);
  if (sticker !== undefined) body.instead(OWN.sticker, `:${sticker}:`);
  if (draft.knock) body.instead(NS.attention, '👋');
  if (files.length > 0) {
    const links = files.map((file) => file.url).join('\n');
    body.instead(NS.sfs, draft.body === '' ? links : `\n${links}`);
  }
  const message = envelope(to, ...body.elements());
  if (urgency !== 'normal') message.add(el('urgency', { xmlns: OWN.urgency, level: urgency }));
  if (replyTo) message.add(el('reply', { xmlns: NS.reply, id: replyTo.id, to: replyTo.to }));
  if (sticker !== undefined) message.add(el('sticker', { xmlns: OWN.sticker, name: sticker }));
  if (draft.knock) message.add(el('attention', { xmlns: NS.attention }));
  for (const mention of draft.mentions) message.add(writeMention(mention, draft.body, begin));
  for (const file of files) message.add(writeFile(file));
  // XEP-0066 knows one file; clients that know no other way look for a body that is its link.
  if (files.length === 1 && draft.body === '') message.add(el('x', { xmlns: NS.oob }, el('url', {}, files[0]!.url)));
  if (draft.voice) message.add(el('voice', { xmlns: OWN.voice }));
  if (corrects !== undefined) message.add(el('replace', { xmlns: NS.correct, id: corrects }));
  if (!to.group) message.add(el('request', { xmlns: NS.receipts }), el('markable', { xmlns: NS.markers }));
  return message.add(el('active', { xmlns: NS.chatStates }));
}

function quoted(text: string): string {
  const lines = text.slice(0, QUOTE.letters).split('\n').slice(0, QUOTE.lines);
  return lines.map((line) => `> ${line}\n`).join('');
}

function writeMention({ begin, end, address }: Content['mentions'][number], body: string, from: number): El {
  const uri = `xmpp:${encodeURI(address)}`;
  const range = { begin: from + toPoints(body, begin), end: from + toPoints(body, end) };
  return el('reference', { xmlns: NS.reference, type: 'mention', ...range, uri });
}

export function writeReaction(to: Envelope, target: string, emojis: string[]): El {
  const reactions = el(
    'reactions',
    { xmlns: NS.reactions, id: target },
    ...emojis.map((one) => el('reaction', {}, one)),
  );
  return envelope(to, reactions, hint('store'));
}

/** XEP-0424 */
export function writeRetraction(to: Envelope, target: string): El {
  const text = 'This person has taken back a message, but your client does not show that.';
  return envelope(
    to,
    el('retract', { xmlns: NS.retract, id: target }),
    el('fallback', { xmlns: NS.fallback, for: NS.retract }),
    el('body', {}, text),
    hint('store'),
  );
}

/** XEP-0425, asked of the group. */
export function writeModeration(group: Address, target: string, reason: string | undefined): El {
  const moderate = el('moderate', { xmlns: NS.moderate, id: target }, el('retract', { xmlns: NS.retract }));
  if (reason) moderate.add(el('reason', {}, reason));
  return el('iq', { type: 'set', to: group }, moderate);
}

/** XEP-0184: we have it. */
export function writeReceipt(to: Address, type: string | undefined, id: string): El {
  return el('message', { to, type }, el('received', { xmlns: NS.receipts, id }), hint('store'));
}

/** XEP-0333: we have seen everything up to there. */
export function writeDisplayed(to: Address, group: boolean, id: string): El {
  const type = group ? 'groupchat' : 'chat';
  return el('message', { to, type }, el('displayed', { xmlns: NS.markers, id }), hint('store'));
}

/** XEP-0085 */
export function writeState(to: Address, group: boolean, state: 'composing' | 'paused' | 'active'): El {
  const type = group ? 'groupchat' : 'chat';
  return el('message', { to, type }, el(state, { xmlns: NS.chatStates }), hint('no-store'));
}
