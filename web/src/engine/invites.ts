/** Links that bring people here (XEP-0401, XEP-0379), and taking up those of others (docs/administration.md). */
import type { Address, Invitation } from '../api/model';
import { StanzaError } from '../xmpp/session';
import { COMMAND, type Commands } from './commands';
import type { ServerConfig } from './context';
import { isTrue, value } from './forms';

/** How many people a link brings into a group: a few at a time, so that one that gets about is no open door. */
const PEOPLE = '10';

/** A link that adds us as a contact, for one person; or one that makes members of a group. */
export async function inviteLink(
  commands: Commands,
  { origin }: ServerConfig,
  group?: Address,
): Promise<{ url: string; expires?: number }> {
  const { form } = group
    ? await commands.run(COMMAND.inviteToGroup, { uses: PEOPLE }, group)
    : await commands.run(COMMAND.invite);
  const said = (name: string) => form && value(form, name);
  const token = /[?;]preauth=([^;&]+)/.exec(said('uri') ?? '')?.[1];
  // A server that does not know how it is reached is reached as this page was.
  const url = said('landing-url') ?? (token && `${origin}/invite/${token}`);
  if (!url) throw new StanzaError('not-allowed');
  const expires = Date.parse(said('expire') ?? '');
  return { url, ...(!Number.isNaN(expires) && { expires }) };
}

/** What somebody else's invitation is for. Nothing is taken up by looking. */
export async function invitation(commands: Commands, token: string): Promise<Invitation> {
  const { session, form } = await commands.fill(COMMAND.takeUp, { token });
  void commands.step({ node: COMMAND.takeUp, session, action: 'cancel' }).catch(() => {});
  const said = (name: string) => (form && value(form, name)) || undefined;
  return {
    from: said('inviter'),
    nick: said('nick') ?? '',
    contact: isTrue(said('contact')),
    group: said('group'),
    groupName: said('group-name') ?? '',
  };
}

/** From now on one is a contact, or a member of the group. */
export async function takeUp(commands: Commands, token: string): Promise<void> {
  const { session } = await commands.fill(COMMAND.takeUp, { token });
  await commands.step({ node: COMMAND.takeUp, session, action: 'complete', form: NOTHING });
}

const NOTHING = { title: '', instructions: '', fields: [] };
