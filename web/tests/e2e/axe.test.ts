/**
 * Every screen, in light, dark, right-to-left and Chinese: nothing that axe finds. A screen is opened once and dressed anew
 * in place; on a phone those that are more than narrower there. What moves is still (`prefers-reduced-motion`), so that no
 * colour is measured half way.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { SCREENS } from '../../scripts/screens.mjs';
import { demo, expectQuiet } from './demo';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** WCAG 2.2 AA, and the two beyond it that readers of a screen find their way by. */
const OPTIONS: RunOptions = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
  rules: { 'landmark-one-main': { enabled: true }, 'page-has-heading-one': { enabled: true } },
  resultTypes: ['violations'],
};

async function violations(page: Page): Promise<string[]> {
  const results = await page.evaluate(async (options): Promise<AxeResults> => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    return axe.run(document, options);
  }, OPTIONS);
  return results.violations.flatMap((one) =>
    one.nodes.map((node) => `${one.id}: ${node.target.join(' ')} ${node.failureSummary?.split('\n')[1] ?? ''}`),
  );
}

/** From one to the next; each keeps what those before it did. */
const DRESSES: [name: string, dress: (page: Page) => Promise<unknown>][] = [
  ['light', async () => {}],
  ['dark', (page) => page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })],
  ['right-to-left', (page) => page.evaluate(() => (document.documentElement.dir = 'rtl'))],
  ['Chinese', (page) => page.evaluate(() => window.speak('zh'))],
];

describe('screens', () => {
  const { open } = demo();

  for (const phone of [false, true])
    it.each(SCREENS.filter((screen) => !(phone && screen.alike)).map((screen) => [screen.name, screen] as const))(
      `%s, ${phone ? 'phone' : 'desktop'}`,
      async (_, screen) => {
        const page = await open({ ...screen, phone });
        await screen.then?.(page);
        // All chunks are there: nobody looks at a page that is still on its way.
        await page.waitForLoadState('networkidle');
        await page.evaluate(source);
        for (const [name, dress] of DRESSES) {
          await dress(page);
          expect.soft(await violations(page), name).toEqual([]);
        }
        expectQuiet();
      },
    );
});
