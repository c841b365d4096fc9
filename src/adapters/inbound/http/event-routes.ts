import type { FastifyPluginAsync } from 'fastify';
import type { PublishAdmission } from '../../../application/ports/admission.ts';
import type { Event } from '../../../domain/event.ts';
import { allowed, refused } from '../../../domain/verdict.ts';
import { type EventOutcome, type Problem, problem } from '../http-problem.ts';
import { createPublishRoutes } from '../publish-routes.ts';
import type { Intake } from './event-fields.ts';
import type { HttpSettings } from './http-settings.ts';
import { formatOf, readRequest } from './read-request.ts';

export type EventDoor = {
  readonly settings: HttpSettings;
  readonly admission: PublishAdmission;
  intake(): Intake;
  /** Why nothing is taken at the moment, if so. */
  refusal(): Problem | undefined;
  /** What became of each event, in order. Never rejects. */
  take(events: readonly Event[]): Promise<readonly EventOutcome[]>;
};

/** The route that publishers post events to. */
export function createEventRoutes(door: EventDoor): FastifyPluginAsync {
  const { settings, admission } = door;
  return createPublishRoutes<readonly Event[]>({
    path: settings.path,
    limits: settings,
    admission,
    refusal: () => door.refusal(),
    headersRefusal(request) {
      const format = formatOf(request);
      return format.ok ? undefined : format.reason;
    },
    read(request, body) {
      const format = formatOf(request);
      return format.ok ? readRequest(request, format.value, body, door.intake()) : format;
    },
    eventsOf: (events) => events,
    async take(events) {
      const outcomes = await door.take(events);
      const failure = failureOf(outcomes);
      if (failure) return refused(failure);
      return allowed({ status: 202, body: { events: outcomes.map(({ id }) => ({ id })) } });
    },
  });
}

function failureOf(events: readonly EventOutcome[]): Problem | undefined {
  if (events.some(({ outcome }) => outcome === 'later')) {
    const detail = 'Publish those events again whose outcome is "later". Those that are "taken" would come twice.';
    return problem('event_not_taken', detail, { events });
  }
  if (events.some(({ outcome }) => outcome === 'refused')) {
    const detail = 'The events whose outcome is "refused" can be delivered to nobody, now or later.';
    return problem('event_refused', detail, { events });
  }
  return undefined;
}
