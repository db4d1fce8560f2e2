/**
 * How the page reaches its engine. On a computer that others use too the engine lives and dies with the page; in one's own place
 * all tabs share one, in a worker. Which it is, is chosen when somebody signs in: until then, and where nobody is
 * remembered, nothing is opened that could keep anything.
 */
import { ApiError, type Api, type Snapshot } from '../api/api';
import type { Listener } from '../api/events';
import type { Place } from '../api/model';
import { makeEngine } from '../engine/make';
import { remote } from './remote';
import type { ToEngine } from './protocol';

/** Says that this computer is somebody's own: there is something to be remembered. */
const OWN = 'rookery.own';

export async function connect(): Promise<Api> {
  return new Switch(own() ? await shared() : await personal()).api;
}

function own(): boolean {
  return localStorage.getItem(OWN) !== null;
}

/** An engine of this page's, which keeps nothing. */
function personal(): Promise<Api> {
  return makeEngine({ keeps: false });
}

/** The engine of all tabs; where there are no shared workers, one of this page's that keeps what is to be kept. */
async function shared(): Promise<Api> {
  if (typeof SharedWorker === 'undefined' || !navigator.locks) return makeEngine({ keeps: true });
  // Another build has another address, and so another worker.
  const worker = new SharedWorker(new URL('../worker.ts', import.meta.url), { type: 'module', name: 'rookery' });
  const { port } = worker;
  const api = remote(port);
  const lock = `rookery.tab.${crypto.randomUUID()}`;
  const send = (message: ToEngine) => port.postMessage(message);
  await new Promise<void>((held) => {
    // Never let go: the browser does it when the page is gone.
    void navigator.locks.request(lock, () => {
      held();
      return new Promise(() => {});
    });
  });
  send({ hello: lock });
  // A page that goes into the cache for "back" keeps its lock.
  addEventListener('pagehide', (event) => (event as PageTransitionEvent).persisted || send({ bye: true }));
  // Out of it again: what it shows is of then.
  addEventListener('pageshow', (event) => (event as PageTransitionEvent).persisted && location.reload());
  return api;
}

/** Passes everything on to the engine that is in use, and exchanges it when somebody signs in at another place. */
class Switch {
  readonly api: Api;
  private listener: Listener | undefined;
  private place: Place;

  constructor(private engine: Api) {
    this.place = own() ? 'own' : 'public';
    const changed: Partial<Api> = {
      attach: (listener) => this.attach(listener),
      signIn: (who) => this.enter(who.place, () => this.engine.signIn(who)),
      signUp: (who) => this.enter(who.place, () => this.engine.signUp(who)),
    };
    this.api = new Proxy({} as Api, {
      get: (_, name) => {
        if (typeof name !== 'string' || name === 'then') return undefined;
        const method = name as keyof Api;
        return changed[method] ?? this.engine[method];
      },
    });
  }

  private async attach(listener: Listener): Promise<Snapshot> {
    this.listener = listener;
    const snapshot = await this.engine.attach((events) => this.hear(events));
    // Somebody was remembered here, and is not any more.
    if (!snapshot.signedIn && !snapshot.remembered) this.forget();
    return snapshot;
  }

  private hear(events: Parameters<Listener>[0]): void {
    if (events.some((event) => event.type === 'signed-out')) this.forget();
    this.listener?.(events);
  }

  private async enter<T>(place: Place, signIn: () => Promise<T>): Promise<T> {
    if (place !== this.place) {
      this.place = place;
      this.engine = place === 'own' ? await shared() : await personal();
      const snapshot = await this.engine.attach((events) => this.hear(events));
      if (snapshot.signedIn) {
        // In another tab somebody has signed in meanwhile: this tab is theirs, too.
        localStorage.setItem(OWN, '1');
        this.listener?.([{ type: 'signed-in', snapshot }]);
        throw new ApiError('conflict');
      }
    }
    const entered = await signIn();
    if (place === 'own') localStorage.setItem(OWN, '1');
    return entered;
  }

  private forget(): void {
    localStorage.removeItem(OWN);
  }
}
