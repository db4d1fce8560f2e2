import { describe, expect, it } from 'vitest';
import { onlyEmoji, styled, type Span } from '../../src/app/styling';

const spans = (body: string): Span[] => styled(body).flatMap((block) => (block.type === 'text' ? block.spans : []));
const kinds = (body: string) => spans(body).map((span) => span.type);
/** What one reads, whatever it looks like. */
const text = (list: Span[]): string => list.map((span) => ('spans' in span ? text(span.spans) : span.text)).join('');

describe('spans (XEP-0393 §5.2)', () => {
  it.each([
    ['*strong*', ['strong']],
    ['an _emphasis_ within', ['plain', 'emphasis', 'plain']],
    ['~gone~ and `code`', ['strike', 'plain', 'code']],
    ['2*3*4 and a_b_c', ['plain']],
    ['* not*', ['plain']],
    ['*not *', ['plain']],
    ['**', ['plain']],
    ['*over\nlines*', ['plain', 'plain', 'plain']],
  ])('%j', (body, expected) => expect(kinds(body)).toEqual(expected));

  it.each(['*a* _b_ ~c~ `d`', '*a _b_ c*', '`*raw*`', 'x *y', '*_~', '((*a*))'])(
    'keeps every character of %j',
    (body) => expect(text(spans(body))).toBe(body),
  );

  it('does not style within code', () => expect(spans('`*raw*`')).toEqual([{ type: 'code', text: '`*raw*`' }]));
});

describe('blocks (XEP-0393 §5.1)', () => {
  it('knows preformatted text, closed or not', () => {
    expect(styled('```\na *b*\n```\nafter')[0]).toEqual({ type: 'pre', text: 'a *b*' });
    expect(styled('```\nopen')).toEqual([{ type: 'pre', text: 'open' }]);
  });

  it('nests quotes, to a depth that people can read', () => {
    const [quote] = styled('> a\n>> b');
    expect(quote).toMatchObject({ type: 'quote', blocks: [{ type: 'text' }, { type: 'quote' }] });
    expect(() => styled('>'.repeat(100_000))).not.toThrow();
  });
});

describe('links', () => {
  it.each([
    ['see https://example.org/a.', 'https://example.org/a'],
    ['(https://example.org/x_(y))', 'https://example.org/x_(y)'],
    ['https://example.org/?q=1&r=2', 'https://example.org/?q=1&r=2'],
  ])('%j', (body, href) => expect(spans(body)).toContainEqual({ type: 'link', text: href, href }));

  it('are of the web only', () => expect(kinds('javascript:alert(1) data:text/html,x')).toEqual(['plain']));
});

it('finds mentions behind other lines', () => {
  const body = 'first\nhello @Mia';
  const [block] = styled(body, [{ begin: 12, end: 16, me: true }]);
  expect(block).toMatchObject({ type: 'text' });
  expect(spans(body)).not.toContainEqual(expect.objectContaining({ type: 'mention' }));
  expect((block as { spans: Span[] }).spans).toContainEqual({ type: 'mention', text: '@Mia', me: true });
});

it.each([
  ['👍', true],
  ['❤️ 🐧', true],
  ['👩‍👩‍👧', true],
  ['1', false],
  ['ok 👍', false],
  ['🎉🎉🎉🎉', false],
])('%s is large: %s', (body, large) => expect(onlyEmoji(body)).toBe(large));
