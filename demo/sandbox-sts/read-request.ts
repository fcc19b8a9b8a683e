import type { IncomingMessage } from 'node:http';
import { StsError, validationError } from './sts-error.ts';
import type { SignedRequest } from './verify-signature.ts';

/** A request with a policy and 50 tags has some 60 KB when it is encoded. */
const MOST_BYTES = 128 * 1024;

/** Reads the whole request. Rejects when the client goes away before its end. */
export async function readRequest(message: IncomingMessage): Promise<SignedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) {
    if (chunk instanceof Buffer) chunks.push(chunk);
  }
  const headers = new Map<string, readonly string[]>();
  for (const [name, values] of Object.entries(message.headersDistinct)) headers.set(name, values ?? []);
  return { method: message.method ?? '', path: message.url ?? '', headers, body: Buffer.concat(chunks) };
}

/** The form of a request as it was sent, whether or not STS serves it. */
export function readForm({ body }: SignedRequest): readonly (readonly [name: string, value: string])[] {
  return [...new URLSearchParams(body.toString('utf8'))];
}

/** The parameters without Action and Version; throws what STS answers to a request that is none of its own. */
export function parametersOf({ method, path, headers, body }: SignedRequest): ReadonlyMap<string, string> {
  const type = headers.get('content-type')?.[0] ?? '';
  if (body.length > MOST_BYTES) throw new StsError(413, 'RequestEntityTooLarge', 'Request Entity Too Large');
  if (method !== 'POST' || path !== '/' || !/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) {
    throw new StsError(404, 'UnknownOperationException', 'The sandbox serves forms that are posted to / only.');
  }
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    if (parameters.has(name)) throw validationError(`The parameter ${name} is there twice`);
    parameters.set(name, value);
  }
  const [action, version] = [parameters.get('Action'), parameters.get('Version')];
  if (action === undefined) throw new StsError(400, 'MissingAction', 'The request must contain the parameter Action');
  if (version !== '2011-06-15') {
    throw new StsError(
      400,
      'InvalidAction',
      `Could not find operation ${action} for version ${version ?? 'NO_VERSION'}`,
    );
  }
  parameters.delete('Action');
  parameters.delete('Version');
  return parameters;
}
