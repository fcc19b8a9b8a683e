import { loadFromProviderChain } from '../../src/aws/provider-chain.ts';

// Asks the provider chain with the environment it was started with, and prints what it gave.
try {
  const { accessKeyId, sessionToken, expiresAt } = await loadFromProviderChain({
    env: process.env,
    region: process.env['TEST_REGION'],
    allowInstanceProfile: process.env['TEST_ALLOW_INSTANCE_PROFILE'] !== undefined,
  });
  console.log(JSON.stringify({ accessKeyId, sessionToken, expiresAt }));
} catch (error) {
  console.log(JSON.stringify({ error: error instanceof Error ? error.name : String(error) }));
}
