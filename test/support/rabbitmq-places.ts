import { connect } from 'amqplib';
import { type BrokerPlace, givenAddress, runningAt } from './broker-search.ts';

/** What the search finds out about this machine. */
export type RabbitMqProbes = {
  readonly environment: NodeJS.ProcessEnv;
  readonly answers: (url: string) => Promise<boolean>;
};

/** Where a RabbitMQ may be, in the order in which to look. */
export const rabbitMqPlaces = ({ environment, answers }: RabbitMqProbes): readonly BrokerPlace[] => [
  givenAddress('AMQP_URL', environment['AMQP_URL'], answers),
  runningAt('amqp://guest:guest@127.0.0.1:5672', answers),
];

export const rabbitMqProbes: RabbitMqProbes = {
  environment: process.env,
  answers: async (url) => {
    try {
      const connection = await connect(url, { timeout: 5000 });
      await connection.close();
      return true;
    } catch {
      return false;
    }
  },
};

/** Without the name and the password, for whoever reads what the run prints. */
export const placeOf = (url: string): string => new URL(url).host;
