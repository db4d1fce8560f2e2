/** Keys that work everywhere. `#/shortcuts` shows them. */
import { app } from '../../app/app.svelte';
import { chats } from '../../app/chats.svelte';
import { LISTS, openChat } from '../../app/places';
import { route } from '../../app/route.svelte';

export function shortcuts(event: KeyboardEvent): void {
  if (app.locked || document.querySelector('dialog[open]')) return;
  const command = event.ctrlKey || event.metaKey;
  if (event.key === 'F6') panes(event.shiftKey ? -1 : 1);
  else if (command && event.key.toLowerCase() === 'k') focus('[data-pane=side] input[type=search]');
  else if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp'))
    step(event.key === 'ArrowDown' ? 1 : -1, event.shiftKey);
  else if (event.altKey && /^[123]$/.test(event.key)) route.go([LISTS[Number(event.key) - 1]!]);
  else if (command && event.key === ',') route.go(['settings', 'profile']);
  else if (command && event.key === '/') route.go(['shortcuts']);
  else return;
  event.preventDefault();
}

function focus(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus();
}

/** From pane to pane: to where one was in it, or to its natural beginning. */
function panes(by: 1 | -1): void {
  const all = [...document.querySelectorAll<HTMLElement>('[data-pane]')];
  const here = all.findIndex((pane) => pane.contains(document.activeElement));
  const pane = all[(here + by + all.length) % all.length];
  const target = pane?.querySelector<HTMLElement>('[data-pane-focus], [tabindex="0"], a[href], button') ?? pane;
  target?.focus();
}

/** The conversation below or above in the list; with `unread`, the next one that has something new. */
function step(by: 1 | -1, unread: boolean): void {
  const { list } = chats;
  const here = list.findIndex((chat) => chat.address === route.parts[1]);
  for (let i = here + by; i >= 0 && i < list.length; i += by)
    if (!unread || list[i]!.unread > 0) return openChat(list[i]!.address);
}
