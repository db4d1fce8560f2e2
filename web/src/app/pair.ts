/** Being let in by another device (docs/extensions.md): this page asks, shows what it is told, and waits. */
import type { Place } from '../api/model';
import { post } from './account';
import { address } from './route.svelte';

export interface Pairing {
  id: string;
  secret: string;
  /** Nine digits. */
  code: string;
  /** How long it waits, from now. */
  seconds: number;
}

export type Told =
  { state: 'waiting' | 'refused' } | { state: 'approved'; address: string; agent: string; token: string };

export async function begin(place: Place, signal: AbortSignal): Promise<Pairing> {
  const { deviceName } = await import('../engine/make');
  const device = deviceName(navigator.userAgent);
  return post('pair', { software: 'Rookery', device, public: place === 'public' }, signal);
}

/** How it stands, when it is decided or after a while. Rejects with `expired` when it is over. */
export function stands({ id, secret }: Pairing, signal: AbortSignal): Promise<Told> {
  return post(`pair/${id}/wait`, { secret }, signal);
}

/** What the QR code says: where the other device looks at what waits. */
export function pairLink({ id }: Pairing): string {
  return location.origin + '/' + address(['pair', id]);
}

/** As people read digits to each other. */
export function grouped(code: string): string {
  return code.replace(/\d{3}(?=\d)/g, '$& ');
}
