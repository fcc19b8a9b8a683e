import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load-config.ts';
import { type AdmittedKeys, admitKeys } from '../../src/jwt/admit-keys.ts';
import { eventually } from '../support/eventually.ts';
import { createAuthTokenSigner } from '../../src/rds/sign-auth-token.ts';
import { post, type RunningService, startService } from '../support/running-service.ts';

const WANTED = { database: 'orders', user: 'app_rw' };

/** Puts the service's configuration in force with a change; gives whether it was taken. */
function reload(service: RunningService, change: (text: string) => string): Promise<boolean> {
  const file = join(service.folder, 'config.yaml');
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  assert.notEqual(after, before);
  writeFileSync(file, after);
  return service.app.reload(loadConfig(file), [file]);
}

async function metrics({ adminUrl }: RunningService): Promise<string> {
  return (await fetch(new URL('/metrics', adminUrl))).text();
}

async function readiness({ adminUrl }: RunningService) {
  const response = await fetch(new URL('/readyz', adminUrl));
  const { checks } = JSON.parse(await response.text());
  return { status: response.status, configuration: String(checks.configuration) };
}

test('a grant that is taken away is refused by the next request, and the record names the configuration', async (t) => {
  const service = await startService(t);
  const first = loadConfig(join(service.folder, 'config.yaml')).hash;
  assert.equal((await service.ask('/v1/tokens', post(WANTED))).status, 201);
  assert.ok(await reload(service, (text) => text.replace('app_rw, app_ro', 'app_ro')));
  assert.equal((await service.ask('/v1/tokens', post(WANTED))).status, 403);
  const second = loadConfig(join(service.folder, 'config.yaml')).hash;
  assert.deepEqual(
    service.records().map(({ outcome, config_hash }) => [outcome, config_hash]),
    [
      ['issued', first],
      ['refused', second],
    ],
  );
  assert.notEqual(first, second);
  assert.ok((await metrics(service)).includes(`rtv_config_info{hash="${second}"} 1`));
  assert.match(service.log(), /"grants":\{"added":0,"removed":0,"changed":1,"names":\["~api"\]\}/);
});

test('a request under way ends with the configuration that it began with', async (t) => {
  const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const service = await startService(t, {
    overrides: {
      async signAuthToken(input) {
        enter();
        await gate;
        return createAuthTokenSigner()(input);
      },
    },
  });
  const first = loadConfig(join(service.folder, 'config.yaml')).hash;
  const asked = service.ask('/v1/tokens', post(WANTED));
  await entered;
  assert.ok(await reload(service, (text) => text.replace('app_rw, app_ro', 'app_ro')));
  open();
  assert.equal((await asked).status, 201);
  assert.equal(service.records()[0]?.config_hash, first);
});

test('keys of an issuer whose settings did not change are not loaded again, and those of a new one are', async (t) => {
  const loads: string[] = [];
  let keys: AdmittedKeys | undefined;
  const service = await startService(t, {
    overrides: {
      loadKeySet(source) {
        loads.push(source.issuer);
        const { jwks } = source;
        if (jwks.kind === 'file') keys = admitKeys(readFileSync(jwks.location, 'utf8'));
        return Promise.resolve(keys ?? assert.fail());
      },
    },
  });
  assert.equal((await service.ask('/v1/whoami')).status, 200);
  assert.ok(await reload(service, (text) => text.replace('app_rw, app_ro', 'app_ro')));
  const corp = '  - { name: corp, issuer: "https://corp.example", audiences: [vendor] }\n';
  assert.ok(await reload(service, (text) => text.replace('databases:\n', `${corp}databases:\n`)));
  assert.equal((await service.ask('/v1/whoami')).status, 200);
  assert.deepEqual(loads, ['https://idp.example', 'https://corp.example']);
  const jwt = await service.mint({ iss: 'https://corp.example' });
  assert.equal((await service.ask('/v1/whoami', { headers: { authorization: `Bearer ${jwt}` } })).status, 200);
  // An issuer that goes takes its callers along.
  assert.ok(await reload(service, (text) => text.replace(corp, '')));
  assert.equal((await service.ask('/v1/whoami', { headers: { authorization: `Bearer ${jwt}` } })).status, 401);
});

test('a key file that changes is read again', async (t) => {
  const service = await startService(t);
  const other = await startService(t);
  const jwt = await other.mint();
  const headers = { authorization: `Bearer ${jwt}` };
  assert.equal((await service.ask('/v1/whoami', { headers })).status, 401);
  const file = join(service.folder, 'config.yaml');
  copyFileSync(join(other.folder, 'jwks.json'), join(service.folder, 'jwks.json'));
  assert.ok(await service.app.reload(loadConfig(file)));
  // It is read in the background, and the earlier keys serve until then.
  await eventually(async () => assert.equal((await service.ask('/v1/whoami', { headers })).status, 200));
  assert.equal((await service.ask('/v1/whoami')).status, 401);
});

test('while an issuer with changed settings cannot be asked, its earlier keys serve', async (t) => {
  let isDown = false;
  const service = await startService(t, {
    overrides: {
      loadKeySet({ jwks }) {
        if (isDown || jwks.kind !== 'file') return Promise.reject(new Error('the IdP is down'));
        return Promise.resolve(admitKeys(readFileSync(jwks.location, 'utf8')));
      },
    },
  });
  assert.equal((await service.ask('/v1/whoami')).status, 200);
  isDown = true;
  assert.ok(
    await reload(service, (text) => text.replace('audiences: [vendor]', 'audiences: [vendor]\n    keepKeysFor: 1h')),
  );
  assert.equal((await service.ask('/v1/whoami')).status, 200);
  // Of another issuer they are not.
  assert.ok(await reload(service, (text) => text.replace('https://idp.example', 'https://other.example')));
  const jwt = await service.mint({ iss: 'https://other.example' });
  assert.equal((await service.ask('/v1/whoami', { headers: { authorization: `Bearer ${jwt}` } })).status, 503);
});

test('counts of rates go on over a reload', async (t) => {
  const service = await startService(t, { config: (text) => text.replace('perCaller: 1000/s', 'perCaller: 3/m') });
  const ask = async () => (await service.ask('/v1/whoami')).status;
  assert.deepEqual([await ask(), await ask()], [200, 200]);
  assert.ok(await reload(service, (text) => text.replace('app_rw, app_ro', 'app_ro')));
  assert.deepEqual([await ask(), await ask()], [200, 429]);
  assert.ok(await reload(service, (text) => text.replace('perCaller: 3/m', 'perCaller: 5/m')));
  assert.deepEqual([await ask(), await ask()], [200, 429]);
});

const REFUSED: readonly [what: string, from: string, to: string, why: RegExp][] = [
  ['another port', 'port: 0', 'port: 8081', /A changed server\.port needs a restart of the service\./],
  [
    'the role of the machine',
    'server: {',
    'aws: { allowInstanceProfile: true }\nserver: {',
    /A changed aws\.allowInstanceProfile needs a restart of the service\./,
  ],
  ['another admin host', 'adminPort: 0', 'adminPort: 0, adminHost: "::1"', /server\.adminHost needs a restart/],
  ['another audit store', 'limits:', 'audit: { store: { type: file } }\nlimits:', /audit\.store needs a restart/],
  [
    'another counting',
    'limits: {',
    'limits: { store: { type: redis, host: localhost },',
    /limits\.store needs a restart/,
  ],
  [
    'a CA file that is gone',
    'engine: postgres',
    'engine: postgres\n    caBundle: { file: gone.pem, sha256: "' + '0'.repeat(64) + '" }',
    /gone\.pem/,
  ],
];
for (const [what, from, to, why] of REFUSED) {
  test(`${what}: the reload is refused, named in log, metrics and /readyz, and what was in force goes on`, async (t) => {
    const service = await startService(t);
    const { hash } = loadConfig(join(service.folder, 'config.yaml'));
    const isTaken = async () => {
      try {
        return await reload(service, (text) => text.replace(from, to).replace('app_rw, app_ro', 'app_ro'));
      } catch (error) {
        // The loader finds it first; the follower of the files then says so.
        service.app.keepConfig([error instanceof Error ? error.message : '']);
        return false;
      }
    };
    assert.equal(await isTaken(), false);
    assert.equal((await service.ask('/v1/tokens', post(WANTED))).status, 201);
    assert.equal(service.records()[0]?.config_hash, hash);
    const { status, configuration } = await readiness(service);
    assert.equal(status, 200);
    assert.match(configuration, /^the last change is not used: /);
    assert.match(configuration, why);
    assert.ok(configuration.endsWith(`Still with ${hash}.`), configuration);
    const text = await metrics(service);
    assert.match(text, /rtv_config_reloads_total\{result="failed"\} 1/);
    assert.match(text, /rtv_config_last_reload_successful 0/);
    assert.ok(text.includes(`rtv_config_info{hash="${hash}"} 1`));
    assert.match(service.log(), /"msg":"the changed configuration is not used"/);

    service.app.confirmConfig();
    assert.equal((await readiness(service)).configuration, 'ok');
    assert.match(await metrics(service), /rtv_config_last_reload_successful 1/);
  });
}

test('reloads wait for each other, the last one stays, and after the drain there are none', async (t) => {
  const service = await startService(t);
  const file = join(service.folder, 'config.yaml');
  const text = readFileSync(file, 'utf8');
  const loaded = Array.from({ length: 20 }, (_, number) => {
    writeFileSync(file, text.replace('name: api', `name: api-${number}`));
    return loadConfig(file);
  });
  assert.deepEqual(new Set(await Promise.all(loaded.map((next) => service.app.reload(next)))), new Set([true]));
  const response = await service.ask('/v1/tokens', post(WANTED));
  assert.equal(response.status, 201);
  assert.equal(service.records()[0]?.grant, 'api-19');
  await service.app.drain();
  assert.equal(await service.app.reload(loaded[0] ?? assert.fail()), false);
});
