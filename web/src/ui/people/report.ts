/** Telling the people who run the server about somebody. */
import type { Address } from '../../api/model';
import { app } from '../../app/app.svelte';
import { attempt } from '../../app/attempt';
import { t } from '../../i18n/index.svelte';
import { dialogs } from '../base/dialogs.svelte';

/** `messages` are the keys of what is shown to them. */
export async function reportPerson(address: Address, name: string, messages: string[] = []): Promise<void> {
  const text = await dialogs.ask({
    title: t('report.title', { name }),
    text: t('report.text', { name }),
    action: t('report.send'),
    danger: true,
    field: { label: t('report.why'), value: '', lines: 3 },
  });
  if (text !== null) await attempt(() => app.api.report(address, 'abuse', text, messages), t('report.done'));
}
