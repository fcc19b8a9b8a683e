import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { builtInBundleIds } from '../../src/rds/builtin-ca-bundles.ts';
import { startService } from '../support/running-service.ts';

test('a caller sees the databases, endpoints and users it may ask for, and no others', async (t) => {
  const service = await startService(t);
  const job = {
    headers: { authorization: `Bearer ${await service.mint({ sub: 'system:serviceaccount:payments:job-7' })}` },
  };
  assert.deepEqual(await (await service.ask('/v1/databases', job)).json(), {
    databases: [
      {
        name: 'orders',
        engine: 'postgres',
        region: 'us-west-2',
        database: 'orders',
        sslmode: 'verify-full',
        endpoints: {
          writer: { host: 'orders.cluster-abc.us-west-2.rds.amazonaws.com', port: 5432, users: ['app_ro'] },
        },
        ca_bundle: { id: 'us-west-2', href: '/v1/ca-bundles/us-west-2.pem' },
      },
    ],
  });
  assert.equal((await service.ask('/v1/databases/orders', job)).status, 200);
  const foreign = await service.ask('/v1/databases/billing', job);
  const unknown = await service.ask('/v1/databases/nope', job);
  assert.deepEqual([foreign.status, unknown.status], [403, 403]);
  const proxied = await (await service.ask('/v1/databases/billing')).text();
  assert.match(proxied, /"ca_bundle":\{"id":"amazon-roots"/);
});

test('whoami shows the caller and the grants that match; a stranger matches none', async (t) => {
  const service = await startService(t);
  const exp = Math.floor(Date.now() / 1000) + 60;
  const whoami = await service.ask('/v1/whoami', {
    headers: { authorization: `Bearer ${await service.mint({ exp })}` },
  });
  assert.deepEqual(await whoami.json(), {
    issuer: 'cluster',
    subject: 'system:serviceaccount:payments:api',
    expires_at: new Date(exp * 1000).toISOString(),
    grants: ['api'],
  });
  assert.equal(whoami.headers.get('cache-control'), 'no-store');
  const stranger = { headers: { authorization: `Bearer ${await service.mint({ sub: 'x' })}` } };
  assert.match(await (await service.ask('/v1/whoami', stranger)).text(), /"grants":\[\]/);
  assert.deepEqual(service.records(), []);
});

test('every CA bundle is public, in PEM and in facts that fit the PEM', async (t) => {
  const service = await startService(t);
  const get = (path: string, init: RequestInit = {}) => fetch(new URL(path, service.url), init);
  const { ca_bundles: bundles } = JSON.parse(await (await get('/v1/ca-bundles')).text());
  assert.deepEqual(
    bundles.map(({ id }: { id: string }) => id),
    [...builtInBundleIds()].sort(),
  );
  for (const bundle of bundles) {
    const response = await get(bundle.href);
    const pems = (await response.text()).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const sha256 = pems.map((pem) => new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase());
    assert.deepEqual(
      bundle.certificates.map((one: { sha256: string }) => one.sha256),
      sha256,
    );
    assert.equal(response.headers.get('etag'), `"${bundle.sha256}"`);
    assert.match(response.headers.get('cache-control') ?? '', /max-age/);
    assert.deepEqual(await (await get(bundle.href.replace('.pem', ''))).json(), bundle);
  }
  const headers = { 'if-none-match': `"${bundles[0].sha256}"` };
  assert.equal((await get(bundles[0].href, { headers })).status, 304);
  const missing = await get('/v1/ca-bundles/il-central-1.pem');
  assert.equal(missing.status, 404);
  assert.match(await missing.text(), /no CA bundle named il-central-1 here\. The operator can add one/);
  assert.equal((await get('/v1/ca-bundles/..%2f..%2fetc%2fpasswd.pem')).status, 404);
});

test('the contract is served, and the page at /docs runs nothing from elsewhere', async (t) => {
  const service = await startService(t);
  const document = await (await fetch(new URL('/openapi.json', service.url))).json();
  assert.match(JSON.stringify(document), /^\{"openapi":"3\.1\.1"/);
  const page = await fetch(new URL('/docs', service.url));
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.ok(!/unsafe|https?:|\*/.test(policy), policy);
  const html = await page.text();
  const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => new URL(file, page.url));
  assert.ok(files.length >= 4);
  for (const file of files) {
    assert.equal(file.origin, new URL(service.url).origin);
    assert.equal((await fetch(file)).status, 200);
  }
});

test('the public port has no admin routes and the admin port no public ones', async (t) => {
  const service = await startService(t);
  for (const path of ['/livez', '/readyz', '/metrics']) {
    assert.equal((await fetch(new URL(path, service.url))).status, 404);
    assert.equal((await fetch(new URL(path, service.adminUrl))).status, 200);
  }
  assert.equal((await fetch(new URL('/v1/ca-bundles', service.adminUrl))).status, 404);
});
