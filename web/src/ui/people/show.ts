/** Shows the card of somebody who is no contact yet, or of a group one is not in. */
import type { Card } from '../../api/model';
import { dialogs } from '../base/dialogs.svelte';
import { shown } from './shown.svelte';

export async function showCard(card: Card): Promise<void> {
  shown.card = card;
  dialogs.show((await import('./AddDialog.svelte')).default);
}
