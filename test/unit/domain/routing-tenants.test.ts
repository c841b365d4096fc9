import { describe, expect, test } from 'vitest';
import { eventOf, isolationOf, routingOf, ruleOf, templatesOf } from '../../support/domain-fixtures.ts';

describe('tenants at run time', () => {
  const isolation = isolationOf('tenant', 'tenant', 'tenants/{}', 'topics/{topic}/tenants/{}');
  const ofTenant = ruleOf({ name: 'tenant', templates: templatesOf('tenants/{tenant}') });
  const ofKey = ruleOf({ name: 'key', keyParts: ['tenant'], templates: templatesOf('tenants/{tenant}/x') });
  const ofNobody = ruleOf({ name: 'all', withoutTenant: true, templates: templatesOf('all') });

  test('a rule marked withoutTenant is for events without one', () => {
    const routing = routingOf([ofTenant, ofNobody], isolation);
    expect(routing.decide(eventOf({}))).toMatchObject({ kind: 'routed', rooms: ['all'] });
    expect(routing.decide(eventOf({ tenant: '42' }))).toEqual({
      kind: 'routed',
      rooms: ['tenants/42'],
      rules: [
        { rule: 'tenant', kind: 'contributed', templates: ['tenants/{tenant}'] },
        { rule: 'all', kind: 'skipped', reason: 'it is for events without tenant', error: false },
      ],
    });
    expect(routingOf([ofNobody], isolation).decide(eventOf({ tenant: '' }))).toMatchObject({ cause: 'no_template' });
    const unreadable = eventOf({}, { unreadable: new Set(['tenant']) });
    expect(routing.decide(unreadable)).toMatchObject({ cause: 'no_template' });
  });

  test('without isolation the mark changes nothing', () => {
    expect(routingOf([ofNobody]).decide(eventOf({ tenant: '42' }))).toMatchObject({ rooms: ['all'] });
  });

  test('hiiretail 8.14: an event without a tenant reaches no tenant', () => {
    expect(routingOf([ofTenant], isolation).decide(eventOf({}))).toMatchObject({ cause: 'no_template' });
  });

  test('an attribute keeps an event from rooms without a tenant, also where its key should say and does not', () => {
    const rule = ruleOf({ keyParts: ['tenant'], withoutTenant: true, templates: templatesOf('all') });
    const routing = routingOf([rule], isolation);
    expect(routing.decide(eventOf({}))).toMatchObject({ rooms: ['all'] });
    expect(routing.decide(eventOf({ tenant: '42' }))).toMatchObject({ cause: 'no_template' });
    expect(routing.decide(eventOf({}, { key: '42' }))).toMatchObject({ cause: 'no_template' });
  });

  test('rules that read different tenants send an event nowhere, and the reason holds no value of it', () => {
    const routing = routingOf([ofTenant, ofKey], isolation);
    expect(routing.decide(eventOf({ tenant: '42' }, { key: '42' }))).toMatchObject({
      rooms: ['tenants/42', 'tenants/42/x'],
    });
    expect(routing.decide(eventOf({ tenant: '42' }, { key: '43' }))).toEqual({
      kind: 'unroutable',
      cause: 'isolation',
      reason: '"tenants/{tenant}" makes a room that is not the event\'s tenant\'s',
      rules: [
        { rule: 'tenant', kind: 'contributed', templates: ['tenants/{tenant}'] },
        { rule: 'key', kind: 'contributed', templates: ['tenants/{tenant}/x'] },
      ],
    });
  });

  test('a room for all is not for an event whose tenant another rule has read', () => {
    for (const rules of [
      [ofNobody, ofKey],
      [ofKey, ofNobody],
    ]) {
      const decision = routingOf(rules, isolation).decide(eventOf({}, { key: '42' }));
      expect(decision).toMatchObject({ cause: 'isolation', reason: expect.stringContaining('"all"') });
    }
  });

  test('a rule that contributes nothing has no say in whose event it is', () => {
    const silent = ruleOf({ keyParts: ['tenant'], templates: templatesOf('tenants/{tenant}/{user}') });
    const decision = routingOf([ofTenant, silent], isolation).decide(eventOf({ tenant: '42' }, { key: '43' }));
    expect(decision).toMatchObject({ kind: 'routed', rooms: ['tenants/42'] });
  });
});
