import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export type ReceivedMail = {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came over the wire. */
  readonly raw: string;
  readonly headers: ReadonlyMap<string, string>;
  /** What stands below the headers. */
  readonly body: string;
};

/** A real mail server, which does as it is told and keeps what it has accepted. */
export type SmtpFixture = AsyncDisposable & {
  readonly port: number;
  readonly url: string;
  /** Accepted with a 250. */
  readonly mails: readonly ReceivedMail[];
  /** How many clients have come. */
  connections(): number;
  /** What happens from now on; what is absent goes well. */
  behave(behavior: SmtpBehavior): void;
};

export type SmtpBehavior = {
  readonly atConnect?: Reply;
  readonly atMail?: Reply;
  readonly atRecipient?: Reply;
  /** When the whole mail is there. */
  readonly atData?: Reply;
};

/** A refusal as `550 5.1.1 text`; `hang`: never an answer. A function may do something else first. */
export type Reply = string | (() => string | undefined);

type Done = (error?: Error | null) => void;

function reply(chosen: Reply | undefined, done: Done): void {
  const text = typeof chosen === 'function' ? chosen() : chosen;
  if (text === 'hang') return;
  const code = Number(text?.slice(0, 3));
  done(text === undefined ? undefined : Object.assign(new Error(text.slice(4)), { responseCode: code }));
}

export async function smtpFixture(options: SMTPServerOptions = {}): Promise<SmtpFixture> {
  const mails: ReceivedMail[] = [];
  let behavior: SmtpBehavior = {};
  let connections = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 10,
    ...options,
    onConnect(_session, done) {
      connections += 1;
      reply(behavior.atConnect, done);
    },
    onMailFrom: (_address, _session, done) => reply(behavior.atMail, done),
    onRcptTo: (_address, _session, done) => reply(behavior.atRecipient, done),
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const mail = received(
          from,
          envelope.rcptTo.map(({ address }) => address),
          Buffer.concat(chunks).toString(),
        );
        reply(behavior.atData, (error) => {
          if (!error) mails.push(mail);
          done(error);
        });
      });
    },
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    mails,
    connections: () => connections,
    behave(next) {
      behavior = next;
    },
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}

function received(from: string, to: readonly string[], raw: string): ReceivedMail {
  const [head = '', ...rest] = raw.split('\r\n\r\n');
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { from, to, raw, headers, body: rest.join('\r\n\r\n') };
}
