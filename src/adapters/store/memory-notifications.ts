import type { OpenableNotifications } from '../../application/ports/notification-store.ts';
import { type Notification, wishText } from '../../domain/notification.ts';
import { matchableFields, type Occurrence } from '../../domain/notification-rule.ts';

/** Kept in this process, gone with it: for development and tests. */
export function createMemoryNotifications(): OpenableNotifications {
  const kept = new Map<string, Notification>();
  const all = (): readonly Notification[] => [...kept.values()];
  const inOrder = (): readonly Notification[] => all().toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const change = (notification: Notification, changes: Partial<Notification>): Notification => {
    const changed = { ...notification, ...changes };
    kept.set(changed.id, changed);
    return changed;
  };
  const due = (handler: string) => (each: Notification) => each.state === 'matched' && each.handler === handler;

  return {
    async open() {},
    async close() {},

    async add(notification, waitingMax) {
      const waiting = all().filter(({ userId, state }) => userId === notification.userId && state === 'waiting');
      const known = waiting.find((each) => wishText(each) === wishText(notification));
      if (known) return { kind: 'known', notification: known };
      const inAge = waiting.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
      const pushedOut = inAge.slice(0, Math.max(0, waiting.length - waitingMax + 1));
      for (const { id } of pushedOut) kept.delete(id);
      kept.set(notification.id, notification);
      return { kind: pushedOut.length > 0 ? 'replaced' : 'added' };
    },

    async match(occurrences, handlers, trigger, at, withoutPayload = []) {
      const { payload: _, ...short } = trigger;
      const fired = all().filter(
        (each) =>
          each.state === 'waiting' &&
          handlers.includes(each.handler ?? '') &&
          occurrences.some((occurrence) => isMeant(each, occurrence)),
      );
      for (const each of fired) {
        const given = withoutPayload.includes(each.handler ?? '') ? short : trigger;
        change(each, { state: 'matched', triggeredAt: at, updatedAt: at, nextTryAt: at, trigger: given });
      }
      return fired.length;
    },

    async page(userId, after, max) {
      const behind = inOrder().filter((each) => after === undefined || each.id > after);
      return behind.filter((each) => userId === undefined || each.userId === userId).slice(0, max);
    },

    async forget({ throughAt, waitingSince, matchedSince }) {
      const past = all().filter(
        ({ state, updatedAt, createdAt, triggeredAt = 0 }) =>
          ((state === 'sent' || state === 'failed') && updatedAt < throughAt) ||
          (state === 'waiting' && createdAt < waitingSince) ||
          (state === 'matched' && triggeredAt < matchedSince),
      );
      for (const { id } of past) kept.delete(id);
      return past.length;
    },

    async recover(at) {
      const left = all().filter(({ state }) => state === 'sending');
      for (const each of left) change(each, { state: 'matched', nextTryAt: at, updatedAt: at });
      return left.length;
    },

    async begin(handler, at, max) {
      return all()
        .filter(due(handler))
        .filter(({ nextTryAt = 0 }) => nextTryAt <= at)
        .toSorted((a, b) => (a.nextTryAt ?? 0) - (b.nextTryAt ?? 0))
        .slice(0, max)
        .map((each) => change(each, { state: 'sending', attempts: each.attempts + 1, updatedAt: at }));
    },

    async finish(id, outcome, at) {
      const notification = kept.get(id);
      if (notification?.state !== 'sending') return;
      const failure = outcome.kind === 'sent' ? undefined : outcome.failure;
      if (outcome.kind === 'retry') {
        change(notification, { state: 'matched', updatedAt: at, failure, nextTryAt: Math.ceil(outcome.nextTryAt) });
      } else {
        change(notification, { state: outcome.kind, updatedAt: at, failure, nextTryAt: undefined, trigger: undefined });
      }
    },

    async orphans(handlers) {
      return all().filter(({ state, handler = '' }) => state === 'matched' && !handlers.includes(handler)).length;
    },

    async backlog(handler) {
      const waiting = all().filter(due(handler));
      const times = waiting.map(({ nextTryAt = 0 }) => nextTryAt);
      return { count: waiting.length, nextTryAt: times.length === 0 ? undefined : Math.min(...times) };
    },
  };
}

function isMeant(notification: Notification, { event, userId, fields }: Occurrence): boolean {
  if (notification.event !== event || notification.userId !== userId) return false;
  const own = matchableFields(notification, fields.keys());
  return [...fields].some(([name, value]) => own.get(name) === value);
}
