import { ApiError } from '../api/api';
import type { Failure } from '../api/model';
import { language, maybe, t } from '../i18n/index.svelte';
import { app } from './app.svelte';
import { bytes } from './format';

/** One plain sentence for what went wrong: ours in the reader's language, or the server's own. */
export function sentence(error: unknown): string {
  if (isApiError(error)) return sentenceOf(error);
  return t('error.unknown', { code: error instanceof Error ? error.message : String(error) });
}

/** The same of what is known of a message that was not sent. */
export function sentenceOf(error: Failure): string {
  const values: Record<string, string | number> = { domain: app.config?.domain ?? '', ...error.values };
  if (typeof values.limit === 'number') values.limit = bytes(values.limit);
  const ours = maybe(`error.${error.code}`, values);
  // The server speaks English; whoever reads something else has more from our own sentence.
  const theirs = language.tag === 'en' ? error.text : '';
  return theirs || ours || error.text || t('error.unknown', { code: error.code });
}

/** Errors that crossed from a worker have lost their class, not their name. */
export function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && error.name === 'ApiError';
}
