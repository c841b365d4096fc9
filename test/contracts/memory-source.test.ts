import { eventSourceContract } from './event-source-contract.ts';
import { memoryHarness } from './memory-harness.ts';

eventSourceContract('memory', (context) => memoryHarness(context));
