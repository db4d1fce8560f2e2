/**
 * Message styling (XEP-0393 1.1) as a tree, never as markup: blocks of lines, and spans within a line. Links and mentions are
 * found in what is left plain. Marks stay in the text: whoever copies a message gets what was written.
 */
export type Span =
  | { type: 'plain'; text: string }
  | { type: 'link'; text: string; href: string }
  | { type: 'mention'; text: string; me: boolean }
  | { type: 'code'; text: string }
  | { type: 'strong' | 'emphasis' | 'strike'; spans: Span[] };

export type Block =
  { type: 'text'; spans: Span[] } | { type: 'pre'; text: string } | { type: 'quote'; blocks: Block[] };

export const isPlain = (span: Span): boolean => span.type === 'plain';

export interface Range {
  begin: number;
  end: number;
  me: boolean;
}

/** Deeper quotes are shown as they were written: nobody can read them, and a hostile one could be endless. */
const DEEPEST = 6;
const KINDS = { '*': 'strong', _: 'emphasis', '~': 'strike' } as const;

export function styled(body: string, mentions: readonly Range[] = []): Block[] {
  return blocks(
    body,
    0,
    [...mentions].sort((a, b) => a.begin - b.begin),
    0,
  );
}

/** `offset` is where `text` begins in the body; -1 within quotes, where ranges no longer fit. */
function blocks(text: string, offset: number, mentions: readonly Range[], depth: number): Block[] {
  const list: Block[] = [];
  const lines = text.split('\n');
  let at = offset;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.startsWith('```')) {
      // XEP-0393 §5.1.2: to a line of just the mark, or to the end.
      let end = i + 1;
      while (end < lines.length && lines[end] !== '```') end += 1;
      list.push({ type: 'pre', text: lines.slice(i + 1, end).join('\n') });
      at += length(lines, i, Math.min(end + 1, lines.length));
      i = end;
    } else if (line.startsWith('>') && depth < DEEPEST) {
      let end = i + 1;
      while (end < lines.length && lines[end]!.startsWith('>')) end += 1;
      const inner = lines.slice(i, end).map((one) => one.replace(/^>[ \t]?/, ''));
      list.push({ type: 'quote', blocks: blocks(inner.join('\n'), -1, [], depth + 1) });
      at += length(lines, i, end);
      i = end - 1;
    } else {
      const found = spans(line, offset < 0 ? -1 : at, mentions);
      const before = list.at(-1);
      if (before?.type === 'text') before.spans.push({ type: 'plain', text: '\n' }, ...found);
      else list.push({ type: 'text', spans: found });
      at += line.length + 1;
    }
  }
  return list;
}

function length(lines: string[], from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += lines[i]!.length + 1;
  return sum;
}

/** The spans of one line (XEP-0393 §5.2): none of them crosses its end. */
function spans(text: string, offset: number, mentions: readonly Range[]): Span[] {
  const list: Span[] = [];
  let plainFrom = 0;
  const flush = (to: number) => {
    if (to > plainFrom) list.push(...plain(text.slice(plainFrom, to), offset < 0 ? -1 : offset + plainFrom, mentions));
  };
  for (let i = 0; i < text.length; i++) {
    const mark = text[i]!;
    if (mark !== '`' && !(mark in KINDS)) continue;
    if (!opens(text, i)) continue;
    const end = closing(text, mark, i);
    if (end < 0) continue;
    flush(i);
    const inner = text.slice(i + 1, end);
    if (mark === '`') list.push({ type: 'code', text: text.slice(i, end + 1) });
    else {
      const at = offset < 0 ? -1 : offset + i + 1;
      const edge = { type: 'plain' as const, text: mark };
      list.push({ type: KINDS[mark as keyof typeof KINDS], spans: [edge, ...spans(inner, at, mentions), edge] });
    }
    i = end;
    plainFrom = end + 1;
  }
  flush(text.length);
  return list;
}

/** At the beginning, after whitespace, or after another opening mark; and not before whitespace. */
function opens(text: string, at: number): boolean {
  const before = text[at - 1];
  const after = text[at + 1];
  if (after === undefined || /\s/.test(after)) return false;
  return before === undefined || /\s/.test(before) || (before !== text[at] && /[*_~`(]/.test(before));
}

/** The next such mark that is not after whitespace and has something before it. */
function closing(text: string, mark: string, from: number): number {
  for (let end = text.indexOf(mark, from + 1); end >= 0; end = text.indexOf(mark, end + 1))
    if (end > from + 1 && !/\s/.test(text[end - 1]!)) return end;
  return -1;
}

const LINK = /\bhttps?:\/\/[^\s<>"“”]+/gi;
/** What stands behind an address more often than in it. */
const TAIL = /[.,;:!?'’)\]}>*_~]+$/;

function plain(text: string, offset: number, mentions: readonly Range[]): Span[] {
  const list: Span[] = [];
  let from = 0;
  if (offset >= 0)
    for (const { begin, end, me } of mentions) {
      const at = begin - offset;
      if (at < from || end - offset > text.length || end <= begin) continue;
      list.push(...links(text.slice(from, at)), { type: 'mention', text: text.slice(at, end - offset), me });
      from = end - offset;
    }
  list.push(...links(text.slice(from)));
  return list;
}

function links(text: string): Span[] {
  const list: Span[] = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    let href = match[0];
    const tail = TAIL.exec(href)?.[0] ?? '';
    // A bracket that was opened within belongs to the address.
    href = href.slice(0, href.length - (tail.startsWith(')') && href.includes('(') ? tail.length - 1 : tail.length));
    if (match.index > from) list.push({ type: 'plain', text: text.slice(from, match.index) });
    list.push({ type: 'link', text: href, href });
    from = match.index + href.length;
  }
  if (from < text.length) list.push({ type: 'plain', text: text.slice(from) });
  return list;
}

/** A message of nothing but a few emoji is shown large. */
export function onlyEmoji(body: string): boolean {
  if (
    body.length > 40 ||
    !/^(?:[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\u200d\ufe0f\u20e3]|\s)+$/u.test(body)
  )
    return false;
  return [...new Intl.Segmenter().segment(body.trim())].length <= 3;
}
