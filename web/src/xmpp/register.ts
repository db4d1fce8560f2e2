/** Signing up: an account before there is one (XEP-0077), with an invitation where there is one (XEP-0445). */
import { random } from './bytes';
import { NS } from './ns';
import { readError, StanzaError } from './session';
import { browserSocket, Wire, WireError, type Connect } from './wire';
import { el, type El } from './xml';

export interface Entry {
  /** For the address; without it the server gives a number, if it can. */
  name?: string;
  nick: string;
  password: string;
  /** The token of an invitation. */
  invitation?: string;
}

/**
 * Makes an account; gives what stands before the `@` of its address. Rejects with `StanzaError`: `conflict` (the name is taken),
 * `not-allowed` (closed, or it needs an invitation), `not-acceptable` (name or password), `item-not-found` (the
 * invitation), `resource-constraint` (too many of late); or with `WireError`.
 */
export async function signUp(
  options: { url: string; domain: string; connect?: Connect },
  entry: Entry,
): Promise<string> {
  const { url, domain, connect = browserSocket } = options;
  const wire = await Wire.open(connect, url, domain, new AbortController().signal);
  try {
    await wire.start();
    if (entry.invitation) await ask(wire, domain, el('preauth', { xmlns: NS.preauth, token: entry.invitation }));
    const offer = await ask(wire, domain, el('query', { xmlns: NS.register }), 'get');
    const done = await ask(wire, domain, fill(offer, entry));
    return done.path(['query', NS.register], ['username'])?.text() || entry.name || '';
  } finally {
    wire.close();
  }
}

/** Fills in what the server asks for: its form if there is one, else the fields that are as old as the protocol (§3.1). */
function fill(offer: El, { name, nick, password, invitation }: Entry): El {
  const query = el('query', { xmlns: NS.register });
  const values: Record<string, string | undefined> = { username: name, nick, password, token: invitation };
  const form = offer.path(['query', NS.register], ['x', NS.form]);
  if (!form) {
    for (const [key, value] of Object.entries({ username: name, password })) if (value) query.add(el(key, {}, value));
    return query;
  }
  const filled = el('x', { xmlns: NS.form, type: 'submit' });
  for (const field of form.all('field')) {
    const { var: key = '', type } = field.attrs;
    const value = type === 'hidden' ? field.childText('value') : values[key];
    if (value) filled.add(el('field', { var: key }, el('value', {}, value)));
  }
  return query.add(filled);
}

async function ask(wire: Wire, domain: string, payload: El, type: 'get' | 'set' = 'set'): Promise<El> {
  const id = random(9);
  wire.send(el('iq', { type, to: domain, id }, payload));
  const answer = await wire.next();
  if (answer.name !== 'iq' || answer.attrs.id !== id) throw new WireError('bad-format');
  if (answer.attrs.type === 'error') throw readError(answer);
  if (answer.attrs.type !== 'result') throw new StanzaError('undefined-condition');
  return answer;
}
