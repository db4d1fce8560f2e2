import { expect, test } from 'vitest';
import { changeCard, readCard } from '../../../src/engine/card';
import { filled, formIn, readForm, submit, value } from '../../../src/engine/forms';
import { parse } from '../../../src/xmpp/parse';
import { el } from '../../../src/xmpp/xml';

const FORM = `<x xmlns='jabber:x:data' type='form'><title>T</title><instructions>One</instructions><instructions>Two</instructions>
  <field type='hidden' var='FORM_TYPE'><value>urn:t</value></field>
  <field type='boolean' var='b' label='B'><required/><value>1</value></field>
  <field type='list-single' var='l'><value>x</value><option label='X'><value>x</value></option></field>
  <field type='text-multi' var='m'><desc>Help</desc><value>1</value><value>2</value></field>
  <field type='fixed'><value>Note</value></field></x>`;

test('a form is read, changed and sent', () => {
  const form = readForm(parse(FORM));
  expect(form).toMatchObject({ title: 'T', instructions: 'One\nTwo' });
  expect(form.fields.map(({ name, type, values }) => [name, type, values])).toEqual([
    ['FORM_TYPE', 'hidden', ['urn:t']],
    ['b', 'toggle', ['true']],
    ['l', 'choice', ['x']],
    ['m', 'long', ['1', '2']],
    ['', 'fixed', ['Note']],
  ]);
  expect(form.fields[1]).toMatchObject({ required: true, label: 'B' });
  expect(form.fields[2]?.options).toEqual([{ label: 'X', value: 'x' }]);
  form.fields[1]!.values = ['false'];
  const sent = readForm(parse(submit(form).toString()));
  expect(value(sent, 'b')).toBe('false');
  expect(sent.fields).toHaveLength(4);
});

test('results are a table', () => {
  const form = readForm(
    parse(`<x xmlns='jabber:x:data' type='result'><reported><field var='a' label='A'/></reported>
      <item><field var='a'><value>1</value></field></item><item><field var='a'><value>2</value></field></item></x>`),
  );
  expect(form.columns).toEqual([{ name: 'a', label: 'A' }]);
  expect(form.rows).toEqual([{ a: ['1'] }, { a: ['2'] }]);
});

test('a form is found by its type', () => {
  const message = el('message', {}, filled('urn:one', { a: '1' }), filled('urn:two', { a: ['2', '3'], b: undefined }));
  expect(formIn(message, 'urn:two')?.fields.map((field) => field.values)).toEqual([['urn:two'], ['2', '3']]);
  expect(formIn(message, 'urn:three')).toBeUndefined();
});

test('a card is read, and what we do not know stays in it', () => {
  const card = parse(`<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Pip P.</text></fn>
    <tel><parameters><type><text>home</text></type></parameters><uri>tel:+1</uri></tel>
    <nickname><text>Pip</text></nickname><interest><text>fish</text></interest><interest><text>ice</text></interest>
    <adr><locality>South</locality></adr><lang><language-tag>de</language-tag></lang></vcard>`);
  expect(readCard(card)).toEqual({
    fullName: 'Pip P.',
    phone: '+1',
    nick: 'Pip',
    interests: ['fish', 'ice'],
    location: 'South',
  });
  const changed = changeCard(card, { fullName: '', interests: ['snow'], website: 'https://x' });
  expect(readCard(parse(changed.toString()))).toEqual({
    phone: '+1',
    nick: 'Pip',
    interests: ['snow'],
    location: 'South',
    website: 'https://x',
  });
  expect(changed.child('lang')).toBeDefined();
});
