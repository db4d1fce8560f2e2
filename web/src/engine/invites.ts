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
  const said = (name: string) => form && value(form, name);
  const token = /[?;]preauth=([^;&]+)/.exec(said('uri') ?? '')?.[1];
  // A server that does not know how it is reached is reached as this page was.
  const url = said('landing-url') ?? (token && `${origin}/invite/${token}`);
  if (!url) throw new StanzaError('not-allowed');
  const expires = Date.parse(said('expire') ?? '');
  return { url, ...(!Number.isNaN(expires) && { expires }) };
}
