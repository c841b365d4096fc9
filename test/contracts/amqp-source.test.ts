import { describeWithRabbitMq } from '../support/with-brokers.ts';
import { amqpBindingHarness, amqpQueueHarness } from './amqp-harness.ts';
import { eventSourceContract } from './event-source-contract.ts';

describeWithRabbitMq('at the broker', () => {
  eventSourceContract('AMQP queue', (context) => amqpQueueHarness(context, { count: 1, options: {}, settings: {} }));
  eventSourceContract('AMQP quorum queue', (context) =>
    amqpQueueHarness(context, { count: 1, options: { 'x-queue-type': 'quorum' }, settings: {} }),
  );
  eventSourceContract('ordered AMQP queues', (context) =>
    amqpQueueHarness(context, { count: 4, options: {}, settings: { ordered: true } }),
  );
  eventSourceContract('ordered AMQP quorum queues', (context) =>
    amqpQueueHarness(context, { count: 4, options: { 'x-queue-type': 'quorum' }, settings: { ordered: true } }),
  );
  eventSourceContract('AMQP queue with a dead letter policy', (context) =>
    amqpQueueHarness(context, { count: 1, options: {}, settings: { deadLetter: { by: 'policy' } } }),
  );
  eventSourceContract('AMQP bindings', (context) => amqpBindingHarness(context));
});
