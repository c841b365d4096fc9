import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Those with brokers wait, most of the time.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{unit,architecture,mutants}/**/*.test.ts'],
          // As for the others: a busy machine makes nothing fail.
          testTimeout: 30_000,
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
