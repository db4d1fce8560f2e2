/** What is measured in the demonstration's world, which is as large as one likes. */
import type { BrowserContext, Page } from 'playwright-core';
import { browser, serve } from '../../scripts/site.mjs';
import type { FakeEngine } from '../fake/engine';
import { instruments, memory, type Figure } from './measure';

const FRIEND = '10101@nest.example';
const CROWD = '700050@groups.nest.example';
const MANY = 10_000;
const HISTORY = 100_000;
/** Frames of one measured scrolling: ten seconds at sixty in a second. */
const FRAMES = 600;

async function open(context: BrowserContext, url: string, where: string): Promise<Page> {
  const page = await context.newPage();
  await page.addInitScript(instruments);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${url}/demo.html?delay=0&signedIn&${where}`);
  await page.waitForSelector('h1', { state: 'attached' });
  return page;
}

async function settled(page: Page): Promise<void> {
  await page.waitForSelector('.list.settled article');
}

/** Somebody types, and presses this and that. */
async function touch(page: Page): Promise<Figure[]> {
  await settled(page);
  await page.click('textarea');
  // First one listens, then one acts: the page would not wait.
  const timed = async (type: string, act: () => Promise<unknown>): Promise<number> => {
    await page.evaluate((wanted) => void Object.assign(window, { took: window.bench.next(wanted) }), type);
    await act();
    return page.evaluate(() => (window as unknown as { took: Promise<number> }).took);
  };
  const keys: number[] = [];
  for (const key of 'The tide is out until ten, bring boots')
    keys.push(await timed('keydown', () => page.keyboard.press(key === ' ' ? 'Space' : key)));
  const presses: number[] = [];
  const press = async (selector: string, button: 'left' | 'right' = 'left') => {
    const type = button === 'left' ? 'click' : 'contextmenu';
    presses.push(await timed(type, () => page.locator(selector).click({ button, timeout: 10_000 })));
  };
  for (let round = 0; round < 5; round++) {
    for (const tab of [2, 3, 1]) await press(`.side [role=tab]:nth-child(${tab})`);
    await press('article .bubble >> nth=-1', 'right');
    await page.keyboard.press('Escape');
    for (const row of [2, 3, 1]) await press(`.side li:nth-child(${row}) a`);
    await settled(page);
  }
  return [
    { name: 'key press to paint', values: keys, unit: 'ms', budget: 16, note: 'with the wait for the frame' },
    { name: 'interaction to next paint', values: presses, unit: 'ms', budget: 100, by: 'p95' },
  ];
}

/** What was seen while a history was passed through. */
export interface Passed {
  /** Milliseconds from each frame to the next. */
  frames: number[];
  /** Most rows that were in the page at once. */
  rows: number;
  /** How far a row was drawn from where scrolling alone had brought it, in px. */
  shift: number;
  /** Messages that have been there. */
  seen: number;
}

/** Scrolls a conversation by so many px in each frame. */
export function pass(page: Page, by: number, frames: number): Promise<Passed> {
  return page.evaluate(
    ([step, count]) =>
      new Promise<Passed>((done) => {
        const box = document.querySelector('.frame .box')!;
        const seen = new Set<string>();
        const passed: Passed = { frames: [], rows: 0, shift: 0, seen: 0 };
        let last = performance.now();
        let anchor: { key: string; top: number } | undefined;
        // After a frame has been drawn, so that it is seen as people see it.
        const drawn = (now: number) => {
          passed.frames.push(now - last);
          last = now;
          const list = [...box.querySelectorAll<HTMLElement>('[data-key]')];
          passed.rows = Math.max(passed.rows, list.length);
          for (const row of list) seen.add(row.dataset.key!);
          const kept = anchor && list.find((row) => row.dataset.key === anchor!.key);
          if (kept) passed.shift = Math.max(passed.shift, Math.abs(kept.getBoundingClientRect().top - anchor!.top));
          if (passed.frames.length > count) {
            passed.frames.shift();
            return done({ ...passed, seen: seen.size });
          }
          box.scrollTop += step;
          const height = box.getBoundingClientRect().bottom;
          const row = list.find((one) => one.getBoundingClientRect().bottom > height / 2) ?? list[0]!;
          anchor = { key: row.dataset.key!, top: row.getBoundingClientRect().top };
          requestAnimationFrame((at) => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => drawn(at);
            port2.postMessage(0);
          });
        };
        drawn(last);
      }),
    [by, frames] as const,
  );
}

/** Scrolls back through a long history, a page in each second, and watches the row in the middle. */
async function history(page: Page): Promise<Figure[]> {
  await settled(page);
  const found = await pass(page, -90, FRAMES);
  return [
    {
      name: 'scroll through 100,000 messages: frame',
      values: found.frames,
      unit: 'ms',
      budget: 25,
      by: 'p95',
      note: `${found.seen} messages passed in ${FRAMES} frames`,
    },
    { name: 'shift when older ones are put before', values: [found.shift], unit: 'px', budget: 2, by: 'max' },
    { name: 'rows mounted', values: [found.rows], unit: 'rows', budget: 250, by: 'max' },
  ];
}

/** Scrolls through a list while people in it come and go. */
async function list(page: Page, name: string, box: string): Promise<Figure[]> {
  await page.waitForSelector(`${box} li`);
  const found = await page.evaluate(
    async ([selector, count]) => {
      const { engine } = window as unknown as { engine: FakeEngine };
      const churn = setInterval(() => engine.churn(20), 100);
      const scrolled = await window.bench.scroll(
        document.querySelector(selector as string)!,
        120,
        count as number,
        `${selector as string} li`,
      );
      clearInterval(churn);
      return scrolled;
    },
    [box, FRAMES] as const,
  );
  return [
    {
      name: `${name}: frame while scrolling, 200 presences a second`,
      values: found.frames,
      unit: 'ms',
      budget: 25,
      by: 'p95',
    },
    { name: `${name}: rows mounted`, values: [found.rows], unit: 'rows', budget: 250, by: 'max' },
  ];
}

export async function atScale(): Promise<Figure[]> {
  const site = await serve();
  const shown = await browser();
  const { context } = shown;
  const figures: Figure[] = [];
  try {
    const page = await open(context, site.url, `#/chats/${FRIEND}`);
    figures.push(...(await touch(page)));
    await page.close();
    const long = await open(context, site.url, `messages=${HISTORY}#/chats/${FRIEND}`);
    figures.push(...(await history(long)));
    await long.close();
    const crowd = await open(context, site.url, `occupants=${MANY}#/groups/${CROWD}/info`);
    await crowd.waitForSelector('aside .portrait');
    const took = await crowd.evaluate(() =>
      window.bench.until(
        () => document.querySelector<HTMLElement>('aside [role=tab]:nth-child(2)')!.click(),
        'aside li',
      ),
    );
    figures.push({ name: 'a room of 10,000: open its members', values: [took], unit: 'ms' });
    figures.push(...(await list(crowd, 'a room of 10,000', 'aside [data-scroller]')));
    await crowd.close();
    const roster = await open(context, site.url, `contacts=${MANY}#/contacts`);
    figures.push(...(await list(roster, 'a roster of 10,000', '.side [data-scroller]')));
    await roster.close();
    const thousand = await open(context, site.url, `contacts=1000#/chats/${FRIEND}`);
    await settled(thousand);
    const { heap } = await memory(thousand);
    figures.push({
      name: 'heap with 1,000 contacts',
      values: [heap / 1e6],
      unit: 'MB',
      budget: 40,
      note: 'the sample world in it',
    });
    await thousand.close();
  } finally {
    await shown.stop();
    await site.stop();
  }
  return figures;
}
