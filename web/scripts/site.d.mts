import type { BrowserContext } from 'playwright-core';

export const ROOT: string;
export function serve(folder?: string): Promise<{ url: string; stop(): Promise<unknown> }>;
export function browser(): Promise<{ context: BrowserContext; stop(): Promise<void> }>;
export const ARGS: string[];
