/** The messenger on a sample world. `?signedIn&lively&seed=3&now=…&contacts=…&rtl` */
import { prefs } from '../../src/app/prefs.svelte';
import { start } from '../../src/ui/start';
import { fakeEngine } from '../fake/engine';
import { DOMAIN } from '../fake/sample';

const query = new URLSearchParams(location.search);
const number = (name: string) => (query.has(name) ? Number(query.get(name)) : undefined);
const given = Object.fromEntries(
  (['seed', 'now', 'contacts', 'occupants', 'messages', 'delay'] as const)
    .map((name) => [name, number(name)] as const)
    .filter(([, value]) => value !== undefined),
);

const engine = fakeEngine({
  delay: 120,
  ...given,
  lively: query.has('lively'),
  signedIn: query.has('signedIn'),
  place: query.has('own') ? 'own' : 'public',
});
Object.assign(window, { engine, speak: (tag: 'en' | 'zh') => prefs.speak(tag) });

start(async () => engine, {
  domain: DOMAIN,
  groups: `groups.${DOMAIN}`,
  secure: !query.has('insecure'),
  registration: (query.get('registration') as 'open' | null) ?? 'open',
  recovery: true,
  members_invite: true,
  upload_bytes: 50_000_000,
  terms: null,
  version: '0.1.0',
});

if (query.has('rtl')) new MutationObserver(rtl).observe(document.documentElement, { attributeFilter: ['dir'] });
function rtl(): void {
  if (document.documentElement.dir !== 'rtl') document.documentElement.dir = 'rtl';
}
