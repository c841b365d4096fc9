import { answerCalls } from '../measure/remote-calls.ts';
import { consumeFeed } from './consume-feed.ts';

/** Acknowledges, and does nothing: what the client of the broker costs by itself. */
const counts = { consumed: 0 };

answerCalls({ consumed: () => counts.consumed });
await consumeFeed(() => {
  counts.consumed += 1;
});
process.stdout.write('listening 0\n');
