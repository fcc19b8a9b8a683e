import { join } from 'node:path';
import { buildApp } from '../src/app.ts';
import { loadConfig } from '../src/config/load-config.ts';
import { createLogger } from '../src/logger.ts';

// The service in a process of its own: `service.ts FOLDER discard|durable`. It prints its address and serves until it is
// killed. `discard` gives it an audit log that keeps nothing; all else is the same.
const [folder = '', kind] = process.argv.slice(2);
const discarding = {
  record: ({ id }: { readonly id: string }) => Promise.resolve(id),
  probe: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: 's'.repeat(700),
  expiresAt: Date.now() + 3_600_000,
};
const app = await buildApp(loadConfig(join(folder, 'config.yaml')), {
  version: 'bench',
  logger: createLogger({ write: () => {} }),
  stsRegion: undefined,
  overrides: {
    loadCredentials: () => Promise.resolve(credentials),
    ...(kind === 'discard' ? { audit: discarding } : {}),
  },
});
const { publicUrl } = await app.listen();
console.log(publicUrl);
