import { defineConfig } from 'vitest/config';

if (!process.env.ROOKERY_BIN) console.log('Live tests are skipped: ROOKERY_BIN does not name a rookery binary.');

/** Tests against real servers, one file after the other. */
export default defineConfig({
  test: {
    include: ['tests/live/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    passWithNoTests: true,
  },
});
