import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { authorize } from '../issuance/authorize.ts';
import { readOwnRights } from '../issuance/read-own-rights.ts';
import { accept, type Decided, refuse } from '../issuance/refusal.ts';
import {
  CLIENTS,
  type ClientName,
  defaultCaFile,
  type Setup,
  setupFits,
  setupFor,
  whyNoSetup,
} from '../rds/client-setups.ts';
import { callerRequestOf } from './caller-request.ts';
import { fieldProblems, refuseFields } from './field-problems.ts';
import { formPairs } from './form-pairs.ts';
import { problemResponses } from './problem-responses.ts';
import type { RateLimits } from './rate-limits.ts';
import { sendFailure } from './send.ts';
import { type CurrentService, queryOf } from './service.ts';

/** Text that ends up in a shell command or a configuration file: no line break, no `|`, which DBeaver splits at. */
const plain = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\p{Cc}\u2028\u2029|]*[^\s\p{Cc}|]$/u, 'must be one line without | and without a space at its end');

const querySchema = z.strictObject({
  user: plain.optional().describe('The database user; may be left out where your grants leave one.'),
  endpoint: plain.optional().describe('`writer` when left out.'),
  mode: z.enum(['desktop', 'server']).optional().describe('Where pgAdmin runs; `desktop` when left out.'),
  command: z
    .string()
    .regex(/^[\w./~+:@-]{1,255}$/, 'must be a path or a name')
    .optional()
    .describe('Where examples/clients/sh/rds-token is; `rds-token` when left out.'),
  ca_file: plain.optional().describe('Where the CA bundle is on the machine of the program.'),
});

/** `GET /v1/databases/{database}/clients/{client}`: how an interactive program is set up. It holds no token. */
export function clientSetupRoute(app: FastifyInstance, current: CurrentService, limits: RateLimits): void {
  const schema = {
    tags: ['callers'],
    security: [{ bearer: [] }],
    operationId: 'getClientSetup',
    summary: 'A connection of pgAdmin, psql, pg_service.conf, DBeaver or the MySQL clients',
    params: z.object({ database: z.string(), client: z.enum(CLIENTS) }),
    querystring: querySchema,
    response: {
      200: {
        description: "pgAdmin's servers.json, or the other program's text.",
        content: { 'application/json': { schema: z.string() }, 'text/plain': { schema: z.string() } },
      },
      ...problemResponses(400, 401, 403, 422, 429, 503),
    },
  };
  app.get<{ Params: { database: string; client: string } }>(
    '/v1/databases/:database/clients/:client',
    { schema },
    async (request, reply) => {
      const service = current();
      const { database: name, client } = request.params;
      const outcome = await readOwnRights(
        service.issuance,
        callerRequestOf('database.get', request, service, limits),
        service.now(),
        (caller, circumstances): Decided<Setup> => {
          const read = readQuery(client, queryOf(request));
          if (!read.ok) return read;
          const { user, endpoint, mode = 'desktop', command = 'rds-token', ca_file } = read.value.query;
          const wanted = { database: name, user, endpoint };
          const { decided } = authorize(caller, wanted, service.issuance.grants, circumstances);
          if (!decided.ok) return decided;
          const { database, endpoint: place, user: as } = decided.value;
          const { engine } = database;
          if (!setupFits(read.value.client, engine)) {
            return refuseFields([{ field: 'client', message: `${read.value.client} is not for ${engine}` }]);
          }
          const facts = { name, engine, host: place.connectHost, port: place.connectPort };
          const caFile = ca_file ?? defaultCaFile(read.value.client, mode, database.caBundleId);
          const rest = { database: database.databaseName, user: as, endpoint: place.name, mode, command, caFile };
          const why = whyNoSetup(read.value.client, { ...facts, ...rest });
          if (why !== undefined) return refuse({ reason: 'client_unfit', detail: why });
          return accept(setupFor(read.value.client, { ...facts, ...rest }));
        },
      );
      service.onDecision('database.get', outcome, reply.elapsedTime);
      if (outcome.kind !== 'decided') return sendFailure(reply, outcome);
      const { body, contentType } = outcome.value;
      return reply.header('cache-control', 'no-store').type(contentType).send(body);
    },
  );
}

type Read = { readonly client: ClientName; readonly query: z.output<typeof querySchema> };

function readQuery(client: string, text: string): Decided<Read> {
  const known = CLIENTS.find((one) => one === client);
  if (known === undefined) {
    return refuseFields([{ field: 'client', message: `must be one of ${CLIENTS.join(', ')}` }]);
  }
  let pairs: [string, string][];
  try {
    pairs = formPairs(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return refuseFields([{ field: '', message: 'the query string is not a valid form' }]);
  }
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length) {
    return refuseFields([{ field: '', message: 'the query string has a field twice' }]);
  }
  const parsed = querySchema.safeParse(Object.fromEntries(pairs));
  return parsed.success ? accept({ client: known, query: parsed.data }) : refuseFields(fieldProblems(parsed.error));
}
