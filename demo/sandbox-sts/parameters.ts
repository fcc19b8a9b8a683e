import { parseArn } from './arn.ts';
import type { PolicyDocument } from './policy.ts';
import { parseSessionPolicy } from './session-policy.ts';
import { constraintError, StsError, validationError } from './sts-error.ts';
import { lengthOf, readTags, readTransitiveTags, type Tags } from './tags.ts';

/** A request's parameters, by their name. */
export type Form = ReadonlyMap<string, string>;

/** What both ways of assuming a role have in common. */
export type RoleParameters = {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
  readonly policy: PolicyDocument | null;
  /** Characters of the policy and the tags, which share one limit. */
  readonly packedLength: number;
};

export type AssumeRoleParameters = RoleParameters & {
  readonly externalId: string | null;
  readonly sourceIdentity: string | null;
  readonly tags: Tags;
  readonly transitiveTags: Tags;
};

export type WebIdentityParameters = RoleParameters & { readonly webIdentityToken: string };

/** Source: STS API Reference, AssumeRole and AssumeRoleWithWebIdentity, "Request Parameters". */
const NAME = { member: '', min: 2, max: 64, pattern: /^[\w+=,.@-]*$/ };
const CONSTRAINTS = {
  RoleArn: { member: 'roleArn', min: 20, max: 2048, pattern: /^[\t\n\r\u0020-\u007E\u0085\u00A0-\uFFFF]+$/ },
  RoleSessionName: { ...NAME, member: 'roleSessionName' },
  SourceIdentity: { ...NAME, member: 'sourceIdentity' },
  ExternalId: { member: 'externalId', min: 2, max: 1224, pattern: /^[\w+=,.@:/-]*$/ },
  Policy: { member: 'policy', min: 1, max: 2048, pattern: /^[\t\n\r\u0020-\u00FF]+$/ },
  WebIdentityToken: { member: 'webIdentityToken', min: 4, max: 20_000, pattern: /^[^]*$/ },
} as const;

const DURATION = { min: 900, max: 43_200, usual: 3600 };
const COMMON = ['RoleArn', 'RoleSessionName', 'DurationSeconds', 'Policy'];
/** The real limit is of a packed form that AWS does not describe. */
const MOST_PACKED = 4096;

/** @param inherited the tags that the calling session hands on, which take of the same room */
export function readAssumeRole(form: Form, inherited: Tags): AssumeRoleParameters {
  const { tags, rest } = readTags(form);
  const { names, transitiveTags } = readTransitiveTags(form, tags);
  knowOnly(rest, [...COMMON, ...names, 'ExternalId', 'SourceIdentity']);
  const common = readCommon(form, lengthOf(tags) + lengthOf(inherited));
  return {
    ...common,
    externalId: optional(form, 'ExternalId'),
    sourceIdentity: optional(form, 'SourceIdentity'),
    tags,
    transitiveTags,
  };
}

export function readWebIdentity(form: Form): WebIdentityParameters {
  knowOnly([...form.keys()], [...COMMON, 'WebIdentityToken']);
  return { ...readCommon(form, 0), webIdentityToken: required(form, 'WebIdentityToken') };
}

export function knowOnly(names: readonly string[], known: readonly string[]): void {
  const odd = names.find((name) => !known.includes(name));
  if (odd !== undefined) throw validationError(`The parameter ${odd} is not recognized`);
}

/** The part of the space for the session policy and the tags that a request takes, in percent. */
export function packedPolicySize(packedLength: number): number {
  return Math.ceil((packedLength / MOST_PACKED) * 100);
}

function readCommon(form: Form, tagsLength: number): RoleParameters {
  const roleArn = required(form, 'RoleArn');
  const sessionName = required(form, 'RoleSessionName');
  const durationSeconds = readDuration(form.get('DurationSeconds'));
  const policyText = optional(form, 'Policy');
  if (!parseArn(roleArn)?.resource.startsWith('role/')) throw validationError(`${roleArn} is invalid`);
  const policy = policyText === null ? null : parseSessionPolicy(policyText);
  const packedLength = (policyText?.length ?? 0) + tagsLength;
  const percent = packedPolicySize(packedLength);
  if (percent > 100) {
    const message = `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`;
    throw new StsError(400, 'PackedPolicyTooLarge', message);
  }
  return { roleArn, sessionName, durationSeconds, policy, packedLength };
}

function readDuration(text: string | undefined): number {
  if (text === undefined) return DURATION.usual;
  const limit = (than: string) => constraintError(text, 'durationSeconds', `Member must have value ${than}`);
  if (!/^-?\d+$/.test(text)) throw validationError('Value for DurationSeconds is not an integer');
  if (Number(text) < DURATION.min) throw limit(`greater than or equal to ${DURATION.min}`);
  if (Number(text) > DURATION.max) throw limit(`less than or equal to ${DURATION.max}`);
  return Number(text);
}

function required(form: Form, name: keyof typeof CONSTRAINTS): string {
  const value = optional(form, name);
  if (value === null) throw constraintError('null', CONSTRAINTS[name].member, 'Member must not be null');
  return value;
}

function optional(form: Form, name: keyof typeof CONSTRAINTS): string | null {
  const value = form.get(name);
  if (value === undefined) return null;
  const { member, min, max, pattern } = CONSTRAINTS[name];
  if (value.length < min) {
    throw constraintError(value, member, `Member must have length greater than or equal to ${min}`);
  }
  if (value.length > max) throw constraintError(value, member, `Member must have length less than or equal to ${max}`);
  if (!pattern.test(value)) {
    const expression = pattern.source.slice(1, -1);
    throw constraintError(value, member, `Member must satisfy regular expression pattern: ${expression}`);
  }
  return value;
}
