import { readFileSync } from 'node:fs';
import { pushPath } from '../adapters/inbound/pubsub/pubsub-push-path.ts';
import { describeError, safeText } from '../adapters/operations/describe-error.ts';
import { createLogObserver } from '../adapters/operations/log-observer.ts';
import { createLogger, type Logger } from '../adapters/operations/logger.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { Fault } from '../application/fault.ts';
import type { CommandIo } from './cli/command-io.ts';
import { type ExitCode, exitCodes } from './cli/exit-codes.ts';
import type { StartAction } from './cli/start-command.ts';
import type { Config } from './config/edgeward-config.ts';
import { composeGateway } from './container.ts';
import type { GatewayAddresses } from './gateway.ts';
import { demoPreset, readConfig } from './read-config.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/**
 * `edgeward start [FILE]`: runs a gateway until it is asked to stop. Addresses go to the standard output, logs to the
 * standard error.
 */
export const start: StartAction = async (file, io) => {
  const config = await readConfig(file ?? demoPreset, io.env);
  if (!config.ok) {
    io.stderr(`${config.reason}\n`);
    return exitCodes.config.code;
  }
  const logger = loggerFor(config.value);
  try {
    return await run(config.value, logger, io, file === undefined);
  } catch (error) {
    return failed(error, logger, io, file === undefined);
  }
};

async function run(config: Config, logger: Logger, io: CommandIo, isDemo: boolean): Promise<ExitCode> {
  const gateway = await composeGateway(config, { version, observer: createLogObserver(logger, systemClock) });
  if (config.development) {
    logger.warn('development: this instance issues its own tokens; remove `development` from the config in production');
  }
  for (const { name, kind, settings } of config.endpoints) {
    if (kind === 'spaces' && !settings.membership) {
      logger.warn(
        { endpoint: name, membership: 'open' },
        'membership: open, every client that is let in may join every space',
      );
    }
  }
  const interrupted = interruption(io.interrupted);
  const addresses = await Promise.race([gateway.start(), interrupted]);
  if (addresses) {
    logger.info({ version, address: addresses.listener.url }, 'gateway is up');
    io.stdout(describeAddresses(config, addresses));
    if (isDemo) io.stdout(demoLines(addresses.listener.port));
    await interrupted;
  }
  logger.info({ deadlineMs: config.drainDeadlineMs }, 'draining: a second signal ends the process at once');
  const report = await gateway.stop(config.drainDeadlineMs);
  logger.info({ ...report }, 'gateway has stopped');
  return exitCodes.ok.code;
}

function loggerFor({ log: { level, format } }: Config): Logger {
  const isTerminal = process.stderr.isTTY;
  const chosen = format === 'auto' ? (isTerminal ? 'pretty' : 'json') : format;
  return createLogger({ level, format: chosen, colors: isTerminal, destination: process.stderr.fd });
}

function describeAddresses(config: Config, { listener, operations = listener }: GatewayAddresses): string {
  const endpoints = config.endpoints.map(
    ({ name, kind, settings }) =>
      `  ${name}: clients connect to ${listener.url}${kind === 'websocket' ? settings.paths[0] : settings.path}` +
      (kind === 'spaces' ? `, namespace ${settings.namespace}` : ''),
  );
  const sources = config.sources.flatMap(({ name, kind, settings }) => {
    if (kind === 'http') return [`  ${name}: POST ${listener.url}${settings.path}`];
    return kind === 'pubsubPush' ? [`  ${name}: Pub/Sub pushes to POST ${listener.url}${pushPath(name)}`] : [];
  });
  const health = `  health: ${listener.url}/healthz, ${operations.url}/readyz, ${operations.url}/metrics`;
  return `${[`Edgeward ${version} listens on ${listener.url}`, ...endpoints, ...sources, health].join('\n')}\n`;
}

/** Both work as they stand, each in a terminal of its own: the first waits for what the second publishes. */
function demoLines(port: number): string {
  const url = port === 8080 ? '' : ` --url http://127.0.0.1:${port}`;
  return (
    `\nTry it, each line in a terminal of its own:\n\n` +
    `npx edgeward tail${url}\n` +
    `npx edgeward publish orders.created '{"order":4711}' --attribute Tenant-Id=demo${url}\n`
  );
}

function interruption(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}

/** A fault says what, where and what to do; of anything else the log has the whole story. */
function failed(error: unknown, logger: Logger, io: CommandIo, isDemo: boolean): ExitCode {
  if (!(error instanceof Fault)) {
    logger.error({ error: describeError(error, true) }, 'gateway cannot start');
    return exitCodes.failed.code;
  }
  // What a broker's own library said is in the cause, in words of ours.
  const said = error.code.startsWith('pubsub_') && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  io.stderr(`edgeward: ${safeText(`${error.message}${said}`)}\n`);
  if (isDemo && error.code === 'listen_port_in_use') io.stderr(`For another port: PORT=9090 npx edgeward start\n`);
  if (error.code.startsWith('listen_')) return exitCodes.unreachable.code;
  // A certificate or key that the config names.
  return error.code.startsWith('tls_') || error.code === 'issuer_keys_missing'
    ? exitCodes.config.code
    : exitCodes.failed.code;
}
