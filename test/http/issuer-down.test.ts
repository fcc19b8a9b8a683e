import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeCa } from '../../demo/certificate-authority.ts';
import { freePort } from '../../demo/listen.ts';
import { problemSchema } from '../../src/http/schemas.ts';
import { eventually } from '../support/eventually.ts';
import { type IdpOptions, type LoopbackIdp, openIdp } from '../support/loopback-idp.ts';
import { type RunningService, startService } from '../support/running-service.ts';
import { signed } from '../support/test-issuer.ts';

async function idpOf(t: TestContext, options: IdpOptions = {}): Promise<LoopbackIdp> {
  const idp = await openIdp(options);
  t.after(() => idp.close().catch(() => undefined));
  return idp;
}

/** Adds an issuer to the configuration of tests, whose own issuer goes on serving. */
function alsoTrust(name: string, issuer: string, more = '') {
  const entry = `  - { name: ${name}, issuer: "${issuer}", audiences: [vendor]${more} }\n`;
  return (text: string) => text.replace('databases:\n', `${entry}databases:\n`);
}

function ask(service: RunningService, issuer: string): Promise<Response> {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: 'vendor', sub: 'somebody', iat, exp: iat + 600 };
  const authorization = `Bearer ${signed({ alg: 'RS256', kid: 'rsa' }, claims)}`;
  return service.ask('/v1/whoami', { headers: { authorization } });
}

async function readyz(service: RunningService): Promise<{ status: number; issuers: Record<string, string> }> {
  const response = await fetch(new URL('/readyz', service.adminUrl));
  return { status: response.status, issuers: JSON.parse(await response.text()).checks.issuers };
}

test('the service starts while an issuer is down: /readyz names it, the others serve, and it recovers by itself', async (t) => {
  const port = await freePort();
  const issuer = `http://localhost:${port}/corp`;
  const service = await startService(t, { config: alsoTrust('corp', issuer) });
  assert.equal((await service.ask('/v1/whoami')).status, 200, 'the other issuer serves');
  const response = await ask(service, issuer);
  const { type } = problemSchema.parse(await response.json());
  assert.deepEqual([response.status, type.split(':').at(-1)], [503, 'issuer-keys-unavailable']);
  assert.match(response.headers.get('retry-after') ?? '', /^[1-9][0-9]?$/);
  const { status, issuers } = await readyz(service);
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(issuers), ['cluster', 'corp']);
  assert.equal(issuers['cluster'], 'ok');
  assert.match(
    issuers['corp'] ?? '',
    new RegExp(`^${issuer}/.well-known/openid-configuration cannot be reached: .*ECONNREFUSED`),
  );
  await idpOf(t, { port });
  await eventually(async () => assert.equal((await ask(service, issuer)).status, 200), 40_000);
  assert.equal((await readyz(service)).issuers['corp'], 'ok');
});

test('an issuer whose port is closed later goes on with its last keys, and so does one whose certificate is changed', async (t) => {
  const [ca, other] = await Promise.all([makeCa('ours'), makeCa('another')]);
  const [good, wrong] = await Promise.all([
    ca.issue({ dnsNames: ['localhost'] }),
    other.issue({ dnsNames: ['localhost'] }),
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'rtv-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, ca.certPem);
  const tls = ({ certPem, keyPem }: typeof good) => ({ tls: { cert: certPem, key: keyPem } });
  const idp = await idpOf(t, tls(good));
  const issuer = idp.issuer('corp');
  const service = await startService(t, { config: alsoTrust('corp', issuer, `, caFile: "${caFile}"`) });
  assert.equal((await ask(service, issuer)).status, 200);

  await idp.close();
  await failLoad(service, issuer, /^ok, with earlier keys: .*cannot be reached: .*ECONNREFUSED/);
  const imposter = await idpOf(t, { ...tls(wrong), port: Number(new URL(issuer).port) });
  await failLoad(service, issuer, /^ok, with earlier keys: .*cannot be reached: .*certificate/);
  assert.deepEqual(imposter.asked, [], 'it was not even asked');
  await imposter.close();
  await idp.open();
  await eventually(async () => assert.equal((await readyz(service)).issuers['corp'], 'ok'), 40_000);
});

test('a CA that is not the one of the issuer gives no keys, from the start', async (t) => {
  const [ca, other] = await Promise.all([makeCa('ours'), makeCa('another')]);
  const { certPem, keyPem } = await ca.issue({ dnsNames: ['localhost'] });
  const folder = mkdtempSync(join(tmpdir(), 'rtv-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'other.pem'), other.certPem);
  const idp = await idpOf(t, { tls: { cert: certPem, key: keyPem } });
  const issuer = idp.issuer('corp');
  const caFile = `, caFile: "${join(folder, 'other.pem')}"`;
  const service = await startService(t, { config: alsoTrust('corp', issuer, caFile) });
  assert.equal((await ask(service, issuer)).status, 503);
  assert.match((await readyz(service)).issuers['corp'] ?? '', /cannot be reached: .*certificate/);
});

/** Has the service ask the issuer for an unknown key or again, until `/readyz` says this; its keys serve meanwhile. */
async function failLoad(service: RunningService, issuer: string, says: RegExp): Promise<void> {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: 'vendor', sub: 'somebody', iat, exp: iat + 600 };
  const authorization = `Bearer ${signed({ alg: 'RS256', kid: 'unknown' }, claims)}`;
  assert.equal((await service.ask('/v1/whoami', { headers: { authorization } })).status, 503);
  await eventually(async () => assert.match((await readyz(service)).issuers['corp'] ?? '', says), 40_000);
  assert.equal((await ask(service, issuer)).status, 200);
}
