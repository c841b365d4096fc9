import { safeText } from '../adapters/operations/describe-error.ts';
import { Fault } from '../application/fault.ts';
import type { CheckAction } from './cli/check-command.ts';
import { exitCodes } from './cli/exit-codes.ts';
import { composeGateway } from './container.ts';
import { readConfig } from './read-config.ts';

/** `edgeward check FILE`. What the config says is wrong comes first; then the files that it names are read. */
export const check: CheckAction = async (file, io) => {
  const config = await readConfig(file, io.env);
  if (!config.ok) {
    io.stderr(`${config.reason}\n`);
    return exitCodes.config.code;
  }
  try {
    await composeGateway(config.value, { version: '', observer: { observe: () => {} } });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    io.stderr(`${file}: ${safeText(error.message)}\n`);
    return exitCodes.config.code;
  }
  io.stdout(`${file}: no problem found\n`);
  return exitCodes.ok.code;
};
