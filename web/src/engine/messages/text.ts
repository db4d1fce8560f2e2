/**
 * Ranges of a body. On the wire they count code points (XEP-0426 §4), here UTF-16 units; and a body has parts that only stand
 * for something else, for clients that do not know it (XEP-0428), which are taken out.
 */
export interface Range {
  begin: number;
  end: number;
}

/** The UTF-16 offset of a code point; the text's length if there are not so many. */
export function toUnits(text: string, points: number): number {
  let units = 0;
  for (let left = points; left > 0 && units < text.length; left--) units += text.codePointAt(units)! > 0xffff ? 2 : 1;
  return units;
}

export function toPoints(text: string, units: number): number {
  let points = 0;
  for (let at = 0; at < units && at < text.length; points++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return points;
}

/** Joins ranges that touch, in order; what lies outside of the text is cut off. */
function tidy(ranges: Range[], length: number): Range[] {
  const inside = ranges
    .map(({ begin, end }) => ({ begin: Math.max(0, begin), end: Math.min(length, end) }))
    .filter(({ begin, end }) => end > begin)
    .sort((a, b) => a.begin - b.begin);
  const joined: Range[] = [];
  for (const range of inside) {
    const last = joined.at(-1);
    if (last && range.begin <= last.end) last.end = Math.max(last.end, range.end);
    else joined.push({ ...range });
  }
  return joined;
}

/** The text without these ranges, and where a place of it has gone to. */
export function without(text: string, ranges: Range[]): { text: string; moved: (at: number) => number } {
  const gone = tidy(ranges, text.length);
  let kept = '';
  let from = 0;
  for (const { begin, end } of gone) {
    kept += text.slice(from, begin);
    from = end;
  }
  kept += text.slice(from);
  const moved = (at: number) => {
    let shift = 0;
    for (const { begin, end } of gone) if (begin < at) shift += Math.min(end, at) - begin;
    return at - shift;
  };
  return { text: kept, moved };
}
