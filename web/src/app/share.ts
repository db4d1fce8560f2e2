/** Taking something out of the page: to the clipboard, or to the system's sheet for sharing. */
import { t } from '../i18n/index.svelte';
import { toasts } from './toasts.svelte';

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without permission (or without https): the old way, by a selection.
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  toasts.say(t('copied'));
}

export async function share(text: string, url?: string): Promise<void> {
  if (navigator.share === undefined) return copy(url ? `${text} ${url}` : text);
  await navigator.share({ text, url }).catch(() => {});
}

/** The link to a group, for whoever may enter it or asks to. */
export function joinLink(group: string): string {
  return `${location.origin}/#/join/${encodeURIComponent(group).replaceAll('%40', '@')}`;
}
