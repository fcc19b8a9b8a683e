#!/usr/bin/env node
// Plain JavaScript, so that a Node that cannot run the program can still say so.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

createRequire(import.meta.url)('../scripts/require-node.cjs');
// The published package carries dist/ (Node strips no types under node_modules); a checkout runs its sources.
const built = new URL('../dist/main.js', import.meta.url);
await import(existsSync(built) ? built.href : new URL('../src/main.ts', import.meta.url).href);
