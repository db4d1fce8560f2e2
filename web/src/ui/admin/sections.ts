/** The server's commands by what they are about. What is for oneself has its place in the settings, and is not listed here. */
import type { Key } from '../../i18n/index.svelte';

const OURS = 'https://rookery.im/command/';
const ADMIN = 'http://jabber.org/protocol/admin#';

export interface Command {
  node: string;
  name: string;
}

const SECTIONS: [title: Key, nodes: RegExp][] = [
  ['admin.server', /^(health|trace|second-factor|confirm)$/],
  ['admin.people', /user|^(edit-admin|recovery-link|review|get-.*)$/],
  ['admin.invitations', /^announce-invit|^create-invite|invite/],
  ['admin.reports', /^(reports|edit-blacklist|block-address|unblock-address)$/],
  ['admin.tell', /^announce|motd|welcome/],
];

/** For oneself: Rookery's own that are not about the server. */
const ONESELF =
  /^(me|password|nick|sessions|archive-.*|retention|delete-(messages|account)|directory|who-.*|invitations|export|visibility|strangers|requests|push-content)$/;

export function sections(commands: readonly Command[]): { title: Key; commands: Command[] }[] {
  const left = commands.filter(({ node }) => !(node.startsWith(OURS) && ONESELF.test(node.slice(OURS.length))));
  const found = SECTIONS.map(([title, nodes]) => {
    const here = left.filter(({ node }) => nodes.test(short(node)));
    for (const command of here) left.splice(left.indexOf(command), 1);
    return { title, commands: here };
  });
  return [...found, { title: 'admin.more' as Key, commands: left }].filter((section) => section.commands.length > 0);
}

function short(node: string): string {
  return node.replace(OURS, '').replace(ADMIN, '');
}
