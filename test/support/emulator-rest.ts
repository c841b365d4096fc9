import { request } from 'node:http';

/** A project of its own on a Pub/Sub emulator, by its REST interface, which leaves no connection open. */
export type EmulatorProject = {
  readonly project: string;
  createTopic(topic: string): Promise<void>;
  /** @param more of the subscription: https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions */
  createSubscription(id: string, topic: string, more?: Readonly<Record<string, unknown>>): Promise<void>;
  deleteSubscription(id: string): Promise<void>;
  /** From now on messages wait to be pulled. */
  stopPushing(id: string): Promise<void>;
  /** @returns the ids of the messages. */
  publish(topic: string, ...messages: readonly RestMessage[]): Promise<readonly string[]>;
  /** What is there at the moment, acknowledged. */
  pull(subscription: string): Promise<readonly RestMessage[]>;
};

export type RestMessage = {
  /** Base64. */
  readonly data?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly orderingKey?: string;
};

export function emulatorProject(host: string, project: string): EmulatorProject {
  const call = async (method: string, path: string, body: unknown = {}): Promise<Record<string, unknown>> => {
    const { status, text } = await send(method, `http://${host}/v1/projects/${project}/${path}`, JSON.stringify(body));
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
    return JSON.parse(text);
  };
  return {
    project,
    async createTopic(topic) {
      await call('PUT', `topics/${topic}`);
    },
    async createSubscription(id, topic, more) {
      await call('PUT', `subscriptions/${id}`, { topic: `projects/${project}/topics/${topic}`, ...more });
    },
    async deleteSubscription(id) {
      await call('DELETE', `subscriptions/${id}`);
    },
    async stopPushing(id) {
      await call('POST', `subscriptions/${id}:modifyPushConfig`, { pushConfig: {} });
    },
    async publish(topic, ...messages) {
      const { messageIds } = await call('POST', `topics/${topic}:publish`, { messages });
      return messageIds as readonly string[];
    },
    async pull(subscription) {
      const wanted = { maxMessages: 1000, returnImmediately: true };
      const { receivedMessages = [] } = await call('POST', `subscriptions/${subscription}:pull`, wanted);
      const received = receivedMessages as readonly { readonly ackId: string; readonly message: RestMessage }[];
      const ackIds = received.map(({ ackId }) => ackId);
      if (ackIds.length > 0) await call('POST', `subscriptions/${subscription}:acknowledge`, { ackIds });
      return received.map(({ message }) => message);
    },
  };
}

function send(method: string, url: string, body: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method, agent: false, headers: { 'content-type': 'application/json' } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}
