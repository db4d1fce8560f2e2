import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import { parse, XmlError } from '../../../src/xmpp/parse';
import { El, el } from '../../../src/xmpp/xml';

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
  ])('refused: %s', (source) => {
    expect(() => parse(source)).toThrow(XmlError);
  });

  test('refused: nested too deep', () => {
    expect(() => parse('<a>'.repeat(200) + '</a>'.repeat(200))).toThrow(XmlError);
  });
});

/** What another, complete parser makes of it; undefined if it takes it not. */
function reference(source: string): string | undefined {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const stack: El[] = [];
  let root: El | undefined;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    const opened = new El(tag.local, tag.uri);
    for (const attr of Object.values(tag.attributes)) {
      if (attr.prefix === '' && attr.name !== 'xmlns') opened.attrs[attr.local] = attr.value;
      else if (attr.prefix === 'xml') opened.attrs[attr.name] = attr.value;
    }
    stack.at(-1)?.children.push(opened);
    root ??= opened;
    stack.push(opened);
  });
  parser.on('closetag', () => void stack.pop());
  const append = (text: string) => stack.at(-1)?.children.push(text);
  parser.on('text', append);
  parser.on('cdata', append);
  try {
    parser.write(source).close();
  } catch {
    return undefined;
  }
  return root?.toString();
}

const CORPUS = [
  `<stream:features xmlns:stream='http://etherx.jabber.org/streams'><sm xmlns="urn:xmpp:sm:3"/></stream:features>`,
  `<message xmlns='jabber:client' xml:lang='de' to='a@b/c'><body>Grüße &lt;&#x20AC;&#8364;&gt; 😀</body>\n<x xmlns='y' z="'"/></message>`,
  `<a xmlns:p='p' p:x='1' x='2'><p:b xmlns:p='q'><p:c/><![CDATA[<&]]></p:b ><b\n c = 'd\te' /></a>`,
  `<a xmlns=''><b xmlns='c'>x\r\ny\rz</b></a>`,
];

test('is at least as strict as a complete parser, and reads the same', () => {
  let seed = 42;
  const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
  const pieces = [
    ...`<>/&;:='" \n\tax]!?-#0\u0000\ufffe`,
    '&amp;',
    '&#0;',
    '&#x110000;',
    '<!--',
    ']]>',
    'xmlns',
    'xml:',
    '\ud800',
  ];
  let taken = 0;
  for (let round = 0; round < 20_000; round++) {
    let source = CORPUS[random(CORPUS.length)]!;
    for (let changes = random(3); changes >= 0; changes--) {
      const at = random(source.length + 1);
      const piece = pieces[random(pieces.length)]!;
      source = source.slice(0, at) + (random(3) > 0 ? piece : '') + source.slice(at + random(3));
    }
    let ours: string | undefined;
    try {
      ours = parse(source).toString();
    } catch {
      continue;
    }
    taken++;
    expect(ours, JSON.stringify(source)).toBe(reference(source));
  }
  expect(taken).toBeGreaterThan(1_000);
});
