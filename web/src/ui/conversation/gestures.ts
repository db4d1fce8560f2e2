/** Fingers on a message: a swipe along the line answers it; a long press opens its menu where the browser does not by itself. */
import type { Attachment } from 'svelte/attachments';

const ANSWERS_AT = 56;
const LONG = 480;

export function gestures(answer: () => void): Attachment<HTMLElement> {
  return (node) => {
    let start: { x: number; y: number } | undefined;
    let by = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;

    function down(event: PointerEvent): void {
      if (event.pointerType !== 'touch') return;
      start = { x: event.clientX, y: event.clientY };
      by = 0;
      const { clientX, clientY } = event;
      timer = setTimeout(() => {
        start = undefined;
        node.dispatchEvent(new MouseEvent('contextmenu', { clientX, clientY, bubbles: true, cancelable: true }));
      }, LONG);
    }

    function move(event: PointerEvent): void {
      if (!start) return;
      const x = event.clientX - start.x;
      const y = event.clientY - start.y;
      if (Math.abs(x) > 8 || Math.abs(y) > 8) clearTimeout(timer);
      if (Math.abs(y) > Math.abs(x) && by === 0) {
        start = undefined;
        return;
      }
      const inward = getComputedStyle(node).direction === 'rtl' ? 1 : -1;
      by = Math.max(0, Math.min(ANSWERS_AT * 1.4, x * inward));
      node.style.translate = `${by * inward}px`;
    }

    function end(): void {
      clearTimeout(timer);
      if (start && by >= ANSWERS_AT) answer();
      start = undefined;
      by = 0;
      node.style.translate = '';
    }

    node.style.touchAction = 'pan-y';
    node.addEventListener('pointerdown', down);
    node.addEventListener('pointermove', move);
    node.addEventListener('pointerup', end);
    node.addEventListener('pointercancel', end);
    return () => {
      clearTimeout(timer);
      node.removeEventListener('pointerdown', down);
      node.removeEventListener('pointermove', move);
      node.removeEventListener('pointerup', end);
      node.removeEventListener('pointercancel', end);
    };
  };
}
