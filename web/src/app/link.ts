/** The one-time links that the server makes: the first administrator's, and an administrator's for a lost password. */
import { post } from './account';

export interface LinkAnswer {
  /** With what one signs in now. */
  user: string;
}

/** Uses the link up. Rejects with `expired` if it is no longer good. */
export function redeem(token: string, password: string, nick?: string): Promise<LinkAnswer> {
  return post('link', { token, password, nick });
}
