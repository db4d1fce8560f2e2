/**
 * How the page reaches its engine. On a computer that others use too the engine lives and dies with the page; in one's own place
 * all tabs share one, in a worker. Which it is, is chosen when somebody signs in: until then, and where nobody is
 * remembered, nothing is opened that could keep anything.
 */
import { ApiError, type Api, type Snapshot } from '../api/api';
import type { Listener } from '../api/events';
import type { Place } from '../api/model';
import { remote, SILENT } from './remote';
import type { ToEngine } from './protocol';
import { scriptAddress } from './trusted';
import workerAddress from '../worker.ts?sharedworker&url';

/** Says that this computer is somebody's own: there is something to be remembered. */
const OWN = 'rookery.own';

export async function connect(): Promise<Api> {
  return new Switch(own() ? await shared() : nobody).api;
}

function own(): boolean {
  return localStorage.getItem(OWN) !== null;
}

// Another build has another address, and so another worker.
const startWorker = () => new SharedWorker(scriptAddress(workerAddress), { type: 'module', name: 'rookery' });

/** The worker of who is remembered here: it is up, and reads what is kept, while this page's own code still begins. */
let early = atOnce();
function atOnce(): SharedWorker | undefined {
  try {
    return own() && navigator.locks && typeof SharedWorker !== 'undefined' ? startWorker() : undefined;
  } catch {
    // A browser without storage, or without our workers: what asks for the engine hears of it.
    return undefined;
  }
}

/** Before anybody has signed in, on a computer that remembers nobody: no engine, and none of its code. */
const nobody = new Proxy({} as Api, {
  get: (_, name) => {
    if (name === 'attach') return () => Promise.resolve(EMPTY);
    if (SILENT.has(String(name))) return () => {};
    return () => Promise.reject(new ApiError('not-signed-in'));
  },
});

const EMPTY: Snapshot = {
  signedIn: false,
  connection: { state: 'offline' },
  contacts: [],
  conversations: [],
  requests: [],
  invitations: [],
};

const make = () => import('../engine/make');

/** An engine in this page. One that keeps nothing, unless there is no worker that could. */
async function personal(keeps = false): Promise<Api> {
  const { makeEngine } = await make();
  return makeEngine({ keeps });
}

/** Given another engine where the tab that had the one in use is gone. */
let exchange: (engine: Api) => void = () => {};

/** The engine of all tabs: in a worker, or where there are no shared ones in one of the tabs. */
async function shared(): Promise<Api> {
  if (!navigator.locks) return personal(true);
  if (typeof SharedWorker === 'undefined') return (await import('./elect')).elect((engine) => exchange(engine));
  const { port } = early ?? startWorker();
  early = undefined;
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
  /** Which engine it is; none before anybody has signed in. */
  private place: Place | undefined;

  constructor(private engine: Api) {
    exchange = (another) => void this.turnTo(another);
    if (own()) this.place = 'own';
    // Who touches the page, or writes in it, is about to sign in.
    else for (const sign of ['pointerdown', 'input']) addEventListener(sign, () => void make(), { once: true });
    // The network is back, or somebody looks again: what waits to be tried is tried now.
    addEventListener('online', () => this.engine.reconnect());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.engine.reconnect();
    });
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
    const snapshot = await this.listen();
    // Somebody was remembered here, and is not any more.
    if (!snapshot.signedIn && !snapshot.remembered) localStorage.removeItem(OWN);
    return snapshot;
  }

  /** Attaches to the engine in use; what others say later is not heard. */
  private listen(): Promise<Snapshot> {
    const { engine } = this;
    return engine.attach((events) => {
      if (engine !== this.engine) return;
      // Who signs out of a tab for a public computer says nothing of who is at home here.
      if (this.place === 'own' && events.some((event) => event.type === 'signed-out')) localStorage.removeItem(OWN);
      this.listener?.(events);
    });
  }

  /** Goes on with another engine: everything is shown as it has it. */
  private async turnTo(engine: Api): Promise<void> {
    this.engine = engine;
    const snapshot = await this.listen();
    if (snapshot.signedIn) this.listener?.([{ type: 'signed-in', snapshot }]);
    else if (snapshot.remembered) await engine.signInRemembered();
    else this.listener?.([{ type: 'signed-out', reason: 'elsewhere' }]);
  }

  private async enter<T>(place: Place, signIn: () => Promise<T>): Promise<T> {
    if (place !== this.place) {
      this.engine = await (place === 'own' ? shared() : personal()).catch((error: unknown) => {
        throw new ApiError('offline', String(error));
      });
      this.place = place;
      const snapshot = await this.listen();
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
}
