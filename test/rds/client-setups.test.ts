import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { CLIENTS, defaultCaFile, type SetupFacts, setupFits, setupFor } from '../../src/rds/client-setups.ts';
import { HOSTILE_VALUES } from '../support/hostile-connections.ts';

const FACTS: SetupFacts = {
  name: 'orders',
  engine: 'postgres',
  host: 'orders.cluster-abc.us-west-2.rds.amazonaws.com',
  port: 5432,
  database: 'shop',
  user: 'app_rw',
  endpoint: 'writer',
  mode: 'desktop',
  command: '/usr/local/bin/rds-token',
  caFile: '/home/ann/rds-ca.pem',
};

test('pgAdmin gets servers.json with the command, its expiration and verified TLS', () => {
  const { body, contentType } = setupFor('pgadmin', FACTS);
  assert.equal(contentType, 'application/json; charset=utf-8');
  assert.deepEqual(JSON.parse(body), {
    Servers: {
      1: {
        Name: 'orders (app_rw)',
        Group: 'rds-token-vendor',
        Host: FACTS.host,
        Port: 5432,
        MaintenanceDB: 'shop',
        Username: 'app_rw',
        ConnectionParameters: { sslmode: 'verify-full', sslrootcert: '/home/ann/rds-ca.pem', connect_timeout: 10 },
        PasswordExecCommand: "/usr/local/bin/rds-token 'orders' 'app_rw'",
        PasswordExecExpiration: 240,
      },
    },
  });
});

test('in server mode the CA bundle is looked for below the user’s storage', () => {
  assert.equal(defaultCaFile('pgadmin', 'server', 'us-west-2'), '/us-west-2.pem');
  assert.equal(defaultCaFile('pgadmin', 'desktop', 'us-west-2'), '/etc/ssl/rds/us-west-2.pem');
});

test('an endpoint other than the writer is the third word of the command', () => {
  assert.match(setupFor('psql', { ...FACTS, endpoint: 'reader' }).body, /rds-token 'orders' 'app_rw' 'reader'\)"/);
});

test('psql’s line and the section of pg_service.conf', () => {
  assert.equal(
    setupFor('psql', FACTS).body,
    `PGPASSWORD="$(/usr/local/bin/rds-token 'orders' 'app_rw')" psql 'host=${FACTS.host} port=5432 dbname=shop user=app_rw sslmode=verify-full sslrootcert=/home/ann/rds-ca.pem'\n`,
  );
  assert.equal(
    setupFor('pg_service', FACTS).body,
    `[orders]\nhost=${FACTS.host}\nport=5432\ndbname=shop\nuser=app_rw\nsslmode=verify-full\nsslrootcert=/home/ann/rds-ca.pem\n`,
  );
});

test('DBeaver’s connection holds no password and saves none', () => {
  assert.equal(
    setupFor('dbeaver', FACTS).body,
    `name=orders (app_rw)|driver=postgresql|host=${FACTS.host}|port=5432|database=shop|user=app_rw|savePassword=false|prop.sslmode=verify-full|prop.sslrootcert=/home/ann/rds-ca.pem\n`,
  );
});

test('the lines of the MySQL clients verify the server, each in its own words', () => {
  const mysql = setupFor('mysql', { ...FACTS, engine: 'mysql', port: 3306 }).body;
  assert.match(
    mysql,
    /^MYSQL_PWD="\$\(.*\)" mysql .*--ssl-mode=VERIFY_IDENTITY .*--enable-cleartext-plugin --database='shop'\n$/,
  );
  const mariadb = setupFor('mysql', { ...FACTS, engine: 'mariadb', port: 3306 }).body;
  assert.match(mariadb, /^MYSQL_PWD="\$\(.*\)" mariadb .*--ssl-verify-server-cert --ssl-ca='.*' --database='shop'\n$/);
});

test('each program is for its engines', () => {
  const fitting = (engine: SetupFacts['engine']) => CLIENTS.filter((client) => setupFits(client, engine));
  assert.deepEqual(fitting('postgres'), ['pgadmin', 'pg_service', 'psql', 'dbeaver']);
  assert.deepEqual(fitting('mysql'), ['dbeaver', 'mysql']);
  assert.deepEqual(fitting('mariadb'), ['dbeaver', 'mysql']);
});

test('a value that DBeaver or a service file would split is in none of them', () => {
  for (const [client, user] of [
    ['dbeaver', 'a|driver=evil'],
    ['pgadmin', "%USERNAME%';id;'"],
    ['pg_service', 'a\nhost=evil.example'],
  ] as const) {
    assert.throws(() => setupFor(client, { ...FACTS, user }), { name: 'Fault', code: 'internal' });
  }
});

test('whatever a user or a database is called, sh runs the command that was meant and nothing else', () => {
  for (const value of HOSTILE_VALUES) {
    const facts = { ...FACTS, name: value, user: value, database: value, command: 'rds_token' };
    const line = setupFor('psql', facts).body;
    const script = `rds_token() { printf '<%s>' "$@"; }; psql() { printf '%s\\0' "$PGPASSWORD" "$#"; }\n${line}`;
    const [password, count] = execFileSync('sh', ['-eu', '-c', script], { encoding: 'utf8' }).split('\0');
    assert.deepEqual([password, count], [`<${value}><${value}>`, '1'], JSON.stringify(value));
  }
});
