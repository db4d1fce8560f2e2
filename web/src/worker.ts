/** The shared worker: one engine, and a port for each tab. */
import { ApiError } from './api/api';
import { serve, type TabApi } from './bridge/serve';
import type { Engine } from './engine/engine';
import { apiFor } from './engine/api';
import { newEngine } from './engine/make';

const scope = self as unknown as SharedWorkerGlobalScope;
let made: Promise<Engine> | undefined;

/** The engine of all tabs. One that could not be made, without a connection, is made when somebody asks again. */
function engine(): Promise<Engine> {
  return (made ??= newEngine({ keeps: true }).catch((error: unknown) => {
    made = undefined;
    throw new ApiError('offline', String(error));
  }));
}

// A worker of another build runs: it has the account now, and what this one would still write is older.
const others = new BroadcastChannel('rookery.worker');
others.postMessage(location.href);
others.onmessage = ({ data }: MessageEvent<string>) => {
  if (data !== location.href) void made?.then((engine) => engine.outdated());
};

scope.onconnect = ({ ports: [port] }) => {
  if (!port) return;
  let tab: Promise<TabApi> | undefined;
  serve(port, () => {
    // One tab has one `Api`, however often it asks before it is there.
    tab ??= engine().then((made) => apiFor(made));
    tab.catch(() => (tab = undefined));
    return tab;
  });
};
