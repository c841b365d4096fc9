/** What stands in the place of a secret. */
const mask = '***';

/** Names of query fields, form fields and JSON members whose value is nobody's business; also at the end of longer names. */
const secretNames = 'token|jwt|assertion|password|passwd|secret|api_?key';

/**
 * Each looks at a character a bounded number of times, since the text may be an attacker's: a match begins only where
 * the run of its characters begins, and no repetition contains another.
 */
const patterns: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g, mask],
  // scheme://user:password@host, up to the last @ before the path.
  [/:\/\/[^\s/?#"'<>]*@/g, `://${mask}@`],
  [/\b(Bearer|Basic) +[\w\-.~+/=]+/gi, `$1 ${mask}`],
  // name=value and name%3Dvalue, as in queries, forms and cookies.
  [new RegExp(`(${secretNames})(=|%3D)[^\\s&;,"'<>#]*`, 'gi'), `$1$2${mask}`],
  // "name":"value", also where quotes are escaped because the JSON stands in a JSON text.
  [new RegExp(`(${secretNames})(\\\\*["'] *: *\\\\*["'])[^"'\\\\]*`, 'gi'), `$1$2${mask}`],
  // A JWT behind letters that are none of it, such as the end of `%22`; what is shorter is no whole header.
  [/(?<![\w-])([\w-]*?)eyJ[\w-]{16,}(?:\.[\w-]*)*/g, `$1${mask}`],
  // Any other JWT: its first part is JSON, `{"` or `{` and white space, in base64url.
  [/(?<![\w-])e[yw][\w-]{8,}\.[\w-]+(?:\.[\w-]*)*/g, mask],
  [/(?<![\w-])eyJ[\w-]{8,}/g, mask],
];

/** The text without what could be a token, a password or a private key. */
export const redactSecrets = (text: string): string =>
  patterns.reduce((redacted, [pattern, replacement]) => redacted.replace(pattern, replacement), text);
