/** What is being written in each conversation: text, what it answers or corrects, files that wait. Survives going elsewhere. */
import type { Address, Message, Outgoing, OutgoingFile } from '../api/model';
import { app } from './app.svelte';
import { attempt } from './attempt';
import { chats } from './chats.svelte';

/** Milliseconds of silence after which a draft is kept, and after which one has stopped typing. */
const KEEP_AFTER = 800;
const PAUSED_AFTER = 5000;
/** Among so many of the newest messages is one's own last one, to be corrected without looking for it. */
const NEWEST = 30;

type Mention = NonNullable<Outgoing['mentions']>[number];

export class Compose {
  text = $state('');
  replyTo = $state.raw<Message>();
  editing = $state.raw<Message>();
  urgency = $state<Message['urgency']>('normal');
  /** Chosen and not yet sent: the preview is open. */
  files = $state.raw<File[]>([]);
  /** What stands for people in the text, as it was completed or mentioned before; with whom it means. */
  #named = new Map<string, Address>();
  #keep: ReturnType<typeof setTimeout> | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #typing = false;
  /** The text that waited while another message was being corrected. */
  #before = '';
  /** The draft as it is kept, as far as we know. */
  #kept: string;

  constructor(readonly address: Address) {
    this.text = this.#kept = chats.get(address)?.draft ?? '';
  }

  /** The draft that is kept is this now. Another device has written on, or sent it; what is typed here is newer. */
  heard(draft: string): void {
    const before = this.#kept;
    this.#kept = draft;
    if (this.editing && this.#before === before) this.#before = draft;
    else if (!this.editing && this.text === before) this.text = draft;
  }

  #setDraft(text: string): void {
    this.#kept = text;
    app.api.setDraft(this.address, text);
  }

  /** Something was typed. */
  typed(): void {
    if (this.editing) return;
    clearTimeout(this.#keep);
    this.#keep = setTimeout(() => this.#setDraft(this.text), KEEP_AFTER);
    this.#tellTyping(this.text.trim() !== '');
  }

  #tellTyping(on: boolean): void {
    clearTimeout(this.#pause);
    if (on) this.#pause = setTimeout(() => this.#tellTyping(false), PAUSED_AFTER);
    if (on === this.#typing) return;
    this.#typing = on;
    app.api.typing(this.address, on);
  }

  mention(name: string, address: Address): void {
    this.#named.set(`@${name}`, address);
  }

  /** Begins to correct what one said last, if it was a text and is on its way no more: never what was said before it. */
  async correctLast(): Promise<void> {
    const { messages } = await app.api.history(this.address, { latest: true }, NEWEST);
    const last = messages.findLast((one) => one.mine);
    const there = last && last.state !== 'sending' && last.state !== 'failed';
    if (there && last.kind === 'text' && !last.retracted && this.text === '') this.edit(last);
  }

  edit(message: Message): void {
    if (!this.editing) this.#before = this.text;
    this.replyTo = undefined;
    this.editing = message;
    this.text = message.body;
    for (const { begin, end, address } of message.mentions) this.#named.set(message.body.slice(begin, end), address);
  }

  /** Gives up correcting or answering. Returns whether there was something to give up. */
  cancel(): boolean {
    if (this.editing) {
      this.editing = undefined;
      this.text = this.#before;
    } else if (this.replyTo) this.replyTo = undefined;
    else return false;
    return true;
  }

  /** Sends what is there and empties the place at once: the row shows how far it is. */
  async send(files?: OutgoingFile[], sticker?: string): Promise<void> {
    const body = sticker ? '' : this.text.trim();
    const { editing, replyTo, urgency } = this;
    if (editing && !sticker && !files?.length) {
      if (body === '' || body === editing.body) {
        this.cancel();
        return;
      }
      this.cancel();
      await attempt(() => app.api.edit(this.address, editing.key, body, this.#mentions(body)));
      return;
    }
    if (body === '' && !files?.length && !sticker) return;
    const what: Outgoing = { body, replyTo: replyTo?.key, mentions: this.#mentions(body), urgency, files, sticker };
    this.replyTo = undefined;
    this.urgency = 'normal';
    if (!sticker) this.text = '';
    clearTimeout(this.#keep);
    this.#tellTyping(false);
    if (!sticker) this.#setDraft('');
    if (await attempt(() => app.api.send(this.address, what))) return;
    // It was not even queued: nothing that was written is lost.
    if (this.text === '' && !sticker) this.text = body;
    this.replyTo ??= replyTo;
  }

  #mentions(body: string): Mention[] {
    const list: Mention[] = [];
    // The longest first: "@Anna" is not also "@Ann".
    for (const [name, address] of [...this.#named].sort(([a], [b]) => b.length - a.length))
      for (let begin = body.indexOf(name); begin >= 0; begin = body.indexOf(name, begin + 1)) {
        const end = begin + name.length;
        if (!list.some((other) => begin < other.end && other.begin < end)) list.push({ begin, end, address });
      }
    return list;
  }
}

const kept = new Map<Address, Compose>();
app.listen((event) => {
  if (event.type === 'signed-out') kept.clear();
  else if (event.type === 'conversations') for (const chat of event.changed) kept.get(chat.address)?.heard(chat.draft);
});

/** The one for this conversation. */
export function compose(address: Address): Compose {
  let one = kept.get(address);
  if (!one) kept.set(address, (one = new Compose(address)));
  return one;
}
