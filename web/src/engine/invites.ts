/** Links that bring people here (XEP-0401, XEP-0379). */
import type { Address } from '../api/model';
import { StanzaError } from '../xmpp/session';
import { COMMAND, type Commands } from './commands';
import type { ServerConfig } from './context';
import { value } from './forms';

/** A link that adds us as a contact, for one person; or one that leads to a group, which is good for whoever may enter it. */
export async function inviteLink(
  commands: Commands,
  { origin }: ServerConfig,
  group?: Address,
): Promise<{ url: string; expires?: number }> {
  if (group !== undefined) return { url: `${origin}/#/join/${encodeURIComponent(group)}` };
  const { form } = await commands.run(COMMAND.invite);
  const url = form && (value(form, 'landing-url') ?? value(form, 'uri'));
  if (!url) throw new StanzaError('not-allowed');
  const expires = Date.parse(value(form, 'expire') ?? '');
  return { url, ...(!Number.isNaN(expires) && { expires }) };
}
