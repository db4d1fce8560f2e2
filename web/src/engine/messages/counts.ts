/**
 * How many messages of each conversation are unread. One definition: what others said after the place up to which we have read
 * (or spoke). Where all of that is here it is counted; elsewhere the server's number goes on with what comes live.
 */
import type { Address } from '../../api/model';
import { fold, type Entry } from '../../history/facts';
import type { History } from '../../history/history';
import type { InboxEntry } from './mam';
import type { Render } from './render';
import { lastOf, type Rows } from './rows';

/** Messages remembered that came since the server counted: an answer is on its way for less than so many. */
const MAX_ADDED = 1_000;

/** What the server counted, and how many messages had come when it said so. */
export interface Inbox {
  entries: InboxEntry[];
  after: number;
}

export class Counts {
  /** Numbers are changed one after the other: what was counted first is never shown last. */
  private work: Promise<unknown> = Promise.resolve();
  /** Counts that have not begun: they will see what comes until then. */
  private readonly due = new Map<Address, Promise<void>>();
  /** How many messages have come, in the order of the stream. */
  private heard = 0;
  /** Up to which of them the server's numbers go, what these were, and which were added to them since. */
  private after = 0;
  private counted = new Map<Address, number>();
  private added: { conversation: Address; nth: number }[] = [];

  constructor(
    private readonly log: History,
    private readonly rows: Rows,
    private readonly render: Render,
  ) {}

  /** A message comes: which one it is. */
  hear(): number {
    return ++this.heard;
  }

  /** An answer of the inbox; to be called as soon as it has come. */
  inbox(entries: InboxEntry[]): Inbox {
    return { entries, after: this.heard };
  }

  /**
   * Who comes into a group for the first time has not missed what was said before; what the server has counted came since. Gives the
   * place up to which all is read by that, for one's other devices.
   */
  async enter(group: Address): Promise<string | undefined> {
    if (await this.log.wasRead(group)) return undefined;
    const { messages } = await this.log.unread(group);
    const id = messages.at(-1 - (this.counted.get(group) ?? 0))?.id;
    if (id !== undefined) await this.log.readUpTo(group, id);
    return id;
  }

  /** Counts what is here; nothing changes where not all of it is here. */
  count(conversation: Address): Promise<void> {
    let due = this.due.get(conversation);
    if (!due) {
      due = this.inOrder(() => {
        this.due.delete(conversation);
        return this.countNow(conversation);
      });
      this.due.set(conversation, due);
    }
    return due;
  }

  /** A message has come live, as the `nth`; whether it is meant for us. */
  ring(entry: Entry, nth: number): Promise<boolean> {
    const { conversation } = entry;
    return this.inOrder(async () => {
      const concerns = (await this.concerning([entry])).length > 0;
      const { exact } = await this.log.unread(conversation);
      if (!exact) await this.add(conversation, nth, concerns);
      return concerns;
    });
  }

  private async add(conversation: Address, nth: number, concerns: boolean): Promise<void> {
    // The server has counted it.
    if (nth <= this.after) return;
    this.added.push({ conversation, nth });
    if (this.added.length > MAX_ADDED) this.added.shift();
    const row = this.rows.get(conversation);
    await this.rows.change(conversation, { unread: row.unread + 1, mentions: row.mentions + Number(concerns) });
  }

  /** The server's numbers, and what has come since it counted. */
  take({ entries, after }: Inbox): Promise<void> {
    return this.inOrder(async () => {
      this.after = after;
      this.counted = new Map(entries.map(({ conversation, unread }) => [conversation, unread]));
      this.added = this.added.filter(({ nth }) => nth > after);
      for (const { conversation, unread, last } of entries) {
        const since = this.added.filter((one) => one.conversation === conversation);
        const row = this.rows.get(conversation);
        const shown: Entry | undefined = last?.fact.is === 'message' ? { ...last, pos: -Infinity } : undefined;
        const view = shown && fold(shown, []);
        const newer = last !== undefined && last.at >= row.at && row.last?.key !== last.key;
        await this.rows.change(conversation, {
          unread: unread + since.length,
          ...(newer && { at: last.at, ...(view && { last: lastOf({ ...shown, view }, -Infinity, this.render) }) }),
        });
        await this.countNow(conversation);
      }
    });
  }

  /** Where not all is here but the newest was read, nothing is unread. */
  nothing(conversation: Address): Promise<void> {
    return this.inOrder(() => this.rows.change(conversation, { unread: 0, mentions: 0 }));
  }

  private inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.work.then(work);
    this.work = done.catch(() => {});
    return done;
  }

  private async countNow(conversation: Address): Promise<void> {
    const { messages, exact } = await this.log.unread(conversation);
    if (!exact) return;
    const unread = messages.length;
    const mentions = (await this.concerning(messages)).length;
    const row = this.rows.get(conversation);
    if (row.unread !== unread || row.mentions !== mentions) await this.rows.change(conversation, { unread, mentions });
  }

  /** Of these, those that are meant for us. */
  private async concerning(entries: Entry[]): Promise<Entry[]> {
    const conversation = entries[0]?.conversation;
    if (conversation === undefined) return [];
    const answered = entries.flatMap((entry) => entry.view?.replyTo?.id ?? []);
    const quoted = await this.log.entries(conversation, answered);
    return entries.filter((entry) => {
      return this.render.concerns(entry, quoted.get(entry.view?.replyTo?.id ?? '')?.mine ?? false);
    });
  }
}
