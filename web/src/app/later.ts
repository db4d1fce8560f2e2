/** Milliseconds after which it is done even by a page that is never at rest; where one cannot know, after which it is done. */
const AT_LAST = 1000;
const SOON = 100;

/** Does something when the page is at rest. */
export function later(what: () => void): void {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(what, { timeout: AT_LAST });
  else setTimeout(what, SOON);
}
