import type { Connection } from '../../src/rds/connection.ts';

/** The connection facts that renderings are tested with; tests change what they are about. */
export const CONNECTION: Connection = {
  engine: 'postgres',
  host: 'orders.cluster-abc123.us-west-2.rds.amazonaws.com',
  port: 5432,
  database: 'orders',
  user: 'app_rw',
  region: 'us-west-2',
  sslmode: 'verify-full',
  application_name: 'rtv:0199a0b0-0000-7000-8000-000000000000',
};

/** A short token with every character a real one has. */
export const TOKEN =
  'h.example:5432/?Action=connect&DBUser=app_rw&X-Amz-Credential=A%2F2026%2Frds-db&X-Amz-Signature=0f';

/** Values that break out of a rendering that does not escape them. */
export const HOSTILE_VALUES: readonly string[] = [
  ...["o'brien", "''", "'", "a'; rm -rf /; echo '", '$(id)', '`id`', '${HOME}', '"', '"a"', 'a"b', '\\', 'a\\', '\\\\'],
  ...['\\n', "\\'", '\\"', 'a\\:b', ':', '::', 'a:b', '#', '#a', 'a#b', '!', '!a', '=', 'a=b', ' ', ' a', 'a ', '  '],
  ...[
    '*',
    '**',
    '%',
    '%41',
    '%00',
    '%zz',
    'a+b',
    'a&b=c',
    'a?b',
    'a/b',
    '//',
    '@',
    'a@b',
    '[',
    ']',
    ';',
    '~',
    '|',
    '&',
  ],
  ...['zoë', '用户', '😀', '\u00a0', '\ufeff', '\u202e', '[client]', 'user=root', '--help', '-', '\\u0041', '\\\'"$`!'],
];

/** A value with one of these would add a line, or end one, in some format. */
export const CONTROL_CHARACTERS: readonly string[] = [
  ...['\0', '\n', '\r', '\t', '\b', '\f', '\u001b', '\u007f', '\u0085', '\u2028', '\u2029'],
];
