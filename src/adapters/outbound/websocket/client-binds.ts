import type { BindAdmission, Session } from '../../../application/ports/admission.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { DenialCode } from '../../../domain/denial.ts';
import type { PatternId } from '../../../domain/stream-index.ts';
import { RateLimit } from '../rate-limit.ts';
import type { RoomIndex } from '../room-index.ts';
import type { ClientMessage } from './client-message.ts';
import { type Answered, type Outcome, relayAnswer } from './relay-answer.ts';

/** One bind of one client: what a frame is sent for. */
export type Subscription<Owner> = { readonly owner: Owner };

/** What the binds of an endpoint's clients share. */
export type BindHome<Owner> = {
  readonly endpoint: string;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly binding: BindAdmission;
  readonly patterns: RoomIndex<Subscription<Owner>, PatternId>;
  readonly bindsPerConnectionMax: number;
  readonly bindsPerSecondMax: number;
};

type Bind<Owner> = Subscription<Owner> & {
  readonly request: Answered;
  /** Until it is known what becomes of it. */
  pending: AbortController | undefined;
  pattern?: PatternId;
  release?: () => void;
};

export type BindOwner = {
  readonly session: Session;
  /** Queues a text for the client. */
  answer(text: string): void;
  /** It has a bind, or is about to; it has none any more. */
  busy(): void;
  idle(): void;
};

/** What one client has bound, and is about to. */
export class ClientBinds<Owner extends BindOwner> {
  readonly #owner: Owner;
  readonly #home: BindHome<Owner>;
  readonly #binds = new Set<Bind<Owner>>();
  readonly #rate: RateLimit;

  constructor(owner: Owner, home: BindHome<Owner>) {
    this.#owner = owner;
    this.#home = home;
    this.#rate = new RateLimit(home.bindsPerSecondMax, home.clock);
  }

  /** Those under way included. */
  get size(): number {
    return this.#binds.size;
  }

  take(message: Extract<ClientMessage, { kind: 'bind' | 'unbind' | 'invalid' }>): void {
    if (message.kind === 'invalid') this.#refuse({ stream: '', key: '', id: message.id }, 'bind_invalid');
    else if (!this.#rate.take()) this.#refuse(message, 'binds_too_fast');
    else if (message.kind === 'unbind') this.#unbind(message);
    else if (this.#binds.size >= this.#home.bindsPerConnectionMax) this.#refuse(message, 'binds_too_many');
    else void this.#bind(message);
  }

  /** The client has gone. */
  end(): void {
    for (const bind of this.#binds) this.#remove(bind);
  }

  async #bind(request: Answered): Promise<void> {
    const { stream, key } = request;
    const pending = new AbortController();
    const bind: Bind<Owner> = { owner: this.#owner, request, pending };
    this.#add(bind);
    const answer = await this.#home.binding.bind(this.#owner.session, { stream, key }, pending.signal);
    if (!this.#binds.has(bind)) {
      // It was unbound, or the client has gone, in the meantime.
      if (answer.kind === 'bound') answer.release();
      return;
    }
    bind.pending = undefined;
    if (answer.kind === 'bound') {
      bind.pattern = answer.pattern;
      bind.release = answer.release;
      this.#home.patterns.join(bind, [answer.pattern]);
      this.#answer(request, { kind: 'bound' });
    } else {
      this.#delete(bind);
      this.#answer(request, answer.kind === 'denied' ? { kind: 'denied', code: answer.denial.code } : answer);
    }
  }

  #unbind(request: Answered): void {
    const same = [...this.#binds].find(
      ({ request: { stream, key } }) => stream === request.stream && key === request.key,
    );
    if (same?.pending) this.#answer(same.request, { kind: 'denied', code: 'not_bound' });
    if (same) this.#remove(same);
    this.#answer(request, same ? { kind: 'unbound' } : { kind: 'denied', code: 'not_bound' });
  }

  #add(bind: Bind<Owner>): void {
    this.#binds.add(bind);
    if (this.#binds.size === 1) this.#owner.busy();
  }

  #delete(bind: Bind<Owner>): void {
    this.#binds.delete(bind);
    if (this.#binds.size === 0) this.#owner.idle();
  }

  #remove(bind: Bind<Owner>): void {
    this.#delete(bind);
    bind.pending?.abort();
    if (bind.pattern !== undefined) this.#home.patterns.leave(bind, [bind.pattern]);
    bind.release?.();
  }

  /** Refused before anybody was asked. */
  #refuse(request: Answered, code: DenialCode): void {
    const { endpoint, observer } = this.#home;
    const { connection } = this.#owner.session;
    observer.observe({ kind: 'access-denied', endpoint, connection, code, reason: refusalReasons.get(code) ?? '' });
    this.#answer(request, { kind: 'denied', code });
  }

  #answer(request: Answered, outcome: Outcome): void {
    const text = relayAnswer(request, outcome);
    if (text !== undefined) this.#owner.answer(text);
  }
}

const refusalReasons: ReadonlyMap<DenialCode, string> = new Map([
  ['bind_invalid', 'the stream or the key of the bind is no text'],
  ['binds_too_many', 'the client has as many binds as it may'],
  ['binds_too_fast', 'the client binds and unbinds faster than it may'],
]);
