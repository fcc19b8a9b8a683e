import { z } from 'zod';
import { about } from './alternatives.ts';
import * as values from './values.ts';

/* `role` and `webIdentity` of a database, and `aws`. */

const { duration, name, text } = values;

const SESSION_DURATION = 'How long a session lives. From 30m: of a shorter one, tokens would end before their 900 s.';

const scope = z.enum(['shared', 'perUser', 'perCaller']);

const roleArn = text(
  "Write a role's ARN, such as arn:aws:iam::123456789012:role/orders-connect.",
  /^arn:aws(?:-us-gov|-cn)?:iam::[0-9]{12}:role\/(?:[\x21-\x7e]{1,510}\/)?[A-Za-z0-9_+=,.@-]{1,64}$/,
);

const externalId = text(
  'Write 2 to 1224 letters, digits and characters of _+=,.@:/-.',
  /^[A-Za-z0-9_+=,.@:/-]{2,1224}$/,
);

const sessionDuration = duration('30m', '12h').prefault('1h').meta(about(SESSION_DURATION, '1h'));

const stsRegion = values.region
  .optional()
  .meta(
    about(
      "The region whose STS is asked. Default: the service's own (`AWS_REGION`), or the database's where that is unknown or of another partition.",
      'us-west-2',
    ),
  );

const TAG_MEND = 'Write a text of at most 256 letters, digits, spaces and characters of _.:/=+-@.';
const TAG_KEY_MEND =
  "Write a key of at most 128 letters, digits and characters of _.:/=+-@, that does not begin with 'aws:' or 'rtv-'.";

const tags = z
  .record(
    text(TAG_KEY_MEND, /^(?!aws:|rtv-)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu),
    text(TAG_MEND, /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u),
  )
  // AWS takes 50; four are ours.
  .refine((map) => Object.keys(map).length <= 46, { error: 'Write at most 46 tags.' })
  .refine((map) => new Set(Object.keys(map).map((key) => key.toLowerCase())).size === Object.keys(map).length, {
    error: 'Write each key once: AWS does not tell capitals apart.',
  })
  .meta({ maxProperties: 46 });

const hop = z.strictObject({
  arn: roleArn.meta(about('The role.', 'arn:aws:iam::123456789012:role/hub')),
  externalId: externalId.optional().meta(about('The external id that its trust policy asks for.', 'rds-token-vendor')),
});

export const role = z
  .strictObject({
    arn: roleArn.meta(
      about(
        "The role that may connect, of the database's own account.",
        'arn:aws:iam::123456789012:role/orders-connect',
      ),
    ),
    scope: scope
      .default('shared')
      .meta(
        about(
          'Whose a session is: `shared` is one for all; `perUser` may be one database user only; `perCaller` also names the ' +
            'caller to AWS. docs/aws-credentials.md says what each costs.',
          'perUser',
        ),
      ),
    externalId: externalId
      .optional()
      .meta(about("The external id that the role's trust policy asks for.", 'rds-token-vendor')),
    sessionDuration,
    sourceIdentity: text('Write 2 to 64 letters, digits and characters of _+=,.@-.', /^[A-Za-z0-9_+=,.@-]{2,64}$/)
      .optional()
      .meta(
        about(
          'The source identity of the sessions, for CloudTrail. With `perCaller` it is the caller.',
          'rds-token-vendor',
        ),
      ),
    tags: tags.optional().meta(about('Session tags.', { team: 'payments' })),
    via: values
      .listOf(hop, 'List at least one role, or leave the key out.')
      .optional()
      .meta(
        about('Roles that are assumed on the way, in this order (role chaining). Sessions then live 1h at most.', [
          { arn: 'arn:aws:iam::123456789012:role/hub' },
        ]),
      ),
    stsRegion,
    warm: z
      .boolean()
      .default(false)
      .meta(
        about(
          'Whether sessions are asked for at the start and kept, before anybody needs them. Not with `perCaller`.',
          true,
        ),
      ),
  })
  .refine(({ scope, sourceIdentity }) => scope !== 'perCaller' || sourceIdentity === undefined, {
    path: ['sourceIdentity'],
    error: 'Remove it: with perCaller the source identity is the caller.',
    params: { says: 'is the same for every caller' },
  })
  .refine(({ scope, warm }) => scope !== 'perCaller' || !warm, {
    path: ['warm'],
    error: 'Remove it: with perCaller a session begins with its caller.',
    params: { says: 'is set, but there is no caller at the start' },
  })
  .refine(({ via, sessionDuration: ms }) => via === undefined || ms <= 3_600_000, {
    path: ['sessionDuration'],
    error: 'Write at most 1h: AWS allows no more to a role that another role assumes.',
    params: { says: 'is too long for role chaining' },
  });

export const webIdentity = z.strictObject({
  arn: roleArn.meta(
    about(
      "The role that the callers' own JWTs assume, of the database's own account. The service itself needs no permission then.",
      'arn:aws:iam::123456789012:role/orders-callers',
    ),
  ),
  issuers: values
    .listOf(name, 'List at least one issuer whose JWTs may be sent to STS.')
    .meta(
      about('Names of `issuers` whose JWTs are sent to STS. IAM must know each as an identity provider.', ['cluster']),
    ),
  scope: scope
    .default('perCaller')
    .meta(
      about(
        'As for `role`, but every session is of one JWT: `shared` may be all that the role may, the others one database user.',
        'perCaller',
      ),
    ),
  sessionDuration,
  stsRegion,
});

export const aws = z.strictObject({
  allowInstanceProfile: z
    .boolean()
    .default(false)
    .meta(
      about(
        'Whether the role of the machine (EC2 instance profile) may be used. Off, since every process on it has that role.',
        true,
      ),
    ),
  callerIdentity: z
    .boolean()
    .default(true)
    .meta(
      about(
        'Whether STS is asked at the start who the service is (GetCallerIdentity), for the log and `/readyz`.',
        false,
      ),
    ),
});
