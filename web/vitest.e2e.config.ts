import { defineConfig } from 'vitest/config';

// The messenger in a browser, one test after the other: a machine has few cores, and each test has a browser of its own.
export default defineConfig({
  test: {
    include: ['tests/e2e/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
