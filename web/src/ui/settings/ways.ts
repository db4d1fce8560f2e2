/** The ways by which one is reached while one is not here, as they are shown. */
import type { IconName } from '../../art/icons';
import { maybe } from '../../i18n/index.svelte';

const SIGNS: Partial<Record<string, IconName>> = { mail: 'mail', sms: 'chats', pager: 'bell' };

/** A way that is not known here is newer than this page. */
export const nameOf = (way: string): string => maybe(`reached.way.${way}`) ?? way;
export const signOf = (way: string): IconName => SIGNS[way] ?? 'megaphone';
