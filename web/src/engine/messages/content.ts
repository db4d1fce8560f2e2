/** What a message says: its text without fallbacks, and the parts that the fallbacks stood for. */
import type { Content } from '../../history/facts';
import * as jid from '../../xmpp/jid';
import { NS } from '../../xmpp/ns';
import type { El } from '../../xmpp/xml';
import { readFiles } from './files';
import { ENCRYPTIONS, OWN, STICKERS } from './ns';
import { toUnits, without, type Range } from './text';

/** Text longer than this is cut: nobody reads it, and rows must stay small. */
const MAX_BODY = 60_000;
/** References and fallbacks of one message that are looked at. */
const MAX_RANGES = 200;

/** Fallbacks for these are taken out, since the thing itself is shown. */
const KNOWN = new Set<string>([
  NS.reply,
  NS.sfs,
  NS.oob,
  NS.retract,
  NS.moderate,
  NS.reactions,
  NS.attention,
  STICKERS,
  OWN.urgency,
  OWN.sticker,
  OWN.voice,
]);

/** Undefined if the message says nothing that is shown. */
export function readContent(message: El): Content | undefined {
  const encryption = encryptionOf(message);
  if (encryption !== undefined) return { ...EMPTY, kind: 'encrypted', body: encryption };
  const whole = (message.childText('body') ?? '').slice(0, MAX_BODY);
  const files = readFiles(message);
  const ranges = fallbacks(message, whole);
  // XEP-0066: a body that is nothing but the link stands for the file.
  if (files.some((file) => file.url === whole.trim())) ranges.push({ begin: 0, end: whole.length });
  const quote = fallbacks(message, whole, NS.reply)[0];
  const { text, moved } = without(whole, ranges);
  const mentions = readMentions(message, whole, moved);
  const content: Content = {
    kind: 'text',
    // Fallbacks leave line breaks behind where they met the text.
    body: ranges.length > 0 ? text.replace(/\n+$/, '') : text,
    files,
    mentions,
    urgency: urgencyOf(message),
    ...replyOf(message, quote && whole.slice(quote.begin, quote.end)),
    ...invitationOf(message),
  };
  return typed(message, content);
}

const EMPTY: Content = { kind: 'text', body: '', files: [], mentions: [], urgency: 'normal' };

/** What kind it is; undefined if there is nothing in it. */
function typed(message: El, content: Content): Content | undefined {
  const own = message.child('sticker', OWN.sticker)?.attrs.name;
  if (own) return { ...content, kind: 'sticker', sticker: own };
  if (content.invitation) return { ...content, kind: 'invitation', body: content.invitation.reason };
  const { files, body } = content;
  if (message.child('sticker', STICKERS) && files.length > 0) return { ...content, kind: 'sticker' };
  if (files.length === 1 && isVoice(message, files[0]!.type) && body === '') return { ...content, kind: 'voice' };
  if (files.length > 0) return { ...content, kind: 'files' };
  if (message.child('attention', NS.attention)) return { ...content, kind: 'knock' };
  return body === '' ? undefined : content;
}

function isVoice(message: El, type: string): boolean {
  if (message.child('voice', OWN.voice)) return true;
  // Clients that record send what plays in place; a piece of music is attached.
  return type.startsWith('audio/') && message.child('file-sharing', NS.sfs)?.attrs.disposition === 'inline';
}

/** The name of the encryption; undefined if it is not encrypted. */
function encryptionOf(message: El): string | undefined {
  const said = message.child('encryption', NS.eme);
  if (said) return said.attrs.name || ENCRYPTIONS[said.attrs.namespace ?? ''] || said.attrs.namespace || '?';
  const element = message.all().find((child) => ENCRYPTIONS[child.ns] !== undefined);
  return element && ENCRYPTIONS[element.ns];
}

/** Ranges of the body that stand for things we know (or for `only`). */
function fallbacks(message: El, body: string, only?: string): Range[] {
  const found: Range[] = [];
  for (const fallback of message.all('fallback', NS.fallback).slice(0, MAX_RANGES)) {
    const what = fallback.attrs.for ?? '';
    if (only === undefined ? !KNOWN.has(what) : what !== only) continue;
    const part = fallback.child('body');
    // XEP-0428 §2.3: without a range, all of it; without any child, all of everything.
    if (!part && fallback.all().length > 0) continue;
    const { start, end } = part?.attrs ?? {};
    found.push({
      begin: start === undefined ? 0 : toUnits(body, Number(start) || 0),
      end: end === undefined ? body.length : toUnits(body, Number(end) || 0),
    });
  }
  return found;
}

/** XEP-0372 */
function readMentions(message: El, body: string, moved: (at: number) => number): Content['mentions'] {
  const found: Content['mentions'] = [];
  for (const { attrs } of message.all('reference', NS.reference).slice(0, MAX_RANGES)) {
    const address = /^xmpp:([^?]+)/.exec(attrs.uri ?? '')?.[1];
    if (attrs.type !== 'mention' || address === undefined) continue;
    const begin = moved(toUnits(body, Number(attrs.begin ?? NaN) || 0));
    const end = moved(toUnits(body, Number(attrs.end ?? NaN) || 0));
    if (end > begin) found.push({ begin, end, address: decoded(address) });
  }
  return found.sort((a, b) => a.begin - b.begin);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** XEP-0461; the quoted text is what its fallback says, until the message itself is known. */
function replyOf(message: El, quote = ''): Pick<Content, 'replyTo'> {
  const reply = message.child('reply', NS.reply);
  const { id, to } = reply?.attrs ?? {};
  if (!id) return {};
  const text = quote.replace(/^> ?/gm, '').trim().slice(0, 500);
  return { replyTo: { id, text, ...(to !== undefined && { to }) } };
}

function urgencyOf(message: El): Content['urgency'] {
  const level = message.child('urgency', OWN.urgency)?.attrs.level;
  return level === 'important' || level === 'urgent' ? level : 'normal';
}

/** XEP-0249 */
function invitationOf(message: El): Pick<Content, 'invitation'> {
  const direct = message.child('x', NS.directInvite);
  const group = direct?.attrs.jid;
  if (!group) return {};
  const { reason = '', password } = direct.attrs;
  return { invitation: { group: jid.prepared(group), reason, ...(password !== undefined && { password }) } };
}
