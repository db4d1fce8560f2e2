import type { Page } from 'playwright-core';

export const NOW: number;

export interface Screen {
  name: string;
  query?: string;
  hash?: string;
  /** Brings the page there from where it opens. */
  then?: (page: Page) => Promise<unknown>;
}

export const SCREENS: Screen[];
