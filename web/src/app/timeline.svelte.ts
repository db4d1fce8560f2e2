/**
 * The piece of a conversation that is shown: a sliding window over the engine's history, always contiguous. What it holds is
 * bounded, however long one scrolls; who scrolls asks for `older` and `newer`.
 */
import type { Event } from '../api/events';
import type { Address, Message, Page, Where } from '../api/model';
import { app } from './app.svelte';
import { chats } from './chats.svelte';

/** Messages asked for at once. */
const PAGE = 30;
/** Those one sees when a conversation opens: enough for a window, so that it stands at once. What is above comes right after. */
const FIRST = 24;
/** Messages held after a page has come; live ones may add a few more. */
const MOST = 170;
const MOST_LIVE = 210;

export class Timeline {
  rows = $state.raw<Message[]>([]);
  atStart = $state(false);
  atEnd = $state(false);
  /** There is more on that side that could not be had without a connection. */
  cut = $state(false);
  ready = $state(false);
  failed = $state.raw<unknown>();
  /** The first message that was unread when the conversation was opened: the divider stands before it. */
  firstUnread = $state<string>();
  #busy = false;
  /** Counts jumps: what was asked before a jump is not shown after it. */
  #turn = 0;
  #stop: () => void;

  constructor(readonly address: Address) {
    this.#stop = app.listen((event) => this.#take(event));
  }

  close(): void {
    this.#stop();
  }

  /** Opens at the newest messages; if some are unread, around the first of them, before which the divider stands. */
  open(): Promise<void> {
    const unread = chats.get(this.address)?.unread ?? 0;
    // More than can be held has no divider.
    if (unread === 0 || FIRST + unread > MOST) return this.#jump({ latest: true }, FIRST);
    return this.#jump({ latest: true }, FIRST + unread, (page) => {
      const { messages } = page;
      let first = messages.length;
      let left = unread;
      while (left > 0 && first > 0) if (!messages[--first]!.mine) left -= 1;
      if (left > 0) return page;
      this.firstUnread = messages[first]!.key;
      // As much as one sees on both sides of it: the rest is near, and comes like any other page.
      const from = Math.max(0, first - FIRST);
      const to = Math.min(messages.length, first + FIRST);
      const atStart = page.atStart && from === 0;
      return { ...page, messages: messages.slice(from, to), atStart, atEnd: page.atEnd && to === messages.length };
    });
  }

  latest(): Promise<void> {
    return this.#jump({ latest: true }, PAGE);
  }

  around(key: string): Promise<void> {
    return this.#jump({ around: key }, PAGE * 2);
  }

  at(time: number): Promise<void> {
    return this.#jump({ at: time }, PAGE * 2);
  }

  async older(): Promise<void> {
    const first = this.rows[0];
    if (this.#busy || this.atStart || !first) return;
    await this.#more({ before: first.key }, (page) => {
      const rows = [...page.messages, ...this.rows];
      if (rows.length > MOST) {
        rows.length = MOST;
        this.atEnd = false;
      }
      this.rows = rows;
      this.atStart = page.atStart;
      this.cut = page.cutBefore;
    });
  }

  async newer(): Promise<void> {
    const last = this.rows.at(-1);
    if (this.#busy || this.atEnd || !last) return;
    await this.#more({ after: last.key }, (page) => {
      const known = new Set(this.rows.map((row) => row.key));
      const rows = [...this.rows, ...page.messages.filter((message) => !known.has(message.key))];
      if (rows.length > MOST) {
        rows.splice(0, rows.length - MOST);
        this.atStart = false;
      }
      this.rows = rows;
      this.atEnd = page.atEnd;
      this.cut = page.cutAfter;
    });
  }

  /** Shows another piece: `part` of the page that is had. */
  async #jump(where: Where, limit: number, part = (page: Page): Page => page): Promise<void> {
    const turn = ++this.#turn;
    this.failed = undefined;
    try {
      const page = part(await app.api.history(this.address, where, limit));
      if (turn !== this.#turn) return;
      this.rows = page.messages;
      this.atStart = page.atStart;
      this.atEnd = page.atEnd;
      this.cut = page.cutBefore || page.cutAfter;
    } catch (error) {
      if (turn === this.#turn) this.failed = error;
    }
    this.ready = true;
  }

  async #more(where: Where, show: (page: Page) => void): Promise<void> {
    const turn = this.#turn;
    this.#busy = true;
    try {
      const page = await app.api.history(this.address, where, PAGE);
      if (turn === this.#turn) show(page);
    } catch {
      // It is asked for again by the next scrolling, or when the connection is back.
      this.cut = true;
    }
    this.#busy = false;
  }

  #take(event: Event): void {
    if (event.type === 'messages' && event.conversation === this.address) this.#change(event.changed, event.removed);
    else if (event.type === 'history' && event.conversation === this.address)
      void (event.anew ? this.latest() : this.#filled());
  }

  /** Something that was missing has come. */
  async #filled(): Promise<void> {
    if (this.rows.length === 0 || this.failed) return this.latest();
    if (!this.cut) return;
    this.cut = false;
    if (!this.atStart) await this.older();
    if (!this.atEnd) await this.newer();
  }

  #change(changed: Message[], removed: string[]): void {
    if (!this.ready) return;
    const rows = this.rows.filter((row) => !removed.includes(row.key));
    for (const message of changed) {
      const known = rows.findLastIndex((row) => row.key === message.key);
      if (rows[known]?.order === message.order) rows[known] = message;
      else {
        // The archive has it elsewhere than it was thought to be.
        if (known >= 0) rows.splice(known, 1);
        this.#insert(rows, message);
      }
    }
    if (rows.length > MOST_LIVE) {
      rows.splice(0, rows.length - MOST);
      this.atStart = false;
    }
    this.rows = rows;
  }

  /** A message outside of what is shown has no place in it. */
  #insert(rows: Message[], message: Message): void {
    const after = rows.findLastIndex((row) => row.order <= message.order);
    if (after === rows.length - 1 && !this.atEnd) return;
    if (after < 0 && !this.atStart && rows.length > 0) return;
    rows.splice(after + 1, 0, message);
  }
}
