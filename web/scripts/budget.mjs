/**
 * What the page weighs, against its budget: `npm run budget`. Bytes are gzipped, as a server sends them at least. Exits with 1
 * when something is too heavy.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { ROOT } from './site.mjs';

const KB = 1000;
const out = mkdtempSync(join(tmpdir(), 'rookery-budget-'));

try {
  await build({ root: ROOT, logLevel: 'error', build: { outDir: out, manifest: true, emptyOutDir: true } });
  const manifest = JSON.parse(readFileSync(join(out, '.vite/manifest.json'), 'utf8'));

  /** Files that come with these entries: what they import at once, and its styles. */
  const closure = (...names) => {
    const files = new Set();
    const visit = (name) => {
      const chunk = manifest[name];
      if (!chunk) throw new Error(`${name} is not in the build`);
      if (files.has(chunk.file)) return;
      files.add(chunk.file);
      for (const css of chunk.css ?? []) files.add(css);
      for (const next of chunk.imports ?? []) visit(next);
    };
    names.forEach(visit);
    return files;
  };
  const weigh = (file) => gzipSync(readFileSync(join(out, file)), { level: 9 }).length;
  const sum = (files) => [...files].reduce((total, file) => total + weigh(file), 0);
  const scripts = (files) => [...files].filter((file) => file.endsWith('.js'));
  const every = (folder) =>
    readdirSync(join(out, folder)).flatMap((name) => {
      const path = join(folder, name);
      return statSync(join(out, path)).isDirectory() ? every(path) : [path];
    });

  const signIn = new Set(['index.html', ...closure('index.html')]);
  const engine = closure('src/engine/make.ts');
  const sentences = manifest['src/i18n/en/main.json'].file;
  const main = new Set([...signIn, ...closure('src/ui/main/Main.svelte'), sentences, ...engine]);
  const data = new Set(['en', 'zh'].map((tag) => manifest[`src/art/emoji/${tag}.json`].file));
  const all = every('.').filter((file) => !file.startsWith('.vite') && !data.has(file));
  const emoji = [...data];
  // The worker has the engine once more: a browser fetches one of the two.
  const worker = all.filter((file) => /worker-[^/]*\.js$/.test(file));
  const lazy = scripts(all).filter((file) => !main.has(file) && !worker.includes(file));
  const heaviest = lazy.map((file) => [file, weigh(file)]).sort((a, b) => b[1] - a[1])[0];

  const rows = [
    ['sign-in page', sum(signIn), 45 * KB],
    ['main screen, all', sum(main), 130 * KB],
    ['main screen, scripts', sum(scripts(main)), 110 * KB],
    [`heaviest lazy chunk (${heaviest[0]})`, heaviest[1], 40 * KB],
    ['the engine, in the worker', sum(worker), 60 * KB],
    ['everything but emoji', sum(all.filter((file) => !worker.includes(file))), 350 * KB],
  ];
  let heavy = 0;
  for (const [name, bytes, most] of rows) {
    const over = bytes > most;
    if (over) heavy += 1;
    console.log(`${over ? 'OVER' : 'ok  '} ${(bytes / KB).toFixed(1).padStart(6)} of ${most / KB} kB  ${name}`);
  }
  console.log(
    `     ${(sum(emoji) / KB).toFixed(1).padStart(6)} kB         data of the emoji, of which one language is fetched`,
  );
  process.exitCode = heavy > 0 ? 1 : 0;
} finally {
  rmSync(out, { recursive: true, force: true });
}
