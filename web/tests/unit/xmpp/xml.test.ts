import { describe, expect, test } from 'vitest';
import { el, parse, XmlError } from '../../../src/xmpp/xml';

describe('building', () => {
  test('children take the namespace of their parent', () => {
    const iq = el('iq', { type: 'get', id: undefined }, el('query', { xmlns: 'jabber:iq:roster' }, el('item')));
    expect(iq.toString()).toBe(
      "<iq xmlns='jabber:client' type='get'><query xmlns='jabber:iq:roster'><item/></query></iq>",
    );
    expect(iq.toString('jabber:client')).toBe("<iq type='get'><query xmlns='jabber:iq:roster'><item/></query></iq>");
    expect(iq.child('query', 'jabber:iq:roster')?.child('item')).toBeDefined();
  });

  test('a child inside of a stanza is of jabber:client', () => {
    expect(el('message', {}, el('body', {}, 'Hi')).childText('body')).toBe('Hi');
  });

  test('what XML does not allow never reaches the wire', () => {
    const text = 'a\u0000b\ud800c😀\u000b<&>\r';
    const wire = el('body', { xmlns: 'x', a: '\'"\n' }, text).toString();
    expect(wire).toBe("<body xmlns='x' a='&apos;&quot;\n'>abc😀&lt;&amp;&gt;&#xD;</body>");
    expect(parse(wire).text()).toBe('abc😀<&>\r');
  });
});

describe('parsing', () => {
  test('prefixes are resolved', () => {
    const features = parse("<s:features xmlns:s='st'><b xmlns='bi' xml:lang='en' x='1'><s:c/></b></s:features>");
    expect(features.is('features', 'st')).toBe(true);
    const b = features.child('b', 'bi');
    expect(b?.attrs).toEqual({ 'xml:lang': 'en', x: '1' });
    expect(b?.child('c', 'st')).toBeDefined();
    expect(features.toString()).toBe(
      "<features xmlns='st'><b xmlns='bi' xml:lang='en' x='1'><c xmlns='st'/></b></features>",
    );
  });

  test('text is joined, CDATA and references included', () => {
    expect(parse('<a>x&lt;<![CDATA[<y>]]>&#x20AC;</a>').children).toEqual(['x<<y>€']);
  });

  test.each([
    '',
    'text',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a b=c/>',
    '<x:a/>',
    '<!DOCTYPE a><a/>',
    '<?xml-stylesheet href="x"?><a/>',
    '<a><!-- --></a>',
    '<a>&unknown;</a>',
    '<a>'.repeat(200) + '</a>'.repeat(200),
  ])('refused: %s', (source) => {
    expect(() => parse(source)).toThrow(XmlError);
  });
});
