/** The engine's end of a port. */
import { ApiError, type Api } from '../api/api';
import type { Event } from '../api/events';
import type { ToEngine, ToPage } from './protocol';

/** An engine's `Api` for one tab. */
export type TabApi = Api & { detach(): void };

/** Answers a page through a port, until the page goes. While `engine` fails, so does what the page asks. */
export function serve(port: MessagePort, engine: () => Promise<TabApi>): void {
  const post = (message: ToPage) => port.postMessage(message);
  let tab: TabApi | undefined;
  let ended = false;

  const end = () => {
    ended = true;
    tab?.detach();
    port.onmessage = null;
    port.close();
  };

  const attach = async (call: number, api: TabApi) => {
    // Events are for after the snapshot.
    let held: Event[] | undefined = [];
    const snapshot = await api.attach((events) => {
      if (held) held.push(...events);
      else post({ events });
    });
    // The tab went while it came.
    if (ended) return api.detach();
    post({ done: call, value: snapshot });
    if (held.length > 0) post({ events: held });
    held = undefined;
  };

  const answer = async ({ call, method, args }: Extract<ToEngine, { call: number }>) => {
    try {
      const api = await engine();
      tab = api;
      if (method === 'attach') return await attach(call, api);
      const asked = api[method] as (...args: unknown[]) => unknown;
      post({ done: call, value: await asked(...args) });
    } catch (error) {
      const { code, text, values } = error instanceof ApiError ? error : new ApiError('internal', String(error));
      post({ failed: call, code, text, values });
    }
  };

  port.onmessage = ({ data }: MessageEvent<ToEngine>) => {
    if ('call' in data) void answer(data);
    else if ('bye' in data) end();
    // Granted when the page has let go of it: closed, crashed, or thrown away.
    else void navigator.locks?.request(data.hello, end);
  };
}
