import type { CheckAction } from './cli/check-command.ts';
import { exitCodes } from './cli/exit-codes.ts';
import { readConfig } from './read-config.ts';

/** `edgeward check FILE`. */
export const check: CheckAction = async (file, io) => {
  const config = await readConfig(file, io.env);
  if (!config.ok) {
    io.stderr(`${config.reason}\n`);
    return exitCodes.config.code;
  }
  io.stdout(`${file}: no problem found\n`);
  return exitCodes.ok.code;
};
