/** Facts for tests. */
import type { Content, Entry, Said } from '../../../src/history/facts';

export function content(body: string, more: Partial<Content> = {}): Content {
  return { kind: 'text', body, files: [], mentions: [], urgency: 'normal', ...more };
}

export function said(conversation: string, name: string, more: Partial<Said> = {}): Said {
  return {
    conversation,
    key: name,
    refs: [name],
    at: 0,
    mine: false,
    from: conversation,
    sender: conversation,
    nick: '',
    fact: { is: 'message', content: content(name) },
    ...more,
  };
}

export function entryAt(conversation: string, pos: number, more: Partial<Said> = {}): Entry {
  return { ...said(conversation, `${conversation}${pos}`, more), pos };
}
