/** Whatever goes wrong below is an `ApiError` to the page. */
import { ApiError } from '../api/api';
import { AuthError } from '../xmpp/negotiation';
import { StanzaError } from '../xmpp/session';
import { WireError } from '../xmpp/wire';

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof StanzaError) return new ApiError(error.condition, error.text);
  if (error instanceof AuthError) return new ApiError(error.condition);
  if (error instanceof WireError) return new ApiError(error.condition === 'timeout' ? 'timeout' : 'offline');
  console.error(error);
  return new ApiError('internal', error instanceof Error ? error.message : String(error));
}
