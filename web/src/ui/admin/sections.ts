/** What there is to administer: pages of their own, and commands that no page covers, by what they are about. */
import type { IconName } from '../../art/icons';
import { COMMAND } from '../../app/admin.svelte';
import type { Key } from '../../i18n/index.svelte';

const OURS = 'https://rookery.im/command/';
const ADMIN = 'http://jabber.org/protocol/admin#';

export interface Command {
  node: string;
  name: string;
}

export const PAGES = ['people', 'invitations', 'review', 'reports', 'groups', 'storage'] as const;
export type PageName = (typeof PAGES)[number];

/** What a page is called and looks like, and the command without which there is none. */
export const PAGE: Record<PageName, { title: Key; icon: IconName; needs: string }> = {
  people: { title: 'admin.people', icon: 'contacts', needs: COMMAND.people },
  invitations: { title: 'admin.invitations', icon: 'ticket', needs: COMMAND.invitations },
  review: { title: 'admin.review', icon: 'check', needs: COMMAND.review },
  reports: { title: 'admin.reports', icon: 'flag', needs: COMMAND.reports },
  groups: { title: 'admin.groups', icon: 'groups', needs: COMMAND.groups },
  storage: { title: 'admin.storage', icon: 'chart', needs: COMMAND.storage },
};

export const isPage = (name: string | undefined): name is PageName => PAGES.includes(name as PageName);

/** Commands that the pages are made of. */
const COVERED = new Set<string>(
  Object.values(COMMAND).filter(
    (node) => ![COMMAND.health, COMMAND.trace, COMMAND.confirm, COMMAND.factor].some((own) => own === node),
  ),
);

const SECTIONS: [title: Key, nodes: RegExp][] = [
  ['admin.server', /^(health|trace|second-factor|confirm)$/],
  ['admin.accounts', /user|^(edit-admin|get-.*)$/],
  ['admin.blocks', /^(edit-blacklist|block-address|unblock-address)$/],
  ['admin.tell', /^announce|motd|welcome/],
];

/** For oneself: what is not about the server has its place in the settings. */
const ONESELF =
  /^(me|password|nick|sessions|archive-.*|retention|delete-(messages|account)|directory|who-.*|invitations|export|visibility|strangers|requests|push-content|take-up-invitation)$/;

export function sections(commands: readonly Command[]): { title: Key; commands: Command[] }[] {
  const left = commands.filter(
    ({ node }) =>
      !COVERED.has(node) &&
      node !== 'urn:xmpp:invite#invite' &&
      !(node.startsWith(OURS) && ONESELF.test(node.slice(OURS.length))),
  );
  const found = SECTIONS.map(([title, nodes]) => {
    const here = left.filter(({ node }) => nodes.test(short(node)));
    for (const command of here) left.splice(left.indexOf(command), 1);
    return { title, commands: here };
  });
  return [...found, { title: 'admin.more' as Key, commands: left }].filter((section) => section.commands.length > 0);
}

/** A command's name without whose it is: that its sentences go by. */
export function short(node: string): string {
  return node.replace(OURS, '').replace(ADMIN, '');
}
