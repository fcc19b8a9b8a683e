import { isIP } from 'node:net';
import { z } from 'zod';
import { line, text, userName } from './values.ts';

/* The forms of single values that grants and policy tests have. Each says in one sentence what to write instead. */

/** `{claims.PATH}`: the whole of a user's name comes from a claim. */
const CLAIM_USER = /^\{claims\.([^{}*]+)\}$/;

const CLAIM_USER_MEND = "Write a database user's exact name, or {claims.PATH} alone for one that a claim names.";

/** A database user as it is, or `{claims.PATH}`. Another brace is a slip, which would be granted as the name it is. */
export const userOrClaim = userName.refine((value) => !/[{}]/.test(value) || CLAIM_USER.test(value), {
  error: CLAIM_USER_MEND,
});

/** The claim's path in `{claims.PATH}`; undefined for a plain name. */
export function claimOfUser(user: string): string | undefined {
  return user.startsWith('{') ? CLAIM_USER.exec(user)?.[1] : undefined;
}

/** One letter would be hardly a limit: `a` would let a claim name `admin`. */
export const userPrefix = text(
  "Write how such names begin: at least two of a-z, 0-9 and '_', the first a letter or '_', as in dev_.",
  /^[a-z_][a-z0-9_]{1,31}$/,
);

const INSTANT_MEND = 'Write an instant as RFC 3339 with Z or an offset, in quotes: "2026-12-01T08:00:00Z".';

/** RFC 3339, read as milliseconds since the epoch. */
export const instant = z.iso
  .datetime({ offset: true, error: INSTANT_MEND })
  .refine((value) => Date.parse(value) >= 0, { error: INSTANT_MEND })
  .transform((value) => Date.parse(value));

/** One IP address. */
export const address = z
  .string({ error: 'Write an IP address.' })
  .refine((value) => isIP(value) !== 0 && !value.includes('%'), { error: 'Write an IP address.' });

const INCLUDE_MEND = 'Write the path of a .yaml, .yml or .json file; a * may stand in its last part: grants.d/*.yaml.';

/** A path whose last part may hold stars. */
export const includePattern = line(INCLUDE_MEND).regex(/^(?:[^*]*\/)?[^/]+\.(?:ya?ml|json)$/, { error: INCLUDE_MEND });

const KUBERNETES_NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** A namespace or a service account, exactly (RFC 1123). */
export const kubernetesName = (what: string) =>
  text(`Write the exact name of the ${what}; there are no patterns here.`, KUBERNETES_NAME);

/** A CEL expression. Its types are checked with the references of the configuration. */
export const condition = z
  .string({ error: 'Write a CEL expression that is true or false.' })
  .min(1, { error: 'Write a CEL expression that is true or false.' })
  .max(2048, { error: 'Write a CEL expression of at most 2048 characters.' });
