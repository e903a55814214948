// An OpenID provider: the package oidc-provider, with one client that asks for tokens of its own.
//
// Arguments: the folder where the package is installed, the port to listen on, the provider's
// issuer, the file where its keys are kept, so that they outlive the process, and the client's
// secret. `POST /testbed/rotate` makes a new key, which signs from then on; the older ones stay
// published. `POST /testbed/retire` drops those.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [installed, port, issuer, keysFile, secret] = process.argv.slice(2);
const found = createRequire(pathToFileURL(`${installed}/`)).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(found));

const AUDIENCE = 'inference';
const RESOURCE = 'urn:testbed:inference';

function newKey(number) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: `key-${number}`, use: 'sig', alg: 'RS256' };
}

// The first key of its kind signs.
function provider(keys) {
  return new Provider(issuer, {
    jwks: { keys },
    clients: [{
      client_id: 'batch',
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    }],
    cookies: { keys: [randomBytes(32).toString('hex')] },
    ttl: { ClientCredentials: 3600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        getResourceServerInfo: () => ({
          scope: 'infer',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
}

let made = 1;
let keys = [newKey(made)];
if (existsSync(keysFile)) {
  ({ made, keys } = JSON.parse(readFileSync(keysFile, 'utf8')));
}

let serve;
function take(changed) {
  keys = changed;
  writeFileSync(keysFile, JSON.stringify({ made, keys }), { mode: 0o600 });
  serve = provider(keys).callback();
}
take(keys);

const server = createServer((request, response) => {
  const control = `${request.method} ${request.url}`;
  if (control === 'POST /testbed/rotate') {
    made += 1;
    take([newKey(made), ...keys]);
    response.end();
  } else if (control === 'POST /testbed/retire') {
    take(keys.slice(0, 1));
    response.end();
  } else {
    serve(request, response);
  }
});
server.listen(Number(port), '127.0.0.1');
