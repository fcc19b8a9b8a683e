import { createHash } from 'node:crypto';
import type { SigningCredentials } from '../../src/issuance/auth-token.ts';
import type { Endpoint } from '../../src/issuance/database.ts';

/** What is signed, apart from the clock. */
export type SignerCase = {
  readonly endpoint: Endpoint;
  readonly region: string;
  readonly user: string;
  readonly credentials: SigningCredentials;
};

/** Names that some layer between a form field and RDS is known to change. */
export const ODD_USERS: readonly string[] = [
  ...['app_rw', 'APP_RW', 'a', '0', 'user.name', 'first last', ' lead', 'trail ', 'a+b', 'a%2Bb', 'a%', '%00', '%zz'],
  ...['a&DBUser=root', 'a&b', 'a=b', '?Action=connect', 'a?b', 'a/b', '/', '..', 'a\\b', 'a;b', 'a#b', 'a,b', 'a:b'],
  ...["o'brien", '"quoted"', '`tick`', '$(id)', '${HOME}', '<b>', '(a)', '[a]', '{a}', '!', '*', 'a*b', '~', 'a~b'],
  ...['user@corp.example', 'DOMAIN\\user', 'a|b', 'a^b', '-', '--', "'; DROP TABLE users; --", 'null', 'undefined'],
  ...['zoë', 'zoe\u0308', 'Ünïcödé', 'ß', 'İstanbul', 'пользователь', 'ユーザー', '用户', 'משתמש', 'مستخدم', 'ผู้ใช้'],
  ...['😀', '👩‍👩‍👧', '𝕒', 'a\u00a0b', 'a\u200bb', '\ufeffa', 'a\u202eb', '\u{10ffff}', 'X-Amz-Expires=1', '100%25'],
  ...['a'.repeat(63), 'é'.repeat(80), '😀'.repeat(80), '+'.repeat(320), '%'.repeat(107), 'a b+c%20d&e=f?g'],
];

const HOSTS: readonly (readonly [host: string, region: string])[] = [
  ['orders.cluster-abc123.us-west-2.rds.amazonaws.com', 'us-west-2'],
  ['orders.cluster-ro-abc123.us-west-2.rds.amazonaws.com', 'us-west-2'],
  ['orders.cluster-custom-abc123.eu-central-1.rds.amazonaws.com', 'eu-central-1'],
  ['db1.abc123.ap-southeast-5.rds.amazonaws.com', 'ap-southeast-5'],
  ['proxy.proxy-abc123.us-east-1.rds.amazonaws.com', 'us-east-1'],
  ['db1.abc123.us-gov-west-1.rds.amazonaws.com', 'us-gov-west-1'],
  ['db1.abc123.us-gov-east-1.rds.amazonaws.com', 'us-gov-east-1'],
  ['db1.abc123.rds.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['db1.abc123.rds.cn-northwest-1.amazonaws.com.cn', 'cn-northwest-1'],
  [`${'a'.repeat(63)}.abc123.il-central-1.rds.amazonaws.com`, 'il-central-1'],
  ['a-b--c.abc123.mx-central-1.rds.amazonaws.com', 'mx-central-1'],
  ['0db.abc123.ca-west-1.rds.amazonaws.com', 'ca-west-1'],
];

/** Not 443: botocore then leaves the port out of the signed host, unlike AWS's JavaScript signer. */
const PORTS: readonly number[] = [5432, 3306, 1, 80, 444, 1433, 6160, 8443, 65_535];

const CREDENTIALS: readonly SigningCredentials[] = [
  key('AKIAIOSFODNN7EXAMPLE', null),
  key('ASIAIOSFODNN7EXAMPLE', `FwoGZXIvYXdzEXAMPLE//////////wEaD+a/${'Zm9v+/'.repeat(120)}==`),
  key('ASIAQ3EGRIEXAMPLE123', 'a'.repeat(16)),
  key('ASIAQ3EGRIEXAMPLE456', `IQoJb3JpZ2luX2VjEXAMPLE${'x/+='.repeat(900)}`),
];

/** Every odd user once with each of four pairs of host and credentials: the same list in every run. */
export function oddSignerCases(): SignerCase[] {
  return ODD_USERS.flatMap((user, index) =>
    [0, 1, 2, 3].map((turn) => {
      const [host, region] = at(HOSTS, index * 5 + turn);
      const port = at(PORTS, index + turn);
      return { endpoint: endpointAt(host, port), region, user, credentials: at(CREDENTIALS, index + turn) };
    }),
  );
}

export function endpointAt(host: string, port: number): Endpoint {
  return { name: 'writer', host, port, connectHost: host, connectPort: port };
}

function key(accessKeyId: string, sessionToken: string | null): SigningCredentials {
  const secretAccessKey = createHash('sha256').update(accessKeyId).digest('base64').slice(0, 40);
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt: null };
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index % list.length];
  if (item === undefined) throw new Error('an empty list');
  return item;
}
