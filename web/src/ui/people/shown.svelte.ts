import type { Card } from '../../api/model';

/** The card with which the dialog for adding opens, if it does not open empty. */
export const shown = $state<{ card: Card | null }>({ card: null });
