/**
 * How quick the messenger is: with a real server, and in a world of ten thousand. Prints a table and one line of JSON. Milliseconds
 * are told, and fail nothing: they are the machine's as much as the page's. What can be counted is a test (tests/e2e).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { ARGS, ROOT } from '../../scripts/site.mjs';
import { ROOKERY_BIN, Server } from '../live/server';
import { judged, median, quantile, type Figure } from './measure';
import { comeBack, populate, signIn, signInPage } from './real';
import { atScale } from './scale';

const DOCUMENT = join(ROOT, '..', 'docs', 'performance.md');
const BEGIN = '<!-- cargo xtask bench web -->';
const END = '<!-- end -->';

export async function bench(words: string[]): Promise<void> {
  const figures: Figure[] = [];
  const before = loadavg()[0]!;
  if (words.includes('--scale') || ROOKERY_BIN === undefined)
    console.log('without a server: ROOKERY_BIN says where one is');
  else figures.push(...(await withServer()));
  if (!words.includes('--server')) figures.push(...(await atScale()));
  const load = `${before.toFixed(1)} to ${loadavg()[0]!.toFixed(1)}`;
  console.log(table(figures));
  console.log(JSON.stringify({ at: new Date().toISOString(), load, figures: figures.map(short) }));
  if (words.includes('--write')) write(figures, load);
}

async function withServer(): Promise<Figure[]> {
  const server = await Server.start();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ARGS,
  });
  try {
    const figures = await signInPage(browser, server);
    const { number, stop } = await populate(server);
    await stop();
    figures.push(...(await signIn(browser, server, number)));
    figures.push(...(await comeBack(browser, server, number)));
    return figures;
  } finally {
    await browser.close();
    await server.remove();
  }
}

const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, ''));

function short(figure: Figure): object {
  const { name, values, unit, budget, by = 'median' } = figure;
  return { name, unit, by, value: Number(judged(figure).toFixed(2)), budget, runs: values.length };
}

/** In Markdown, which is readable as it is. */
function table(figures: Figure[]): string {
  const rows = figures.map((figure) => {
    const { name, values, unit, budget, by = 'median', note = '' } = figure;
    const value =
      values.length === 1
        ? `${digits(values[0]!)} ${unit}`
        : `${digits(median(values))} ${unit} (p95 ${digits(quantile(values, 0.95))}, of ${values.length})`;
    const wanted = budget === undefined ? '' : `${judged(figure) <= budget ? '' : '**missed:** '}${by} ≤ ${budget}`;
    return `| ${name} | ${value} | ${wanted} | ${note} |`;
  });
  return ['| what | median | budget | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** Puts the table into the document, with where it comes from. */
function write(figures: Figure[], load: string): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`${DOCUMENT} has no place for it`);
  const browser = execFileSync(process.env.CHROMIUM ?? '/usr/bin/chromium', ['--version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
  const day = new Date().toISOString().slice(0, 10);
  const machine = `${cpus().length} cores of ${cpus()[0]?.model ?? 'an unknown kind'}, Linux ${release()}`;
  const where = `${day}, ${machine}, load average ${load}, ${browser}, Node ${process.version}.`;
  writeFileSync(DOCUMENT, `${text.slice(0, from + BEGIN.length)}\n${where}\n\n${table(figures)}\n${text.slice(to)}`);
}
