/** Notifications with the tab closed (Web Push), on one's own device. */
import { app } from './app.svelte';

class Push {
  on = $state(false);
  refused = $state(false);

  constructor() {
    if (typeof Notification === 'undefined') return;
    this.refused = Notification.permission === 'denied';
    this.on = Notification.permission === 'granted';
  }

  /** Asks for permission; with it, and where server and browser can, a subscription is made. */
  async start(): Promise<void> {
    const answer = await Notification.requestPermission();
    this.refused = answer === 'denied';
    this.on = answer === 'granted';
    if (!this.on) return;
    const key = await app.api.pushKey();
    const worker = await navigator.serviceWorker?.getRegistration();
    if (!key || !worker?.pushManager) return;
    const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    const { endpoint, keys } = made.toJSON();
    if (endpoint && keys?.p256dh && keys.auth)
      await app.api.pushSubscribe({ endpoint, p256dh: keys.p256dh, auth: keys.auth });
  }

  async stop(): Promise<void> {
    this.on = false;
    const worker = await navigator.serviceWorker?.getRegistration();
    const made = await worker?.pushManager?.getSubscription();
    if (!made) return;
    await app.api.pushUnsubscribe(made.endpoint);
    await made.unsubscribe();
  }
}

export const push = new Push();
