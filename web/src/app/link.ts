/** The one-time links that the server makes: the first administrator's, and an administrator's for a lost password. */
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

/** Asks for a link by mail. That it resolves says nothing about `who`. */
export async function forgot(who: string, language: string): Promise<void> {
  await post('recover', { who, language });
}
