/** What we write is what we read; what others write is read for what it is. */
import { describe, expect, it } from 'vitest';
import type { Content, Said } from '../../../src/history/facts';
import { carbonOf, readMessage, type Reader } from '../../../src/engine/messages/read';
import { readContent } from '../../../src/engine/messages/content';
import { says } from '../../../src/engine/messages/render';
import { toPoints, toUnits, without } from '../../../src/engine/messages/text';
import { writeMessage, writeReaction, writeRetraction, type Draft } from '../../../src/engine/messages/write';
import { parse } from '../../../src/xmpp/parse';

const ME = 'me@x';
const READER: Reader = {
  address: ME,
  isGroup: (address) => address.endsWith('@groups.x'),
  isMe: (_group, nick, occupant) => (occupant === undefined ? nick === 'Me' : occupant === 'my-occupant'),
  realAddress: () => undefined,
};
const NOTHING: Draft = { body: '', files: [], urgency: 'normal', mentions: [] };
const TO = { to: 'ann@x', group: false, id: 'k1' };

const read = (xml: string, way: Partial<Parameters<typeof readMessage>[2]> = {}): Said | undefined =>
  readMessage(parse(xml), READER, { forwarded: false, ...way });
const message = (inside: string, attrs = `from='ann@x/r' to='me@x' type='chat' id='m1'`) =>
  `<message xmlns='jabber:client' ${attrs}>${inside}</message>`;
const there = (draft: Partial<Draft>): Content | undefined =>
  readContent(parse(writeMessage(TO, { ...NOTHING, ...draft }).toString()));

describe('what we write', () => {
  it('is read as it was meant', () => {
    const body = 'Look 🐧 Ann';
    const mentions = [{ begin: 8, end: 11, address: 'ann@x' }];
    const replyTo = { id: 'q1', to: 'ann@x', text: 'two\nlines' };
    const files = [
      { url: 'https://x/upload/a/cat.jpg', name: 'cat.jpg', type: 'image/jpeg', size: 5, width: 3, height: 4 },
    ];
    expect(there({ body })).toMatchObject({ kind: 'text', body, files: [], urgency: 'normal' });
    expect(there({ body, mentions, replyTo, files, urgency: 'urgent' })).toMatchObject({
      kind: 'files',
      body,
      mentions,
      files,
      replyTo,
      urgency: 'urgent',
    });
    expect(there({ files })).toMatchObject({ kind: 'files', body: '', files });
    expect(there({ sticker: 'wave' })).toMatchObject({ kind: 'sticker', body: '', sticker: 'wave' });
    expect(there({ knock: true })).toMatchObject({ kind: 'knock', body: '' });
    const sound = { url: 'https://x/s.ogg', name: 's.ogg', type: 'audio/ogg', duration: 900 };
    expect(there({ voice: true, files: [sound] })).toMatchObject({ kind: 'voice', files: [sound] });
  });

  it('shows something to clients that know nothing of it', () => {
    const text = (draft: Partial<Draft>) => writeMessage(TO, { ...NOTHING, ...draft }).childText('body');
    expect(text({ urgency: 'urgent', body: 'Fire' })).toBe('‼️ Fire');
    expect(text({ replyTo: { id: 'q', to: 'ann@x', text: 'a\nb' }, body: 'c' })).toBe('> a\n> b\nc');
    expect(text({ body: 'See', files: [{ url: 'https://x/1', name: '1', type: '' }] })).toBe('See\nhttps://x/1');
    expect(text({ sticker: 'wave' })).toBe(':wave:');
  });

  it('changes a message by its id', () => {
    const own = (xml: string) => read(xml.replace('<message ', `<message xmlns='jabber:client' from='me@x/r' `))?.fact;
    expect(own(writeReaction(TO, 'm1', ['❤️']).toString('jabber:client'))).toEqual({
      is: 'reaction',
      target: 'm1',
      emojis: ['❤️'],
    });
    expect(own(writeRetraction(TO, 'm1').toString('jabber:client'))).toMatchObject({ is: 'retraction', target: 'm1' });
    const better = writeMessage(TO, { ...NOTHING, body: 'better' }, 'm1').toString('jabber:client');
    expect(own(better)).toMatchObject({ is: 'correction', target: 'm1', content: { body: 'better' } });
  });
});

describe('what others write', () => {
  it('belongs to the conversation with the other, whoever of both spoke', () => {
    expect(read(message('<body>hi</body>'))).toMatchObject({ conversation: 'ann@x', mine: false, sender: 'ann@x' });
    const sent = message('<body>hi</body>', `from='me@x/other' to='ann@x/r' type='chat' id='m1'`);
    expect(read(sent, { forwarded: true })).toMatchObject({ conversation: 'ann@x', mine: true, sender: 'me@x' });
    const whisper = message('<body>hi</body>', `from='tea@groups.x/Ann' to='me@x' type='chat' id='m1'`);
    expect(read(whisper)).toMatchObject({ conversation: 'tea@groups.x/Ann', mine: false });
    expect(read(message('<body>hi</body>', `from='tea@groups.x' type='normal' id='m1'`))).toBeUndefined();
  });

  it('has an id only from who may give one', () => {
    const ids = `<stanza-id xmlns='urn:xmpp:sid:0' by='ann@x' id='forged'/><stanza-id xmlns='urn:xmpp:sid:0' by='me@x' id='true'/>`;
    expect(read(message(`<body>hi</body>${ids}`))).toMatchObject({ id: 'true', key: 'true', refs: ['m1', 'true'] });
    const group = `<body>hi</body><stanza-id xmlns='urn:xmpp:sid:0' by='me@x' id='mine'/><stanza-id xmlns='urn:xmpp:sid:0' by='tea@groups.x' id='its'/>`;
    expect(read(message(group, `from='tea@groups.x/Ann' type='groupchat' id='m1'`))).toMatchObject({ id: 'its' });
  });

  it('is of the same sender in a group by the occupant id, not by the nick', () => {
    const occupant = (id: string) => `<body>hi</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='${id}'/>`;
    const from = `from='tea@groups.x/Me' type='groupchat' id='m1'`;
    expect(read(message(occupant('other'), from))).toMatchObject({ mine: false, sender: 'other', nick: 'Me' });
    expect(read(message(occupant('my-occupant'), from))).toMatchObject({ mine: true, from: ME });
  });

  it('is moderated only where the group says so', () => {
    const moderated = `<retract xmlns='urn:xmpp:message-retract:1' id='s1'><moderated xmlns='urn:xmpp:message-moderate:1' by='tea@groups.x/Mod'/><reason>rude</reason></retract>`;
    expect(read(message(moderated, `from='tea@groups.x' type='groupchat' id='m1'`))?.fact).toEqual({
      is: 'retraction',
      target: 's1',
      reason: 'rude',
      moderated: { by: 'Mod' },
    });
    expect(read(message(moderated, `from='tea@groups.x/Eve' type='groupchat' id='m1'`))?.fact).toEqual({
      is: 'nothing',
    });
    expect(read(message(moderated))?.fact).toEqual({ is: 'nothing' });
  });

  it('is a copy only from the own account', () => {
    const copy = (from: string) =>
      parse(
        message(
          `<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>${message('<body>hi</body>')}</forwarded></received>`,
          `from='${from}'`,
        ),
      );
    expect(carbonOf(copy('me@x'), ME)?.childText('body')).toBe('hi');
    expect(carbonOf(copy('eve@x'), ME)).toBeUndefined();
    expect(carbonOf(copy('me@x/other'), ME)).toBeUndefined();
  });

  it('is encrypted, invites, links to a file, was taken back', () => {
    const content = (inside: string) => readContent(parse(message(inside)));
    const omemo = `<encrypted xmlns='eu.siacs.conversations.axolotl'/><body>I sent you an OMEMO message</body>`;
    expect(content(omemo)).toMatchObject({ kind: 'encrypted', body: 'OMEMO' });
    const eme = `<encryption xmlns='urn:xmpp:eme:0' namespace='urn:x' name='Secret'/><body>?</body>`;
    expect(content(eme)).toMatchObject({ kind: 'encrypted', body: 'Secret' });
    expect(content(`<x xmlns='jabber:x:conference' jid='Tea@groups.x' reason='come'/>`)).toMatchObject({
      kind: 'invitation',
      body: 'come',
      invitation: { group: 'tea@groups.x' },
    });
    const oob = `<body>https://x/u/a%20b.png</body><x xmlns='jabber:x:oob'><url>https://x/u/a%20b.png</url></x>`;
    expect(content(oob)).toMatchObject({ kind: 'files', body: '', files: [{ name: 'a b.png', type: 'image/png' }] });
    const script = `<x xmlns='jabber:x:oob'><url>javascript:alert(1)</url></x><body>javascript:alert(1)</body>`;
    expect(content(script)).toMatchObject({ kind: 'text', files: [] });
    const tombstone = read(message(`<retracted xmlns='urn:xmpp:message-retract:1' stamp='2026-01-01T00:00:00Z'/>`));
    expect(tombstone?.fact).toMatchObject({ is: 'message', content: { tombstone: { moderated: false } } });
    expect(content(`<active xmlns='http://jabber.org/protocol/chatstates'/>`)).toBeUndefined();
  });

  it('cannot break out of its text by ranges', () => {
    const hostile = `<body>abc</body>
      <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='-5' end='99999'/></fallback>
      <reference xmlns='urn:xmpp:reference:0' type='mention' begin='1e9' end='-1' uri='xmpp:me@x'/>
      <reference xmlns='urn:xmpp:reference:0' type='mention' begin='x' end='2' uri='xmpp:%E0%A4%A'/>`;
    expect(readContent(parse(message(hostile)))).toBeUndefined();
    const kept = hostile.replace("for='urn:xmpp:reply:0'", "for='urn:x:unknown'");
    expect(readContent(parse(message(kept)))).toMatchObject({ body: 'abc', mentions: [{ begin: 0, end: 2 }] });
  });
});

describe('ranges of text', () => {
  it('count code points on the wire', () => {
    expect(toUnits('a🐧b', 2)).toBe(3);
    expect(toPoints('a🐧b', 3)).toBe(2);
    expect(toUnits('ab', 99)).toBe(2);
  });

  it('move when something before them is taken out', () => {
    const { text, moved } = without('> q\nhello', [{ begin: 0, end: 4 }]);
    expect(text).toBe('hello');
    expect([moved(4), moved(9), moved(2)]).toEqual([0, 5, 0]);
  });

  it('find a nick as a word of its own', () => {
    expect(says('hey Ann!', 'ann')).toBe(true);
    expect(says('Annual', 'ann')).toBe(false);
    expect(says('anything', undefined)).toBe(false);
  });
});
