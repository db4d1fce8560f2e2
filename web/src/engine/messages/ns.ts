/** Namespaces of messages that are ours (docs/extensions.md), or that only messages know. */
export const OWN = {
  urgency: 'https://rookery.im/protocol/urgency',
  /** What became of telling somebody who is not here. */
  reach: 'https://rookery.im/protocol/reach',
  sticker: 'https://rookery.im/protocol/sticker',
  voice: 'https://rookery.im/protocol/voice',
  /** The node of what only concerns oneself: drafts, and rows that were closed. */
  chats: 'https://rookery.im/protocol/chats',
  preview: 'https://rookery.im/protocol/preview',
  file: 'https://rookery.im/file',
} as const;

export const STICKERS = 'urn:xmpp:stickers:0';

/** End-to-end encryption by its element, for clients that do not say so by XEP-0380. */
export const ENCRYPTIONS: Record<string, string> = {
  'eu.siacs.conversations.axolotl': 'OMEMO',
  'urn:xmpp:omemo:1': 'OMEMO',
  'urn:xmpp:omemo:2': 'OMEMO',
  'jabber:x:encrypted': 'OpenPGP',
  'urn:xmpp:openpgp:0': 'OpenPGP',
  'urn:xmpp:otr:0': 'OTR',
};
