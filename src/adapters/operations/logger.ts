import { type Logger, type LoggerOptions, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';

export type { Logger } from 'pino';

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export type LoggerSettings = {
  readonly level: LogLevel;
  /** One JSON object a line, or text for a person at a terminal. */
  readonly format: 'json' | 'pretty';
  readonly colors: boolean;
  /** File descriptor, or path of a file to append to. */
  readonly destination: number | string;
};

/**
 * Lines are written before the call returns: none is lost when the process ends, however it ends. What is logged goes
 * through `safeText` or `describeError` first.
 */
export function createLogger({ level, format, colors, destination }: LoggerSettings): Logger {
  const options: LoggerOptions = { level, timestamp: pino.stdTimeFunctions.isoTime };
  if (format === 'pretty') {
    const stream = PinoPretty({
      destination,
      sync: true,
      mkdir: false,
      append: true,
      colorize: colors,
      singleLine: true,
      translateTime: 'SYS:HH:MM:ss.l',
    });
    return pino({ ...options, base: null }, stream);
  }
  return pino(
    {
      ...options,
      name: 'edgeward',
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: destination, sync: true, append: true, mkdir: false }),
  );
}
