/** Every screen, in light, dark, Chinese and right-to-left: nothing that axe finds (WCAG 2.2 AA). */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { SCREENS } from '../../scripts/screens.mjs';
import { demo, expectQuiet } from './demo';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

async function violations(page: Page): Promise<string[]> {
  // Colours on their way from one theme to the other are nobody's.
  await page.waitForTimeout(120);
  const results = await page.evaluate(async (tags): Promise<AxeResults> => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    return axe.run(document, { runOnly: tags, resultTypes: ['violations'] });
  }, TAGS);
  return results.violations.flatMap((one) =>
    one.nodes.map((node) => `${one.id}: ${node.target.join(' ')} ${node.failureSummary?.split('\n')[1] ?? ''}`),
  );
}

describe('screens', () => {
  const { open } = demo();

  for (const phone of [false, true])
    it.each(SCREENS.map((screen) => [screen.name, screen] as const))(
      `%s, ${phone ? 'phone' : 'desktop'}`,
      async (_, screen) => {
        const page = await open({ ...screen, phone });
        await screen.then?.(page);
        await page.evaluate(source);
        const found: Record<string, string[]> = { light: await violations(page) };
        await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
        found.dark = await violations(page);
        await page.evaluate(() => (document.documentElement.dir = 'rtl'));
        found.rtl = await violations(page);
        await page.evaluate(() => window.speak('zh'));
        found.zh = await violations(page);
        expect(found).toEqual({ light: [], dark: [], rtl: [], zh: [] });
        expectQuiet();
      },
    );
});
