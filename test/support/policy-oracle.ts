import type { GrantConfig } from '../../src/config.ts';
import type { Caller, JsonValue } from '../../src/issuance/caller.ts';
import type { Circumstances } from '../../src/issuance/circumstances.ts';
import type { Engine } from '../../src/issuance/database.ts';
import type { WantedIdentity } from '../../src/issuance/authorize.ts';

/*
 * The policy as docs/policy.md tells it, slowly: every user at every endpoint of every database is looked at with every
 * grant, as the configuration writes it. Nothing is compiled, indexed or shared with the engine.
 */

/** true, false, or null: it cannot be told. */
export type Told = boolean | null;

export type OracleDatabase = { readonly name: string; readonly engine: Engine; readonly endpoints: readonly string[] };

/** What an expression means; by its text. */
export type Meanings = ReadonlyMap<string, (caller: Caller) => Told>;

/** `issued DATABASE USER ENDPOINT by GRANT`, `choices: …` or `refused by GRANT|nobody`; then the grants that observed it. */
export function decideSlowly(
  grants: readonly GrantConfig[],
  databases: readonly OracleDatabase[],
  meanings: Meanings,
  caller: Caller,
  { now, clientAddress }: Circumstances,
  wanted: WantedIdentity,
): string {
  const told = (grant: GrantConfig): Told => and(conditionsOf(grant, meanings, caller, now, clientAddress));
  const gives = grants.filter((grant) => grant.allow !== undefined && told(grant) === true);
  const takes = grants.filter((grant) => grant.deny !== undefined && told(grant) !== false);
  const possible: [string, string, string][] = [];
  for (const grant of gives) {
    for (const { database, user, endpoint } of identitiesOf(grant, databases, caller)) {
      const fits =
        (wanted.database ?? database) === database &&
        (wanted.user ?? user) === user &&
        (wanted.endpoint ?? endpoint) === endpoint;
      if (fits && !possible.some((one) => same(one, [database, user, endpoint])))
        possible.push([database, user, endpoint]);
    }
  }
  const enforced = (grant: GrantConfig) => grant.mode === 'enforce';
  const giver = (one: readonly string[]) =>
    gives
      .filter(enforced)
      .find((grant) =>
        identitiesOf(grant, databases, caller).some((each) => same(one, [each.database, each.user, each.endpoint])),
      );
  const taker = (one: readonly string[]) => takes.filter(enforced).find((grant) => isDenied(grant, one));
  const allowed = possible.filter((one) => giver(one) !== undefined);
  const left = allowed.filter((one) => taker(one) === undefined);
  const chosen = left.length === 1 ? left[0] : writerOf(left);
  const concerned = chosen ?? [wanted.database, wanted.user, wanted.endpoint];
  const observed = grants.filter(
    (grant) =>
      grant.mode === 'observe' &&
      ((takes.includes(grant) && isDenied(grant, concerned)) ||
        (gives.includes(grant) &&
          identitiesOf(grant, databases, caller).some(({ database, user, endpoint }) =>
            [database, user, endpoint].every((part, at) => (concerned[at] ?? part) === part),
          ))),
  );
  const saw = observed.map(({ name }) => ` observed ${name}`).join('');
  if (chosen !== undefined) return `issued ${chosen.join(' ')} by ${giver(chosen)?.name ?? '?'}${saw}`;
  if (left.length > 1)
    return `choices: ${left
      .map((one) => one.join(' '))
      .sort()
      .join(', ')}${saw}`;
  return `refused ${allowed.length === 0 ? 'by nobody' : 'by a deny'}${saw}`;
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.every((part, at) => part === other[at]);
}

/** Of one user at several endpoints, the writer. */
function writerOf(left: readonly [string, string, string][]): [string, string, string] | undefined {
  const users = new Set(left.map(([database, user]) => `${database} ${user}`));
  return users.size === 1 ? left.find(([, , endpoint]) => endpoint === 'writer') : undefined;
}

type Identity = { readonly database: string; readonly user: string; readonly endpoint: string };

function identitiesOf(grant: GrantConfig, databases: readonly OracleDatabase[], caller: Caller): Identity[] {
  const found: Identity[] = [];
  for (const item of grant.allow ?? []) {
    for (const { name, engine, endpoints } of databases) {
      if (name !== item.database) continue;
      const usual = endpoints.includes('writer') ? ['writer'] : endpoints;
      for (const written of item.users) {
        const user = userOf(written, item.userPrefixes ?? [], engine, caller);
        for (const endpoint of item.endpoints ?? usual) {
          if (user !== null) found.push({ database: name, user, endpoint });
        }
      }
    }
  }
  return found;
}

function userOf(written: string, prefixes: readonly string[], engine: Engine, caller: Caller): string | null {
  if (!written.startsWith('{claims.')) return written;
  const readings = readingsOf(caller.claims, written.slice('{claims.'.length, -1));
  const [name] = readings;
  if (readings.length !== 1 || typeof name !== 'string') return null;
  const most = engine === 'mysql' ? 32 : engine === 'mariadb' ? 80 : 63;
  const characters = [...name];
  if (characters.length === 0 || characters.length > most) return null;
  if (!'abcdefghijklmnopqrstuvwxyz_'.includes(characters[0] ?? '-')) return null;
  if (!characters.every((character) => 'abcdefghijklmnopqrstuvwxyz_0123456789.-'.includes(character))) return null;
  if (['rdsadmin', 'postgres', 'root', 'admin'].includes(name) || name.startsWith('pg_') || name.startsWith('rds_'))
    return null;
  return prefixes.some((prefix) => name !== prefix && name.startsWith(prefix)) ? name : null;
}

/** What is not known of an identity could be anything. */
function isDenied(grant: GrantConfig, [database, user, endpoint]: readonly (string | undefined)[]): boolean {
  return (grant.deny ?? []).some(
    (item) =>
      (item.database === '*' || database === undefined || item.database === database) &&
      (item.users === undefined || user === undefined || item.users.includes(user)) &&
      (item.endpoints === undefined || endpoint === undefined || item.endpoints.includes(endpoint)),
  );
}

function conditionsOf(
  grant: GrantConfig,
  meanings: Meanings,
  caller: Caller,
  now: number,
  clientAddress: string | null,
): Told[] {
  const { subject, subjectGlob, namespace, serviceAccount, sourceCidrs, when, notBefore, notAfter } = grant;
  return [
    grant.issuer === caller.issuer,
    subject === undefined || subject === caller.subject,
    subjectGlob === undefined || globMatches(subjectGlob, caller.subject),
    namespace === undefined || caller.workload?.namespace === namespace,
    serviceAccount === undefined || caller.workload?.serviceAccount === serviceAccount,
    ...Object.entries(grant.claims ?? {}).map(([path, expected]): Told => {
      const readings = readingsOf(caller.claims, path);
      if (readings.length > 1) return null;
      const [value] = readings;
      return Array.isArray(value) ? value.some((item) => item === expected) : value === expected;
    }),
    sourceCidrs === undefined ||
      (clientAddress === null ? null : sourceCidrs.some((range) => inRange(clientAddress, range))),
    when === undefined || (meanings.get(when)?.(caller) ?? null),
    notBefore === undefined || notBefore <= now,
    notAfter === undefined || now < notAfter,
  ];
}

function and(all: readonly Told[]): Told {
  if (all.includes(false)) return false;
  return all.includes(null) ? null : true;
}

/** Every way to read a dotted path: at each level any member whose name begins the rest of it. */
function readingsOf(value: JsonValue | undefined, path: string): JsonValue[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    if (name === path) return [member];
    return path.startsWith(`${name}.`) ? readingsOf(member, path.slice(name.length + 1)) : [];
  });
}

function globMatches(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob[0] !== '*') return glob[0] === text[0] && globMatches(glob.slice(1), text.slice(1));
  const eats = text !== '' && text[0] !== ':' && text[0] !== '/';
  return globMatches(glob.slice(1), text) || (eats && globMatches(glob, text.slice(1)));
}

/** By the bits, IPv4 only beside the whole of an IPv6 address: the cases have no others. */
function inRange(address: string, range: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  const [base = '', length] = range.split('/');
  if (plain.includes(':') || base.includes(':')) return plain === base;
  return bitsOf(plain).slice(0, Number(length ?? 32)) === bitsOf(base).slice(0, Number(length ?? 32));
}

function bitsOf(address: string): string {
  return address
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
}
