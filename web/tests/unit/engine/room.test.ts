import { expect, test } from 'vitest';
import { Room } from '../../../src/engine/room';
import { parse } from '../../../src/xmpp/parse';

const ROOM = '700001@groups.here';
const presence = (nick: string, inside: string, attrs = '') =>
  parse(`<presence xmlns='jabber:client' from='${ROOM}/${nick}' ${attrs}>${inside}</presence>`);
const user = (item: string, ...codes: number[]) =>
  `<x xmlns='http://jabber.org/protocol/muc#user'><item ${item}/>${codes.map((code) => `<status code='${code}'/>`).join('')}</x>`;
const occupant = (id: string) => `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='${id}'/>`;
const member = "affiliation='member' role='participant'";

async function entered(): Promise<Room> {
  const room = new Room(ROOM);
  const entering = room.enter('pip');
  room.receive(presence('squeak', user(`${member} jid='squeak@here/x'`) + occupant('s')));
  room.receive(presence('pip', user("affiliation='owner' role='moderator'", 110, 201) + occupant('p')));
  expect(await entering).toBe(true);
  return room;
}

test('who enters sees everybody at once', async () => {
  const room = new Room(ROOM);
  const entering = room.enter('pip');
  expect(
    room.receive(presence('squeak', user(`${member} jid='squeak@here/x'`) + occupant('s'))).inside,
  ).toBeUndefined();
  const happening = room.receive(presence('pip', user(member, 110) + occupant('p')));
  expect(happening.inside).toBe(true);
  expect(happening.changed.map(({ id, nick, address, me }) => ({ id, nick, address, me }))).toEqual([
    { id: 's', nick: 'squeak', address: 'squeak@here', me: false },
    { id: 'p', nick: 'pip', address: undefined, me: true },
  ]);
  expect(await entering).toBe(false);
});

test('who is refused hears why', async () => {
  const room = new Room(ROOM);
  const entering = room.enter('pip');
  const why = "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>";
  room.receive(presence('pip', `<error type='cancel'>${why}</error>`, "type='error'"));
  await expect(entering).rejects.toMatchObject({ condition: 'conflict' });
  expect(room.inside).toBe(false);
});

test('another nick is the same person', async () => {
  const room = await entered();
  const left = room.receive(presence('squeak', user(`${member} nick='squeaky'`, 303), "type='unavailable'"));
  expect(left).toEqual({ changed: [], removed: [] });
  const came = room.receive(presence('squeaky', user(member) + occupant('s')));
  expect(came.changed[0]).toMatchObject({ id: 's', nick: 'squeaky' });
  room.receive(presence('pip', user(`${member} nick='pipkin'`, 303, 110), "type='unavailable'"));
  room.receive(presence('pipkin', user(member, 110) + occupant('p')));
  expect(room.nick).toBe('pipkin');
  expect(room.me?.me).toBe(true);
  expect(room.inside).toBe(true);
});

test.each([
  ['leaves', [110], '', { inside: false, expelled: false }],
  ['is kicked', [110, 307], '', { inside: false, expelled: true }],
  ['is banned', [110, 301], '', { inside: false, expelled: true }],
  ['is lost with the service', [110, 332], '', { inside: false, expelled: false }],
  ['sees the end of the group', [110], '<destroy/>', { inside: false, expelled: true }],
])('who %s', async (_, codes, more, expected) => {
  const room = await entered();
  const out = user("affiliation='none' role='none'", ...codes).replace('</x>', `${more}</x>`);
  const happening = room.receive(presence('pip', out, "type='unavailable'"));
  expect(happening).toMatchObject(expected);
  expect(new Set(happening.removed)).toEqual(new Set(['s', 'p']));
  expect(room.occupants.size).toBe(0);
});
