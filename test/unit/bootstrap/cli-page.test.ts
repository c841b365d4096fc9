import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandLinePage } from '../../../src/bootstrap/cli/command-line-page.ts';
import { exitCodes } from '../../../src/bootstrap/cli/exit-codes.ts';

const page = readFileSync(new URL('../../../docs/command-line.md', import.meta.url), 'utf8');

test('docs/command-line.md is what the commands say of themselves', async () => {
  expect(page).toBe(await commandLinePage());
});

test('every exit code is documented once', () => {
  const codes = Object.values(exitCodes).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  for (const { code, meaning } of Object.values(exitCodes)) expect(page).toContain(`| ${code} | ${meaning} |`);
});
