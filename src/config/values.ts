import { isIP } from 'node:net';
import { z } from 'zod';

/*
 * The forms a single value of the configuration may take. Each says in one sentence what to write instead; that sentence
 * is the mend of every problem with the value.
 */

/** MySQL's longest user name is 80 characters (RDS for MySQL: 32), PostgreSQL's 63 bytes. */
const MAX_USER_BYTES = 320;

const MILLISECONDS = { s: 1000, m: 60_000, h: 3_600_000 };

/** A string of one form. `mend` is the sentence shown when it has another. */
export function text(mend: string, form: RegExp) {
  return z.string({ error: mend }).regex(form, { error: mend });
}

/** A list of at least one. `mend` is the sentence shown when it is empty or missing. */
export function listOf<Item extends z.ZodType>(item: Item, mend: string) {
  return z.array(item, { error: ifMissing(mend) }).min(1, { error: mend });
}

/** A map of at least one name. `mend` is the sentence shown when it is empty or missing. */
export function mapOf<Value extends z.ZodType>(value: Value, mend: string) {
  return z
    .record(name, value, { error: ifMissing(mend) })
    .refine((map) => Object.keys(map).length > 0, { error: mend })
    .meta({ minProperties: 1 });
}

function ifMissing(mend: string) {
  return ({ input }: { readonly input?: unknown }) => (input === undefined ? mend : undefined);
}

/** `30s`, `5m` or `24h`, between two of them inclusive, read as milliseconds. */
export function duration(least: string, most: string) {
  const mend = `Write a duration from ${least} to ${most}: a number and s, m or h.`;
  return text(mend, /^(?:0|[1-9][0-9]{0,6})[smh]$/)
    .refine((value) => milliseconds(value) >= milliseconds(least) && milliseconds(value) <= milliseconds(most), {
      error: mend,
    })
    .meta({ title: 'duration' })
    .transform(milliseconds);
}

function milliseconds(value: string): number {
  const unit = value.at(-1);
  return unit === 's' || unit === 'm' || unit === 'h' ? Number(value.slice(0, -1)) * MILLISECONDS[unit] : Number.NaN;
}

const MEBIBYTE = 1024 * 1024;

/** `256MiB` or `1GiB`, between two of them inclusive, read as bytes. */
export function size(least: string, most: string) {
  const mend = `Write a size from ${least} to ${most}: a number and MiB or GiB.`;
  return text(mend, /^(?:0|[1-9][0-9]{0,6})(?:MiB|GiB)$/)
    .refine((value) => bytes(value) >= bytes(least) && bytes(value) <= bytes(most), { error: mend })
    .meta({ title: 'size' })
    .transform(bytes);
}

function bytes(value: string): number {
  return Number(value.slice(0, -3)) * (value.endsWith('GiB') ? 1024 * MEBIBYTE : MEBIBYTE);
}

/** `400d`, between two of them inclusive, read as milliseconds. */
export function days(least: string, most: string) {
  const mend = `Write a time from ${least} to ${most}: a number and d.`;
  const inDays = (value: string) => Number(value.slice(0, -1));
  return text(mend, /^[1-9][0-9]{0,4}d$/)
    .refine((value) => inDays(value) >= inDays(least) && inDays(value) <= inDays(most), { error: mend })
    .meta({ title: 'days' })
    .transform((value) => inDays(value) * 24 * MILLISECONDS.h);
}

/** Names a log of checkpoints, a folder and a chain: no space and no plus sign, as C2SP signed-note asks. */
export const instanceName = text(
  "Write a name of at most 253 letters, digits, '.', '_' or '-', that begins with a letter or a digit.",
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/,
);

/** A claim's dotted path. */
export const claimPath = line("Write a claim's path: names joined by dots.").regex(/[^0-9]/, {
  error: "Write a claim's path: names joined by dots, not only digits.",
});

/** Where a PostgreSQL server is: a name, an address, or the folder of its Unix socket. */
export const databaseHost = text(
  'Write a host name, an IP address, or the absolute path of the folder of a Unix socket.',
  /^(?:[A-Za-z0-9_:][A-Za-z0-9_.:%-]{0,252}|\/[^\0\n]{0,90})$/,
);

/** `20/s` or `600/m`, read as `{ max, windowMs }`: at most `max` in each window. */
export const rate = text('Write a number a second or a minute: 20/s or 600/m.', /^[1-9][0-9]{0,6}\/[sm]$/)
  .meta({ title: 'rate' })
  .transform((value) => ({
    max: Number(value.slice(0, -2)),
    windowMs: value.endsWith('s') ? MILLISECONDS.s : MILLISECONDS.m,
  }));

export const port = portFrom(1, 'Write a port, 1 to 65535.');
/** A port to listen on. */
export const listenPort = portFrom(0, 'Write a port, 1 to 65535, or 0 for any free one.');

function portFrom(least: number, mend: string) {
  return z.int({ error: mend }).min(least, { error: mend }).max(65_535, { error: mend });
}

export const name = text(
  "Write a name of at most 63 letters, digits, '.', '_' or '-', that begins with a letter or a digit.",
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
);

/** Any text on one line, compared character by character. */
export function line(mend: string) {
  return z
    .string({ error: mend })
    .min(1, { error: mend })
    .max(1024, { error: mend })
    .refine((value) => value.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(value), { error: mend });
}

/** A database user as it is, never a pattern: `*` in a user would widen an IAM policy made from the catalog. */
export const userName = line("Write a database user's exact name: no '*', no control characters.")
  .regex(/^[^*]*$/, {
    error: "Write a database user's exact name: '*' is not a pattern here; list each user.",
  })
  .refine((value) => Buffer.byteLength(value) <= MAX_USER_BYTES, {
    error: `Write a database user's name of at most ${MAX_USER_BYTES} bytes.`,
  });

export const filePath = line("Write a file's path; a relative one starts at this file's folder.").meta({
  title: 'file path',
});

export const sha256 = text(
  "Write the file's SHA-256 as 64 hexadecimal digits, as sha256sum prints it.",
  /^[0-9a-fA-F]{64}$/,
).transform((value) => value.toLowerCase());

/** Where to listen: an address, or a name that resolves to one. */
export const listenHost = text(
  'Write an address to listen on, such as 127.0.0.1, 0.0.0.0 or ::.',
  /^[A-Za-z0-9_.:%-]{1,253}$/,
);

const RDS_HOST_MEND = 'Write the RDS endpoint as AWS shows it: a DNS name, without scheme, path or IP address.';

const DNS_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

/** The name tokens are signed for. A `?`, `/` or `@` in it would reach the signed URL, so only DNS names pass. */
export const rdsHost = text(RDS_HOST_MEND, DNS_NAME)
  .max(253, { error: RDS_HOST_MEND })
  // The last label begins with a letter, or `0x7f.1` would pass: some resolvers take that for an address.
  .refine((value) => isIP(value) === 0 && /(?:^|\.)[A-Za-z][^.]*$/.test(value), { error: RDS_HOST_MEND });

const CONNECT_HOST_MEND = 'Write a DNS name or an IP address.';

/** Where clients connect; unlike the RDS endpoint it may be an address. */
export const connectHost = z
  .string({ error: CONNECT_HOST_MEND })
  .refine((value) => isIP(value) !== 0 || /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?$/.test(value), {
    error: CONNECT_HOST_MEND,
  });

type HostAndPort = { host: string; port: number; connectHost?: string; connectPort?: number };

const HOST_PORT_MEND =
  "Write host:port, or {host: …} for the engine's usual port. The host is the RDS endpoint's DNS name.";

/** `host:port`, read as `{ host, port }`. */
export const hostAndPort = text(HOST_PORT_MEND, /^[A-Za-z0-9.-]+:[1-9][0-9]{0,4}$/)
  .refine((value) => rdsHost.safeParse(hostPart(value)).success && portPart(value) <= 65_535, { error: HOST_PORT_MEND })
  .transform((value): HostAndPort => ({ host: hostPart(value), port: portPart(value) }));

function hostPart(value: string): string {
  return value.slice(0, value.lastIndexOf(':'));
}

function portPart(value: string): number {
  return Number(value.slice(value.lastIndexOf(':') + 1));
}

const RANGE_MEND = 'Write an IP address or a CIDR range, such as 10.0.0.0/8.';

/** An IP address or a CIDR range. */
export const addressRange = z.string({ error: RANGE_MEND }).refine(isAddressRange, { error: RANGE_MEND });

function isAddressRange(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  const bitsFit = bits === undefined || (/^(?:0|[1-9][0-9]{0,2})$/.test(bits) && Number(bits) <= most);
  return rest.length === 0 && most > 0 && bitsFit && !address.includes('%');
}

/** An https URL without user information and fragment; what else it may have is named. */
export function webAddress(mend: string, ...may: ('or loopback http' | 'any query')[]) {
  const form = may.includes('any query') ? /^https?:\/\/[^\s\\#@]+$/ : /^https?:\/\/[^\s\\?#@]+$/;
  const takesHttp = may.includes('or loopback http');
  return text(mend, form).refine((value) => isWebAddress(value, takesHttp), { error: mend });
}

function isWebAddress(value: string, takesHttp: boolean): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === 'https:' || (takesHttp && isLoopback(hostname));
}

/** The hosts that plain http may name: what is sent to them leaves no machine. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}

export const algorithm = z.enum([
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
]);

const REGION = '[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}';

export const region = text('Write an AWS region, such as us-west-2.', new RegExp(`^${REGION}$`));

export const accountId = text('Write the 12 digits of the AWS account: "123456789012".', /^[0-9]{12}$/);

export const resourceId = text(
  'Write the resource id as AWS shows it: db-… (DbiResourceId), cluster-… (DbClusterResourceId) or prx-… (RDS Proxy); not the name.',
  /^(?:(?:db|cluster)-[A-Z0-9]+|prx-[A-Za-z0-9]+)$/,
);

/** `global`, `amazon-roots` or a region. */
export const caBundleId = text(
  'Write global, amazon-roots, a region such as us-west-2, or a map with file and sha256.',
  new RegExp(`^(?:global|amazon-roots|${REGION})$`),
);

/** Not only stars and separators: that would be every subject of the issuer that has as many parts. */
export const subjectGlob = line("Write a pattern for the JWT's sub.").regex(/[^*:/]/, {
  error: 'Write the parts that are fixed, as in system:serviceaccount:payments:*, or require a claim instead.',
});

const CLAIM_MEND = 'Write one text, number, true or false that the claim must equal, or contain if it is a list.';

export const claimValue = z.union([line(CLAIM_MEND), z.number({ error: CLAIM_MEND }), z.boolean()], {
  error: CLAIM_MEND,
});
