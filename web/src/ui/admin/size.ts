/** Sizes and moments as the server tells them, for people. */
import { ago, bytes } from '../../app/format';
import { t } from '../../i18n/index.svelte';

/** Bytes; nothing where nothing was said. */
export function size(text: string | undefined): string {
  return text === undefined || text === '' ? '' : bytes(Number(text));
}

/** A moment (XEP-0082), or `never`. */
export function when(text: string | undefined): string {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? t('admin.never') : ago(at);
}

export function count(text: string | undefined): string {
  const n = Number(text);
  return Number.isNaN(n) ? (text ?? '') : n.toLocaleString();
}
