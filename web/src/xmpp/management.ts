/**
 * Stream management (XEP-0198): what was sent and not yet acknowledged, and how much was received. Pure counting; the
 * stream sends and receives.
 */
import type { Fate } from './session';

/** Stanzas that may wait for an acknowledgement: a connection that takes none of so many is of no use. */
export const MAX_UNACKNOWLEDGED = 2_000;

interface Sent {
  text: string;
  settled: ((fate: Fate) => void) | undefined;
}

/** Counters wrap at 2^32 (§4). */
const WRAP = 2 ** 32;

export class Management {
  /** Stanzas of the server that we have handled. */
  received = 0;
  /** Of ours, how many the server has acknowledged. */
  private acknowledged = 0;
  private readonly queue: Sent[] = [];

  /** The id under which the session can be resumed, if it can. */
  id: string | undefined;

  get waiting(): number {
    return this.queue.length;
  }

  /** Whether somebody wants to know what becomes of what was sent. */
  get awaited(): boolean {
    return this.queue.some((sent) => sent.settled !== undefined);
  }

  /** Keeps a stanza until it is acknowledged; false if too much waits. */
  keep(text: string, settled?: (fate: Fate) => void): boolean {
    if (this.queue.length >= MAX_UNACKNOWLEDGED) return false;
    this.queue.push({ text, settled });
    return true;
  }

  countReceived(): void {
    this.received = (this.received + 1) % WRAP;
  }

  /** The server has handled `h` stanzas. False if it cannot have: it counts what was never sent. */
  acknowledge(h: number): boolean {
    const fresh = (h - this.acknowledged + WRAP) % WRAP;
    if (!Number.isInteger(h) || fresh > this.queue.length) return false;
    this.acknowledged = h;
    for (const sent of this.queue.splice(0, fresh)) sent.settled?.('acknowledged');
    return true;
  }

  /** What has to be sent again in a resumed session, in order. */
  unacknowledged(): string[] {
    return this.queue.map((sent) => sent.text);
  }

  /** A new session begins: what was not acknowledged is lost. */
  reset(id: string | undefined): void {
    this.id = id;
    this.received = 0;
    this.acknowledged = 0;
    for (const sent of this.queue.splice(0)) sent.settled?.('lost');
  }
}
