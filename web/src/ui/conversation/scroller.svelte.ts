/**
 * The one owner of a conversation's scroll position. It holds still what one looks at, whatever happens above or below: rows
 * added and taken away, pictures, a changed window. It stays at the bottom only if one is there.
 */
export class Scroller {
  /** One sees the newest row. */
  stuck = $state(true);
  /** Time of the first row that is seen, for the floating date. */
  day = $state(0);
  /** Key of the last row that is seen. */
  seen = $state<string>();
  #anchor: { key: string; offset: number } | undefined;
  /** The last row that was drawn is the newest. */
  #atEnd = false;
  /** Where the box was when that was last noted: further up than this, somebody has scrolled. */
  #top = 0;
  #box: HTMLElement | undefined;
  #list: HTMLElement | undefined;

  /** Nearer than this to the bottom counts as there, in px. */
  static readonly NEAR = 32;

  /** Watches until the returned function is called. */
  watch(box: HTMLElement, list: HTMLElement): () => void {
    this.#box = box;
    this.#list = list;
    const sizes = new ResizeObserver(() => this.hold());
    sizes.observe(box);
    sizes.observe(list);
    return () => {
      sizes.disconnect();
      this.#box = undefined;
      this.#list = undefined;
    };
  }

  /** The conversation is still in the page. */
  get watching(): boolean {
    return this.#box !== undefined;
  }

  /** Distances to both ends, in px. */
  get room(): { above: number; below: number } {
    const box = this.#box;
    // It is not shown any more.
    if (!box) return { above: Infinity, below: Infinity };
    return { above: box.scrollTop, below: box.scrollHeight - box.scrollTop - box.clientHeight };
  }

  /** Notes what one looks at: after scrolling. `atEnd`: the last row is the newest there is. */
  note(atEnd: boolean): void {
    const box = this.#box;
    const list = this.#list;
    if (!box || !list || list.children.length === 0) return;
    const top = box.scrollTop;
    const row = list.children[this.#rowAt(top)] as HTMLElement;
    this.#anchor = { key: row.dataset.key!, offset: placeOf(row) - top };
    this.day = Number(row.dataset.at);
    const last = Math.min(list.children.length - 1, this.#rowAt(top + box.clientHeight - 8));
    this.seen = (list.children[last] as HTMLElement).dataset.key;
    this.stuck = atEnd && this.room.below < Scroller.NEAR;
    this.#atEnd = atEnd;
    this.#top = top;
  }

  /** Before rows change: whoever has scrolled is not where they were any more, though the event of it comes later. */
  mark(): void {
    if (!this.stuck || (this.#box?.scrollTop ?? 0) < this.#top - 1) this.note(this.#atEnd);
  }

  /** Puts what one looks at back where it was. */
  hold(): void {
    const box = this.#box;
    if (!box) return;
    if (this.stuck) {
      box.scrollTop = box.scrollHeight;
      this.#top = box.scrollTop;
      return;
    }
    const row = this.#anchor && this.#row(this.#anchor.key);
    if (!row) return;
    const wanted = placeOf(row) - this.#anchor!.offset;
    if (Math.abs(wanted - box.scrollTop) >= 1) box.scrollTop = wanted;
  }

  toBottom(smooth = false): void {
    const box = this.#box;
    if (!box) return;
    this.stuck = true;
    // Until it is noted where that is, nobody is above it.
    this.#top = 0;
    box.scrollTo({ top: box.scrollHeight, behavior: smooth && !still() ? 'smooth' : 'instant' });
  }

  /** Brings a row into view. Returns it, if it is there. */
  toRow(key: string, where: 'middle' | 'top' = 'middle'): HTMLElement | undefined {
    const box = this.#box;
    const row = this.#row(key);
    if (!box || !row) return undefined;
    this.stuck = false;
    const space = where === 'top' ? box.clientHeight * 0.2 : Math.max(0, (box.clientHeight - row.offsetHeight) / 2);
    box.scrollTop = row.offsetTop - space;
    return row;
  }

  #row(key: string): HTMLElement | undefined {
    const rows = this.#list?.children ?? [];
    for (const row of rows as HTMLCollectionOf<HTMLElement>) if (row.dataset.key === key) return row;
    return undefined;
  }

  /** Index of the row at this height. */
  #rowAt(y: number): number {
    const rows = this.#list!.children;
    let low = 0;
    let high = rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((rows[middle] as HTMLElement).offsetTop <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Where a row's message is: what stands above it in the row (the mark of a day) comes and goes with the row before. */
function placeOf(row: HTMLElement): number {
  return (row.lastElementChild as HTMLElement).offsetTop;
}

function still(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
