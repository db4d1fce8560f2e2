/** Notifications with the tab closed (Web Push), on one's own device. */
import { scriptAddress } from '../bridge/trusted';
import { app } from './app.svelte';

class Push {
  on = $state(false);
  refused = $state(false);

  constructor() {
    if (typeof Notification === 'undefined') return;
    this.refused = Notification.permission === 'denied';
    if (Notification.permission !== 'granted') return;
    // The worker goes when somebody signs out: then nobody has asked to be told yet.
    void navigator.serviceWorker?.getRegistration().then((worker) => (this.on = worker !== undefined));
  }

  /** Asks for permission; with it, and where server and browser can, a subscription is made. */
  async start(): Promise<void> {
    const answer = await Notification.requestPermission();
    this.refused = answer === 'denied';
    this.on = answer === 'granted';
    if (!this.on) return;
    const key = await app.api.pushKey();
    if (!key || !('serviceWorker' in navigator)) return;
    await navigator.serviceWorker.register(scriptAddress('/sw.js'));
    const worker = await navigator.serviceWorker.ready;
    if (!worker.pushManager) return;
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
    await this.forget();
  }

  /** This browser is told nothing any more; the server forgets the subscription with the device, or when it is refused. */
  async forget(): Promise<void> {
    this.on = false;
    for (const worker of (await navigator.serviceWorker?.getRegistrations()) ?? []) {
      await (await worker.pushManager?.getSubscription())?.unsubscribe();
      await worker.unregister();
    }
  }
}

export const push = new Push();
