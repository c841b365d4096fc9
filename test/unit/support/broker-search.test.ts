import { describe, expect, test } from 'vitest';
import { describeMissing, refuseInCi } from '../../support/broker-report.ts';
import { searchBroker } from '../../support/broker-search.ts';
import { type PubSubProbes, pubsubPlaces } from '../../support/pubsub-places.ts';
import { placeOf, rabbitMqPlaces } from '../../support/rabbitmq-places.ts';

/** A machine that has nothing; each test gives it something. What was asked is kept. */
function machine(has: Partial<PubSubProbes> = {}) {
  const asked: string[] = [];
  const noted =
    <Given extends readonly unknown[], Answer>(name: string, probe: (...given: Given) => Promise<Answer>) =>
    (...given: Given): Promise<Answer> => {
      asked.push([name, ...given].join(' '));
      return probe(...given);
    };
  const probes: PubSubProbes = {
    environment: has.environment ?? {},
    answers: noted('answers', has.answers ?? (async () => false)),
    startInstalled: noted('installed', has.startInstalled ?? (async () => 'not installed')),
    startContainer: noted('container', has.startContainer ?? (async () => 'no container engine answers')),
  };
  return { asked, find: () => searchBroker(pubsubPlaces(probes)) };
}

const started = (address: string, ended: string[] = []) => ({
  address,
  end: async () => void ended.push(address),
});

describe('where tests find a Pub/Sub emulator, in this order', () => {
  test('the address in the environment, and nothing else is looked at', async () => {
    const { asked, find } = machine({
      environment: { PUBSUB_EMULATOR_HOST: '10.0.0.1:8085' },
      answers: async () => true,
      startInstalled: async () => started('installed:1'),
    });
    expect(await find()).toMatchObject({ address: '10.0.0.1:8085', how: 'PUBSUB_EMULATOR_HOST says so' });
    expect(asked).toEqual(['answers 10.0.0.1:8085']);
  });

  test('an address in the environment where nobody answers is a mistake, and no other is taken instead', async () => {
    const { asked, find } = machine({
      environment: { PUBSUB_EMULATOR_HOST: '10.0.0.1:8085' },
      startInstalled: async () => started('installed:1'),
    });
    await expect(find()).rejects.toThrow('Start it, or unset PUBSUB_EMULATOR_HOST.');
    expect(asked).toEqual(['answers 10.0.0.1:8085']);
  });

  test('what answers at the standard port, which is left running', async () => {
    const { asked, find } = machine({ answers: async () => true, startInstalled: async () => started('installed:1') });
    const found = await find();
    expect(found).toMatchObject({ address: '127.0.0.1:8085', how: 'it runs there' });
    expect(asked).toEqual(['answers 127.0.0.1:8085']);
  });

  test('what is installed, which is ended after the run', async () => {
    const ended: string[] = [];
    const { asked, find } = machine({
      environment: { PUBSUB_EMULATOR_HOST: '' },
      startInstalled: async () => started('installed:1', ended),
      startContainer: async () => started('container:1'),
    });
    const found = await find();
    expect(found).toMatchObject({ address: 'installed:1', how: 'started from what is installed' });
    expect(asked).toEqual(['answers 127.0.0.1:8085', 'installed']);
    if ('address' in found) await found.end();
    expect(ended).toEqual(['installed:1']);
  });

  test('a container, also when what is installed does not start', async () => {
    const { asked, find } = machine({
      startInstalled: () => Promise.reject(new Error('java ended')),
      startContainer: async () => started('container:1'),
    });
    expect(await find()).toMatchObject({ address: 'container:1', how: 'started from a container' });
    expect(asked).toEqual(['answers 127.0.0.1:8085', 'installed', 'container']);
  });

  test('nowhere: every place says why', async () => {
    expect(await machine().find()).toEqual([
      'PUBSUB_EMULATOR_HOST is not set',
      'none answers at 127.0.0.1:8085',
      'not installed',
      'no container engine answers',
    ]);
    const { find } = machine({ startContainer: () => Promise.reject(new Error('manifest unknown')) });
    expect(await find()).toContain('starting it from a container failed: manifest unknown');
  });
});

test('what could not be tested is said with every reason, and nothing where nothing is missing', () => {
  expect(describeMissing([])).toBe('');
  expect(
    describeMissing([
      { notTested: 'one', reasons: ['no jar', 'no engine'] },
      { notTested: 'two', reasons: ['no jar'] },
    ]),
  ).toBe('NOT TESTED: one.\n  - no jar\n  - no engine\nNOT TESTED: two.\n  - no jar\n');
});

test.each([
  [{ CI: 'true' }, true],
  [{ CI: '1' }, true],
  [{ CI: 'false' }, false],
  [{ CI: '' }, false],
  [{}, false],
])('with %o in the environment, a run that leaves something out fails: %s', (environment, fails) => {
  const run = () => refuseInCi('NOT TESTED: one.\n', environment);
  if (fails) expect(run).toThrow('CI is set, so that nothing may be left out.\nNOT TESTED: one.');
  else expect(run).not.toThrow();
  expect(() => refuseInCi('', environment)).not.toThrow();
});

describe('where tests find a RabbitMQ, in this order', () => {
  const given = 'amqp://somebody:a-password@10.0.0.1:5672/vhost';
  const find = (environment: NodeJS.ProcessEnv, there: readonly string[] = []) =>
    searchBroker(rabbitMqPlaces({ environment, answers: async (url) => there.includes(url) }));
  const standard = 'amqp://guest:guest@127.0.0.1:5672';

  test('the address in the environment', async () => {
    expect(await find({ AMQP_URL: given }, [given, standard])).toMatchObject({ address: given });
  });

  test('an address in the environment where nobody answers is a mistake, which is told without its password', async () => {
    const error = await find({ AMQP_URL: given }, [standard]).catch(String);
    expect(error).toContain('Start it, or unset AMQP_URL.');
    expect(error).not.toContain('a-password');
  });

  test('what answers at the standard port', async () => {
    expect(await find({ AMQP_URL: '' }, [standard])).toMatchObject({ address: standard, how: 'it runs there' });
  });

  test('else there is none', async () => {
    expect(await find({})).toEqual(['AMQP_URL is not set', `none answers at ${standard}`]);
  });

  test('what is printed is without the password', () => {
    expect(placeOf(given)).toBe('10.0.0.1:5672');
  });
});
