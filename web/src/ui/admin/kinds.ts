/** What kind of group it is, in words: the server names kinds as its manual does. */
import { maybe } from '../../i18n/index.svelte';

export function kinds(text: string | undefined): string[] {
  const named = (text ?? '').split(', ').filter((kind) => kind !== '');
  return named.map((kind) => maybe(`admin.kind.${kind}`) ?? kind);
}
