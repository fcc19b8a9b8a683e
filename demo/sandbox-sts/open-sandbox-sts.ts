import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, portOf } from '../listen.ts';
import type { SandboxUser } from './caller.ts';
import { answerOfFault, type SandboxStsFault } from './fault.ts';
import { readForm, readRequest } from './read-request.ts';
import { createSessions, type SandboxRole, type SandboxSession } from './session.ts';
import { serveAction } from './serve-action.ts';
import { StsError } from './sts-error.ts';
import { accessKeyIdOf, type SignedRequest } from './verify-signature.ts';
import type { VerifyJwt } from './web-identity.ts';
import { type Answer, failure } from './xml.ts';

export type SandboxStsOptions = {
  /** On 127.0.0.1; any free one when it is not set. */
  readonly port?: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The long-lived keys that STS knows, by their id. */
  readonly users: ReadonlyMap<string, SandboxUser>;
  /** By ARN. It is read at every call, so it may change. */
  readonly roles: ReadonlyMap<string, SandboxRole>;
  /** Without it there is no web identity that STS trusts. */
  readonly verifyJwt?: VerifyJwt;
  /** Asked at each request. */
  readonly fault?: () => SandboxStsFault | undefined;
};

export type SandboxStsCall = {
  readonly action: string;
  /** All but Action and Version. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly at: number;
  /** The access key id that the request names, whether or not its signature is right; null when it is not signed. */
  readonly signedBy: string | null;
  /** Of the answer; 0 until there is one. */
  readonly status: number;
};

/** A running stand-in for AWS STS. */
export type SandboxSts = {
  readonly url: string;
  /** Every request, in the order of their arrival. */
  readonly calls: readonly SandboxStsCall[];
  session(accessKeyId: string): SandboxSession | undefined;
  /** Every request has this fault from now on; undefined goes back to the option `fault`. */
  setFault(fault: SandboxStsFault | undefined): void;
  close(): Promise<void>;
};

export async function openSandboxSts(options: SandboxStsOptions): Promise<SandboxSts> {
  const { now, roles } = options;
  const calls: SandboxStsCall[] = [];
  const sessions = createSessions(roles);
  const closing = new AbortController();
  let fault: SandboxStsFault | undefined;

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(message);
    const call = { ...describeCall(request), at: now(), status: 0 };
    calls.push(call);
    const wrong = fault ?? options.fault?.();
    if (wrong === 'hang') return;
    if (wrong === 'reset') return void message.socket.resetAndDestroy();
    if (typeof wrong === 'object') await sleep(wrong.delayMs, undefined, { signal: closing.signal });
    const desk = { ...options, verifyJwt: options.verifyJwt, sessions, expired: wrong === 'expired' };
    const answer = answerOfFault(wrong, call.action) ?? (await answerTo(() => serveAction(call.action, request, desk)));
    call.status = answer.status;
    // A client corrects its clock by this header.
    const date = new Date(now()).toUTCString();
    response.writeHead(answer.status, { date, ...answer.headers }).end(answer.body);
  }

  const server = createServer((message, response) => {
    // It fails only when the client is gone, or the sandbox is closing: nobody is left to answer.
    serve(message, response).catch(() => message.socket.destroy());
  });
  await listen(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    calls,
    session: sessions.find,
    setFault(next) {
      fault = next;
    },
    async close() {
      closing.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function describeCall(request: SignedRequest): Omit<SandboxStsCall, 'at' | 'status'> {
  const { Action: action = '', Version: _, ...parameters } = Object.fromEntries(readForm(request));
  return { action, parameters, signedBy: accessKeyIdOf(request) };
}

/** What the sandbox cannot do is an error of the server's, and its message says what that was. */
async function answerTo(serve: () => Promise<Answer>): Promise<Answer> {
  try {
    return await serve();
  } catch (error) {
    if (error instanceof StsError) return failure(error);
    return failure(new StsError(500, 'InternalFailure', error instanceof Error ? error.message : String(error)));
  }
}
