/**
 * What one reaches for a moment after the first screen is there: one chunk, which the screen loads as soon as it stands. A part
 * that is wanted earlier is awaited.
 */
export { default as DialogHost } from '../base/DialogHost.svelte';
export { default as MenuHost } from '../base/MenuHost.svelte';
export { default as ContactList } from '../lists/ContactList.svelte';
export { default as GroupList } from '../lists/GroupList.svelte';
