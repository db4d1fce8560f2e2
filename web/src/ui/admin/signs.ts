/** A sign for a command, by words in its node: nodes of XEP-0133 and our own. */
import type { IconName } from '../../art/icons';

const SIGNS: [word: RegExp, icon: IconName][] = [
  [/invit/, 'ticket'],
  [/review|approv/, 'check'],
  [/report/, 'flag'],
  [/storage|quota|disk/, 'chart'],
  [/health|stat|uptime|num/, 'chart'],
  [/announce|motd/, 'megaphone'],
  [/trace/, 'search'],
  [/group|room|muc/, 'groups'],
  [/delete/, 'trash'],
  [/disable|block|end/, 'block'],
  [/password|recover/, 'lock'],
  [/add|create/, 'plus'],
  [/user|people|account|session|online|idle|active|registered/, 'contacts'],
];

export function signOf(node: string): IconName {
  return SIGNS.find(([word]) => word.test(node))?.[1] ?? 'settings';
}
