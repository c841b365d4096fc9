import type { AccessSettings } from '../../adapters/settings-fields.ts';
import { type AccessPolicy, createAccessPolicy } from '../../domain/access-policy.ts';
import type { AccessRule } from '../../domain/access-rule.ts';
import type { Isolation } from '../../domain/isolation.ts';
import type { AccessControl } from '../../domain/ports/access-control.ts';
import { refused, type Verdict } from '../../domain/verdict.ts';
import { type CompileCondition, roomTemplate, topicPattern } from './build-routing.ts';
import { type ConfigPath, type Finding, partPath } from './problem.ts';

/** What every access condition may read beside the names of credentials; no kind of token may be called so. */
export const accessNames: readonly string[] = [
  'claims',
  'roles',
  'permissions',
  'variables',
  'query',
  'connection',
  'check',
  'values',
];

/** What may be bound at an endpoint, by the name of the stream. */
export type ExchangeSettings = {
  readonly keyParts: readonly string[];
  readonly public?: true | undefined;
  readonly require?: string | undefined;
  readonly checks: readonly string[];
  readonly narrowing: readonly string[];
  readonly withoutTenant: boolean;
};

export type AccessContext = { readonly isolation: Isolation | undefined; readonly compile: CompileCondition };

/** Who may publish, and what: the part of the access settings that a publishing source has. */
export type PublishSettings = Pick<AccessSettings, 'credentials' | 'require' | 'checks'>;

/** Who may connect, and the rooms of a connection. */
export type ConnectSettings = PublishSettings &
  Pick<AccessSettings, 'rooms' | 'roomsPerConnectionMax' | 'values'> & {
    readonly exchanges?: Readonly<Record<string, ExchangeSettings>> | undefined;
  };

/** Who may connect to an endpoint, to which rooms, and what may be bound there. Findings are relative to the endpoint's settings. */
export function buildAccess(
  settings: ConnectSettings,
  { isolation, compile }: AccessContext,
): Verdict<AccessControl, readonly Finding[]> {
  const credentialNames = credentialNamesOf(settings);
  const rules = ruleCompiler(compile, [...accessNames, ...credentialNames]);
  const rooms = settings.rooms.map(({ templates, firstOf, under, when, checks, otherwise }, index) => ({
    templates: (firstOf ?? templates ?? []).map(roomTemplate),
    choice: firstOf ? ('firstOf' as const) : ('eachOf' as const),
    under: under === undefined ? undefined : roomTemplate(under),
    rule: rules.compile(when, checks, ['rooms', index, 'when']),
    otherwise,
  }));
  const connect = rules.compile(settings.require, settings.checks, ['require']);
  const bindRules = ruleCompiler(compile, [...accessNames, ...credentialNames, 'bind']);
  const streams = Object.entries(settings.exchanges ?? {}).map(([name, exchange]) => ({
    ...exchange,
    stream: topicPattern(name),
    rule: exchange.public
      ? ('public' as const)
      : bindRules.compile(exchange.require, exchange.checks, ['exchanges', name, 'require']),
  }));
  const { roomsPerConnectionMax } = settings;
  const values = new Map(Object.entries(settings.values));
  const policy = { connect, publish: { checks: [] }, rooms, streams, roomsPerConnectionMax, credentialNames, values };
  return withFindings(policy, isolation, [...rules.findings, ...bindRules.findings]);
}

/** Who may publish through a source. Findings are relative to the source's settings. */
export function buildPublishAccess(
  settings: PublishSettings,
  compile: CompileCondition,
): Verdict<AccessControl, readonly Finding[]> {
  const credentialNames = credentialNamesOf(settings);
  // Whoever publishes has no settings of an endpoint.
  const names = accessNames.filter((name) => name !== 'values');
  const rules = ruleCompiler(compile, [...names, ...credentialNames, 'event']);
  const publish = rules.compile(settings.require, settings.checks, ['require']);
  const policy = { connect: { checks: [] }, publish, rooms: [], roomsPerConnectionMax: 1, credentialNames };
  return withFindings(policy, undefined, rules.findings);
}

export const credentialNamesOf = ({ credentials }: Pick<AccessSettings, 'credentials'>): readonly string[] => [
  ...new Set(credentials.flatMap(({ accepts }) => accepts)),
];

export function ruleCompiler(compile: CompileCondition, knownNames: readonly string[]) {
  const findings: Finding[] = [];
  return {
    findings,
    compile(when: string | undefined, checks: readonly string[], path: ConfigPath): AccessRule {
      const condition = when === undefined ? undefined : compile(when, knownNames);
      if (condition && !condition.ok) findings.push({ path, message: `condition: ${condition.reason}` });
      if (when === undefined || !condition?.ok) return { checks };
      // A text that compiles only where `check` may be read does read it.
      const others = knownNames.filter((name) => name !== 'check');
      const readsChecks = !compile(when, others).ok;
      return { when: condition.value, checks, readsChecks, decidesEarly: readsChecks && needsAnswers(when) };
    },
  };
}

/**
 * Whether a condition reads answers of checks in no other way than `check.NAME`: without the answer that cannot be
 * evaluated, while `has(check.NAME)` would be false. What cannot be told from the text counts as another way.
 */
function needsAnswers(condition: string): boolean {
  const rest = condition.replaceAll(/\bhas\s*\([^()]*\)/g, (test) => (/\bcheck\b/.test(test) ? test : ''));
  return !/\bhas\s*\(/.test(rest) && !/\bcheck\b(?!\s*\.\s*[A-Za-z_])/.test(rest);
}

function withFindings(
  policy: AccessPolicy,
  isolation: Isolation | undefined,
  findings: readonly Finding[],
): Verdict<AccessControl, readonly Finding[]> {
  const control = createAccessPolicy(policy, isolation);
  if (control.ok) return findings.length === 0 ? control : refused(findings);
  // A template that is wrong by itself is so below its group's prefix, too.
  const parts = new Map(control.reason.toReversed().map(({ part, reason }) => [part, reason]));
  return refused([...findings, ...[...parts].map(([part, message]) => ({ path: partPath(part), message }))]);
}
