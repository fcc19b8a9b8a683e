import type { SignAuthToken } from '../issuance/auth-token.ts';
import { Fault } from '../issuance/fault.ts';

/** The longest name any engine takes: MariaDB's 80 characters of at most four bytes. */
const MAX_USER_BYTES = 320;
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const DNS_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
/** No top-level domain begins with a digit, and every way to write an IPv4 address does so after its last dot: 127.1, 0x7f.1. */
const NAMED_LAST_LABEL = /(?:^|\.)[A-Za-z][^.]*$/;
const REGION = /^[a-z]{2,4}(?:-[a-z]{1,16})+-[0-9]{1,2}$/;
const CONTROL_OR_LINE_BREAK = /[\p{Cc}\u2028\u2029]/u;

/** What is signed, after every check. */
export type SignerInput = {
  readonly host: string;
  readonly port: number;
  readonly region: string;
  readonly user: string;
};

/**
 * The signing library validates nothing: a list as the user gives two `DBUser`s, a `?` in the host or port adds
 * parameters, NUL and newline pass. So the types are checked here at run time too. Returns the host in lower case, as
 * RDS compares it; throws a `Fault` of code `signing_failed` that names the rule and never the value.
 */
export function checkSignerInput({ endpoint, region, user }: Omit<Parameters<SignAuthToken>[0], 'now'>): SignerInput {
  const given: { host: unknown; port: unknown; region: unknown; user: unknown } = { ...endpoint, region, user };
  if (typeof given.host !== 'string') throw refused('the host is not text');
  // Before lower-casing, which turns some characters beyond ASCII into letters of it.
  if (given.host.length > 253 || !DNS_NAME.test(given.host)) throw refused('the host is not a DNS name');
  if (!NAMED_LAST_LABEL.test(given.host)) throw refused('the host is an IP address');
  if (!isPort(given.port)) throw refused('the port is not a number from 1 to 65535');
  if (typeof given.region !== 'string' || !REGION.test(given.region)) throw refused('the region is not an AWS region');
  return { host: given.host.toLowerCase(), port: given.port, region: given.region, user: checkedUser(given.user) };
}

function checkedUser(user: unknown): string {
  if (typeof user !== 'string') throw refused('the user is not text');
  if (user === '') throw refused('the user is empty');
  if (!user.isWellFormed()) throw refused('the user is not well-formed Unicode');
  if (CONTROL_OR_LINE_BREAK.test(user)) throw refused('the user holds a control character or a line break');
  if (Buffer.byteLength(user) > MAX_USER_BYTES) throw refused(`the user is longer than ${MAX_USER_BYTES} bytes`);
  return user;
}

function isPort(port: unknown): port is number {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function refused(rule: string): Fault {
  return new Fault('signing_failed', `nothing was signed: ${rule}`);
}
