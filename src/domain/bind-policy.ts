import { type AccessRule, isAllowing } from './access-rule.ts';
import type { Condition, Scope } from './condition.ts';
import type { Event } from './event.ts';
import type { Isolation } from './isolation.ts';
import type { AccessDecision, AccessRequest, BindGrant, BindRequest } from './ports/access-control.ts';
import type { EventFilter } from './stream-index.ts';
import { createTopicIndex } from './topic-index.ts';
import {
  hashesPerPatternMax,
  parseTopicPattern,
  patternLengthMax,
  type TopicPattern,
  wordsOf,
} from './topic-pattern.ts';
import { singleValue, united, type Variables, type VariableValue } from './variables.ts';

/** Who may bind the streams of a name. */
export type StreamRule = {
  readonly stream: TopicPattern;
  /** Variables that the words of a bind's key give, in order; `''` skips a word. */
  readonly keyParts: readonly string[];
  /** `public`: everybody who is connected, with or without a token. */
  readonly rule: AccessRule | 'public';
  /** Attributes that name a narrower target: an event that carries one of them is for no bind. */
  readonly narrowing: readonly string[];
  /** For events without a tenant, to everybody who may bind. Where there is no isolation it changes nothing. */
  readonly withoutTenant: boolean;
};

/** The pattern's own reason quotes it. */
const keyReason = `the key has more than ${patternLengthMax} characters, or more than ${hashesPerPatternMax} "#"`;

export type BindPolicy = {
  mayBind(request: AccessRequest, bind: BindRequest, scope: Scope): AccessDecision<BindGrant>;
  bindVariables(bind: BindRequest): Variables;
};

export function createBindPolicy(rules: readonly StreamRule[], isolation: Isolation | undefined): BindPolicy {
  const places = createTopicIndex<number>();
  for (const [place, { stream }] of rules.entries()) places.add(stream, place);
  const ruleOf = (stream: string) => rules[Math.min(...places.match(stream))];
  return {
    mayBind(request, bind, scope) {
      const rule = ruleOf(bind.stream);
      if (!rule) return { kind: 'deny', code: 'stream_unknown', reason: 'no rule is for this stream' };
      const pattern = parseTopicPattern(bind.key);
      if (!pattern.ok) return { kind: 'deny', code: 'bind_invalid', reason: keyReason };
      const denied = rule.rule === 'public' ? undefined : applyRule(rule.keyParts, rule.rule, request, bind, scope);
      if (denied) return denied;
      return grant(rule, pattern.value, request, bind.stream, isolation);
    },
    bindVariables(bind) {
      return variablesOf(bind, ruleOf(bind.stream)?.keyParts ?? []);
    },
  };
}

type Denied = Exclude<AccessDecision<never>, { kind: 'allow' }>;

/**
 * A condition that reads no check is looked at first, so that nobody is asked about what it refuses. Reasons hold no key:
 * that is the client's text.
 */
function applyRule(
  keyParts: readonly string[],
  { when, checks, readsChecks }: AccessRule,
  request: AccessRequest,
  bind: BindRequest,
  scope: Scope,
): Denied | undefined {
  const variables = variablesOf(bind, keyParts);
  const bindScope = { ...scope, bind: variables };
  if (!readsChecks) {
    const refusal = conditionRefusal(when, bindScope);
    if (refusal) return refusal;
  }
  const missing = checks.length > 0 ? keyParts.find((name) => name !== '' && !variables.has(name)) : undefined;
  if (missing !== undefined) {
    return { kind: 'deny', code: 'bind_invalid', reason: `the key has no "${missing}", which the checks may need` };
  }
  const unanswered = checks.filter((name) => !request.checks.has(name));
  if (unanswered.length > 0) return { kind: 'ask', checks: unanswered };
  if (readsChecks) return conditionRefusal(when, bindScope);
  const denying = checks.filter((name) => !isAllowing(request.checks.get(name)));
  if (denying.length === 0) return undefined;
  return { kind: 'deny', code: 'bind_denied', reason: `denied by the check ${denying.join(', ')}` };
}

/** A rule that cannot be evaluated for this key says nothing about access. */
function conditionRefusal(when: Condition | undefined, scope: Scope): Denied | undefined {
  const held = when?.(scope);
  if (!held || held.ok) return undefined;
  return { kind: 'deny', code: held.reason.error ? 'bind_invalid' : 'bind_denied', reason: held.reason.text };
}

/**
 * The named parts of a key, `stream` and `key`. After a `#` no word has a known place, so what stands there is no part;
 * an empty word is none either.
 */
function variablesOf({ stream, key }: BindRequest, keyParts: readonly string[]): Variables {
  const variables = new Map<string, VariableValue>();
  const words = wordsOf(key);
  const firstHash = words.indexOf('#');
  for (const [index, name] of keyParts.entries()) {
    const word = words[index];
    if (name === '' || word === undefined || word === '' || (firstHash !== -1 && index > firstHash)) continue;
    variables.set(name, word);
  }
  variables.set('stream', stream);
  variables.set('key', key);
  return variables;
}

function grant(
  rule: StreamRule,
  pattern: TopicPattern,
  request: AccessRequest,
  stream: string,
  isolation: Isolation | undefined,
): AccessDecision<BindGrant> {
  let tenant: Tenant | undefined;
  if (isolation) {
    const own = singleValue(united(request.variables, request.principal.variables), isolation.connectionVariable);
    if (own === undefined && !rule.withoutTenant) {
      return { kind: 'deny', code: 'bind_denied', reason: `there is no {${isolation.connectionVariable}}` };
    }
    const part = rule.keyParts.indexOf(isolation.eventVariable);
    tenant = { attribute: isolation.eventVariable, part, value: rule.withoutTenant ? undefined : own };
  }
  const filter = tenant || rule.narrowing.length > 0 ? filterOf(tenant, rule.narrowing) : undefined;
  return { kind: 'allow', value: { stream, pattern, filter }, reason: 'the rule of the stream allows it' };
}

/** Where an event's tenant stands, and which one is meant; `undefined`: events that have none. */
type Tenant = { readonly attribute: string; readonly part: number; readonly value: string | undefined };

function filterOf(tenant: Tenant | undefined, narrowing: readonly string[]): EventFilter {
  const id = JSON.stringify([tenant ? [tenant.part, tenant.value ?? null] : 0, narrowing]);
  return {
    id,
    admits: (event) => !narrowing.some((name) => event.carries(name)) && (!tenant || isOf(tenant, event)),
  };
}

/** An event that names one tenant in its key and another in an attribute is nobody's; so is one whose tenant is no text. */
function isOf({ attribute, part, value }: Tenant, event: Event): boolean {
  if (event.unreadable?.has(attribute)) return false;
  const inKey = part === -1 ? undefined : wordsOf(event.key)[part];
  const named = [event.attributes.get(attribute), inKey].filter((each) => each !== undefined);
  return value === undefined ? named.length === 0 : named.length > 0 && named.every((each) => each === value);
}
