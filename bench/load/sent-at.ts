const marker = Buffer.from('T0000');
const digits = 20;

/** The beginning of every payload: when it was sent, by the machine's monotonic clock (ns). */
export const sentAtText = (): string => `T${process.hrtime.bigint().toString().padStart(digits, '0')}`;

/** A JSON payload of so many bytes that says when it was sent. */
export function stampedPayload(bytes: number): string {
  const begin = `{"sent":"${sentAtText()}","fill":"`;
  return `${begin}${'x'.repeat(Math.max(0, bytes - begin.length - 2))}"}`;
}

/** How long ago each payload in these bytes was sent (µs). One that is cut by the end of the bytes is left out. */
export function agesIn(chunk: Buffer, tell: (micros: number) => void): void {
  const now = Number(process.hrtime.bigint() / 1000n);
  for (let at = chunk.indexOf(marker); at >= 0; at = chunk.indexOf(marker, at + digits)) {
    if (at + 1 + digits > chunk.length) return;
    // The last three digits are below a microsecond.
    let micros = 0;
    for (let digit = at + 1; digit < at + digits - 2; digit += 1) micros = micros * 10 + (chunk[digit] ?? 0) - 48;
    tell(now - micros);
  }
}
