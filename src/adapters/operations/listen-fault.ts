import { Fault } from '../../application/fault.ts';

/** What of the config a fault is about. */
export type ListenPlace = { readonly section: string; readonly host: string; readonly port: number };

/** What an operator reads when the gateway cannot listen. */
export function listenFault(error: unknown, { section, host, port }: ListenPlace): Fault {
  const at = `${host} port ${port}`;
  switch (codeOf(error) ?? '') {
    case 'EADDRINUSE':
      return stop(
        'listen_port_in_use',
        `Cannot listen on ${at}: the port is in use. ` +
          `Stop the program that has it, or choose another one with ${section}.port.`,
        error,
      );
    case 'EACCES':
    case 'EPERM':
      return stop(
        'listen_not_permitted',
        `Cannot listen on ${at}: not permitted. Ports below 1024 need a privilege; choose another ${section}.port.`,
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return stop(
        'listen_host_unknown',
        `Cannot listen on ${at}: this machine has no such address. Correct ${section}.host.`,
        error,
      );
    default:
      return stop('listen_failed', `Cannot listen on ${at} (${section}): ${textOf(error)}.`, error);
  }
}

/** A certificate or key file that cannot be read. */
export const tlsFileFault = (error: unknown, setting: string, file: string): Fault =>
  stop('tls_file_unreadable', `Cannot read "${file}", which ${setting} names: ${codeOf(error) ?? 'unknown'}.`, error);

/** Files that were read, but do not make a TLS identity. The library's own text names no content of them. */
export const tlsFault = (error: unknown, section: string): Fault =>
  stop(
    'tls_invalid',
    `The files of ${section} are no PEM certificate with its own PEM private key: ${textOf(error)}.`,
    error,
  );

const stop = (code: string, message: string, cause: unknown): Fault => new Fault(code, 'stop', message, cause);

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
