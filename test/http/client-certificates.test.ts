import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { Agent } from 'node:https';
import { test } from 'node:test';
import { connect, type ConnectionOptions, createServer } from 'node:tls';
import { readFileSync } from 'node:fs';
import { type LocalCa, makeCa } from '../../demo/certificate-authority.ts';
import { thumbprintOfCertificate } from '../../src/http/tls-listener.ts';
import { everything, secured, sessionOf } from '../support/tls-client.ts';
import { type Client, clientOf, selfSignedClient } from '../support/tls-material.ts';
import { startTlsService, type TlsService } from '../support/tls-service.ts';

const DAY_MS = 86_400_000;
const now = Date.now();
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

test("a thumbprint is that of RFC 8705's appendix A", () => {
  const pem = `-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----`;
  assert.equal(thumbprintOfCertificate(new X509Certificate(pem)), 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0');
});

/** Certificates that do not verify, and OpenSSL's word for why. */
const BAD: readonly [what: string, make: (ca: LocalCa) => Promise<Client>, reason: string][] = [
  ['of another CA', async () => clientOf(await makeCa('somebody'), 'c'), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [
    'of another CA with the same name',
    async () => clientOf(await makeCa('client CA'), 'c'),
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ],
  [
    'that has expired',
    (ca) => clientOf(ca, 'c', { validity: { notBefore: now - 2 * DAY_MS, notAfter: now - 1000 } }),
    'CERT_HAS_EXPIRED',
  ],
  [
    'that is not valid yet',
    (ca) => clientOf(ca, 'c', { validity: { notBefore: now + DAY_MS, notAfter: now + 2 * DAY_MS } }),
    'CERT_NOT_YET_VALID',
  ],
  ['for servers only', (ca) => clientOf(ca, 'c', { usages: ['serverAuth'] }), 'INVALID_PURPOSE'],
  ['for signing code only', (ca) => clientOf(ca, 'c', { usages: ['codeSigning'] }), 'INVALID_PURPOSE'],
  ['with a key of 1024 bits', (ca) => clientOf(ca, 'c', { rsaBits: 1024 }), 'UNSPECIFIED'],
  [
    'whose CA in between is missing',
    async (ca) => {
      const client = await clientOf(await ca.issueCa('below'), 'c');
      const [leaf = ''] = client.certPem.split(/(?<=-----END CERTIFICATE-----\n)/);
      return { ...client, options: { ...client.options, cert: leaf } };
    },
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ],
  ['that signed itself', () => selfSignedClient(), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
];

for (const mode of ['optional', 'required'] as const) {
  test(`where certificates are ${mode}, one that does not verify gets not a byte, and is counted and told of`, async (t) => {
    const service = await startTlsService(t, mode);
    for (const [what, make, reason] of BAD) {
      const client = await make(service.clientCa);
      for (const version of VERSIONS) {
        const options = { minVersion: version, maxVersion: version, ...client.options };
        assert.equal(await answerTo(service, options), '', `${what}, ${version}`);
      }
      assert.ok(service.log().includes(`"reason":"${reason}"`), `${what}: no ${reason} in ${service.log()}`);
    }
    const metrics = await (await fetch(new URL('/metrics', service.adminUrl))).text();
    assert.match(metrics, new RegExp(`rtv_transport_errors_total\\{code="tls"\\} ${BAD.length * VERSIONS.length}\n`));
    assert.deepEqual(service.records(), []);
    assert.equal((await service.get('/v1/ca-bundles', (await clientOf(service.clientCa, 'good')).options)).status, 200);
  });
}

test('where certificates are optional, a client may come with one, without, and with a CA in between', async (t) => {
  const service = await startTlsService(t, 'optional');
  const headers = await bearerOf(service);
  const below = await service.clientCa.issueCa('below');
  const clients = [{}, (await clientOf(service.clientCa, 'a')).options, (await clientOf(below, 'b')).options];
  for (const options of clients) {
    for (const version of VERSIONS) {
      const answer = await service.get('/v1/whoami', { headers, minVersion: version, maxVersion: version, ...options });
      assert.equal(answer.status, 200);
    }
  }
});

test('where certificates are required, nobody gets in without one', async (t) => {
  const service = await startTlsService(t, 'required');
  for (const version of VERSIONS) {
    assert.equal(await answerTo(service, { minVersion: version, maxVersion: version }), '');
  }
  assert.match(service.log(), /"reason":"ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"/);
  const { options } = await clientOf(service.clientCa, 'a');
  assert.equal((await service.get('/v1/whoami', { headers: await bearerOf(service), ...options })).status, 200);
});

test('where no CA is configured, no certificate is asked for, and a bound token is refused', async (t) => {
  const service = await startTlsService(t);
  // It would be refused for its CA if it were looked at.
  const client = await clientOf(await makeCa('somebody'), 'c');
  const headers = await bearerOf(service);
  assert.equal((await service.get('/v1/whoami', { headers, ...client.options })).status, 200);
  const bound = await bearerOf(service, { cnf: { 'x5t#S256': client.thumbprint } });
  assert.equal((await service.get('/v1/whoami', { headers: bound, ...client.options })).status, 401);
  assert.match(service.records().at(-1)?.detail ?? '', /bound to a certificate, and the client sent none/);
});

test('a token without cnf is accepted over mutual TLS, whoever the certificate is for', async (t) => {
  const service = await startTlsService(t, 'required');
  const { options } = await clientOf(service.clientCa, 'anybody');
  const answer = await service.get('/v1/whoami', { headers: await bearerOf(service), ...options });
  assert.equal(answer.status, 200);
});

const JKT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I';

test('a bound token is good on a connection with its certificate, and one identical 401 on any other', async (t) => {
  const service = await startTlsService(t, 'optional');
  const a = await clientOf(service.clientCa, 'a');
  const b = await clientOf(service.clientCa, 'b');
  const renewed = await clientOf(service.clientCa, 'a');
  const bound = { 'x5t#S256': a.thumbprint };
  const good = await service.get('/v1/whoami', { headers: await bearerOf(service, { cnf: bound }), ...a.options });
  assert.equal(good.status, 200);
  const hex = Buffer.from(a.thumbprint, 'base64url').toString('hex');
  const rows: readonly [what: string, cnf: unknown, options: object, detail: RegExp][] = [
    ['no certificate', bound, {}, /the client sent none/],
    ['another certificate', bound, b.options, /another certificate/],
    ['a renewed certificate of the same name', bound, renewed.options, /another certificate/],
    ['padding', { 'x5t#S256': `${a.thumbprint}=` }, a.options, /not a SHA-256/],
    ['hexadecimal', { 'x5t#S256': hex }, a.options, /not a SHA-256/],
    ['a key of DPoP', { jkt: JKT }, a.options, /not one x5t#S256/],
    ['two methods', { ...bound, jkt: JKT }, a.options, /not one x5t#S256/],
    ['a kid', { kid: 'k1' }, a.options, /not one x5t#S256/],
    ['null', null, a.options, /not one x5t#S256/],
  ];
  const answers = new Set<string>();
  for (const [what, cnf, options, detail] of rows) {
    const answer = await service.get('/v1/whoami', { headers: await bearerOf(service, { cnf }), ...options });
    assert.equal(answer.status, 401, what);
    answers.add(`${answer.headers['www-authenticate']} ${answer.body.replace(/"audit_id":"[^"]+"/, '')}`);
    const record = service.records().at(-1);
    assert.equal(record?.reason, 'token_invalid');
    assert.match(record?.detail ?? '', detail, what);
  }
  assert.equal(answers.size, 1);
  const other = await service.get('/v1/whoami', { headers: await bearerOf(service, { CNF: bound }), ...a.options });
  assert.equal(other.status, 401);
});

test('a bound token that is not signed by its issuer is refused for that, whoever sends it', async (t) => {
  const service = await startTlsService(t, 'optional');
  const { thumbprint, options } = await clientOf(service.clientCa, 'a');
  const [head, payload] = (await service.mint({ cnf: { 'x5t#S256': thumbprint } })).split('.');
  const authorization = `Bearer ${head}.${payload}.${Buffer.alloc(64, 1).toString('base64url')}`;
  assert.equal((await service.get('/v1/whoami', { headers: { authorization }, ...options })).status, 401);
  assert.match(service.records().at(-1)?.detail ?? '', /signature/);
});

test('what a proxy would say of a certificate in a header is not read, from a trusted proxy neither', async (t) => {
  const service = await startTlsService(t, 'optional', {
    config: (text) => text.replace('"tls":', '"trustedProxies":["127.0.0.1/32"],"tls":'),
  });
  const client = await clientOf(service.clientCa, 'a');
  const authorization = `Bearer ${await service.mint({ cnf: { 'x5t#S256': client.thumbprint } })}`;
  const der = new X509Certificate(client.certPem).raw;
  const hash = Buffer.from(client.thumbprint, 'base64url').toString('hex');
  const said: Readonly<Record<string, string>> = {
    'x-client-cert': encodeURIComponent(client.certPem),
    'x-ssl-client-cert': encodeURIComponent(client.certPem),
    'ssl-client-cert': encodeURIComponent(client.certPem),
    'x-forwarded-client-cert': `Hash=${hash};Cert="${encodeURIComponent(client.certPem)}"`,
    'x-forwarded-tls-client-cert': der.toString('base64'),
    'x-amzn-mtls-clientcert': encodeURIComponent(client.certPem),
    'x-amzn-mtls-clientcert-leaf': encodeURIComponent(client.certPem),
    'x-arr-clientcert': der.toString('base64'),
    'x-client-cert-sha256': client.thumbprint,
    'x-client-verify': 'SUCCESS',
    'x-ssl-client-verify': 'SUCCESS',
    'client-cert': `:${der.toString('base64')}:`,
    'x-forwarded-for': '10.1.2.3',
  };
  const answer = await service.get('/v1/whoami', { headers: { ...said, authorization } });
  assert.equal(answer.status, 401);
  const record = service.records().at(-1);
  assert.match(record?.detail ?? '', /the client sent none/);
  // The proxy is trusted, and its headers were read.
  assert.equal(record?.client_address, '10.1.2.3');
});

test('a session is never resumed: each connection proves its own certificate', async (t) => {
  const service = await startTlsService(t, 'optional');
  const elsewhere = await startResumingServer(t, service);
  const a = await clientOf(service.clientCa, 'a');
  const b = await clientOf(service.clientCa, 'b');
  const authorization = `Bearer ${await service.mint({ cnf: { 'x5t#S256': a.thumbprint } })}`;
  for (const version of VERSIONS) {
    const offer = { ...service.trust, minVersion: version, maxVersion: version };
    for (const [port, resumes] of [
      [elsewhere, true],
      [service.port, false],
    ] as const) {
      const first = await secured({ ...offer, port, ...a.options });
      const session = await sessionOf(first);
      first.destroy();
      for (const [options, status] of [
        [a.options, 200],
        [b.options, 401],
        [{}, 401],
      ] as const) {
        const socket = await secured({ ...offer, port, session, ...options });
        assert.equal(socket.isSessionReused(), resumes);
        if (resumes) {
          socket.destroy();
          continue;
        }
        socket.write(
          `GET /v1/whoami HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${authorization}\r\n\r\n`,
        );
        assert.match(await everything(socket), new RegExp(`^HTTP/1\\.1 ${status} `));
      }
    }
  }
});

test('connections with different certificates at the same time never mix, over many requests each', async (t) => {
  const service = await startTlsService(t, 'optional');
  const clients = [await clientOf(service.clientCa, 'a'), await clientOf(service.clientCa, 'b'), undefined];
  const tokens = await Promise.all(
    clients.map(async (client) => bearerOf(service, client && { cnf: { 'x5t#S256': client.thumbprint } })),
  );
  let connections = 0;
  service.app.publicServer.server.on('secureConnection', () => connections++);
  await Promise.all(
    clients.map(async (client, own) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      t.after(() => agent.destroy());
      for (let count = 0; count < 60; count++) {
        const asked = count % tokens.length;
        const options = { agent, headers: tokens[asked], ...client?.options };
        const { status } = await service.get('/v1/whoami', options);
        // The token without cnf is everybody's.
        assert.equal(status, asked === own || asked === 2 ? 200 : 401, `client ${own}, token ${asked}`);
      }
    }),
  );
  assert.equal(connections, clients.length);
});

test('a connection whose certificate has expired since ends with its next answer', async (t) => {
  const clock = { ahead: 0 };
  const service = await startTlsService(t, 'optional', { overrides: { now: () => Date.now() + clock.ahead } });
  const validity = { notBefore: now - DAY_MS, notAfter: now + 60_000 };
  const { options, thumbprint } = await clientOf(service.clientCa, 'a', { validity });
  const headers = await bearerOf(service, { cnf: { 'x5t#S256': thumbprint } });
  const [expiring, nobody] = [options, {}].map((certificate) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    return () => service.get('/v1/whoami', { agent, headers, ...certificate });
  });
  assert.ok(expiring && nobody);
  const ends = async (ask: typeof expiring) => (await ask()).headers.connection;
  assert.deepEqual([await ends(expiring), await ends(nobody)], ['keep-alive', 'keep-alive']);
  clock.ahead = 61_000;
  assert.deepEqual([await ends(expiring), await ends(nobody)], ['close', 'keep-alive']);
});

/** Everything that comes from the service: `''` where the connection is not served. */
async function answerTo(service: TlsService, options: ConnectionOptions): Promise<string> {
  // A client that would use any key it has.
  const socket = connect({ ...service.trust, ciphers: 'DEFAULT:@SECLEVEL=0', ...options });
  socket.on('error', () => {});
  socket.write('GET /v1/ca-bundles HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  return everything(socket);
}

/** A server with the same files that resumes sessions, as Node's do unless told otherwise; gives its port. */
async function startResumingServer(t: { after(end: () => void): void }, { files }: TlsService): Promise<number> {
  const server = createServer(
    {
      cert: readFileSync(files.certFile),
      key: readFileSync(files.keyFile),
      ca: readFileSync(files.clientCaFile),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (socket) => socket.on('error', () => {}),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function bearerOf(service: TlsService, claims: object = {}): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await service.mint({ ...claims })}` };
}
