/** Public-computer mode: nobody touched it for a while, so it is locked. */
import { app } from './app.svelte';

const LOCKS_AFTER = 15 * 60_000;
const LOOKS_EVERY = 10_000;

export const idle = {
  /** Watches until the returned function is called. */
  start(): () => void {
    let touched = Date.now();
    const touch = () => (touched = Date.now());
    const kinds = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'];
    for (const kind of kinds) addEventListener(kind, touch, { passive: true, capture: true });
    // The clock is compared, not counted: a computer that slept is locked when it wakes.
    const timer = setInterval(() => {
      if (app.public && Date.now() - touched > LOCKS_AFTER) app.locked = true;
    }, LOOKS_EVERY);
    return () => {
      clearInterval(timer);
      for (const kind of kinds) removeEventListener(kind, touch, { capture: true });
    };
  },
};
