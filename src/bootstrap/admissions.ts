import { compileCondition } from '../adapters/access/cel-condition.ts';
import { createHttpCheck } from '../adapters/access/http-check.ts';
import { createHttpPermissions } from '../adapters/access/http-permissions.ts';
import { type AccessSettings, queryPattern } from '../adapters/settings-fields.ts';
import { createConnectionAdmission } from '../application/admit-connection.ts';
import { createBindAdmission } from '../application/bind-topic.ts';
import { createCallerIdentification } from '../application/identify-caller.ts';
import { createRoomAdmission } from '../application/join-rooms.ts';
import { createSpaceAdmission } from '../application/join-space.ts';
import { createPublishAdmission } from '../application/permit-publishing.ts';
import type {
  BindAdmission,
  ConnectionAdmission,
  PublishAdmission,
  RoomAdmission,
  SpaceAdmission,
} from '../application/ports/admission.ts';
import type { CallerIdentification } from '../application/ports/caller-identification.ts';
import type { Clock } from '../application/ports/clock.ts';
import type { IdentityVerifier } from '../application/ports/identity-verifier.ts';
import type { Observer } from '../application/ports/observer.ts';
import type { QueryRule } from '../application/query-variables.ts';
import type { TopicBindings } from '../application/topic-bindings.ts';
import type { Verdict } from '../domain/verdict.ts';
import { buildAccess, buildPublishAccess, type ConnectSettings } from './config/build-access.ts';
import { buildMembership, type MembershipSettings } from './config/build-membership.ts';
import { buildIsolation } from './config/build-routing.ts';
import type { Config } from './config/edgeward-config.ts';
import type { Finding } from './config/problem.ts';

/** Ways in, made from settings: for the connections of an endpoint, and for those who publish through a source. */
export type Admissions = {
  /** @param queryJudged whether what is wrong with a query is told before or after who may not be here. */
  forConnections(endpoint: string, settings: AccessSettings, queryJudged?: 'first' | 'last'): ConnectionAdmission;
  /** For what the connections of an endpoint ask for in the place of their query. */
  forRooms(endpoint: string, settings: AccessSettings): RoomAdmission;
  /** For what the connections of an endpoint ask for. */
  forBinds(endpoint: string, settings: ConnectSettings & Pick<AccessSettings, 'admissionMsMax'>): BindAdmission;
  /** For the spaces that they want to be in. */
  forSpaces(endpoint: string, settings: MembershipSettings & Pick<AccessSettings, 'admissionMsMax'>): SpaceAdmission;
  forPublishing(source: string, settings: PublishingSettings): PublishAdmission;
  /** Who it is that asks for something of his own. */
  forCallers(endpoint: string, settings: CallerSettings): CallerIdentification;
};

export type PublishingSettings = Pick<AccessSettings, 'credentials' | 'require' | 'checks' | 'admissionMsMax'>;

export type CallerSettings = Pick<AccessSettings, 'credentials' | 'admissionMsMax'> & {
  readonly owner: string;
  readonly administrators?: string | undefined;
};

export type AdmissionsDependencies = {
  readonly config: Config;
  readonly verifier: IdentityVerifier;
  readonly bindings: TopicBindings;
  readonly clock: Clock;
  readonly observer: Observer;
};

/** Checks and permission sources are made once, so that their caches and limits are shared by all ways in. */
export function createAdmissions({ config, verifier, bindings, clock, observer }: AdmissionsDependencies): Admissions {
  const deps = { clock, observer };
  const checks = new Map(
    Object.entries(config.checks ?? {}).map(([name, settings]) => [name, createHttpCheck(name, settings, deps)]),
  );
  const permissionSources = Object.entries(config.permissionSources ?? {}).map(([name, settings]) =>
    createHttpPermissions(name, settings, deps),
  );
  const isolation = config.isolation && buildIsolation(config.isolation);
  const shared = { verifier, permissionSources, checks, clock, observer, random: Math.random };
  return {
    forConnections: (endpoint, settings, queryJudged) =>
      createConnectionAdmission({
        ...shared,
        endpoint,
        rules: settings.credentials,
        query: queryRules(settings),
        queryJudged,
        access: checked(buildAccess(settings, { isolation, compile: compileCondition })),
        holdMsMax: settings.admissionMsMax,
        atTokenExpiry: settings.atTokenExpiry,
      }),
    forRooms: (endpoint, settings) =>
      createRoomAdmission({
        ...shared,
        endpoint,
        query: queryRules(settings),
        access: checked(buildAccess(settings, { isolation, compile: compileCondition })),
        holdMsMax: settings.admissionMsMax,
      }),
    forBinds: (endpoint, settings) =>
      createBindAdmission({
        ...shared,
        endpoint,
        bindings,
        access: checked(buildAccess(settings, { isolation, compile: compileCondition })),
        holdMsMax: settings.admissionMsMax,
      }),
    forSpaces: (endpoint, settings) =>
      createSpaceAdmission({
        ...shared,
        endpoint,
        policy: checked(buildMembership(settings, compileCondition)),
        holdMsMax: settings.admissionMsMax,
      }),
    forPublishing: (source, settings) =>
      createPublishAdmission({
        ...shared,
        source,
        rules: settings.credentials,
        access: checked(buildPublishAccess(settings, compileCondition)),
        holdMsMax: settings.admissionMsMax,
      }),
    forCallers: (endpoint, { credentials, owner, administrators, admissionMsMax }) =>
      createCallerIdentification({
        ...shared,
        endpoint,
        rules: credentials,
        userVariable: owner,
        administrators: administrators === undefined ? undefined : administratorAccess(credentials, administrators),
        holdMsMax: admissionMsMax,
      }),
  };
}

/** Not that of publishers, where a condition that cannot be evaluated may yet hold: it must deny. */
const administratorAccess = (credentials: AccessSettings['credentials'], require: string) =>
  checked(
    buildAccess(
      { credentials, require, checks: [], rooms: [], roomsPerConnectionMax: 1, values: {} },
      { isolation: undefined, compile: compileCondition },
    ),
  );

const queryRules = ({ query }: Pick<AccessSettings, 'query'>): readonly QueryRule[] =>
  Object.entries(query).map(([variable, { field = variable, pattern, ...rule }]) => ({
    variable,
    field,
    ...rule,
    pattern: pattern === undefined ? undefined : queryPattern(pattern),
  }));

/** What the config check has let through before. */
export function checked<T>(verdict: Verdict<T, readonly Finding[]>): T {
  if (verdict.ok) return verdict.value;
  throw new Error(`The config was not checked: ${verdict.reason.map(({ message }) => message).join('; ')}`);
}
