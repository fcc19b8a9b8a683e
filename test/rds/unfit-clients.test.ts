import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFitsClient, uriForClient, whyNeverFits, whyTooLong } from '../../src/rds/clients.ts';
import { whyFormatTooShort } from '../../src/rds/render-auth-token.ts';
import { renderAuthToken } from '../../src/rds/render-auth-token.ts';
import { CONNECTION, HOSTILE_VALUES, TOKEN } from '../support/hostile-connections.ts';

for (const [client, longest] of [
  ['phpMyAdmin', 999],
  ['phpMyAdmin/5.2.1', 999],
  ['phpMyAdmin/5.2.2', 1999],
  ['phpmyadmin/6', 1999],
  ['phpMyAdmin/latest', 999],
  ['PgBouncer', 2047],
  ['pgbouncer/1.25.1', 2047],
  ['pgbouncer/1.16.1', 995],
] as const) {
  test(`${client} takes ${longest} bytes and no more`, () => {
    assert.equal(whyNeverFits(client), undefined);
    assert.equal(whyTooLong(client, longest), undefined);
    assert.match(whyTooLong(client, longest + 1) ?? '', /takes/);
  });
}

for (const client of ['gh-ost', 'GH-OST', 'gh-ost/1.1.7', 'MySQL Connector/ODBC', 'pgbouncer/1.15.0']) {
  test(`no token fits ${client}, which is known before one is signed`, () => {
    assert.match(whyNeverFits(client) ?? '', /gh-ost takes 32|crashes|takes 159 bytes/);
  });
}

for (const client of [undefined, 'psql', 'gh-ost-like', 'pgAdmin', '__proto__', 'constructor/1']) {
  test(`${client} has no limit`, () => {
    assert.equal(whyNeverFits(client), undefined);
    assert.equal(whyTooLong(client, 100_000), undefined);
    assert.equal(uriForClient(client, CONNECTION, TOKEN), undefined);
  });
}

test('DBeaver and DataGrip get a JDBC URL, from which everything comes out as it went in', () => {
  for (const value of HOSTILE_VALUES) {
    const body = uriForClient('DBeaver', { ...CONNECTION, user: value, database: value }, value) ?? '';
    const { pathname, searchParams } = new URL(body.trimEnd().replace(/^jdbc:/, ''));
    assert.equal(decodeURIComponent(pathname.slice(1)), value);
    assert.deepEqual(
      [searchParams.get('user'), searchParams.get('password'), searchParams.get('sslmode')],
      [value, value, 'verify-full'],
    );
  }
  assert.match(
    uriForClient('DataGrip', { ...CONNECTION, engine: 'mysql' }, TOKEN) ?? '',
    /^jdbc:mysql:.*VERIFY_IDENTITY/,
  );
  assert.equal(formatFitsClient('datagrip', 'uri', 'mariadb'), false);
  assert.equal(formatFitsClient('datagrip', 'token', 'mariadb'), true);
});

test('a file of lines takes no token that is longer than its line', () => {
  assert.equal(whyFormatTooShort('pg_service', 1012), undefined);
  assert.match(whyFormatTooShort('pg_service', 1013) ?? '', /1012 bytes there: use pgpass or env/);
  assert.equal(whyFormatTooShort('my_cnf', 4083), undefined);
  assert.match(whyFormatTooShort('my_cnf', 4084) ?? '', /4083 bytes there: use env/);
  assert.equal(whyFormatTooShort('pgpass', 100_000), undefined);
  renderAuthToken('pg_service', CONNECTION, 'x'.repeat(1012));
  renderAuthToken('my_cnf', { ...CONNECTION, engine: 'mysql' }, 'x'.repeat(4083));
});

test('PowerShell’s text ends at no quote of a value, typographic ones among them', () => {
  for (const value of [...HOSTILE_VALUES, '‘', '’', '‚', '‛', "a’; Remove-Item ~; '"]) {
    const { body } = renderAuthToken('powershell', { ...CONNECTION, user: value }, value);
    // about_Quoting_Rules: within single quotes any of these five, doubled, is itself; nothing else is special.
    const read = [...body.matchAll(/^\$env:(\w+) = '((?:[^'‘’‚‛\n]|(['‘’‚‛])\3)*)'$/gmu)];
    assert.equal(read.length, body.trimEnd().split('\n').length, JSON.stringify(value));
    const values = Object.fromEntries(read.map(([, name, text = '']) => [name, text.replace(/(['‘’‚‛])\1/g, '$1')]));
    assert.deepEqual([values['PGUSER'], values['PGPASSWORD']], [value, value]);
  }
});

test('a service file is not made of a value that its reader would cut', () => {
  assert.throws(() => renderAuthToken('pg_service', { ...CONNECTION, user: 'a ' }, TOKEN), { name: 'Fault' });
});

test('an option file for localhost asks for TCP, which the clients would not use', () => {
  const connection = { ...CONNECTION, engine: 'mariadb' as const, host: 'localhost' };
  assert.match(renderAuthToken('my_cnf', connection, TOKEN).body, /^protocol=tcp$/m);
  assert.doesNotMatch(renderAuthToken('my_cnf', { ...connection, host: 'db.example' }, TOKEN).body, /protocol/);
});
