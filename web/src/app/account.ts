/** What the page asks of the server before anybody has signed in (docs/web.md). */
import { ApiError } from '../api/api';

/** Rejects with an `ApiError`: `expired` if what is named is over. */
export async function post<T>(path: string, body: object, signal?: AbortSignal): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(`/account/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    });
  } catch {
    throw new ApiError('offline');
  }
  if (answer.ok) return answer.json();
  if (answer.status === 404 || answer.status === 410) throw new ApiError('expired');
  const said = await answer.json().catch(() => ({}));
  throw new ApiError(said.error ?? 'service-unavailable', said.text ?? '');
}
