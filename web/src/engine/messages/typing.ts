/** Who is typing (XEP-0085), in and out. Nothing of it is kept. */
import type { Address } from '../../api/model';

/** A client that went without a word is not typing for ever (XEP-0085 §5.1 tells of two minutes for more than this). */
const FORGET = 30_000;
/** Said again while somebody goes on typing, before others forget it. */
const REPEAT = 20_000;
/** Names shown in one conversation. */
const MAX_NAMES = 20;

export class Typing {
  private readonly typing = new Map<Address, Map<string, ReturnType<typeof setTimeout>>>();
  /** When we last said that we are typing. */
  private readonly told = new Map<Address, number>();

  constructor(
    /** Who is typing there is another. */
    private readonly changed: (conversation: Address) => void,
    private readonly send: (conversation: Address, state: 'composing' | 'paused') => void,
    private readonly now: () => number = Date.now,
  ) {}

  names(conversation: Address): string[] {
    return [...(this.typing.get(conversation)?.keys() ?? [])].slice(0, MAX_NAMES);
  }

  /** Somebody is typing, or not any more; what is sent ends it, too. */
  heard(conversation: Address, name: string, on: boolean): void {
    const names = this.typing.get(conversation) ?? new Map<string, ReturnType<typeof setTimeout>>();
    const was = names.has(name);
    clearTimeout(names.get(name));
    names.delete(name);
    if (on)
      names.set(
        name,
        setTimeout(() => this.heard(conversation, name, false), FORGET),
      );
    if (names.size > 0) this.typing.set(conversation, names);
    else this.typing.delete(conversation);
    if (was !== on) this.changed(conversation);
  }

  /** We are typing, or not any more. */
  say(conversation: Address, on: boolean): void {
    const told = this.told.get(conversation);
    if (on && (told === undefined || this.now() - told >= REPEAT)) {
      this.told.set(conversation, this.now());
      this.send(conversation, 'composing');
    } else if (!on && told !== undefined) {
      this.told.delete(conversation);
      this.send(conversation, 'paused');
    }
  }

  /** What we sent said that we are not typing any more. */
  sent(conversation: Address): void {
    this.told.delete(conversation);
  }

  /** The session is over. */
  clear(): void {
    for (const names of this.typing.values()) for (const timer of names.values()) clearTimeout(timer);
    const conversations = [...this.typing.keys()];
    this.typing.clear();
    this.told.clear();
    for (const conversation of conversations) this.changed(conversation);
  }
}
