/** What somebody sees of a conversation, and what their computer keeps of it. Texts are words such as `ann0042`, each said once. */
import type { Page } from 'playwright-core';

const WORD = /\b(?:ann|bob)\d{4,}\b/;

/** Goes to a list. */
export async function go(page: Page, ...parts: string[]): Promise<void> {
  await page.evaluate((hash) => (location.hash = hash), `#/${parts.join('/')}`);
}

/** Goes to a conversation, and waits until it is this one that stands there, and no more the one before. */
export async function enter(page: Page, address: string): Promise<void> {
  await page.evaluate((to) => {
    // A conversation stays when only the list beside it is another.
    if (location.hash.split('/')[2] !== to)
      for (const frame of document.querySelectorAll('.frame')) frame.setAttribute('data-left', '');
    location.hash = `#/chats/${to}`;
  }, address);
  await page.locator('.frame:not([data-left]) .settled').waitFor({ state: 'attached' });
}

/** What is on the screen, from top to bottom: words, and how far one's own are. */
export function shown(page: Page): Promise<{ word: string; state: string }[]> {
  return page.evaluate((source) => {
    const word = new RegExp(source);
    return [...document.querySelectorAll<HTMLElement>('article')].flatMap((article) => {
      const found = word.exec(article.querySelector('.flow')?.textContent ?? '')?.[0];
      return found ? [{ word: found, state: article.querySelector('.meta svg')?.classList[0] ?? '' }] : [];
    });
  }, WORD.source);
}

/** All of a conversation, as one sees it who scrolls up from its end to its first word. */
export async function scrolledThrough(page: Page, address: string, first: string | undefined): Promise<string[]> {
  await enter(page, address);
  const box = page.locator('.frame .box');
  const words: string[] = [];
  for (let idle = 0; words[0] !== first && idle < 200; idle++) {
    const window = (await shown(page)).map(({ word }) => word);
    const known = words.length === 0 ? window.length : window.indexOf(words[0]!);
    if (known > 0) idle = 0;
    words.unshift(...window.slice(0, Math.max(0, known)));
    await box.evaluate((node) => (node.scrollTop = 0));
    await page.waitForTimeout(25);
  }
  return words;
}

/** The number of unread messages that the list shows. */
export async function unread(page: Page, address: string): Promise<number> {
  const row = page.locator(`[role=tabpanel] a[href="#/chats/${address}"]`);
  if ((await row.count()) === 0) return 0;
  return Number(/(\d+) unread/.exec(await row.first().innerText())?.[1] ?? 0);
}

/** One's own device, from within: the words of each piece of a conversation that is held to be without a gap. */
export function proven(page: Page, address: string): Promise<{ words: string[]; start: boolean }[]> {
  return page.evaluate(
    async ([conversation, source]) => {
      const word = new RegExp(source!);
      const { name } = (await indexedDB.databases()).find((one) => one.name?.startsWith('rookery-history'))!;
      const answer = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const db = await answer(indexedDB.open(name!));
      const open = db.transaction(['entries', 'values']);
      type Interval = { first: number; last: number; start?: true };
      type Row = { pos: number; entry: { id?: string; fact: { content?: { body: string } } } };
      const range = IDBKeyRange.bound([conversation, -Infinity], [conversation, Infinity]);
      const [book, rows] = (await Promise.all([
        answer(open.objectStore('values').get(`book\n${conversation}`)),
        answer(open.objectStore('entries').getAll(range)),
      ])) as [{ intervals: Interval[] } | undefined, Row[]];
      db.close();
      return (book?.intervals ?? []).map(({ first, last, start }) => ({
        start: start === true,
        // Ours of which the archive has not said yet where they are prove nothing.
        words: rows
          .filter(({ pos, entry }) => first <= pos && pos <= last && entry.id !== undefined)
          .flatMap(({ entry }) => word.exec(entry.fact.content?.body ?? '')?.[0] ?? []),
      }));
    },
    [address, WORD.source],
  );
}
