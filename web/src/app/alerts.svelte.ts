/** What makes itself heard: sounds, the announcer's lines, the page's title and sign, who has just come online. */
import type { Message } from '../api/model';
import type { Event } from '../api/events';
import { t } from '../i18n/index.svelte';
import { app } from './app.svelte';
import { chats } from './chats.svelte';
import { snippet } from './describe';
import { nameOf, people } from './people.svelte';
import { prefs } from './prefs.svelte';
import { route } from './route.svelte';

/** Lines kept for the announcer; the reader has read what was before. */
const LINES = 5;
/** Milliseconds for which somebody who came online is shown. */
const ARRIVAL = 4500;

class Alerts {
  said = $state.raw<{ id: number; text: string }[]>([]);
  /** Who came online just now. */
  arrived = $state<string>();
  #next = 1;
  #clear: ReturnType<typeof setTimeout> | undefined;

  /** Listens until the returned function is called. */
  start(): () => void {
    const stop = app.listen((event) => this.#take(event));
    const focus = () =>
      app.api.focus({ visible: document.visibilityState === 'visible', conversation: route.parts[1] });
    document.addEventListener('visibilitychange', focus);
    const unroot = $effect.root(() => {
      $effect(focus);
      $effect(() => this.#title());
    });
    return () => {
      stop();
      unroot();
      document.removeEventListener('visibilitychange', focus);
      document.title = t('app');
    };
  }

  say(text: string): void {
    this.said = [...this.said.slice(1 - LINES), { id: this.#next++, text }];
  }

  #take(event: Event): void {
    if (event.type === 'alert') this.#message(event.conversation, event.message);
    else if (event.type === 'arrival') this.#arrival(event.address);
  }

  #message(address: string, message: Message): void {
    const name = message.sender || chats.get(address)?.title || '';
    this.say(t('announce.message', { name, text: snippet(message) }));
    if (app.me?.show === 'dnd') return;
    if (prefs.sounds) sound(message.kind === 'knock' ? 'knock' : message.urgency === 'urgent' ? 'urgent' : 'message');
    if (!app.public && document.visibilityState === 'hidden' && globalThis.Notification?.permission === 'granted') {
      const shown = new Notification(name, { body: snippet(message), tag: address, icon: '/icon.svg' });
      shown.onclick = () => {
        window.focus();
        route.go(['chats', address]);
        shown.close();
      };
    }
  }

  #arrival(address: string): void {
    const contact = people.get(address);
    if (!contact) return;
    this.arrived = address;
    clearTimeout(this.#clear);
    this.#clear = setTimeout(() => (this.arrived = undefined), ARRIVAL);
    this.say(t('announce.arrival', { name: nameOf(contact) }));
    if (prefs.sounds && prefs.arrivals && app.me?.show !== 'dnd') sound('chirp');
  }

  #title(): void {
    const { warm } = chats.unread;
    const open = route.parts[1] ? chats.get(route.parts[1])?.title : undefined;
    document.title = `${warm > 0 ? `(${warm}) ` : ''}${open ?? t('app')}`;
    const sign = document.querySelector<HTMLLinkElement>('link[rel=icon]');
    const wanted = warm > 0 ? '/icon-unread.svg' : '/icon.svg';
    if (sign && sign.getAttribute('href') !== wanted) sign.href = wanted;
    void (navigator as { setAppBadge?: (n: number) => Promise<void> }).setAppBadge?.(warm).catch(() => {});
  }
}

function sound(name: 'message' | 'knock' | 'chirp' | 'urgent'): void {
  // Without a connection it may not be had.
  import('../art/sounds').then(({ play }) => play(name)).catch(() => {});
}

export const alerts = new Alerts();
