import type { Compose } from '../../app/compose.svelte';

/** For whom the dialog with files is open. */
export const shownDraft: { current: Compose | undefined } = { current: undefined };
