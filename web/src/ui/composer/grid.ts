/** Arrow keys in a grid of buttons: one stop for the tab key. Escape closes. */
import type { Attachment } from 'svelte/attachments';

export function grid(columns: number, close: () => void): Attachment<HTMLElement> {
  return (node) => {
    const all = () => [...node.querySelectorAll<HTMLElement>('button')];

    function settle(chosen?: HTMLElement): void {
      const buttons = all();
      for (const button of buttons) button.tabIndex = button === (chosen ?? buttons[0]) ? 0 : -1;
    }

    function keydown(event: KeyboardEvent): void {
      if (event.key === 'Escape') {
        event.preventDefault();
        event.stopPropagation();
        close();
        return;
      }
      const buttons = all();
      const here = buttons.indexOf(event.target as HTMLElement);
      const forward = getComputedStyle(node).direction === 'rtl' ? -1 : 1;
      const to = {
        ArrowRight: here + forward,
        ArrowLeft: here - forward,
        ArrowDown: here + columns,
        ArrowUp: here - columns,
        Home: 0,
        End: buttons.length - 1,
      }[event.key];
      if (to === undefined || here < 0 || !buttons[to]) return;
      event.preventDefault();
      settle(buttons[to]);
      buttons[to].focus();
    }

    settle();
    const changes = new MutationObserver(() => settle());
    changes.observe(node, { childList: true });
    node.addEventListener('keydown', keydown);
    return () => {
      changes.disconnect();
      node.removeEventListener('keydown', keydown);
    };
  };
}
