import { compileCondition } from '../../src/adapters/access/cel-condition.ts';
import { identitySettings } from '../../src/adapters/identity/identity-settings.ts';
import { createIdentityVerifier } from '../../src/adapters/identity/identity-verifier.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { createPublishAdmission } from '../../src/application/permit-publishing.ts';
import type { PublishAdmission } from '../../src/application/ports/admission.ts';
import type { Observer } from '../../src/application/ports/observer.ts';
import { buildPublishAccess } from '../../src/bootstrap/config/build-access.ts';
import { allowedValue } from './domain-fixtures.ts';
import { testKey } from './key-server.ts';

const issuer = 'https://accounts.google.com';
const audience = 'https://edgeward.example.com/v1/push/push';
const account = 'edgeward-push@edgeward-test.iam.gserviceaccount.com';
/** Making one takes a while. */
const key = await testKey('google-key');

/** Whoever has the token of the one service account may push; the token is as Pub/Sub signs it, by a key of our own. */
export type PushAdmission = {
  readonly admission: PublishAdmission;
  readonly token: string;
};

export async function pushAdmission(observer: Observer): Promise<PushAdmission> {
  const identity = { tokens: { google: { issuers: [issuer], audiences: [audience], pem: key.publicPem } } };
  const credentials = [
    { from: 'header.authorization', accepts: ['google'], optional: false, identityOnly: false },
  ] as const;
  const settings = { require: `google.claims.email == '${account}'`, checks: [] };
  const accepted = credentials.map((each) => ({ ...each, accepts: [...each.accepts] }));
  return {
    admission: createPublishAdmission({
      source: 'push',
      rules: accepted,
      verifier: createIdentityVerifier(identitySettings.parse(identity), { clock: systemClock, observer }),
      permissionSources: [],
      access: allowedValue(buildPublishAccess({ ...settings, credentials: accepted }, compileCondition)),
      checks: new Map(),
      holdMsMax: 3000,
      clock: systemClock,
      observer,
      random: Math.random,
    }),
    token: await key.sign({
      iss: issuer,
      aud: audience,
      email: account,
      email_verified: true,
      exp: Math.floor(Date.now() / 1000) + 3600,
    }),
  };
}
