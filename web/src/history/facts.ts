/**
 * What stanzas say, free of XML: a message, or a change of one. Facts may come in any order (a reaction before its message is
 * loaded, an old correction after a new one), so nothing here is applied as it comes: `fold` looks at all that is known.
 */
import type { Address, FileInfo, Message, Reached } from '../api/model';

/** What somebody said. */
export interface Content {
  kind: Message['kind'];
  /** Without what only stands for the other parts. */
  body: string;
  files: FileInfo[];
  sticker?: string;
  replyTo?: { id: string; to?: Address; text: string };
  mentions: { begin: number; end: number; address: Address }[];
  urgency: Message['urgency'];
  invitation?: { group: Address; reason: string; password?: string };
  /** The archive holds a tombstone in its place (XEP-0424 §5.1). */
  tombstone?: { by?: string; reason: string; moderated: boolean };
}

export type Fact =
  | { is: 'message'; content: Content }
  /** XEP-0308: `target` is the id of the first version. */
  | { is: 'correction'; target: string; content: Content }
  /** XEP-0424; `moderated` only where the group itself says so (XEP-0425). */
  | { is: 'retraction'; target: string; reason: string; moderated?: { by: string } }
  /** XEP-0444: all that the sender has to say, in place of what it said before. */
  | { is: 'reaction'; target: string; emojis: string[] }
  /** XEP-0184 */
  | { is: 'receipt'; target: string }
  /** XEP-0333: the sender has seen everything up to there. */
  | { is: 'marker'; target: string }
  /** How its reader, who is not here, is told of it by other ways: docs/extensions.md. */
  | ({ is: 'reach'; target: string } & Reached)
  /** Takes its place in the archive, and says nothing to us. */
  | { is: 'nothing' };

/** A fact with what its stanza says of it, before it has a place. */
export interface Said {
  conversation: Address;
  /** The archive's id (XEP-0359), given by whoever may give it: the own account, or the group. */
  id?: string;
  /**
   * Never changes: the origin-id of what is ours, otherwise the archive's id. So a message has the same key whether it was
   * just sent, came as a copy, or was read from the archive.
   */
  key: string;
  /** All ids by which others may speak of it: `id`, origin-id, the archive's. */
  refs: string[];
  at: number;
  mine: boolean;
  /** Bare address where it is known; in anonymous groups the occupant's. */
  from: Address;
  /** What decides whether two facts have the same sender: the bare address, or the occupant id (XEP-0421). */
  sender: string;
  /** In groups the nick; empty otherwise. */
  nick: string;
  /** The sender wants to hear that it has arrived (XEP-0184). */
  receipt?: true;
  fact: Fact;
}

/** A fact that has its place in the conversation. */
export interface Entry extends Said {
  /** Orders the conversation. Only comparable within it; may be a fraction. */
  pos: number;
  /** Messages only: what became of it by all that is known. */
  view?: View;
}

/** A message with all its changes. */
export interface View extends Content {
  edited: boolean;
  retracted?: { by: string; reason: string; moderated: boolean };
  reactions: { sender: string; from: Address; nick: string; mine: boolean; emojis: string[] }[];
  /** Of ours: somebody else's device has it. */
  delivered: boolean;
  /** Of ours: each way by which its reader was told of it, and the end. */
  reached?: Reached[];
}

/** What the change is about; undefined for messages. */
export function target(fact: Fact): string | undefined {
  return 'target' in fact ? fact.target : undefined;
}

/** The message as it stands after all these changes. Their order in the array does not matter. */
export function fold(entry: Entry, changes: readonly Entry[]): View {
  if (entry.fact.is !== 'message') throw new TypeError('only messages are folded');
  const view: View = { ...entry.fact.content, edited: false, reactions: [], delivered: false };
  const reactions = new Map<string, View['reactions'][number]>();
  const reached = new Map<string, Reached>();
  for (const change of [...changes].sort((a, b) => a.pos - b.pos)) {
    const { fact, sender } = change;
    const own = sender === entry.sender;
    switch (fact.is) {
      case 'correction':
        // XEP-0308 §5: only the sender corrects.
        if (own) Object.assign(view, withoutPlace(fact.content), { edited: true });
        break;
      case 'retraction':
        // XEP-0424 §5: only the sender takes back; XEP-0425: or the group for a moderator.
        if (own || fact.moderated) {
          view.retracted = {
            by: fact.moderated?.by ?? (change.nick || change.from),
            reason: fact.reason,
            moderated: fact.moderated !== undefined,
          };
        }
        break;
      case 'reaction':
        reactions.set(sender, { sender, from: change.from, nick: change.nick, mine: change.mine, emojis: fact.emojis });
        break;
      case 'receipt':
        if (entry.mine && !change.mine) view.delivered = true;
        break;
      case 'reach':
        // Of each attempt the latest counts; who has acknowledged has it.
        if (entry.mine && !change.mine) {
          reached.set(fact.attempt, { attempt: fact.attempt, way: fact.way, state: fact.state, at: fact.at });
          if (fact.state === 'acknowledged' || fact.state === 'read') view.delivered = true;
        }
        break;
    }
  }
  if (entry.fact.content.tombstone && !view.retracted) {
    const { by, reason, moderated } = entry.fact.content.tombstone;
    view.retracted = { by: by ?? (entry.nick || entry.from), reason, moderated };
  }
  if (reached.size > 0) view.reached = [...reached.values()];
  view.reactions = view.retracted ? [] : [...reactions.values()].filter((one) => one.emojis.length > 0);
  if (view.retracted)
    Object.assign(view, { body: '', files: [], mentions: [], replyTo: undefined, sticker: undefined });
  return view;
}

/** A correction replaces what was said; what it answered and how urgent it was stays when it does not say so again. */
function withoutPlace(content: Content): Partial<Content> {
  const { replyTo, urgency, tombstone: _, ...rest } = content;
  return { ...rest, ...(replyTo && { replyTo }), ...(urgency !== 'normal' && { urgency }) };
}
