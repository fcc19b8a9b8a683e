import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Connection } from '../../../src/rds/connection.ts';
import { uriForClient } from '../../../src/rds/clients.ts';
import { renderAuthToken } from '../../../src/rds/render-auth-token.ts';
import { CONNECTION, HOSTILE_VALUES } from '../../support/hostile-connections.ts';
import { folderOf } from './recipes.ts';

/*
 * Every rendering through the program that reads it: libpq, and the option parser of the MySQL clients. `sh` and `URL` are
 * in test/rds/render-round-trips.test.ts, since npm alone brings them.
 */

const READER = fileURLToPath(new URL('read-with-libpq.py', import.meta.url));
const TOKENS = [330, 1012, 4083].map((bytes) => 'h:5432/?Action=connect&X='.padEnd(bytes, '%2F'));

type Read = Readonly<Record<string, string | null>>;

function readWithLibpq(items: readonly object[]): readonly Read[] {
  const input = items.map((item) => `${JSON.stringify(item)}\n`).join('');
  const { status, stdout, stderr } = spawnSync('python3', [READER], { input, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): Read => JSON.parse(line));
}

const as = (value: string): Connection => ({ ...CONNECTION, user: value, database: value });

test('libpq reads user, database and token out of a URI as they went in', () => {
  const values = [...HOSTILE_VALUES, ...TOKENS];
  const read = readWithLibpq(
    values.map((value) => ({ kind: 'uri', text: renderAuthToken('uri', as(value), value).body })),
  );
  for (const [at, value] of values.entries()) {
    const { user, dbname, password, host, port, sslmode, application_name } = read[at] ?? {};
    assert.deepEqual([user, dbname, password], [value, value, value]);
    assert.deepEqual([host, port, sslmode], [CONNECTION.host, '5432', 'verify-full']);
    assert.equal(application_name, CONNECTION.application_name);
  }
});

test('libpq finds the token in a .pgpass for this user and database', () => {
  const values = [...HOSTILE_VALUES, ...TOKENS];
  const read = readWithLibpq(
    values.map((value) => ({
      kind: 'pgpass',
      text: renderAuthToken('pgpass', as(value), value).body,
      wanted: { host: CONNECTION.host, port: 5432, dbname: value, user: value },
    })),
  );
  assert.deepEqual(
    read.map(({ password }) => password),
    values,
  );
});

test('libpq finds no token in a .pgpass for another user', () => {
  const items = HOSTILE_VALUES.map((value) => ({
    kind: 'pgpass',
    text: renderAuthToken('pgpass', as(value), 'token').body,
    wanted: { host: CONNECTION.host, port: 5432, dbname: value, user: `${value}x` },
  }));
  assert.deepEqual(new Set(readWithLibpq(items).map(({ password }) => password)), new Set([null]));
});

test('libpq reads a section of pg_service.conf as it was made, or it is not made', () => {
  const values = HOSTILE_VALUES.filter((value) => !/\s$/.test(value));
  const read = readWithLibpq(
    values.map((value) => {
      const connection = { ...CONNECTION, user: value };
      return { kind: 'service', service: 'orders', text: renderAuthToken('pg_service', connection, value).body };
    }),
  );
  for (const [at, value] of values.entries()) {
    const { user, password, dbname, sslmode } = read[at] ?? {};
    assert.deepEqual([user, password, dbname, sslmode], [value, value, 'orders', 'verify-full']);
  }
});

test('the longest token that pg_service takes is the longest that libpq reads', () => {
  const text = renderAuthToken('pg_service', CONNECTION, 'x'.repeat(1012)).body;
  const longer = text.replace('password=', 'password=x');
  const [fits, refused] = readWithLibpq(
    [text, longer].map((one) => ({ kind: 'service', service: 'orders', text: one })),
  );
  assert.equal(fits?.['password'], 'x'.repeat(1012));
  // It says so on standard error and goes on without the section.
  assert.equal(refused?.['password'], undefined);
});

test('the option parser of the MySQL clients reads user, database and token as they went in', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rtv-options-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const value of [...HOSTILE_VALUES, ...TOKENS]) {
    const connection: Connection = { ...CONNECTION, engine: 'mysql', user: value, database: value };
    const file = join(folder, 'my.cnf');
    const { body } = renderAuthToken('my_cnf', value.length > 330 ? CONNECTION_OF_MYSQL : connection, value);
    writeFileSync(file, body);
    const { stdout, status } = spawnSync('my_print_defaults', [`--defaults-file=${file}`, 'client', 'mysql'], {
      encoding: 'utf8',
    });
    assert.equal(status, 0);
    const options = stdout.split('\n');
    assert.ok(options.includes(`--password=${value}`), JSON.stringify(value));
    if (value.length <= 330) {
      assert.ok(options.includes(`--user=${value}`) && options.includes(`--database=${value}`), JSON.stringify(value));
    }
  }
});

function readWithJava(items: readonly (readonly [kind: 'properties' | 'url', text: string])[]): readonly string[][] {
  const input = items.map(([kind, text]) => `${kind} ${Buffer.from(text).toString('base64')}\n`).join('');
  const program = fileURLToPath(new URL('ReadJdbc.java', import.meta.url));
  const { status, stdout, stderr } = spawnSync('java', ['-cp', `${folderOf('java')}/*`, program], {
    input,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const decode = (word: string) => Buffer.from(word, 'base64').toString('utf8');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').map(decode));
}

test('java.util.Properties reads user and token as they went in, and so does pgJDBC out of the URL for DBeaver', () => {
  const values = [...HOSTILE_VALUES, ...TOKENS];
  const expected = values.map((value) => [value, value]);
  const properties = values.map(
    (value) => ['properties', renderAuthToken('jdbc', { ...CONNECTION, user: value }, value).body] as const,
  );
  assert.deepEqual(readWithJava(properties), expected);
  const urls = values.map((value) => ['url', uriForClient('DBeaver', as(value), value) ?? ''] as const);
  assert.deepEqual(readWithJava(urls), expected);
});

const CONNECTION_OF_MYSQL: Connection = { ...CONNECTION, engine: 'mysql' };
