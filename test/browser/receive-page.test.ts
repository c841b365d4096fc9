import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { developmentToken, publish } from '../support/demo-clients.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const isMissing = !existsSync(executablePath);
// Said in the summary, and never in CI, where it must be there.
const skipped = isMissing && process.env['CI'] === undefined;

test.skipIf(skipped)('examples/receive.html shows an event in a real browser', async () => {
  await using gateway = await startGatewayProcess();
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync', '--no-first-run'],
  });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  await page.goto(pathToFileURL(fileURLToPath(new URL('../../examples/receive.html', import.meta.url))).href);
  await page.getByLabel('Address').fill(gateway.url);
  await page
    .getByLabel('Token')
    .fill(await developmentToken(gateway.url, { tenant: 'demo', roles: ['edgeward.client'] }));
  await page.getByLabel('Topics').fill('orders.created');
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.getByText('Connected as').waitFor();

  const token = await developmentToken(gateway.url, { tenant: 'demo', roles: ['edgeward.publisher'] });
  for (const stream of ['orders.deleted', 'orders.created']) {
    await publish(gateway.url, token, { stream, attributes: { 'Tenant-Id': 'demo' }, data: { order: 4711 } });
  }
  await page.getByRole('listitem').first().waitFor();
  const items = await page.getByRole('listitem').allTextContents();
  expect(items).toEqual([expect.stringMatching(/ orders\.created \{"order":4711\}$/)]);
});
