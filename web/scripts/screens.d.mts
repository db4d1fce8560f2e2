import type { Page } from 'playwright-core';

export const NOW: number;

export interface Screen {
  name: string;
  query?: string;
  hash?: string;
  /** On a phone it is the same, only narrower. */
  alike?: boolean;
  /** Brings the page there from where it opens. */
  then?: (page: Page) => Promise<unknown>;
}

export const SCREENS: Screen[];
