/** vCard 4 in XML (RFC 6351, XEP-0292), as far as we show it. What else stands in one's own card stays in it. */
import type { Card } from '../api/model';
import { NS } from '../xmpp/ns';
import { el, type El } from '../xmpp/xml';

type Fields = Partial<Omit<Card, 'address' | 'kind'>>;

/** Properties of one value: their name in the card, and the type of the value that we write. */
const SIMPLE = [
  ['fullName', 'fn', 'text'],
  ['about', 'note', 'text'],
  ['birthday', 'bday', 'date'],
  ['email', 'email', 'text'],
  ['phone', 'tel', 'text'],
  ['website', 'url', 'uri'],
] as const;

export function readCard(card: El): Fields {
  const fields: Fields = {};
  for (const [field, name] of SIMPLE) {
    const value = valueOf(card.child(name));
    if (value) fields[field] = field === 'phone' ? value.replace(/^tel:/, '') : value;
  }
  const nick = valueOf(card.child('nickname'));
  if (nick) fields.nick = nick;
  const place = card.child('adr')?.childText('locality');
  if (place) fields.location = place;
  const interests = card
    .all('interest')
    .map(valueOf)
    .filter((text) => text !== '');
  if (interests.length > 0) fields.interests = interests;
  return fields;
}

/** The card with these fields changed; an empty one goes. */
export function changeCard(card: El | undefined, change: Fields): El {
  const changed = el('vcard', { xmlns: NS.vcard4 });
  const replaced = new Set<string>(SIMPLE.filter(([field]) => change[field] !== undefined).map(([, name]) => name));
  if (change.nick !== undefined) replaced.add('nickname');
  if (change.location !== undefined) replaced.add('adr');
  if (change.interests !== undefined) replaced.add('interest');
  for (const child of card?.all() ?? []) if (!replaced.has(child.name)) changed.add(child);
  for (const [field, name, type] of SIMPLE) {
    const value = change[field];
    if (value) changed.add(el(name, {}, el(type, {}, value)));
  }
  if (change.nick) changed.add(el('nickname', {}, el('text', {}, change.nick)));
  if (change.location) changed.add(el('adr', {}, el('locality', {}, change.location)));
  for (const interest of change.interests ?? []) changed.add(el('interest', {}, el('text', {}, interest)));
  return changed;
}

/** The text of a property's value, of whatever type (RFC 6351 §5). */
function valueOf(property: El | undefined): string {
  const value = property?.all().find((child) => child.name !== 'parameters');
  return (value ?? property)?.text().trim() ?? '';
}
