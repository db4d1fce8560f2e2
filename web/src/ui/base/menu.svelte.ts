/** The one menu that may be open: what is in it, and where. `MenuHost` draws it. */
import type { IconName } from '../../art/icons';
import type { Show } from '../../api/model';

export interface Item {
  label: string;
  icon?: IconName;
  presence?: Show;
  /** A choice: shown with a tick when true. */
  checked?: boolean;
  danger?: boolean;
  disabled?: boolean;
  /** Begins a new part of the menu. */
  parted?: boolean;
  action: () => void;
}

/** Emoji in a row above the items. */
export interface Strip {
  label: string;
  emojis: string[];
  pick: (emoji: string) => void;
}

interface Opened {
  items: Item[];
  strip?: Strip;
  label: string;
  /** The element or the point it belongs to. */
  at: DOMRect;
  from: HTMLElement | null;
}

class MenuState {
  opened = $state.raw<Opened | null>(null);

  /** Opens at the element that was pressed, or at the pointer for a context menu. */
  open(event: MouseEvent | KeyboardEvent, label: string, items: Item[], strip?: Strip): void {
    event.preventDefault();
    event.stopPropagation();
    const from = event.currentTarget as HTMLElement;
    const point = event.type === 'contextmenu' && event instanceof MouseEvent && event.clientX > 0;
    const at = point ? new DOMRect(event.clientX, event.clientY, 0, 0) : from.getBoundingClientRect();
    this.opened = { items, strip, label, at, from };
  }

  /** Closes, and gives the focus back. */
  close(): void {
    const from = this.opened?.from;
    this.opened = null;
    if (from?.isConnected) from.focus();
  }
}

export const menu = new MenuState();
