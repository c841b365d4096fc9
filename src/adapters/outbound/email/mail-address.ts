import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';

/** RFC 5321 section 4.5.3.1. */
const [localBytesMax, addressBytesMax] = [64, 254];

/**
 * One mailbox as RFC 5321 section 4.1.2 writes it (with RFC 6531 for letters beyond ASCII), and nothing that a header or
 * the envelope could take for more than that: no line break, blank, comma, bracket, quotation mark. The reason never
 * quotes it.
 */
export function parseMailAddress(text: string): Verdict<string> {
  const address = text.trim();
  if (/[\r\n\0]/.test(text)) return refused('has a line break');
  const at = address.lastIndexOf('@');
  if (at === -1) return refused('is no e-mail address');
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  if (Buffer.byteLength(address) > addressBytesMax || Buffer.byteLength(local) > localBytesMax)
    return refused('is too long');
  if (!address.isWellFormed() || !localPart.test(local) || !domainPart.test(domain))
    return refused('is no e-mail address');
  return allowed(address);
}

const localPart = /^[^\s\p{C}@"(),:;<>[\\\].]+(?:\.[^\s\p{C}@"(),:;<>[\\\].]+)*$/u;
const domainPart =
  /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?(?:\.[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?)*$/u;

/** `Brainlife <no-reply@brainlife.io>`, or the address alone. */
export type Mailbox = { readonly name: string; readonly address: string };

export function parseMailbox(text: string): Verdict<Mailbox> {
  const [, quoted, plain = '', inside] = /^\s*(?:"([^"\\]*)"|([^<>"]*?))\s*<([^<>]*)>\s*$/.exec(text) ?? [];
  const address = parseMailAddress(inside ?? text);
  if (!address.ok) return refused(`${address.reason}; write no-reply@example.com, or Name <no-reply@example.com>`);
  const name = quoted ?? plain;
  return /\p{Cc}/u.test(name)
    ? refused('has a control character in its name')
    : allowed({ name, address: address.value });
}
