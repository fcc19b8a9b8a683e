import { createHash } from 'node:crypto';
import { type Format, formatFits, renderAuthToken, whyFormatTooShort } from '../rds/render-auth-token.ts';
import { AgentFailure } from './agent-failure.ts';
import { askForBundle, type Vended } from './ask-for-token.ts';
import { writeFileAtomically } from '../rds/write-file-atomically.ts';

/** One file that is kept fresh. */
export type CredentialFile = { readonly format: Format; readonly path: string };

export type Files = {
  readonly files: readonly CredentialFile[];
  /** The files' mode. */
  readonly mode: number;
  /** Where the CA bundle goes; undefined where nobody wants it. */
  readonly caFile: string | undefined;
};

/** CA certificates are public. */
const CA_MODE = 0o644;

/**
 * Writes a token into every file, the CA bundle first: who sees a new token can trust the server already.
 *
 * @throws {AgentFailure} and leaves files as they were where a format cannot hold the token.
 */
export async function writeCredentials(url: string, vended: Vended, { files, mode, caFile }: Files): Promise<void> {
  const texts = files.map((file) => ({ path: file.path, text: textOf(file, vended) }));
  if (caFile !== undefined) await writeBundle(url, vended, caFile);
  for (const { path, text } of texts) {
    await writeFileAtomically(path, text, mode).catch((error: unknown) => {
      throw new AgentFailure(`${path} cannot be written`, { cause: error });
    });
  }
}

function textOf({ format, path }: CredentialFile, { token, connection, auditId, expiresAt }: Vended): string {
  if (format === 'json') return `${JSON.stringify({ token, expires_at: expiresAt, audit_id: auditId, connection })}\n`;
  if (!formatFits(format, connection.engine)) {
    throw new AgentFailure(`${path}: ${format} is not for ${connection.engine}`, { isFinal: true });
  }
  const why = whyFormatTooShort(format, Buffer.byteLength(token));
  if (why !== undefined) throw new AgentFailure(`${path}: ${why}`, { isFinal: true });
  try {
    return renderAuthToken(format, connection, token).body;
  } catch (error) {
    // Another service than ours, or facts that no file can hold: to be tried again, not to end the agent.
    throw new AgentFailure(`${path}: the token cannot be rendered as ${format}`, { cause: error });
  }
}

async function writeBundle(url: string, { caBundle }: Vended, path: string): Promise<void> {
  const pem = await askForBundle(url, caBundle.href);
  if (createHash('sha256').update(pem).digest('hex') !== caBundle.sha256) {
    throw new AgentFailure('the CA bundle is not the one that the answer named');
  }
  await writeFileAtomically(path, pem, CA_MODE).catch((error: unknown) => {
    throw new AgentFailure(`${path} cannot be written`, { cause: error });
  });
}
