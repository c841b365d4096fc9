import { z } from 'zod';

/** True for names and addresses that never leave this machine. */
export function isLoopbackHost(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true;
  return /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

/** What is wrong with a URL that tokens or keys go over, or `undefined`. */
export function urlProblem(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null) return 'must be a whole URL, such as https://auth.example.com/.well-known/jwks.json';
  if (url.username !== '' || url.password !== '') return 'must hold no user name or password';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol === 'http:' && isLoopbackHost(url.hostname)) return undefined;
  return 'must begin with https:// (http:// is for this machine only: localhost, 127.0.0.1, [::1])';
}

/** A URL that is https, except on loopback. */
export const secureUrl = z.string().superRefine((text, context) => {
  const problem = urlProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});
