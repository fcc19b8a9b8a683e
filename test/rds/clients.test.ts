import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeForClient } from '../../src/rds/clients.ts';
import { FORMATS } from '../../src/rds/render-auth-token.ts';
import { TOKEN } from '../support/hostile-connections.ts';

for (const client of ['psqlodbc', 'psqlODBC', 'PSQLODBC']) {
  test(`${client} gets a token for its connection string percent-encoded once more, and all others as they are`, () => {
    const changed = FORMATS.filter((format) => encodeForClient(client, format, TOKEN) !== TOKEN);
    assert.deepEqual(changed, ['json', 'token', 'uri']);
    for (const format of changed) {
      const encoded = encodeForClient(client, format, TOKEN);
      assert.equal(decodeURIComponent(encoded), TOKEN);
      // A connection string ends values at `;` and groups them with braces.
      assert.match(encoded, /^[A-Za-z0-9._~%-]+$/);
    }
  });
}

test('the encoding is exactly this', () => {
  assert.equal(
    encodeForClient('psqlodbc', 'token', "h:1/?a=%2F&b=(x)*!'"),
    'h%3A1%2F%3Fa%3D%252F%26b%3D%28x%29%2A%21%27',
  );
});

for (const client of [undefined, '', 'psql', 'pgAdmin', 'psqlodbc ', 'odbc', 'MySQL Connector/ODBC', '__proto__']) {
  test(`${JSON.stringify(client)} gets every token as it is`, () => {
    for (const format of FORMATS) assert.equal(encodeForClient(client, format, TOKEN), TOKEN);
  });
}
