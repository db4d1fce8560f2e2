/** Messages as the page shows them: with names, pictures and states, which belong to no fact. */
import type { Address, Message, Reaction, SendState } from '../../api/model';
import type { Content, Entry, View } from '../../history/facts';
import * as jid from '../../xmpp/jid';
import type { Surroundings } from '../conversations';

/** How far a conversation is known to have been seen. */
export interface Seen {
  /** By the others: the position up to which they have seen ours. */
  seen: number;
}

export class Render {
  constructor(private readonly around: Surroundings) {}

  /** `quoted` is the message that this one answers, if it is known here. */
  message(entry: Entry, { seen }: Seen, quoted?: Entry): Message {
    const view = entry.view!;
    const group = this.around.names.kind(jid.bare(entry.conversation)) === 'group';
    const avatar = group
      ? this.around.groups.avatarOf(jid.bare(entry.conversation), entry.nick)
      : this.around.names.avatar(entry.from);
    return {
      key: entry.key,
      conversation: entry.conversation,
      ...(entry.id !== undefined && { stanzaId: entry.id }),
      at: entry.at,
      order: entry.pos,
      mine: entry.mine,
      from: entry.from,
      sender: this.name(entry),
      ...(avatar !== undefined && { avatar }),
      ...this.content(view, entry.conversation, quoted),
      edited: view.edited,
      ...(view.retracted && { retracted: view.retracted }),
      reactions: this.reactions(view, group),
      ...(view.reached && { reached: view.reached }),
      state: stateOf(entry, view, seen),
    };
  }

  /** What the sender is called: in groups the nick. */
  name(entry: Pick<Entry, 'nick' | 'mine' | 'from' | 'conversation'>): string {
    return entry.nick || (entry.mine ? this.around.context.me.nick : this.around.names.title(jid.bare(entry.from)));
  }

  content(
    content: Content,
    conversation: Address,
    quoted?: Entry,
  ): Pick<Message, 'kind' | 'body' | 'files' | 'sticker' | 'replyTo' | 'mentions' | 'urgency' | 'invitation'> {
    const { kind, body, files, sticker, replyTo, urgency, invitation } = content;
    return {
      kind,
      body,
      files,
      urgency,
      mentions: content.mentions.map((one) => ({ ...one, me: this.isMe(one.address, conversation) })),
      ...(sticker !== undefined && { sticker }),
      ...(invitation && { invitation: { group: invitation.group } }),
      ...(replyTo && {
        replyTo: {
          id: replyTo.id,
          ...(quoted && { key: quoted.key }),
          sender: quoted ? this.name(quoted) : replyTo.to === undefined ? '' : this.title(replyTo.to),
          text: quoted?.view ? snippet(quoted.view) : replyTo.text,
        },
      }),
    };
  }

  /** An occupant is called by its nick. */
  private title(address: Address): string {
    const bare = jid.bare(address);
    return this.around.names.kind(bare) === 'group' ? jid.resource(address) : this.around.names.title(bare);
  }

  isMe(address: Address, conversation: Address): boolean {
    if (jid.bare(address) === this.around.context.address) return true;
    const group = jid.bare(conversation);
    return jid.bare(address) === group && jid.resource(address) === this.around.groups.nick(group);
  }

  /**
   * Whether it is meant for us: a mention, our nick in the text, an answer to something of ours, or urgent. Whoever speaks with us alone
   * always means us.
   */
  concerns(entry: Entry, answersUs: boolean): boolean {
    const { view } = entry;
    const bare = jid.bare(entry.conversation);
    if (this.around.names.kind(bare) === 'person' || bare !== entry.conversation) return true;
    if (!view) return false;
    if (answersUs || view.urgency !== 'normal') return true;
    if (view.mentions.some(({ address }) => this.isMe(address, entry.conversation))) return true;
    return says(view.body, this.around.groups.nick(bare));
  }

  private reactions(view: View, group: boolean): Reaction[] {
    const byEmoji = new Map<string, Reaction>();
    for (const { emojis, from, nick, mine } of view.reactions) {
      const name = mine ? this.around.context.me.nick : group ? nick : this.around.names.title(from);
      for (const emoji of emojis) {
        const reaction = byEmoji.get(emoji) ?? { emoji, names: [], mine: false };
        byEmoji.set(emoji, { emoji, names: [...reaction.names, name], mine: reaction.mine || mine });
      }
    }
    return [...byEmoji.values()];
  }
}

function stateOf(entry: Entry, view: View, seen: number): SendState {
  if (entry.mine && entry.pos <= seen) return 'read';
  return view.delivered ? 'delivered' : 'stored';
}

/** Whether a nick stands in a text as a word of its own. */
export function says(text: string, nick: string | undefined): boolean {
  if (!nick) return false;
  const at = text.toLowerCase().indexOf(nick.toLowerCase());
  if (at < 0) return false;
  const letter = /[\p{L}\p{N}_]/u;
  const before = text.slice(0, at).at(-1) ?? '';
  const after = text[at + nick.length] ?? '';
  return !letter.test(before) && !letter.test(after);
}

/** One line of a message, for lists and quotes. */
export function snippet(view: Pick<View, 'body' | 'files' | 'kind' | 'retracted' | 'sticker'>): string {
  if (view.retracted) return '';
  const line = view.body.replace(/\s+/g, ' ').trim().slice(0, 200);
  return line || view.files[0]?.name || view.sticker || '';
}
