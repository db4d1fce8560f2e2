/** The server was updated while the page was open: what the page fetches later is not there any more under the name it knows. */
import { t } from '../i18n/index.svelte';
import { toasts } from './toasts.svelte';

/** Watches for pieces of the page that cannot be had. */
export function watchUpdates(): void {
  addEventListener('vite:preloadError', () => void look());
}

/**
 * Tells an update from a connection that is away: by then the server's page begins with another script than this one. It is not loaded
 * again by itself: what one is writing, or has chosen to send, would be lost.
 */
async function look(): Promise<void> {
  const script = document.querySelector('script[type=module]')?.getAttribute('src');
  const answer = await fetch(location.pathname, { cache: 'no-store' }).catch(() => undefined);
  if (!script || !answer?.ok || (await answer.text()).includes(script)) return;
  toasts.say(t('updated'), { stays: true, action: { label: t('updated.reload'), run: () => location.reload() } });
}
