/** How one wants to be reached while one is not here (docs/extensions.md). */
import type { Hours, Message, ReachSettings } from '../api/model';
import { el, type El } from '../xmpp/xml';
import { OWN } from './messages/ns';

interface Asks {
  iq(request: El): Promise<El>;
}

const hoursOf = (one: El | undefined): Hours | undefined =>
  one?.attrs.from && one.attrs.to ? { from: one.attrs.from, to: one.attrs.to } : undefined;

export async function readReach(stream: Asks): Promise<ReachSettings> {
  const answer = await stream.iq(el('iq', { type: 'get' }, el('settings', { xmlns: OWN.reach })));
  const settings = answer.child('settings', OWN.reach);
  const all = (name: string) => settings?.all(name) ?? [];
  const quiet = hoursOf(settings?.child('quiet', OWN.reach));
  return {
    active: settings?.attrs.active === 'true',
    zone: settings?.attrs.zone ?? '',
    urgent: settings?.attrs.urgent === 'contacts' ? 'contacts' : 'named',
    tells: (settings?.attrs.tells as ReachSettings['tells'] | undefined) ?? 'text',
    ...(quiet && { quiet }),
    ways: all('way').flatMap((way) => way.attrs.name ?? []),
    addresses: all('address').map((one) => ({
      way: one.attrs.way ?? '',
      address: one.text(),
      verified: one.attrs.verified === 'true',
    })),
    rules: all('rule').map((one) => {
      const hours = hoursOf(one);
      return {
        way: one.attrs.way ?? '',
        address: one.attrs.address ?? '',
        after: Number(one.attrs.after) || 0,
        least: (one.attrs.least as Message['urgency'] | undefined) ?? 'normal',
        unread: one.attrs.unread === 'true',
        ...(hours && { hours }),
      };
    }),
    allowed: all('allow').flatMap((one) => one.attrs.jid ?? []),
  };
}

export async function writeReach(stream: Asks, what: ReachSettings): Promise<void> {
  const { active, zone, urgent, tells, quiet, rules, allowed } = what;
  const settings = el('settings', { xmlns: OWN.reach, active: String(active), zone, urgent, tells });
  if (quiet) settings.add(el('quiet', { ...quiet }));
  for (const { way, address, after, least, unread, hours } of rules)
    settings.add(el('rule', { way, address, after: String(after), least, unread: String(unread), ...hours }));
  for (const jid of allowed) settings.add(el('allow', { jid }));
  await stream.iq(el('iq', { type: 'set' }, settings));
}

export async function reachAddress(
  stream: Asks,
  what: string,
  way: string,
  address: string,
  code?: string,
): Promise<void> {
  const request = el(what, { xmlns: OWN.reach, way, ...(code !== undefined && { code }) }, address);
  await stream.iq(el('iq', { type: 'set' }, request));
}
