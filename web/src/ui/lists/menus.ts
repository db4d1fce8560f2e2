/** What can be done with a conversation of the lists; the same menu is behind the button in its head. */
import type { Conversation, Notify } from '../../api/model';
import { app } from '../../app/app.svelte';
import { attempt } from '../../app/attempt';
import { listNow, togglePanel } from '../../app/places';
import { route } from '../../app/route.svelte';
import { toasts } from '../../app/toasts.svelte';
import { t } from '../../i18n/index.svelte';
import type { Item } from '../base/menu.svelte';

const NOTIFY: Notify[] = ['always', 'on-mention', 'never'];

export function notifyItems(chat: Conversation): Item[] {
  return NOTIFY.map((notify, i) => ({
    label: t(`notify.${notify}`),
    checked: chat.notify === notify,
    parted: i === 0,
    action: () => void attempt(() => app.api.setNotify(chat.address, notify)),
  }));
}

export function chatMenu(chat: Conversation): Item[] {
  return [
    {
      label: t(chat.pinned ? 'chats.unpin' : 'chats.pin'),
      icon: 'pin',
      action: () => void attempt(() => app.api.setPinned(chat.address, !chat.pinned)),
    },
    {
      label: t('chats.markRead'),
      icon: 'check',
      disabled: chat.unread === 0 || !chat.last,
      action: () => void attempt(() => app.api.markRead(chat.address, chat.last!.key)),
    },
    { label: t('card.open'), icon: 'info', action: () => togglePanel(chat.address, 'info') },
    ...notifyItems(chat),
    { label: t('chats.close'), icon: 'close', parted: true, action: () => void close(chat) },
  ];
}

async function close(chat: Conversation): Promise<void> {
  if (!(await attempt(() => app.api.close(chat.address)))) return;
  if (route.parts[1] === chat.address) route.replace([listNow()]);
  toasts.say(t('chats.closed'), {
    action: { label: t('undo'), run: () => void attempt(() => app.api.open(chat.address)) },
  });
}
