/** The demonstration in a browser, and what the tests know of it. */
import { afterAll, beforeAll, expect } from 'vitest';
import type { Page } from 'playwright-core';
import { NOW } from '../../scripts/screens.mjs';
import { browser, serve } from '../../scripts/site.mjs';
import type { FakeEngine } from '../fake/engine';

declare global {
  interface Window {
    engine: FakeEngine;
    speak(tag: 'en' | 'zh'): Promise<void>;
  }
}

export const FRIEND = '10101@nest.example';

/** Has a browser for the tests of a file. Whatever a page complains about (the policy included) fails the test that ends. */
export function demo(): { open(where: { query?: string; hash?: string; phone?: boolean }): Promise<Page> } {
  let site: Awaited<ReturnType<typeof serve>>;
  let shown: Awaited<ReturnType<typeof browser>>;
  beforeAll(async () => {
    site = await serve();
    shown = await browser();
  });
  afterAll(async () => {
    await shown?.stop();
    await site?.stop();
  });
  return {
    async open({ query = '', hash = '', phone = false }) {
      for (const page of shown.context.pages()) await page.close();
      const page = await shown.context.newPage();
      page.on('console', (said) => said.type() === 'error' && complaints.push(said.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      complaints.length = 0;
      await page.setViewportSize(phone ? { width: 390, height: 844 } : { width: 1280, height: 800 });
      await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
      await page.addInitScript(() => Object.defineProperty(navigator, 'languages', { get: () => ['en-GB'] }));
      await page.clock.setFixedTime(NOW);
      await page.goto(`${site.url}/demo.html?now=${NOW}&delay=0&${query}${hash}`);
      // The splash has no heading, and whatever comes after it has one.
      await page.locator('h1').first().waitFor({ state: 'attached' });
      return page;
    },
  };
}

const complaints: string[] = [];

export function expectQuiet(): void {
  expect(complaints).toEqual([]);
}

/** Waits until the conversation is shown. Not by `waitForSelector`: the handle that gives would hold the conversation in memory. */
export async function settled(page: Page): Promise<void> {
  await page.locator('.list.settled article').first().waitFor();
}
