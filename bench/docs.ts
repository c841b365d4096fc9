import { updatePerformancePage } from './report/performance-page.ts';

/** `npm run bench:docs`, after a change of which tables docs/performance.md has. A run of the benchmarks does it by itself. */
updatePerformancePage();
