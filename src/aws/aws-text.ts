import { hash } from 'node:crypto';

/** What a text that STS is given may hold, and how much of it. */
export type AwsTextForm = {
  /** Every character outside becomes `_`. */
  readonly allowed: RegExp;
  readonly most: number;
  /** Hex digits of SHA-256 behind a text that had to be changed. */
  readonly digits: number;
};

/** A tag's value (AssumeRole, "Tags"): letters, digits and spaces of any script, and `_.:/=+-@`. */
export const TAG_VALUE: AwsTextForm = { allowed: /[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, most: 256, digits: 16 };

/** A source identity (AssumeRole, "SourceIdentity"). */
export const SOURCE_IDENTITY: AwsTextForm = { allowed: /[^A-Za-z0-9_+=,.@-]/g, most: 64, digits: 16 };

/** A part of a role session's name. The audit id beside it says exactly who it was. */
export function sessionNamePart(most: number): AwsTextForm {
  return { allowed: SOURCE_IDENTITY.allowed, most, digits: 8 };
}

/**
 * A text in a form that STS takes. One that has to be changed or cut ends in `+` and a hash of the whole, so that two
 * different texts stay different; so does one that looks as if it did.
 */
export function awsText(text: string, { allowed, most, digits }: AwsTextForm): string {
  const fitting = text.replace(allowed, '_');
  const looksHashed = new RegExp(`\\+[0-9a-f]{${digits}}$`).test(text);
  if (fitting === text && text.length <= most && !looksHashed) return text;
  const mark = `+${hash('sha256', text).slice(0, digits)}`;
  return cut(fitting, most - mark.length) + mark;
}

/** Never between the two halves of a character. */
function cut(text: string, most: number): string {
  const kept = text.slice(0, most);
  return kept.isWellFormed() ? kept : kept.slice(0, -1);
}
