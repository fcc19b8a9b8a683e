import { loadFromProviderChain } from '../../src/aws/provider-chain.ts';

// Asks the provider chain with the environment it was started with, and prints what it gave.
try {
  const { accessKeyId, sessionToken, expiresAt } = await loadFromProviderChain(process.env['TEST_REGION']);
  console.log(JSON.stringify({ accessKeyId, sessionToken, expiresAt }));
} catch (error) {
  console.log(JSON.stringify({ error: error instanceof Error ? error.name : String(error) }));
}
