import { pino, type DestinationStream, type Logger } from 'pino';

/** Text that must not be logged whatever put it into an error: JWTs, and the secret parts of signed URLs and answers. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  // A JWT begins with `{"` in base64url, or with white space between the two.
  [/(?<![\w-])(?:eyJ|eyA[gi]|ewo[gi]|ew0K|ewk[iJ])[\w-]{4,}(?:\.[\w-]*)+/g, '[JWT]'],
  [/(\bBearer\s+)[\w.~+/-]{16,}=*/gi, '$1[JWT]'],
  [/(X-Amz-(?:Signature|Security-Token|Credential)(?:=|%3D))[^&\s"'<]+/gi, '$1[secret]'],
  // STS answers in XML.
  [
    /((?:<|&lt;)(?:[\w-]{1,20}:)?(?:secret|session|security)[^<>&]{0,200}(?:>|&gt;)(?:<!\[CDATA\[)?)[^<&\]]+/gi,
    '$1[secret]',
  ],
  [/((?:secret|session|security)[\w-]{0,40}\\{0,2}["']?\s{0,9}[:=]\s{0,9}\\{0,2}["']?)[^\s"'\\,}]+/gi, '$1[secret]'],
];

const MAX_CAUSES = 5;
/** Of a text that quotes a stranger's the beginning is enough, and the patterns take time. */
const MAX_TEXT = 8192;

/** Creates the program's logger: JSON lines with ISO times. Errors are written with their causes, without secrets. */
export function createLogger(destination: DestinationStream): Logger {
  return pino(
    {
      base: {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { err: describeError },
      hooks: {
        // Without a message pino takes the error's own, and Fastify gives it as one.
        logMethod(args, method) {
          const clean = args.map((arg: unknown) => (typeof arg === 'string' ? withoutSecrets(arg) : arg));
          const [subject, message, ...more] = clean;
          const holdsError = typeof subject === 'object' && subject !== null && 'err' in subject;
          const isSilent = (message ?? undefined) === undefined && (holdsError || subject instanceof Error);
          Reflect.apply(method, this, isSilent ? [subject, 'an error', ...more] : clean);
        },
      },
    },
    destination,
  );
}

/**
 * An error and its causes, outermost first. Those that say `isExpected` are told by their words: their stack, and those of
 * their causes, would be most of the log.
 */
export function describeError(error: unknown): unknown {
  const chain: object[] = [];
  let current = error;
  let expected = false;
  for (; current instanceof Error && chain.length < MAX_CAUSES; current = current.cause) {
    const { name, message, stack } = current;
    expected ||= 'isExpected' in current && current.isExpected === true;
    const code = 'code' in current ? { code: withoutSecrets(current.code) } : {};
    const place = expected ? {} : { stack: withoutSecrets(stack ?? '') };
    chain.push({ name: withoutSecrets(name), ...code, message: withoutSecrets(message), ...place });
  }
  return chain.length > 0 ? chain : withoutSecrets(error);
}

function withoutSecrets(value: unknown): string {
  const text = String(value);
  const begun = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return SECRETS.reduce((cleaned, [pattern, replacement]) => cleaned.replace(pattern, replacement), begun);
}
