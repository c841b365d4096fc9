import { Audience } from './audience.ts';
import type { Crowd } from './crowd.ts';
import type { Publisher } from './publisher.ts';
import { finish } from './run.ts';
import type { BacklogSpec, RunReport } from './run-spec.ts';

const publishedAtOnce = 100;

/**
 * Fills a broker while its consumer is stopped, so that publishing takes nothing from what is measured.
 *
 * @returns what lets the consumer go on, and resolves when everybody has got what it is owed.
 */
export async function fillBacklog(
  crowd: Crowd,
  publisher: Publisher,
  spec: BacklogSpec,
): Promise<(pid: number) => Promise<RunReport>> {
  crowd.begin();
  const audience = new Audience(crowd, spec);
  while (audience.events < spec.events) {
    await publisher.publish(audience.nextEvents(Math.min(publishedAtOnce, spec.events - audience.events)));
  }
  await publisher.flush?.();
  return (pid) => {
    const begin = performance.now();
    process.kill(pid, 'SIGCONT');
    return finish(crowd, audience, begin);
  };
}
