import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds a running Rookery. */
const server = process.env.ROOKERY_URL ?? 'http://127.0.0.1:5280';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    outDir: process.env.ROOKERY_WEB_OUT ?? 'dist',
    emptyOutDir: true,
    // Inlined files would need data: in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
  server: {
    proxy: {
      '/xmpp-websocket': { target: server, ws: true },
      '/upload': server,
      '/config.json': server,
      '/account': server,
    },
  },
  test: { include: ['tests/unit/**/*.test.ts'] },
});
