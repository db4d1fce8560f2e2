/** When something was sent, if it comes late (XEP-0203): milliseconds since 1970. */
import { NS } from '../xmpp/ns';
import type { El } from '../xmpp/xml';

export function stampOf(stanza: El): number | undefined {
  const at = Date.parse(stanza.child('delay', NS.delay)?.attrs.stamp ?? '');
  return Number.isNaN(at) ? undefined : at;
}
