/** What people ask for seldom: a page loads it when they do. */
import { ApiError } from '../api/api';
import { NS } from '../xmpp/ns';
import { el } from '../xmpp/xml';
import type { Account } from './account';
import { COMMAND } from './commands';
import type { Engine } from './engine';
import { value } from './forms';

export { signUp } from '../xmpp/register';
export { invitation, inviteLink, takeUp } from './invites';
export { readPrivacy, writePrivacy } from './privacy';
export { reachAddress, readReach, writeReach } from './reach';

/** XEP-0077 §3.3, after the old password was proven: nobody does it at a computer that was left alone. */
export async function changePassword(engine: Engine, account: Account, old: string, fresh: string): Promise<void> {
  await account.stream.prove(old);
  const username = el('username', {}, account.me.name ?? account.me.number);
  const query = el('query', { xmlns: NS.register }, username, el('password', {}, fresh));
  await account.stream.iq(el('iq', { type: 'set', to: engine.config.domain }, query));
  await account.stream.renew(fresh);
}

/** XEP-0077 §3.2 */
export async function deleteAccount(engine: Engine, account: Account, password: string): Promise<void> {
  await account.stream.prove(password);
  const query = el('query', { xmlns: NS.register }, el('remove'));
  await account.stream.iq(el('iq', { type: 'set', to: engine.config.domain }, query));
  await engine.signOut('deleted');
}

export async function exportLink(account: Account): Promise<string> {
  const { form, notes } = await account.commands.run(COMMAND.export);
  const url = form && value(form, 'url');
  // It is still being written: the page asks again later.
  if (!url) throw new ApiError('wait', notes[0]?.text);
  return url;
}
