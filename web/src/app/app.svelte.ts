/**
 * The page's state. `app` attaches to the engine, shows the snapshot and then every event, in order, to those whom it
 * concerns: `people`, `chats`, the conversation that is open, the sounds.
 */
import type { Api, Snapshot } from '../api/api';
import type { Event } from '../api/events';
import type * as m from '../api/model';
import { language } from '../i18n/index.svelte';
import { avatars } from './avatars.svelte';
import { chats } from './chats.svelte';
import type { Config } from './config';
import { know, stay } from './here';
import { people } from './people.svelte';
import { prefs } from './prefs.svelte';
import { route } from './route.svelte';

export type Phase = 'starting' | 'unreachable' | 'out' | 'in';
type SignedOut = Extract<Event, { type: 'signed-out' }>;

class App {
  api!: Api;
  config = $state.raw<Config>();
  phase = $state<Phase>('starting');
  connection = $state.raw<m.Connection>({ state: 'offline' });
  me = $state.raw<m.Me>();
  requests = $state.raw<m.ContactRequest[]>([]);
  invitations = $state.raw<m.GroupInvitation[]>([]);
  remembered = $state.raw<Snapshot['remembered']>();
  /** Why one was signed out, until one signs in again. */
  ended = $state<SignedOut['reason']>();
  /** The account was made just now: its number is shown first. */
  fresh = $state(false);
  /** It waits for an administrator to let it in. */
  waits = $state(false);
  /** In public-computer mode nobody touched it for a while. */
  locked = $state(false);
  readonly public = $derived(this.me?.place === 'public');

  #listeners = new Set<(event: Event) => void>();

  /** What the server says of itself is there: nothing is shown before. */
  #served: Promise<unknown> = Promise.resolve();

  /**
   * Attaches, and signs in with the token that is kept here if there is one. The engine reads what it keeps while the server is
   * asked what it is.
   */
  async start(engine: Promise<Api>, served: Promise<Config>): Promise<void> {
    this.#served = served.then((config) => {
      this.config = config;
      know(config);
    });
    // Whoever awaits it hears of it.
    this.#served.catch(() => {});
    this.api = await engine;
    const snapshot = await this.api.attach((events) => {
      for (const event of events) this.#take(event);
    });
    this.connection = snapshot.connection;
    this.remembered = snapshot.remembered;
    if (snapshot.signedIn) return this.#enter(snapshot);
    if (snapshot.remembered) {
      try {
        await this.api.signInRemembered();
        return void (await this.#served);
      } catch {
        this.remembered = undefined;
      }
    }
    await this.#served;
    this.phase = 'out';
  }

  /** Hears every event, after the state has changed. Returns how to stop. */
  listen(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async signOut(): Promise<void> {
    await this.api.signOut();
  }

  async #enter(snapshot: Snapshot): Promise<void> {
    this.me = snapshot.me;
    this.connection = snapshot.connection;
    this.requests = snapshot.requests;
    this.invitations = snapshot.invitations;
    this.ended = undefined;
    stay(snapshot.me?.place);
    if (snapshot.me) prefs.keep(snapshot.me.place);
    people.start(snapshot.contacts);
    chats.start(snapshot.conversations);
    await this.#served;
    await language.use(language.tag, 'main');
    this.phase = 'in';
  }

  #leave(reason: SignedOut['reason']): void {
    this.phase = 'out';
    this.ended = reason;
    this.me = undefined;
    this.remembered = undefined;
    this.requests = [];
    this.invitations = [];
    this.fresh = false;
    this.locked = false;
    people.start([]);
    chats.start([]);
    avatars.clear();
    prefs.keep(null);
    void import('./push.svelte').then(({ push }) => push.forget()).catch(() => {});
    route.replace([]);
  }

  #take(event: Event): void {
    switch (event.type) {
      case 'signed-in':
        this.#enter(event.snapshot).catch(() => {});
        break;
      case 'connection':
        this.connection = event.connection;
        break;
      case 'me':
        this.me = event.me;
        break;
      case 'requests':
        this.requests = event.requests;
        this.invitations = event.invitations;
        break;
      case 'contacts':
        people.change(event.changed, event.removed);
        break;
      case 'conversations':
        chats.change(event.changed, event.removed);
        break;
      case 'outdated':
        location.reload();
        break;
      case 'signed-out':
        this.#leave(event.reason);
        break;
    }
    for (const listener of this.#listeners) listener(event);
  }
}

export const app = new App();
