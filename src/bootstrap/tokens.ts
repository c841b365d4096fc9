import type { ServiceIdentifier } from 'inversify';
import type { DevelopmentIssuer } from '../adapters/identity/development-issuer.ts';
import type { KeyedIdentityVerifier } from '../adapters/identity/identity-verifier.ts';
import type { HttpListener } from '../adapters/operations/http-listener.ts';
import type { Metrics } from '../adapters/operations/metrics.ts';
import type { SendBudget } from '../adapters/outbound/send-budget.ts';
import type { Clock } from '../application/ports/clock.ts';
import type { Observer } from '../application/ports/observer.ts';
import type { TopicBindings } from '../application/topic-bindings.ts';
import type { EventRouting } from '../domain/ports/event-routing.ts';
import type { Admissions } from './admissions.ts';
import type { Endpoint } from './create-endpoint.ts';
import type { Notifications } from './create-notifications.ts';
import type { Source } from './create-sources.ts';
import type { Gateway } from './gateway.ts';
import type { Presence } from './presence.ts';

const token = <T>(name: string): ServiceIdentifier<T> => Symbol(name);

/** The keys of the container, each with the type of what it stands for. */
export const T = {
  admissions: token<Admissions>('admissions'),
  bindings: token<TopicBindings>('bindings'),
  budget: token<SendBudget>('budget'),
  clock: token<Clock>('clock'),
  developmentIssuer: token<DevelopmentIssuer | undefined>('developmentIssuer'),
  endpoints: token<readonly Endpoint[]>('endpoints'),
  gateway: token<Gateway>('gateway'),
  identity: token<KeyedIdentityVerifier>('identity'),
  listener: token<HttpListener>('listener'),
  metrics: token<Metrics>('metrics'),
  notifications: token<Notifications | undefined>('notifications'),
  observer: token<Observer>('observer'),
  operationsListener: token<HttpListener | undefined>('operationsListener'),
  presence: token<Presence>('presence'),
  routing: token<EventRouting>('routing'),
  sources: token<readonly Source[]>('sources'),
} as const;
