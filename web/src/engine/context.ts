/** What the parts of a signed-in account share. */
import type { Event } from '../api/events';
import type { Address, Me, Place } from '../api/model';
import type { Session } from '../xmpp/session';
import type { Pep } from './pep';
import type { Vault } from './vault';

/** What the server says before anybody has signed in (`/config.json`), as far as the engine needs it. */
export interface ServerConfig {
  domain: string;
  /** The host of the groups. */
  groups: string;
  /** Of the WebSocket; a path or a whole address. */
  websocket: string;
  push_key?: string | null;
  /** The server's address for everybody; addresses of files begin with it. Only Rookery says it. */
  base?: string;
  /** The page's origin, for links that bring people here. */
  origin: string;
}

export interface Context {
  readonly session: Session;
  readonly config: ServerConfig;
  readonly place: Place;
  readonly vault: Vault;
  readonly pep: Pep;
  /** The own bare address. Known from the first connection on. */
  readonly address: Address;
  readonly me: Me;
  emit(event: Event): void;
}

/** How addresses are shown. */
export interface Names {
  kind(address: Address): 'person' | 'group';
  title(address: Address): string;
  avatar(address: Address): string | undefined;
}
