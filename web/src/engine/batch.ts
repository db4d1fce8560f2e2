/**
 * Collects events, so that ten thousand presences cost the page a few messages and not ten thousand. What says the same thing
 * again takes the place of what was said before.
 */
import type { Event, Listener } from '../api/events';

/** Milliseconds for which events wait for each other: less than a frame. */
const WAIT = 10;

export class Batch {
  private events: Event[] = [];
  /** Of the lists: what has changed, by key. */
  private readonly pending = new Map<string, Collected>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly deliver: Listener) {}

  add(event: Event): void {
    if (!this.merge(event)) this.events.push(event);
    this.timer ??= setTimeout(() => this.flush(), WAIT);
  }

  /** Gives what waits to the listener, now. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.events.length === 0) return;
    const lists = new Map([...this.pending.values()].map((collected) => [collected.event, collected]));
    const events = this.events.map((event) => {
      const list = lists.get(event);
      return list ? ({ ...event, changed: [...list.changed.values()], removed: [...list.removed] } as Event) : event;
    });
    this.events = [];
    this.pending.clear();
    this.deliver(events);
  }

  private merge(event: Event): boolean {
    switch (event.type) {
      case 'connection':
      case 'me':
      case 'requests':
        return this.replace((other) => other.type === event.type, event);
      case 'group':
        return this.replace((other) => other.type === 'group' && other.group.address === event.group.address, event);
      case 'contacts':
        return this.collect('contacts', event, (contact) => contact.address);
      case 'conversations':
        return this.collect('conversations', event, (row) => row.address);
      case 'members':
        return this.collect(`members ${event.conversation}`, event, (item) => item.id);
      case 'messages':
        return this.collect(`messages ${event.conversation}`, event, (item) => item.key);
      default:
        return false;
    }
  }

  private replace(same: (other: Event) => boolean, event: Event): boolean {
    const at = this.events.findIndex(same);
    if (at >= 0) this.events[at] = event;
    return at >= 0;
  }

  /** True if an event of this name waits already, and takes it in. */
  private collect<T>(name: string, event: Event & { changed: T[]; removed: string[] }, key: (item: T) => string) {
    const waiting = this.pending.get(name);
    const collected: Collected = waiting ?? { event, changed: new Map(), removed: new Set() };
    for (const item of event.changed) {
      collected.changed.set(key(item), item);
      collected.removed.delete(key(item));
    }
    for (const gone of event.removed) {
      collected.removed.add(gone);
      collected.changed.delete(gone);
    }
    this.pending.set(name, collected);
    return waiting !== undefined;
  }
}

interface Collected {
  event: Event;
  changed: Map<string, unknown>;
  removed: Set<string>;
}
