import { fileURLToPath } from 'node:url';
import { freePort } from './listen.ts';

/** AWS's published example access key: it exists nowhere but in documentation. */
export const ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
export const SECRET_ACCESS_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

/** The RDS endpoint that the sandbox's database stands for. */
export const RDS_ENDPOINT = {
  host: 'orders.cluster-demo123.us-west-2.rds.amazonaws.com',
  port: 5432,
  region: 'us-west-2',
} as const;

export const ACCOUNT_ID = '123456789012';
export const RESOURCE_ID = 'cluster-SANDBOX';
/** Of the database's account: its sessions sign the tokens. */
export const ROLE_ARN = `arn:aws:iam::${ACCOUNT_ID}:role/orders-connect`;

export type Settings = {
  /** Where everything of this run is kept, until its end. */
  readonly state: string;
  readonly servicePort: number;
  readonly adminPort: number;
  readonly issuerPort: number;
  readonly databasePort: number;
  readonly storyOnly: boolean;
};

/** Reads the ports from RTV_DEMO_PORT, …_ADMIN_PORT, …_ISSUER_PORT, …_DATABASE_PORT; free ones where they are not set. */
export async function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
): Promise<Settings> {
  const odd = args.find((argument) => argument !== '--story-only');
  if (odd !== undefined) throw new Error(`There is no option ${odd}; there is --story-only.`);
  const port = async (name: string): Promise<number> => {
    const text = env[name];
    if (text === undefined || text === '') return freePort();
    const number = Number(text);
    if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
    throw new Error(`${name} is not a port: ${text}`);
  };
  return {
    state: env['RTV_DEMO_STATE'] ?? fileURLToPath(new URL('./.state', import.meta.url)),
    servicePort: await port('RTV_DEMO_PORT'),
    adminPort: await port('RTV_DEMO_ADMIN_PORT'),
    issuerPort: await port('RTV_DEMO_ISSUER_PORT'),
    databasePort: await port('RTV_DEMO_DATABASE_PORT'),
    storyOnly: args.includes('--story-only'),
  };
}
