/** The one-time links that the server makes: the first administrator's, and an administrator's for a lost password. */
import { ApiError } from '../api/api';

export interface LinkAnswer {
  /** With what one signs in now. */
  user: string;
}

/** Uses the link up. Rejects with `expired` if it is no longer good. */
export async function redeem(token: string, password: string, nick?: string): Promise<LinkAnswer> {
  let answer: Response;
  try {
    answer = await fetch('/account/link', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, password, nick }),
    });
  } catch {
    throw new ApiError('offline');
  }
  if (answer.ok) return answer.json();
  if (answer.status === 404 || answer.status === 410) throw new ApiError('expired');
  const said = await answer.json().catch(() => ({}));
  throw new ApiError(said.error ?? 'service-unavailable', said.text ?? '');
}
