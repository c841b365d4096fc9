import { readFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { loadEdgewardConfig } from '../../src/bootstrap/config/edgeward-config.ts';
import { composeGateway } from '../../src/bootstrap/container.ts';
import { connectClient, developmentToken, publish } from '../support/demo-clients.ts';
import { eventually } from '../support/eventually.ts';
import { recordingObserver } from '../support/recording-observer.ts';

async function startDemo(): Promise<string> {
  const text = await readFile(new URL('../../presets/demo.yaml', import.meta.url), 'utf8');
  const config = loadEdgewardConfig(text, { PORT: '0' });
  if (!config.ok) throw new Error(JSON.stringify(config.reason));
  const gateway = await composeGateway(config.value, { version: 'test', observer: recordingObserver() });
  const { listener } = await gateway.start();
  onTestFinished(async () => void (await gateway.stop(1000)));
  return listener.url;
}

test('two gateways in one process share nothing', async () => {
  const [one, two] = await Promise.all([startDemo(), startDemo()]);
  const tokenOf = (url: string) =>
    developmentToken(url, { tenant: 'demo', roles: ['edgeward.client', 'edgeward.publisher'] });
  const [tokenOne, tokenTwo] = await Promise.all([tokenOf(one), tokenOf(two)]);

  // Each has an issuer of its own, whose tokens are worth nothing to the other.
  await expect(connectClient(one, tokenTwo)).rejects.toMatchObject({ data: { code: 'token_signature_invalid' } });

  using atOne = await connectClient(one, tokenOne);
  using atTwo = await connectClient(two, tokenTwo);
  const event = (data: string) => ({ stream: 's', attributes: { 'Tenant-Id': 'demo' }, data });
  await publish(one, tokenOne, event('for one'));
  await publish(two, tokenTwo, event('for two'));
  await eventually(() => {
    expect(atOne.received.map(({ data }) => data)).toEqual(['for one']);
    expect(atTwo.received.map(({ data }) => data)).toEqual(['for two']);
  });
  const metrics = await (await fetch(`${one}/metrics`)).text();
  expect(metrics).toContain('edgeward_events_routed_total{source="embedded"} 1\n');
});
