/** What passes between page and engine over a port. Nothing here knows what it carries. */
import type { Api } from '../api/api';
import type { Event } from '../api/events';

export type Method = keyof Api;

export type ToEngine =
  /** The page holds this Web Lock for as long as it lives: who gets it knows that the page is gone. */
  | { hello: string }
  | { call: number; method: Method; args: unknown[] }
  /** The page goes. */
  | { bye: true };

export type ToPage =
  | { done: number; value: unknown }
  | { failed: number; code: string; text: string; values: Record<string, string | number> }
  | { events: Event[] };
