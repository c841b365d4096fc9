import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { isLoopbackHost } from '../../secure-url.ts';

/** One mail server, as a URL names it. */
export type SmtpAddress = {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; else by STARTTLS, where the server offers it. */
  readonly isSecure: boolean;
  /** The server must offer STARTTLS: a password is never sent in the clear, except to this machine. */
  readonly needsTls: boolean;
  readonly credentials: { readonly user: string; readonly pass: string } | undefined;
};

const ports = { smtp: 25, smtps: 465 };

/** @returns the address, or what is wrong with the text, which is never quoted: there is a password in it. */
export function parseSmtpUrl(text: string): Verdict<SmtpAddress> {
  const url = URL.parse(text);
  const protocol = url?.protocol.slice(0, -1);
  if (url === null || url.hostname === '' || (protocol !== 'smtp' && protocol !== 'smtps')) {
    return refused('must be a URL such as smtps://USER:PASSWORD@mail.example.com, or smtp://mail.example.com:587');
  }
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    return refused('must have nothing behind host and port');
  }
  const [user, pass] = [decode(url.username), decode(url.password)];
  if (user === undefined || pass === undefined) {
    return refused('has a % that is no escape; in a user name or password it is written %25');
  }
  if ((user === '') !== (pass === '')) return refused('has a user name or a password without the other');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return allowed({
    host,
    port: url.port === '' ? ports[protocol] : Number(url.port),
    isSecure: protocol === 'smtps',
    needsTls: user !== '' && !isLoopbackHost(host),
    credentials: user === '' ? undefined : { user, pass },
  });
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** `host:port`, for people. */
export const shownSmtpAddress = ({ host, port }: SmtpAddress): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;
