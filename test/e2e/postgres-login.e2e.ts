import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test, type TestContext } from 'node:test';
import { makeCa } from '../../demo/certificate-authority.ts';
import { auditRecord } from '../support/audit-records.ts';
import { testDirectory } from '../support/audit-setup.ts';
import { postgresRefusal } from '../support/postgres-refusal.ts';
import { openPostgresTrail } from '../support/postgres-trail.ts';
import { startPostgres } from '../support/postgres-server.ts';

const ca = await makeCa('audit store test CA');
const server = await startPostgres({ tls: await ca.issue({ dnsNames: ['localhost'], ips: ['127.0.0.1'] }) });
after(() => server.remove());

describe('login:', () => {
  test('a wrong password is refused, and no message holds it', async (t) => {
    const config = server.storeConfig(await server.createDatabase(), { passwordFile: passwordFile(t, 'wr0ng-secret') });
    const message = await postgresRefusal(t, server, config);
    assert.match(message, /password authentication failed for user "rds_token_vendor"/);
    assert.ok(!message.includes('wr0ng'));
  });

  test('without a password it says what to set', async (t) => {
    const { passwordFile: _, ...config } = server.storeConfig(await server.createDatabase());
    assert.match(
      await postgresRefusal(t, server, config),
      /the server asks for a password: set passwordFile, or PGPASSWORD/,
    );
  });

  test('a password file that is not there is named', async (t) => {
    const config = server.storeConfig(await server.createDatabase(), { passwordFile: '/nowhere/password' });
    assert.match(await postgresRefusal(t, server, config), /ENOENT.*\/nowhere\/password/);
  });

  test('a password that was rotated is read at the next login', async (t) => {
    const file = passwordFile(t, server.password);
    const database = await server.createDatabase();
    const trail = await openPostgresTrail(t, server.storeConfig(database, { passwordFile: file }));
    await server.query(database, `ALTER ROLE ${server.user} PASSWORD 'rotated'`);
    t.after(() => server.query(database, `ALTER ROLE ${server.user} PASSWORD '${server.password}'`));
    writeFileSync(file, 'rotated\r\n');
    await server.query(
      database,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rds-token-vendor audit'`,
    );
    await trail.add(auditRecord());
  });

  test('over a Unix socket', async (t) => {
    const config = server.storeConfig(await server.createDatabase(), { host: server.socketDirectory, tls: true });
    await openPostgresTrail(t, config);
  });

  test('a port that nobody listens on', async (t) => {
    const config = server.storeConfig('postgres', { host: 'localhost', port: 1 });
    assert.match(await postgresRefusal(t, server, config), /ECONNREFUSED/);
  });
});

describe('TLS:', () => {
  for (const host of ['localhost', '127.0.0.1']) {
    test(`a certificate of a trusted CA for ${host} is taken`, async (t) => {
      const config = server.storeConfig(await server.createDatabase(), {
        host,
        tls: true,
        caFile: caFile(t, ca.certPem),
      });
      const trail = await openPostgresTrail(t, config);
      await trail.add(auditRecord());
      const [row] = await server.query(
        config.database,
        `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'rds-token-vendor audit' AND datname = current_database()`,
      );
      assert.equal(row?.['ssl'], true);
    });
  }

  test('a certificate of an unknown CA is refused', async (t) => {
    const other = await makeCa('another CA');
    const config = server.storeConfig(await server.createDatabase(), { tls: true, caFile: caFile(t, other.certPem) });
    assert.match(await postgresRefusal(t, server, config), /certificate/);
    const { caFile: _, ...systemCas } = config;
    assert.match(await postgresRefusal(t, server, systemCas), /certificate/);
  });

  test('a certificate of another name is refused', async (t) => {
    const config = server.storeConfig(await server.createDatabase(), {
      tls: true,
      host: '127.0.0.2',
      caFile: caFile(t, ca.certPem),
    });
    await server.restart({ listen_addresses: '127.0.0.1,127.0.0.2' });
    t.after(() => server.restart({}));
    assert.match(await postgresRefusal(t, server, config), /does not match certificate's altnames/);
  });

  test('a server without TLS is refused where TLS is asked for', async (t) => {
    const config = server.storeConfig(await server.createDatabase(), { tls: true, caFile: caFile(t, ca.certPem) });
    await server.restart({ ssl: 'off' });
    t.after(() => server.restart({}));
    assert.match(await postgresRefusal(t, server, config), /does not support SSL/);
  });
});

function passwordFile(t: TestContext, password: string): string {
  const file = join(testDirectory(t), 'password');
  writeFileSync(file, password);
  return file;
}

function caFile(t: TestContext, pem: string): string {
  const file = join(testDirectory(t), 'ca.pem');
  writeFileSync(file, pem);
  return file;
}
