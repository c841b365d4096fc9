import { describe, expect, test } from 'vitest';
import { permissionSourcesSettings } from '../../src/adapters/access/access-settings.ts';
import { createHttpPermissions } from '../../src/adapters/access/http-permissions.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingObserver } from '../support/recording-observer.ts';
import { type Answer, type Backend, open, startBackend, status, token } from './access-fixture.ts';

describe('an HTTP source of permissions', () => {
  function sourceOf(backend: Backend, more: Record<string, unknown> = {}) {
    const { iam } = permissionSourcesSettings.parse({
      iam: {
        credential: 'iam',
        url: `${backend.origin}/api/v1/tenants/{tenant}/user-profile/permissions`,
        bearer: 'iam',
        list: 'body.permissions.map(p, p.id)',
        ...more,
      },
    });
    if (!iam) throw new Error('no settings');
    return createHttpPermissions('iam', iam, { clock: new ManualClock(), observer: recordingObserver() });
  }

  const question = { variables: new Map([['tenant', 't1']]), tokens: new Map([['iam', token]]) };

  test('hiiretail 3.4: reads the permissions of a user, once while they are remembered', async () => {
    const backend = await startBackend(status(200, '{"permissions":[{"id":"sio.websocket.connect"},{"id":"b"}]}'));
    const source = sourceOf(backend);
    expect(source.credential).toBe('iam');
    for (let count = 0; count < 2; count += 1) {
      expect(await source.permissions(question, open)).toEqual(['sio.websocket.connect', 'b']);
    }
    expect(backend.asked).toMatchObject([
      { url: '/api/v1/tenants/t1/user-profile/permissions', headers: { authorization: `Bearer ${token}` } },
    ]);
  });

  test('there are none, and nobody is asked, without the tenant', async () => {
    const backend = await startBackend(status(200));
    expect(await sourceOf(backend).permissions({ ...question, variables: new Map() }, open)).toEqual([]);
    expect(backend.asked).toEqual([]);
  });

  test('an expression can tell statuses apart', async () => {
    const backend = await startBackend(status(404));
    const source = sourceOf(backend, { list: 'status == 404 ? [] : body.permissions' });
    expect(await source.permissions(question, open)).toEqual([]);
  });

  test.each<[string, Answer]>([
    ['an error', status(500, '{"error":"x"}')],
    ['an error that looks like an answer', status(500, '{"permissions":[{"id":"a"}]}')],
    ['too many questions', status(429, '{"permissions":[{"id":"a"}]}')],
    ['no JSON', status(200, '<html>')],
    ['a list of something else', status(200, '{"permissions":[{"id":5}]}')],
    ['no list', status(200, '{"permissions":"all"}')],
  ])('%s means that there is no telling', async (_, answer) => {
    const backend = await startBackend(answer);
    await expect(sourceOf(backend).permissions(question, open)).rejects.toMatchObject({
      code: 'check_unavailable',
      disposition: 'retry',
    });
  });
});
