import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { openAws } from './aws.ts';
import { makeCertificates } from './certificates.ts';
import { sandboxConfig } from './config.ts';
import { environmentFile, linesToPaste } from './environment.ts';
import { openIssuer } from './issuer.ts';
import { openSandboxDatabase } from './sandbox-database/open-sandbox-database.ts';
import { startService } from './service.ts';
import { readSettings, type Settings } from './settings.ts';
import { playStory } from './story.ts';

/*
 * npm run demo                    plays the story, then stays up until Ctrl-C
 * npm run demo -- --story-only    plays the story and ends
 */

const cleanUps: (() => Promise<unknown> | void)[] = [];
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());

try {
  const settings = await readSettings(process.env, process.argv.slice(2));
  await run(settings);
  if (!settings.storyOnly && !stopping.signal.aborted) await once(stopping.signal, 'abort');
} catch (error) {
  // Asked to end, it fails at the step it was at: that is no failure.
  if (!stopping.signal.aborted) {
    console.error(`\nThe sandbox failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
} finally {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
}

/** Waits for a part to open and has it closed at the end, also when the end was asked for meanwhile. */
async function keep<Part>(opening: Promise<Part>, close: (part: Part) => Promise<unknown>): Promise<Part> {
  const part = await opening;
  cleanUps.push(() => close(part));
  stopping.signal.throwIfAborted();
  return part;
}

async function run({ state, servicePort, adminPort, issuerPort, databasePort }: Settings): Promise<void> {
  // What an earlier run that was killed has left.
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { recursive: true, mode: 0o700 });
  chmodSync(state, 0o700);
  cleanUps.push(() => rmSync(state, { recursive: true, force: true }));
  const write = (name: string, text: string): void => writeFileSync(join(state, name), text, { mode: 0o600 });

  console.log('Starting a local issuer, stand-ins for AWS STS and an RDS PostgreSQL, and the service …');
  const tls = await makeCertificates(Date.now());
  const aws = await keep(openAws(), (opened) => opened.close());
  let shift = 0;
  const opening = [
    keep(openIssuer(issuerPort), (issuer) => issuer.close()),
    keep(
      openSandboxDatabase({
        port: databasePort,
        tls,
        now: () => Date.now() + shift,
        onRefused: () => {},
        database: aws.iam,
      }),
      (database) => database.close(),
    ),
  ] as const;
  // Both, even when one fails: what opens later must be closed too.
  await Promise.allSettled(opening);
  const [issuer, database] = await Promise.all(opening);

  const vendorUrl = `http://127.0.0.1:${servicePort}`;
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  write('ca.pem', tls.ca);
  write(
    'config.yaml',
    sandboxConfig({ servicePort, adminPort, databasePort: database.port, issuerUrl: issuer.url, ca: tls.ca }),
  );
  await keep(startService({ state, adminUrl, stsUrl: aws.url }), (service) => service.stop());

  await playStory({
    vendorUrl,
    issuer,
    state,
    forge: aws.forge,
    shiftClock: (milliseconds) => {
      shift = milliseconds;
    },
    print: (line) => console.log(line),
  });

  const appJwt = await issuer.mint('app');
  write('jwt', appJwt);
  const env = {
    VENDOR_URL: vendorUrl,
    ADMIN_URL: adminUrl,
    ISSUER_URL: issuer.url,
    JWT_APP: appJwt,
    JWT_DBA: await issuer.mint('dba'),
    JWT_AUDITOR: await issuer.mint('auditor'),
    JWT_STRANGER: await issuer.mint('stranger'),
    PGHOST: 'localhost',
    PGPORT: String(database.port),
    PGSSLROOTCERT: join(state, 'ca.pem'),
    PGDATABASE: 'orders',
    PG_USER: 'app_rw',
    // What the recipes, rds-token and the agent read.
    RTV_URL: vendorUrl,
    RTV_JWT_FILE: join(state, 'jwt'),
    RTV_DATABASE: 'orders',
    RTV_USER: 'app_rw',
  };
  stopping.signal.throwIfAborted();
  write('env', environmentFile(env));
  if (!process.argv.includes('--story-only')) console.log(linesToPaste(relative(process.cwd(), join(state, 'env'))));
}
