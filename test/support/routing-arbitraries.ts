import fc from 'fast-check';
import type { AccessPolicy, RoomGroup } from '../../src/domain/access-policy.ts';
import type { Event } from '../../src/domain/event.ts';
import type { Isolation } from '../../src/domain/isolation.ts';
import type { AccessRequest } from '../../src/domain/ports/access-control.ts';
import type { RoutingRule } from '../../src/domain/routing-rule.ts';
import type { VariableValue } from '../../src/domain/variables.ts';
import {
  credentialOf,
  eventOf,
  isolationOf,
  patternOf,
  principalOf,
  ruleOf,
  templateOf,
  templatesOf,
} from './domain-fixtures.ts';
import { hostileText } from './hostile-text.ts';

/** Few literals, so that templates and shapes meet. */
const literal = fc.constantFrom('tenants', 'users', 'a', '42', '..', '%2F');
const variableOf = (names: readonly string[]) => fc.constantFrom(...names).map((name) => `{${name}}`);
const restOf = (names: readonly string[]) => fc.constantFrom(...names).map((name) => `{${name}*}`);
const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 2) => fc.option(arbitrary, { freq, nil: undefined });

/** Templates of the given variables, `{name*}` at the end included. */
export function roomTemplateText(names: readonly string[]): fc.Arbitrary<string> {
  const part = fc.oneof(literal, variableOf(names));
  return fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), maybe(restOf(names), 3))
    .map(([parts, last]) => [...parts, ...(last === undefined ? [] : [last])].join('/'));
}

/** Shapes with the tenant's segment at any place. */
export const roomShapeText = (): fc.Arbitrary<string> => {
  const part = fc.oneof({ weight: 3, arbitrary: literal }, { weight: 1, arbitrary: fc.constant('{any}') });
  return fc
    .tuple(fc.array(part, { maxLength: 2 }), fc.array(part, { maxLength: 1 }))
    .map(([before, after]) => [...before, '{}', ...after].join('/'));
};

/** The tenant is `T` for events and `tenant` for connections. */
export const isolation = (): fc.Arbitrary<Isolation> =>
  fc
    .oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(['tenants/{}'], ['tenants/{}', 'topics/{any}/tenants/{}'], ['{}/users']),
      },
      { weight: 1, arbitrary: fc.uniqueArray(roomShapeText(), { minLength: 1, maxLength: 2 }) },
    )
    .map((shapes) => isolationOf('T', 'tenant', ...shapes));

/** What was meant to be one segment is another, or, for a `{name*}`, all that follows. */
function withSlip(text: string, place: number, part: string): string {
  const parts = text.split('/');
  const at = place % parts.length;
  return part.endsWith('*}') ? [...parts.slice(0, Math.max(1, at)), part].join('/') : parts.with(at, part).join('/');
}

/**
 * Mostly templates that follow a shape, since those made of chance alone are nearly always refused, and some that slip:
 * these are what a check that lets them pass would let cross.
 */
function isolatedTemplateText(isolated: Isolation, tenant: string, names: readonly string[]): fc.Arbitrary<string> {
  const part = fc.oneof(literal, variableOf(names));
  const shaped = fc
    .tuple(fc.constantFrom(...isolated.shapes), part, fc.array(part, { maxLength: 1 }), maybe(restOf(names)))
    .map(([shape, any, tail, rest]) =>
      shape.segments
        .map((segment) => (segment.kind === 'literal' ? segment.text : segment.kind === 'any' ? any : `{${tenant}}`))
        .concat(tail, rest ?? [])
        .join('/'),
    );
  const slip = fc.tuple(fc.nat(), fc.oneof(variableOf(names), literal, restOf([tenant, ...names])));
  const slipped = fc
    .tuple(shaped, fc.array(slip, { minLength: 1, maxLength: 2 }))
    .map(([text, slips]) => slips.reduce((slipping, [place, part]) => withSlip(slipping, place, part), text))
    // A `{name*}` stands at the end, or not at all.
    .filter((text) => !text.includes('*}/'));
  return fc.oneof(
    { weight: 30, arbitrary: shaped },
    { weight: 6, arbitrary: slipped },
    { weight: 1, arbitrary: roomTemplateText([tenant, ...names]) },
    { weight: 1, arbitrary: roomTemplateText(names).map((text) => `common/${text}`) },
  );
}

export const routingRule = (isolated: Isolation): fc.Arbitrary<RoutingRule> => {
  const tenantTemplate = isolatedTemplateText(isolated, 'T', ['U', 'L', 'stream', 'key']);
  const commonTemplate = roomTemplateText(['U', 'L', 'stream']).map((text) => `common/${text}`);
  const usual = { stream: patternOf('#'), key: patternOf('#'), keyParts: [], alsoUnder: [], lists: new Map() };
  const given = fc.record({
    name: fc.constantFrom('one', 'two'),
    stream: fc.constantFrom(usual.stream, patternOf('a.#'), patternOf('*')),
    key: fc.constantFrom(usual.key, usual.key, patternOf('*.#')),
    choice: fc.constantFrom('eachOf', 'eachOf', 'firstOf'),
    keyParts: fc.constantFrom<readonly string[]>([], [], ['T'], ['', 'T'], ['U']),
    lists: fc.constantFrom(new Map([['L', ',']]), usual.lists),
    alsoUnder: fc.oneof(
      { weight: 8, arbitrary: fc.constant(usual.alsoUnder) },
      { weight: 1, arbitrary: fc.constantFrom(templatesOf('topics/{stream}'), templatesOf('{U}')) },
    ),
  });
  const tenantRule = fc.record({
    templates: fc.array(tenantTemplate, { minLength: 1, maxLength: 2 }).map((texts) => templatesOf(...texts)),
    withoutTenant: fc.constant(false),
  });
  const commonRule = fc.record({
    templates: fc.array(commonTemplate, { minLength: 1, maxLength: 2 }).map((texts) => templatesOf(...texts)),
    withoutTenant: fc.constantFrom(true, true, true, false),
  });
  const own = fc.oneof({ weight: 4, arbitrary: tenantRule }, { weight: 1, arbitrary: commonRule });
  return fc.tuple(given, own).map(([all, one]) => ruleOf({ ...all, ...one }));
};

export const accessPolicy = (isolated: Isolation): fc.Arbitrary<AccessPolicy> => {
  const template = isolatedTemplateText(isolated, 'tenant', ['user', 'list', 'connection']);
  const group: fc.Arbitrary<RoomGroup> = fc.record({
    templates: fc.array(template, { minLength: 1, maxLength: 2 }).map((texts) => templatesOf(...texts)),
    under: fc.oneof(
      { weight: 6, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom(templateOf('topics/{list}'), templateOf('{user}')) },
    ),
    rule: fc.constant({ checks: [] }),
    otherwise: fc.constant('ignore'),
  });
  return fc.array(group, { minLength: 1, maxLength: 2 }).map((rooms) => ({
    connect: { checks: [] },
    publish: { checks: [] },
    rooms,
    roomsPerConnectionMax: 1000,
    credentialNames: ['token'],
  }));
};

/** Tenants are few, so that those of events and of connections are often the same, and often nearly so. */
const tenantText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('A', 'B') },
  { weight: 2, arbitrary: fc.constantFrom('A/B', 'A%2FB', 'A%252FB', '__proto__', 'tenants', 'users', '..', ' A') },
  { weight: 1, arbitrary: hostileText() },
);
const anyText = fc.oneof(fc.constantFrom('a', '42', 'users'), tenantText, hostileText());
const listText = fc.array(anyText, { maxLength: 3 });

export const event = (): fc.Arbitrary<Event> =>
  fc
    .record({
      attributes: fc.record(
        { T: tenantText, U: anyText, L: listText.map((items) => items.join(',')), key: anyText },
        { requiredKeys: [] },
      ),
      stream: fc.constantFrom('a', 'a.b', 'tenants', '..', ''),
      key: fc.oneof(
        fc.constant(''),
        fc.array(fc.oneof(tenantText, anyText), { maxLength: 3 }).map((words) => words.join('.')),
      ),
    })
    .map(({ attributes, stream, key }) => eventOf(attributes, { stream, key }));

type Given = Readonly<Record<string, VariableValue>>;

/** A client that says anything of itself, beside a token that may say something else. */
export const accessRequest = (): fc.Arbitrary<AccessRequest> => {
  const tenant = fc.oneof<fc.Arbitrary<VariableValue>[]>(tenantText, tenantText, listText);
  const token: fc.Arbitrary<Given> = fc.record({ tenant, user: anyText, list: listText }, { requiredKeys: ['tenant'] });
  const client: fc.Arbitrary<Given> = fc.record({ tenant, user: anyText, list: listText, connection: anyText });
  return fc.record({ token, client }).map((given) => ({
    principal: principalOf(credentialOf('token', given.token)),
    variables: new Map(Object.entries(given.client)),
    checks: new Map(),
  }));
};
