/** A broker that tests may use. */
export type FoundBroker = {
  /** As its clients want it. */
  readonly address: string;
  /** For whoever reads what the run prints. */
  readonly how: string;
  /** Ends what was started for it; nothing where it was there before. */
  end(): Promise<void>;
};

/** Looks in one place; a text says why there is none. Rejects where one was asked for that cannot be had. */
export type BrokerPlace = () => Promise<FoundBroker | string>;

/** The first that there is, or why there is none in each of the places. */
export async function searchBroker(places: readonly BrokerPlace[]): Promise<FoundBroker | readonly string[]> {
  const reasons: string[] = [];
  for (const look of places) {
    const found = await look();
    if (typeof found !== 'string') return found;
    reasons.push(found);
  }
  return reasons;
}

type Answers = (address: string) => Promise<boolean>;

const wasThere = async (): Promise<void> => {};

/** An address in the environment is a wish: the tests must not run against something else instead. */
export const givenAddress =
  (variable: string, address: string | undefined, answers: Answers): BrokerPlace =>
  async () => {
    if (!address) return `${variable} is not set`;
    if (await answers(address)) return { address, how: `${variable} says so`, end: wasThere };
    throw new Error(`${variable} is set, and no such broker answers there. Start it, or unset ${variable}.`);
  };

export const runningAt =
  (address: string, answers: Answers): BrokerPlace =>
  async () =>
    (await answers(address)) ? { address, how: 'it runs there', end: wasThere } : `none answers at ${address}`;

/** What was started, and how it is ended. */
export type StartedBroker = { readonly address: string; end(): Promise<void> };

/** @param start resolves with why that cannot be done here at all. */
export const startable =
  (what: string, start: () => Promise<StartedBroker | string>): BrokerPlace =>
  async () => {
    try {
      const started = await start();
      return typeof started === 'string' ? started : { ...started, how: `started from ${what}` };
    } catch (error) {
      return `starting it from ${what} failed: ${error instanceof Error ? error.message : String(error)}`;
    }
  };
