/**
 * Fingers on messages: a swipe along the line answers one; a long press opens its menu where the browser does not by itself.
 * Heard once, where all of them are. What can be swiped says so: `data-swipes`.
 */
import type { Attachment } from 'svelte/attachments';

const ANSWERS_AT = 56;
const LONG = 480;

/** `answer` is told the row, which knows its key. */
export function gestures(answer: (row: HTMLElement) => void): Attachment<HTMLElement> {
  return (list) => {
    let held: { node: HTMLElement; x: number; y: number } | undefined;
    let by = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;

    function down(event: PointerEvent): void {
      if (event.pointerType !== 'touch') return;
      // A second finger is no swipe.
      end();
      const node = (event.target as Element).closest<HTMLElement>('[data-swipes]');
      if (!node) return;
      const { clientX, clientY } = event;
      held = { node, x: clientX, y: clientY };
      timer = setTimeout(() => {
        held = undefined;
        node.dispatchEvent(new MouseEvent('contextmenu', { clientX, clientY, bubbles: true, cancelable: true }));
      }, LONG);
    }

    function move(event: PointerEvent): void {
      if (!held) return;
      const x = event.clientX - held.x;
      const y = event.clientY - held.y;
      if (Math.abs(x) > 8 || Math.abs(y) > 8) clearTimeout(timer);
      if (Math.abs(y) > Math.abs(x) && by === 0) {
        held = undefined;
        return;
      }
      const inward = getComputedStyle(held.node).direction === 'rtl' ? 1 : -1;
      by = Math.max(0, Math.min(ANSWERS_AT * 1.4, x * inward));
      held.node.style.translate = `${by * inward}px`;
    }

    function up(): void {
      const row = by >= ANSWERS_AT ? held?.node : undefined;
      end();
      if (row) answer(row);
    }

    function end(): void {
      clearTimeout(timer);
      if (held) held.node.style.translate = '';
      held = undefined;
      by = 0;
    }

    list.addEventListener('pointerdown', down);
    list.addEventListener('pointermove', move);
    list.addEventListener('pointerup', up);
    list.addEventListener('pointercancel', end);
    return () => {
      end();
      list.removeEventListener('pointerdown', down);
      list.removeEventListener('pointermove', move);
      list.removeEventListener('pointerup', up);
      list.removeEventListener('pointercancel', end);
    };
  };
}
