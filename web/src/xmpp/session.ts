/**
 * What everything above the stream needs of it: stanzas in order, each handled once, over however many connections.
 * `Stream` implements it; tests implement it in a few lines.
 */
import { NS } from './ns';
import type { El } from './xml';

/**
 * What became of a stanza that was sent: the server has it (XEP-0198); or nobody knows, and the session is over; or it was not
 * sent, as it is larger than the server takes.
 */
export type Fate = 'acknowledged' | 'lost' | 'refused';

/** A signed-in session that survives its connections. */
export interface Session {
  /** The full JID. Changes only with `fresh`. */
  readonly me: string;
  /** Whether stanzas travel at the moment. */
  readonly online: boolean;
  /** What the server announced when the session began. */
  readonly features: Features;
  /** `<bound/>` of Bind2 (XEP-0386), with the archive's ends in it (XEP-0313 §5); nothing where it was bound otherwise. */
  readonly bound: El | undefined;
  /**
   * Sends a stanza, now or when the connection is resumed. `settled` is called once: `acknowledged` when the server has
   * handled it, `lost` when the session ended before that was known. A resumed session repeats by itself what was not
   * acknowledged. Bounded: when too much waits, the stanza is `lost` at once.
   */
  send(stanza: El, settled?: (fate: Fate) => void): void;
  /**
   * Sends a request and resolves with the `iq` of type result. Rejects with a `StanzaError`: what the server says, or `timeout`
   * (milliseconds, 30 seconds unless said otherwise), or `offline` when the session has ended before the answer. Its id is
   * ours, and random: nobody but who is asked can answer.
   */
  iq(request: El, timeout?: number): Promise<El>;
  on<K extends keyof SessionEvents>(event: K, listener: SessionEvents[K]): () => void;
  /** Answers requests with this payload. What nobody answers is refused by the stream. */
  answer(name: string, ns: string, handler: Answerer): void;
}

/** Returns the payload of the result, or nothing for an empty one; throws `StanzaError` to refuse. */
export type Answerer = (request: El, payload: El) => El | undefined;

export interface SessionEvents {
  /** A message or presence, in order. */
  stanza(stanza: El): void;
  /** A new session: nothing of the one before holds. What follows was sent after its beginning. */
  fresh(): void;
  /** The session goes on; nothing was missed, and what was unacknowledged has been repeated. */
  resumed(): void;
  /** The connection is gone; the stream tries again by itself. */
  interrupted(): void;
}

/** What the server can do, as far as its stream tells. */
export interface Features {
  /** The roster can be asked for by version. */
  rosterVersion: boolean;
  /** Carbons are on already. */
  carbons: boolean;
  csi: boolean;
  /** Sessions can be resumed. */
  resumption: boolean;
  /** The largest stanza that the server takes (XEP-0478). */
  maxBytes?: number;
}

/** A stanza of type error (RFC 6120 §8.3). */
export class StanzaError extends Error {
  override name = 'StanzaError';
  constructor(
    /** The defined condition, e.g. `item-not-found`; or `timeout`, `offline` or `too-large`. */
    readonly condition: string,
    readonly type: 'auth' | 'cancel' | 'continue' | 'modify' | 'wait' = 'cancel',
    /** What the server says for people, if it does. */
    readonly text = '',
    /** The whole stanza, for conditions of applications. */
    readonly stanza?: El,
  ) {
    super(text || condition);
  }
}

/** Reads a stanza of type error. */
export function readError(iq: El): StanzaError {
  const error = iq.child('error');
  const condition = error?.all().find((child) => child.ns === NS.stanzaErrors && child.name !== 'text');
  const type = error?.attrs.type;
  return new StanzaError(
    condition?.name ?? 'undefined-condition',
    type === 'auth' || type === 'continue' || type === 'modify' || type === 'wait' ? type : 'cancel',
    error?.childText('text', NS.stanzaErrors),
    iq,
  );
}
