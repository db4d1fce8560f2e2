/** Conversations and what is said in them. */
import type { Api } from '../../src/api/api';
import type * as m from '../../src/api/model';
import { picture, sound } from './pictures';
import type { World } from './world';

export function talk(world: World) {
  return {
    async open(address: m.Address): Promise<m.Conversation> {
      const chat = world.chat(address);
      world.tell({ type: 'conversations', changed: [chat], removed: [] });
      return structuredClone(chat);
    },

    async history(address: m.Address, where: m.Where, limit: number): Promise<m.Page> {
      await world.wait();
      const all = world.messages(address);
      const index = (key: string) => all.findIndex((one) => one.key === key);
      let from = all.length - limit;
      if ('before' in where) from = index(where.before) - limit;
      else if ('after' in where) from = index(where.after) + 1;
      else if ('around' in where) from = index(where.around) - Math.floor(limit / 2);
      else if ('at' in where) {
        const found = all.findIndex((one) => one.at >= where.at);
        from = (found < 0 ? all.length : found) - Math.floor(limit / 2);
      }
      const to = 'before' in where ? index(where.before) : Math.min(all.length, Math.max(0, from) + limit);
      const start = Math.max(0, Math.min(from, 'after' in where ? from : Math.max(0, all.length - limit)));
      const messages = await Promise.all(all.slice(start, Math.max(start, to)).map((one) => drawn(one)));
      return {
        messages: structuredClone(messages),
        atStart: start === 0,
        atEnd: to >= all.length,
        cutBefore: false,
        cutAfter: false,
      };
    },

    async send(address: m.Address, what: m.Outgoing): Promise<m.Message> {
      const replied = what.replyTo ? world.messages(address).find((one) => one.key === what.replyTo) : undefined;
      const message = world.make(address, {
        mine: true,
        from: world.me.address,
        body: what.body,
        kind: what.sticker
          ? 'sticker'
          : what.files?.some((file) => file.voice)
            ? 'voice'
            : what.files?.length
              ? 'files'
              : 'text',
        sticker: what.sticker,
        urgency: what.urgency ?? 'normal',
        mentions: (what.mentions ?? []).map((one) => ({ ...one, me: false })),
        files: (what.files ?? []).map((file) => ({
          url: URL.createObjectURL(file.blob),
          name: file.name,
          type: file.type,
          size: file.blob.size,
          width: file.width,
          height: file.height,
          duration: file.duration,
        })),
        replyTo: replied && {
          id: replied.stanzaId!,
          key: replied.key,
          sender: replied.mine ? world.me.nick : replied.sender,
          text: replied.body,
        },
        state: 'sending',
      });
      world.append(address, message);
      const size = what.files?.reduce((sum, file) => sum + file.blob.size, 0) ?? 0;
      for (let step = 1; step <= (size ? 5 : 0); step++)
        world.later(step * 250, () =>
          world.tell({ type: 'upload', key: message.key, sent: (size * step) / 5, total: size }),
        );
      const fails = what.body.includes('fail');
      const begin = size ? 1500 : 250;
      world.later(begin, () =>
        world.changeMessage(
          address,
          message.key,
          fails
            ? {
                state: 'failed',
                error: { code: 'resource-constraint', text: 'The server has no room for it just now.' },
              }
            : { state: 'stored' },
        ),
      );
      if (fails) return structuredClone(message);
      world.later(begin + 500, () => world.changeMessage(address, message.key, { state: 'delivered' }));
      world.later(begin + 1300, () => world.changeMessage(address, message.key, { state: 'read' }));
      if (world.lively) world.later(2000, () => world.answer(address));
      return structuredClone(message);
    },

    async retry(address: m.Address, key: string): Promise<void> {
      world.changeMessage(address, key, { state: 'sending', error: undefined });
      world.later(500, () => world.changeMessage(address, key, { state: 'stored' }));
    },

    async discard(address: m.Address, key: string): Promise<void> {
      const list = world.messages(address);
      list.splice(
        list.findIndex((one) => one.key === key),
        1,
      );
      world.tell({ type: 'messages', conversation: address, changed: [], removed: [key] });
    },

    async edit(address: m.Address, key: string, body: string, mentions: m.Outgoing['mentions'] = []): Promise<void> {
      world.changeMessage(address, key, {
        body,
        mentions: mentions.map((one) => ({ ...one, me: false })),
        edited: true,
      });
    },

    async retract(address: m.Address, key: string, reason = ''): Promise<void> {
      world.changeMessage(address, key, {
        body: '',
        files: [],
        reactions: [],
        preview: undefined,
        retracted: { by: world.me.nick, reason, moderated: false },
      });
    },

    async react(address: m.Address, key: string, emojis: string[]): Promise<void> {
      const message = world.messages(address).find((one) => one.key === key);
      const reactions = (message?.reactions ?? [])
        .map((one) => {
          const others = one.names.filter((name) => name !== world.me.nick);
          const mine = emojis.includes(one.emoji);
          return { emoji: one.emoji, mine, names: mine ? [...others, world.me.nick] : others };
        })
        .filter((one) => one.names.length > 0);
      for (const emoji of emojis)
        if (!reactions.some((one) => one.emoji === emoji))
          reactions.push({ emoji, mine: true, names: [world.me.nick] });
      world.changeMessage(address, key, { reactions });
    },

    async knock(address: m.Address): Promise<void> {
      world.append(
        address,
        world.make(address, { mine: true, from: world.me.address, kind: 'knock', state: 'stored' }),
      );
    },

    async markRead(address: m.Address): Promise<void> {
      if (world.chat(address).unread > 0) world.changeChat(address, { unread: 0, mentions: 0 });
    },

    typing(): void {},

    setDraft(address: m.Address, text: string): void {
      world.changeChat(address, { draft: text });
    },

    async setPinned(address: m.Address, on: boolean): Promise<void> {
      world.changeChat(address, { pinned: on });
    },

    async setNotify(address: m.Address, notify: m.Notify): Promise<void> {
      world.changeChat(address, { notify });
    },

    async close(address: m.Address): Promise<void> {
      world.chats.delete(address);
      world.tell({ type: 'conversations', changed: [], removed: [address] });
    },

    async search(text: string, address?: m.Address): Promise<{ hits: m.Hit[]; more?: string }> {
      await world.wait();
      const needle = text.toLowerCase();
      const hits: m.Hit[] = [];
      for (const where of address ? [address] : world.chats.keys())
        for (const message of world.messages(where).slice(-600))
          if (message.body.toLowerCase().includes(needle)) hits.push({ message, title: world.chat(where).title });
      return { hits: structuredClone(hits.sort((a, b) => b.message.at - a.message.at).slice(0, 50)) };
    },

    async filesOf(address: m.Address): Promise<{ messages: m.Message[]; more?: string }> {
      await world.wait();
      const some = world
        .messages(address)
        .filter((one) => one.kind === 'files')
        .slice(-24)
        .reverse();
      return { messages: structuredClone(await Promise.all(some.map((one) => drawn(one)))) };
    },

    async preview(): Promise<m.LinkPreview | null> {
      return null;
    },
  } satisfies Partial<Api>;
}

/** Pictures are drawn when somebody looks. */
async function drawn(message: m.Message): Promise<m.Message> {
  const file = message.files[0];
  if (typeof document === 'undefined' || !file) return message;
  if (file.url.startsWith('picture:')) {
    const [, seed, size] = file.url.split(':');
    const [width, height] = size!.split('x').map(Number) as [number, number];
    file.url = URL.createObjectURL(await picture(Number(seed) + 1, width, height));
  } else if (file.url === 'voice:') {
    file.url = URL.createObjectURL(sound(file.duration! / 1000));
  }
  return message;
}
