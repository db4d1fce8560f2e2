/** The page's end: an `Api` that speaks through a port. */
import { ApiError, type Api } from '../api/api';
import type { Listener } from '../api/events';
import type { Method, ToEngine, ToPage } from './protocol';

interface Call {
  resolve: (value: unknown) => void;
  reject: (error: ApiError) => void;
}

/** Methods that give nothing: nobody looks at what becomes of them. */
export const SILENT: ReadonlySet<string> = new Set<Method>(['focus', 'reconnect', 'typing', 'setDraft']);

export function remote(port: MessagePort): Api {
  const calls = new Map<number, Call>();
  let last = 0;
  let listener: Listener | undefined;

  port.onmessage = ({ data }: MessageEvent<ToPage>) => {
    if ('events' in data) return listener?.(data.events);
    const id = 'done' in data ? data.done : data.failed;
    const call = calls.get(id);
    calls.delete(id);
    if ('done' in data) call?.resolve(data.value);
    else call?.reject(new ApiError(data.code, data.text, data.values));
  };

  const call = (method: Method, args: unknown[]): Promise<unknown> => {
    const id = ++last;
    return new Promise((resolve, reject) => {
      calls.set(id, { resolve, reject });
      try {
        port.postMessage({ call: id, method, args } satisfies ToEngine);
      } catch (error) {
        // An argument that cannot be copied (DataCloneError): a mistake of the page.
        calls.delete(id);
        reject(new ApiError('internal', String(error)));
      }
    });
  };

  return new Proxy({} as Api, {
    get: (_, name) => {
      // Who awaits the api itself asks for `then`.
      if (typeof name !== 'string' || name === 'then') return undefined;
      const method = name as Method;
      return (...args: unknown[]) => {
        // A function cannot cross: it stays here, and hears what comes through the port.
        if (method === 'attach') listener = args[0] as Listener;
        const answer = call(method, method === 'attach' ? [] : args);
        if (!SILENT.has(name)) return answer;
        answer.catch(() => {});
        return undefined;
      };
    },
  });
}
