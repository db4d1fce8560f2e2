/** Whatever goes wrong below is an `ApiError` to the page. */
import { ApiError } from '../api/api';
import { NS } from '../xmpp/ns';
import { AuthError } from '../xmpp/negotiation';
import { StanzaError } from '../xmpp/session';
import { WireError } from '../xmpp/wire';

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof StanzaError) return new ApiError(secondFactor(error) ?? error.condition, error.text);
  if (error instanceof AuthError) return new ApiError(error.condition);
  if (error instanceof WireError) return new ApiError(error.condition === 'timeout' ? 'timeout' : 'offline');
  console.error(error);
  return new ApiError('internal', error instanceof Error ? error.message : String(error));
}

/** The server asks for a code, or that one sets it up first (docs/administration.md): `confirm` or `begin`. */
function secondFactor(error: StanzaError): string | undefined {
  const asked = error.stanza?.child('error')?.all();
  const name = asked?.find((child) => child.ns === NS.secondFactor)?.name;
  return name && `second-factor-${name}`;
}
