import { onTestFinished } from 'vitest';
import { SendBudget } from '../../src/adapters/outbound/send-budget.ts';
import { createSpacesEndpoint } from '../../src/adapters/outbound/socketio/spaces-endpoint.ts';
import { spacesSettings } from '../../src/adapters/outbound/socketio/spaces-settings.ts';
import { createMemoryHistory } from '../../src/adapters/store/memory-history.ts';
import { credentialOf, principalOf, templateOf } from './domain-fixtures.ts';
import { startListener } from './listener-fixture.ts';
import { ManualClock } from './manual-clock.ts';

/** A listener with one endpoint for spaces that is open: whoever says a name has it, but for `bad`, and `late` in the end. */
export async function startSpacesEndpoint(own: Readonly<Record<string, unknown>> = {}) {
  const { listener, address, observer, [Symbol.asyncDispose]: stop } = await startListener();
  onTestFinished(stop);
  const clock = new ManualClock();
  const settings = spacesSettings.parse({ publish: { to: 'broker', stream: 'spaces' }, ...own });
  const asked: string[] = [];
  const late = Promise.withResolvers<void>();
  const endpoint = createSpacesEndpoint('spaces', settings, {
    admission: {
      async admit(connection, presented) {
        const [name = 'bad'] = presented.read('token.jwt');
        if (name === 'late') await late.promise;
        if (name === 'bad' || name === 'late')
          return { kind: 'denied', denial: { code: 'token_malformed', reason: '' } };
        asked.push(name);
        const principal = principalOf(credentialOf('user', { member: name }));
        return {
          kind: 'admitted',
          session: { connection, principal, variables: new Map(), tokens: new Map() },
          rooms: [],
        };
      },
    },
    membership: { mayJoin: () => ({ kind: 'member' }) },
    template: templateOf(settings.space),
    publisher: { publish: async () => {} },
    history: createMemoryHistory(settings.history, clock),
    observer,
    clock,
    surface: listener,
    budget: new SendBudget(Number.MAX_SAFE_INTEGER, clock, () => {}),
  });
  await endpoint.open();
  onTestFinished(() => void endpoint.close(AbortSignal.abort()));
  return { endpoint, asked, late, clock, observer, ...address };
}
