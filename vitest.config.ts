import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Those with brokers wait, most of the time.
    maxWorkers: availableParallelism() + 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{unit,architecture,mutants}/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'brokers',
          include: ['test/{contracts,adapters}/**/*.test.ts'],
          globalSetup: ['test/support/find-brokers.ts'],
          testTimeout: 30_000,
          // The clauses of a contract wait, most of the time: for the broker's ack deadline.
          maxConcurrency: 16,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/{e2e,browser}/**/*.test.ts'],
          globalSetup: ['test/support/find-brokers.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
