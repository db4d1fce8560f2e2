/** What can be done with a message. */
import type { Message } from '../../api/model';
import { app } from '../../app/app.svelte';
import { attempt } from '../../app/attempt';
import type { Compose } from '../../app/compose.svelte';
import { groups } from '../../app/groups.svelte';
import { chatHash } from '../../app/places';
import { copy } from '../../app/share';
import { t } from '../../i18n/index.svelte';
import { dialogs } from '../base/dialogs.svelte';
import { menu, type Item } from '../base/menu.svelte';

/** At hand without searching. */
export const QUICK = ['👍', '❤️', '😂', '😮', '😢', '🎉'];

export function toggleReaction(message: Message, emoji: string): void {
  const mine = message.reactions.filter((one) => one.mine).map((one) => one.emoji);
  const next = mine.includes(emoji) ? mine.filter((one) => one !== emoji) : [...mine, emoji];
  void attempt(() => app.api.react(message.conversation, message.key, next));
}

export function openReactions(event: MouseEvent, message: Message): void {
  menu.open(event, t('message.react'), [], {
    label: t('message.react'),
    emojis: QUICK,
    pick: (emoji) => toggleReaction(message, emoji),
  });
}

export function messageMenu(message: Message, draft: Compose, group: boolean): Item[] {
  const settled = message.state !== 'sending' && message.state !== 'failed';
  const alive = settled && !message.retracted;
  const moderator = group && groups.get(message.conversation)?.myRole === 'moderator';
  const items: (Item | false)[] = [
    alive && { label: t('message.replyShort'), icon: 'reply', action: () => (draft.replyTo = message) },
    alive && { label: t('message.react'), icon: 'smile', action: () => reactLater(message) },
    alive &&
      message.mine &&
      message.kind === 'text' && { label: t('message.edit'), icon: 'edit', action: () => draft.edit(message) },
    message.body !== '' && { label: t('message.copy'), icon: 'copy', action: () => void copy(message.body) },
    settled && { label: t('message.copyLink'), icon: 'link', action: () => void copy(linkTo(message)) },
    message.mine &&
      message.state === 'failed' && {
        label: t('again'),
        icon: 'refresh',
        action: () => void attempt(() => app.api.retry(message.conversation, message.key)),
      },
    !message.mine &&
      alive && { label: t('report.action'), icon: 'flag', parted: true, action: () => void reportMessage(message) },
    alive &&
      (message.mine || moderator) && {
        label: t(message.mine ? 'message.retract' : 'message.moderate'),
        icon: 'trash',
        danger: true,
        parted: true,
        action: () => void retract(message),
      },
  ];
  return items.filter((item) => item !== false);
}

/** The strip of reactions where the message's menu was. */
function reactLater(message: Message): void {
  const row = [...document.querySelectorAll<HTMLElement>('[data-key]')].find((one) => one.dataset.key === message.key);
  const bubble = row?.querySelector<HTMLElement>('.bubble');
  if (!bubble) return;
  const event = new MouseEvent('click');
  Object.defineProperty(event, 'currentTarget', { value: bubble });
  openReactions(event, message);
}

function linkTo(message: Message): string {
  return `${location.origin}${location.pathname}${chatHash(message.conversation, 'chats')}?${new URLSearchParams({ at: message.key })}`;
}

async function retract(message: Message): Promise<void> {
  const { conversation, key } = message;
  if (message.mine) {
    const sure = await dialogs.confirm({
      title: t('message.retractTitle'),
      text: t('message.retractText'),
      action: t('message.retract'),
      danger: true,
    });
    if (sure) await attempt(() => app.api.retract(conversation, key));
    return;
  }
  const reason = await dialogs.ask({
    title: t('message.moderateTitle', { name: message.sender }),
    action: t('message.moderate'),
    danger: true,
    field: { label: t('message.reason'), value: '' },
  });
  if (reason !== null) await attempt(() => app.api.retract(conversation, key, reason));
}

async function reportMessage(message: Message): Promise<void> {
  const { reportPerson } = await import('../people/report');
  await reportPerson(message.from, message.sender || message.from, [message.key]);
}
