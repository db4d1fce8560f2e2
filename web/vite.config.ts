import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds a running Rookery. */
const server = process.env.ROOKERY_URL ?? 'http://127.0.0.1:5280';

/** Browsers that know `light-dark()`, popovers and containers: those of the last two years. */
const browsers = ['chrome123', 'firefox128', 'safari17.5'];

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  build: {
    target: browsers,
    cssTarget: browsers,
    outDir: mode === 'demo' ? 'dist-demo' : (process.env.ROOKERY_WEB_OUT ?? 'dist'),
    emptyOutDir: true,
    // Inlined files would need data: in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // The demonstration, on a sample world without a server: for tests and pictures, never shipped.
      ...(mode === 'demo' && { input: 'demo.html' }),
      // What everything stands on is one file: many small ones weigh more, and each has to be asked for.
      output: {
        codeSplitting: {
          groups: [{ name: 'start', test: /node_modules.svelte|src.(app|i18n|api)./, minShareCount: 3 }],
        },
      },
    },
  },
  // A worker is one file: it is up as soon as that is there, and what it loads it never asks for again.
  worker: { format: 'es', rolldownOptions: { output: { codeSplitting: false } } },
  server: {
    proxy: {
      '/xmpp-websocket': { target: server, ws: true },
      '/upload': server,
      '/preview': server,
      '/config.json': server,
      '/account': server,
    },
  },
  test: { include: ['tests/unit/**/*.test.ts'] },
}));
