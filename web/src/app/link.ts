/** The one-time links that the server makes: the first administrator's, and an administrator's for a lost password. */
import type { Place } from '../api/model';
import { post } from './account';

export interface LinkAnswer {
  /** With what one signs in now. */
  user: string;
}

/** Uses the link up. Rejects with `expired` if it is no longer good. `keep`: other devices that are connected stay so. */
export function redeem(
  token: string,
  password: string,
  more: { nick?: string; keep?: boolean } = {},
): Promise<LinkAnswer> {
  return post('link', { token, password, ...more });
}

/** What a letter's ticket is about. */
export interface Letter {
  /** Whom it lets in. */
  address: string;
  /** The conversation. */
  peer: string | null;
}

/** What one signs in with by it. */
export interface Entry extends Letter {
  agent: string;
  token: string;
}

/** Asks what a ticket is about, and uses nothing up. Rejects with `expired` if its time is over. */
export function letter(ticket: string): Promise<Letter> {
  return post('enter', { ticket });
}

/** Uses the ticket of a letter up. Rejects with `expired` if it is no longer good. */
export async function enter(ticket: string, place: Place): Promise<Entry> {
  const { deviceName } = await import('../engine/make');
  const device = deviceName(navigator.userAgent);
  return post('enter', { ticket, software: 'Rookery', device, public: place === 'public' });
}

/** Asks for a link by mail. That it resolves says nothing about `who`. */
export async function forgot(who: string, language: string): Promise<void> {
  await post('recover', { who, language });
}
