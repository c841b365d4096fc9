import { spawnSync } from 'node:child_process';

/** The server alone on one core, everything else on another, so that neither takes time from the other. */
export const cores = { server: 0, load: 1 } as const;

const hasTaskset = spawnSync('taskset', ['-c', String(cores.load), 'true'], { stdio: 'ignore' }).status === 0;

/** Whether processes can be tied to a core here; else figures are those of a machine that shares. */
export const isPinned = (): boolean => hasTaskset;

/** The command that runs `command` on this core. */
export const onCore = (core: number, command: readonly string[]): readonly string[] =>
  hasTaskset ? ['taskset', '-c', String(core), ...command] : command;

/** Moves a running process with all its threads. */
export function moveToCore(core: number, pid: number): void {
  if (hasTaskset) spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' });
}
