import { type IamDatabase, whyTokenRefused } from './check-iam-token.ts';
import { message, messageLength } from './messages.ts';
import { DATABASE_NAME, IAM_USERS } from './schema.ts';
import type { SocketReader } from './socket-reader.ts';

/** A token with a long session token has a few KB; a password message has no business to be larger. */
const MAX_PASSWORD_BYTES = 64 * 1024;

/** Why a client is turned away: what it reads (SQLSTATE and text, as RDS says it), and why, for the server's log. */
export class LoginRefused extends Error {
  readonly code: string;
  readonly why: string;

  constructor(code: string, text: string, why = text) {
    super(text);
    this.name = 'LoginRefused';
    this.code = code;
    this.why = why;
  }
}

export type Login = {
  readonly parameters: ReadonlyMap<string, string>;
  readonly reader: SocketReader;
  readonly send: (bytes: Buffer) => void;
  readonly database: IamDatabase;
  /** Milliseconds since the epoch, when the password has come. */
  readonly now: () => number;
};

/** Asks for the password and checks it. Resolves with the user; undefined when the client went away instead. */
export async function logIn({ parameters, reader, send, database, now }: Login): Promise<string | undefined> {
  const user = parameters.get('user') ?? '';
  if (user === '') throw new LoginRefused('28000', 'no PostgreSQL user name specified in startup packet');
  send(message('R', AUTHENTICATION_CLEARTEXT_PASSWORD));
  const answer = await reader.next((bytes) => messageLength(bytes, MAX_PASSWORD_BYTES));
  if (!answer) return undefined;
  if (answer.toString('latin1', 0, 1) !== 'p') throw new LoginRefused('08P01', 'expected password response');
  // RDS tries IAM for the members of rds_iam and a stored password for all others; here nobody has one.
  if (!IAM_USERS.includes(user)) {
    throw new LoginRefused('28P01', `password authentication failed for user "${user}"`, 'it is not in rds_iam');
  }
  const why = whyTokenRefused(answer.toString('utf8', 5, answer.length - 1), user, database, now());
  if (why !== undefined) throw new LoginRefused('28000', `PAM authentication failed for user "${user}"`, why);
  const name = parameters.get('database') ?? user;
  if (name !== DATABASE_NAME) throw new LoginRefused('3D000', `database "${name}" does not exist`);
  return user;
}

const AUTHENTICATION_CLEARTEXT_PASSWORD = 3;
