import { pino, type DestinationStream, type Logger } from 'pino';

/** Text that must not be logged whatever put it into an error: JWTs, and the secret parts of signed URLs and answers. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/eyJ[\w-]{5,}(?:\.[\w-]*)+/g, '[JWT]'],
  [/(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s"']+/gi, '$1[secret]'],
  // STS answers in XML.
  [/(<(?:secret|session|security)[\w-]*>)[^<]+/gi, '$1[secret]'],
  [/((?:secret|session|security)[\w-]*["']?\s*[:=]\s*["']?)[^\s"',}]+/gi, '$1[secret]'],
];

const MAX_CAUSES = 5;

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
          const [subject, message] = args;
          if (typeof subject !== 'object') return method.apply(this, args);
          return method.apply(this, [subject, message === undefined ? 'an error' : withoutSecrets(message)]);
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
    const code = 'code' in current ? { code: String(current.code) } : {};
    const place = expected ? {} : { stack: withoutSecrets(stack ?? '') };
    chain.push({ name, ...code, message: withoutSecrets(message), ...place });
  }
  return chain.length > 0 ? chain : withoutSecrets(String(error));
}

function withoutSecrets(text: string): string {
  return SECRETS.reduce((cleaned, [pattern, replacement]) => cleaned.replace(pattern, replacement), text);
}
