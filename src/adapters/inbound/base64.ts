/** Strict base64 (RFC 4648 section 4): padded, canonical, without line breaks. */
export function readBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
