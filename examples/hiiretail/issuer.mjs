// Stands in for Hii Retail's two issuers, so that presets/hiiretail.yaml can be tried without an account there.
// Never for production: whoever reaches it gets any token.
//
//   node examples/hiiretail/issuer.mjs
//   curl -s 'http://127.0.0.1:8090/ocms?business_unit_id=7&workstation_id=0001'
//   curl -s 'http://127.0.0.1:8090/iam?sub=ann'
//
// GET /keys: the JWKS of both. GET /ocms, GET /iam: a token. What stands in the query are claims of it, above those below.
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const usual = {
  '/ocms': {
    iss: 'https://auth.retailsvc.com/',
    aud: ['https://hiiretail.com'],
    client_id: 'till-1',
    tid: 'demo',
    roles: 'sio.websocket-client,sio.bu-rooms-client',
  },
  '/iam': {
    iss: 'https://securetoken.google.com/hiidentity-staff',
    aud: 'hiidentity-staff',
    sub: 'ann',
    'https://extendaretail.com/tenant': 'demo',
    roles: 'sio.websocket-client',
  },
};

const { privateKey, publicKey } = await generateKeyPair('RS256');
const keys = [{ ...(await exportJWK(publicKey)), kid: 'example', alg: 'RS256', use: 'sig' }];

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  if (pathname === '/keys') return response.end(JSON.stringify({ keys }));
  if (!Object.hasOwn(usual, pathname)) return response.writeHead(404).end('There are /keys, /ocms and /iam.\n');
  const token = await new SignJWT({ ...usual[pathname], ...Object.fromEntries(searchParams) })
    .setProtectedHeader({ alg: 'RS256', kid: 'example' })
    .setExpirationTime('1h')
    .sign(privateKey);
  return response.end(token);
});

server.listen(Number(process.env.ISSUER_PORT ?? 8090), '127.0.0.1', () => {
  console.log(`Keys at http://127.0.0.1:${server.address().port}/keys, tokens at /ocms and /iam`);
});
