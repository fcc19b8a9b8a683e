import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { renderAuthToken } from '../../src/rds/render-auth-token.ts';
import { CONNECTION, HOSTILE_VALUES, TOKEN } from '../support/hostile-connections.ts';
import { parsePgpass, parseProperties, readOptionFile } from '../support/read-renderings.ts';

// Every hostile value as user, database and token must come out of each rendering as it went in.

test('what sh exports after reading env is exactly what was rendered', () => {
  const script = HOSTILE_VALUES.map((value) => {
    const { body } = renderAuthToken('env', { ...CONNECTION, user: value, database: value }, value);
    return `${body}printf '%s\\0' "$PGUSER" "$PGDATABASE" "$PGPASSWORD" "$PGHOST"\n`;
  }).join('');
  const printed = execFileSync('sh', ['-eu', '-c', script], { encoding: 'utf8' }).split('\0');
  const expected = HOSTILE_VALUES.flatMap((value) => [value, value, value, CONNECTION.host]);
  assert.deepEqual(printed, [...expected, '']);
});

test('what sh exports after reading MySQL’s env is exactly what was rendered', () => {
  const script = HOSTILE_VALUES.map((value) => {
    const { body } = renderAuthToken('env', { ...CONNECTION, engine: 'mysql', user: value, database: value }, value);
    return `${body}printf '%s\\0' "$MYSQL_USER" "$MYSQL_DATABASE" "$MYSQL_PWD"\n`;
  }).join('');
  const printed = execFileSync('sh', ['-eu', '-c', script], { encoding: 'utf8' }).split('\0');
  assert.deepEqual(printed, [...HOSTILE_VALUES.flatMap((value) => [value, value, value]), '']);
});

for (const value of HOSTILE_VALUES) {
  const shown = JSON.stringify(value);

  test(`${shown} comes out of pgpass as it went in, and matches nothing else`, () => {
    const connection = { ...CONNECTION, user: value, database: value };
    const { body } = renderAuthToken('pgpass', connection, value);
    assert.deepEqual(parsePgpass(body), [CONNECTION.host, '5432', value, value, value]);
  });

  test(`${shown} comes out of a URI as it went in`, () => {
    const { body } = renderAuthToken('uri', { ...CONNECTION, user: value, database: value }, value);
    const { username, password, pathname, host, hash, searchParams } = new URL(body.trimEnd());
    assert.deepEqual([username, password, pathname.slice(1)].map(decodeURIComponent), [value, value, value]);
    assert.deepEqual(
      [host, hash, [...searchParams.keys()]],
      [`${CONNECTION.host}:5432`, '', ['sslmode', 'application_name']],
    );
    assert.match(body, /^[\x21-\x7e]+\n$/);
  });

  test(`${shown} comes out of Java properties as it went in`, () => {
    for (const engine of ['postgres', 'mysql', 'mariadb'] as const) {
      const { body } = renderAuthToken('jdbc', { ...CONNECTION, engine, user: value }, value);
      assert.match(body, /^[\x20-\x7e\n]+$/);
      const { user, password, url } = parseProperties(body);
      const scheme = engine === 'postgres' ? 'postgresql' : engine;
      assert.deepEqual([user, password, url], [value, value, `jdbc:${scheme}://${CONNECTION.host}:5432/orders`]);
    }
  });

  test(`${shown} comes out of an option file as it went in`, () => {
    const connection = { ...CONNECTION, engine: 'mysql' as const, user: value, database: value };
    const { client, mysql } = readOptionFile(renderAuthToken('my_cnf', connection, value).body);
    assert.deepEqual([client?.user, client?.password, mysql?.database], [value, value, value]);
    assert.equal(Object.keys(client ?? {}).length, 6);
  });
}

test('my_cnf is not made of a token that is too long for a line of an option file', () => {
  const connection = { ...CONNECTION, engine: 'mariadb' as const };
  const fits = 'x'.repeat(4094 - 'password=""'.length);
  assert.equal(readOptionFile(renderAuthToken('my_cnf', connection, fits).body).client?.password, fits);
  const message = 'nothing was rendered: a line of my_cnf would be longer than 4094 bytes';
  const render = () => renderAuthToken('my_cnf', connection, `${fits}x`);
  assert.throws(render, { name: 'Fault', code: 'internal', message });
});

test('a real token comes out of every rendering as it went in', () => {
  assert.equal(parsePgpass(renderAuthToken('pgpass', CONNECTION, TOKEN).body)[4], TOKEN);
  assert.equal(parseProperties(renderAuthToken('jdbc', CONNECTION, TOKEN).body)['password'], TOKEN);
});
