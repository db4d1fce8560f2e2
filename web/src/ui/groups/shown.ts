import type { Group } from '../../api/model';

/** The group for which a dialog is open. */
export const groupShown: { current: Group | undefined } = { current: undefined };
