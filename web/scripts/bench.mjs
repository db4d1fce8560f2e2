/** Measures the messenger: `npm run bench`, with ROOKERY_BIN; `-- --scale` or `-- --server` is one half of it. */
import { createServer } from 'vite';
import { ROOT } from './site.mjs';

// The engine itself, in this process, makes the world that is measured.
const vite = await createServer({
  root: ROOT,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, watch: null, ws: false },
});
let failed = false;
try {
  const { bench } = await vite.ssrLoadModule('/tests/bench/main.ts');
  await bench(process.argv.slice(2));
} catch (error) {
  console.error(error);
  failed = true;
}
await vite.close();
// Sockets of the people that filled the server may still be open.
process.exit(failed ? 1 : 0);
