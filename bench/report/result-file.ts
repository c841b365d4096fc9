import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isPinned } from '../measure/cores.ts';
import type { ScenarioReport } from './scenario-report.ts';

const folder = new URL('../results/', import.meta.url);

/** Keeps a report as `bench/results/NAME.json`, with what it was measured on; answers the path. */
export async function writeResult(report: ScenarioReport, quick: boolean): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = fileURLToPath(new URL(`${report.name}${quick ? '-quick' : ''}.json`, folder));
  const machine = {
    cores: cpus().length,
    model: cpus()[0]?.model,
    memoryBytes: totalmem(),
    node: process.version,
    pinned: isPinned(),
  };
  await writeFile(path, `${JSON.stringify({ measuredAt: new Date().toISOString(), machine, ...report }, null, 2)}\n`);
  return path;
}
