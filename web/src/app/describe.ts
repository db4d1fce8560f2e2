/** Messages in few words: for lists, quotes, notifications and the announcer. */
import type { Conversation, Message } from '../api/model';
import { t } from '../i18n/index.svelte';

/** What a message says, or what it is if it says nothing. */
export function snippet(
  message: Pick<Message, 'kind' | 'body'> & Partial<Pick<Message, 'retracted' | 'files'>>,
): string {
  if (message.retracted) return t('message.retracted');
  if (message.body) return plain(message.body);
  if (message.kind === 'files') {
    const first = message.files?.[0];
    if (first && !first.type.startsWith('image/')) return first.name;
    return t(first ? 'kind.picture' : 'kind.files');
  }
  if (message.kind === 'text') return t('message.retracted');
  return t(`kind.${message.kind}`);
}

/** The line of a conversation's row. */
export function line(last: NonNullable<Conversation['last']>): string {
  return snippet({ kind: last.kind, body: last.text });
}

/** Without marks of styling that begin or end a line or word (XEP-0393), in one line. */
function plain(body: string): string {
  return body
    .replace(/^```.*$/gm, ' ')
    .replace(/^>+ ?/gm, '')
    .replace(/(^|[\s(])([*_~`])(\S(?:.*?\S)?)\2(?=$|[\s.,!?)])/g, '$1$3')
    .replace(/\s+/g, ' ')
    .trim();
}
