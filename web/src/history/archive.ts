/** What history asks of the archive. The engine implements it over the network; tests do it in memory. */
import type { Address } from '../api/model';
import type { Said } from './facts';

export interface Query {
  /** '' is the account's own, otherwise a group's. */
  archive: string;
  /** Only this conversation of the account. */
  with?: Address;
  /** What follows this id. */
  after?: string;
  /** The last before this id; '' is the end of the archive. */
  before?: string;
  /** Not before this time. */
  start?: number;
  max: number;
}

/** A page, oldest first. */
export interface Found {
  said: Said[];
  /** Ids of the outermost results, those included that are no conversation's. */
  first?: string;
  last?: string;
  /** There is nothing beyond it in the direction of the query. */
  complete: boolean;
}

export interface Archive {
  /** Rejects with `Forgotten` if the id is not in the archive (any more), with `Unreachable` if it cannot be had now. */
  query(query: Query): Promise<Found>;
}

/** XEP-0313 §4.1.5, XEP-0059 §2.2: the id from which to go on is not there. */
export class Forgotten extends Error {
  override name = 'Forgotten';
}

/** The archive cannot be had now; `cause` says why. */
export class Unreachable extends Error {
  override name = 'Unreachable';
}
