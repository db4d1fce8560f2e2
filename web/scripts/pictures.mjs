/**
 * Takes a picture of every screen: `npm run pictures [name…]`. Desktop and phone; light, dark, Chinese and right-to-left.
 * They are written to tests/pictures/.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { NOW, SCREENS } from './screens.mjs';
import { ROOT, browser, serve } from './site.mjs';

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
/** @type {{ name: string, size: typeof PHONE, dark?: boolean, locale?: string, rtl?: boolean }[]} */
const WAYS = [
  { name: 'desktop-light', size: DESKTOP },
  { name: 'desktop-dark', size: DESKTOP, dark: true },
  { name: 'phone-light', size: PHONE },
  { name: 'phone-dark', size: PHONE, dark: true },
  { name: 'desktop-zh', size: DESKTOP, locale: 'zh-CN' },
  { name: 'phone-zh', size: PHONE, locale: 'zh-CN' },
  { name: 'desktop-rtl', size: DESKTOP, rtl: true },
];

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const ways = process.argv.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
const folder = join(ROOT, 'tests', 'pictures');
mkdirSync(folder, { recursive: true });

const site = await serve();
const { context, stop } = await browser();
try {
  for (const way of WAYS.filter((one) => ways.length === 0 || ways.includes(one.name))) {
    const page = await context.newPage();
    page.on('console', (said) => said.type() === 'error' && console.error(`${way.name}: ${said.text()}`));
    page.on('pageerror', (error) => console.error(`${way.name}: ${error.message}`));
    await page.setViewportSize(way.size);
    await page.emulateMedia({ colorScheme: way.dark ? 'dark' : 'light', reducedMotion: 'reduce' });
    await page.addInitScript((locale) => {
      Object.defineProperty(navigator, 'languages', { get: () => [locale] });
    }, way.locale ?? 'en-GB');
    for (const screen of SCREENS.filter(
      (one) => wanted.length === 0 || wanted.some((name) => one.name.startsWith(name)),
    )) {
      const query = `now=${NOW}&delay=0${way.rtl ? '&rtl' : ''}${screen.query ? `&${screen.query}` : ''}`;
      await page.goto('about:blank');
      await page.clock.setFixedTime(NOW);
      await page.goto(`${site.url}/demo.html?${query}${screen.hash ?? ''}`);
      await page.waitForSelector('h1', { state: 'attached' });
      await screen.then?.(page);
      await page.waitForTimeout(150);
      await page.screenshot({ path: join(folder, `${screen.name}.${way.name}.png`) });
      console.log(`${screen.name}.${way.name}`);
    }
    await page.close();
  }
} finally {
  await stop();
  await site.stop();
}
