import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../src/issuance/database.ts';
import type { Connection } from '../../src/rds/connection.ts';
import { FORMATS, formatFits, renderAuthToken } from '../../src/rds/render-auth-token.ts';
import { CONNECTION, CONTROL_CHARACTERS, TOKEN } from '../support/hostile-connections.ts';

const HOST = CONNECTION.host;
const ID = '0199a0b0-0000-7000-8000-000000000000';
const ENCODED =
  'h.example%3A5432%2F%3FAction%3Dconnect%26DBUser%3Dapp_rw%26X-Amz-Credential%3DA%252F2026%252Frds-db%26X-Amz-Signature%3D0f';

const EXACT: readonly [format: (typeof FORMATS)[number], engine: Engine, lines: readonly string[]][] = [
  [
    'env',
    'postgres',
    [
      `export PGHOST='${HOST}'`,
      "export PGPORT='5432'",
      "export PGUSER='app_rw'",
      "export PGDATABASE='orders'",
      `export PGPASSWORD='${TOKEN}'`,
      "export PGSSLMODE='verify-full'",
      "export PGAPPNAME='rtv:0199a0b0-0000-7000-8000-000000000000'",
    ],
  ],
  ...(['mysql', 'mariadb'] as const).map((engine): (typeof EXACT)[number] => [
    'env',
    engine,
    [
      `export MYSQL_HOST='${HOST}'`,
      "export MYSQL_TCP_PORT='5432'",
      "export MYSQL_USER='app_rw'",
      "export MYSQL_DATABASE='orders'",
      `export MYSQL_PWD='${TOKEN}'`,
      "export LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN='1'",
      "export RTV_AUDIT_ID='0199a0b0-0000-7000-8000-000000000000'",
    ],
  ]),
  [
    'uri',
    'postgres',
    [
      `postgresql://app_rw:${ENCODED}@${HOST}:5432/orders?sslmode=verify-full` +
        '&application_name=rtv%3A0199a0b0-0000-7000-8000-000000000000',
    ],
  ],
  [
    'uri',
    'mysql',
    [
      `mysql://app_rw:${ENCODED}@${HOST}:5432/orders?ssl-mode=VERIFY_IDENTITY&connection-attributes=[rtv_audit_id=${ID}]`,
    ],
  ],
  [
    'uri',
    'mariadb',
    [
      `mysql://app_rw:${ENCODED}@${HOST}:5432/orders?ssl-mode=VERIFY_IDENTITY&connection-attributes=[rtv_audit_id=${ID}]`,
    ],
  ],
  ['pgpass', 'postgres', [`${HOST}:5432:orders:app_rw:${TOKEN.replace(':', '\\:')}`]],
  [
    'jdbc',
    'postgres',
    [
      `url=jdbc\\:postgresql\\://${HOST}\\:5432/orders`,
      'user=app_rw',
      `password=${TOKEN.replace(/[:=]/g, '\\$&')}`,
      'sslmode=verify-full',
      'ApplicationName=rtv\\:0199a0b0-0000-7000-8000-000000000000',
    ],
  ],
  [
    'jdbc',
    'mysql',
    [
      `url=jdbc\\:mysql\\://${HOST}\\:5432/orders`,
      'user=app_rw',
      `password=${TOKEN.replace(/[:=]/g, '\\$&')}`,
      'sslMode=VERIFY_IDENTITY',
      `connectionAttributes=rtv_audit_id\\:${ID}`,
    ],
  ],
  [
    'jdbc',
    'mariadb',
    [
      `url=jdbc\\:mariadb\\://${HOST}\\:5432/orders`,
      'user=app_rw',
      `password=${TOKEN.replace(/[:=]/g, '\\$&')}`,
      'sslMode=verify-full',
      `connectionAttributes=rtv_audit_id\\:${ID}`,
    ],
  ],
  ...(['mysql', 'mariadb'] as const).map((engine): (typeof EXACT)[number] => [
    'my_cnf',
    engine,
    [
      ...['[client]', `host="${HOST}"`, 'port=5432', 'user="app_rw"', `password="${TOKEN}"`],
      ...(engine === 'mysql' ? ['ssl-mode=VERIFY_IDENTITY', 'enable-cleartext-plugin'] : ['ssl-verify-server-cert']),
      ...['', '[mysql]', 'database="orders"', `init-command="SET @rtv_audit_id='${ID}'"`],
    ],
  ]),
];

for (const [format, engine, lines] of EXACT) {
  test(`${format} for ${engine} is exactly these lines`, () => {
    assert.notEqual(format, 'json');
    if (format === 'json') return;
    assert.deepEqual(renderAuthToken(format, { ...CONNECTION, engine }, TOKEN), {
      body: lines.map((line) => `${line}\n`).join(''),
      contentType: 'text/plain; charset=utf-8',
    });
  });
}

for (const engine of ['postgres', 'mysql', 'mariadb'] as const) {
  test(`token for ${engine} is the token alone, without a line end`, () => {
    assert.equal(renderAuthToken('token', { ...CONNECTION, engine }, TOKEN).body, TOKEN);
  });
}

test('uri and jdbc put an IPv6 address in brackets', () => {
  const connection = { ...CONNECTION, host: 'fd00::1' };
  assert.ok(renderAuthToken('uri', connection, TOKEN).body.includes('@[fd00::1]:5432/'));
  assert.ok(renderAuthToken('jdbc', connection, TOKEN).body.includes('//[fd00\\:\\:1]\\:5432/'));
});

test('pgpass and pg_service are for PostgreSQL, my_cnf for MySQL and MariaDB, all else for each engine', () => {
  const engines = ['postgres', 'mysql', 'mariadb'] as const;
  const misfits = FORMATS.flatMap((format) =>
    engines.filter((engine) => !formatFits(format, engine)).map((engine) => `${format} ${engine}`),
  );
  assert.deepEqual(misfits, [
    'pgpass mysql',
    'pgpass mariadb',
    'pg_service mysql',
    'pg_service mariadb',
    'my_cnf postgres',
  ]);
  for (const [format, engine] of [['pgpass', 'mysql'] as const, ['my_cnf', 'postgres'] as const]) {
    const message = `nothing was rendered: ${format} is not for ${engine}`;
    const render = () => renderAuthToken(format, { ...CONNECTION, engine }, TOKEN);
    assert.throws(render, { name: 'Fault', code: 'internal', message });
  }
});

for (const format of FORMATS.filter((format) => format !== 'json')) {
  test(`${format} is not made of a value with a control character or a line break`, () => {
    const engine = format === 'my_cnf' ? 'mysql' : 'postgres';
    const message = 'nothing was rendered: a value holds a control character or a line break';
    for (const character of CONTROL_CHARACTERS) {
      const bad = `a${character}b`;
      const connections: Connection[] = [
        ...(['host', 'database', 'user', 'application_name'] as const).map((field) => ({
          ...CONNECTION,
          [field]: bad,
        })),
      ];
      const renders = [
        ...connections.map((connection) => () => renderAuthToken(format, { ...connection, engine }, TOKEN)),
        () => renderAuthToken(format, { ...CONNECTION, engine }, bad),
      ];
      for (const render of renders) assert.throws(render, { name: 'Fault', code: 'internal', message });
    }
  });
}
