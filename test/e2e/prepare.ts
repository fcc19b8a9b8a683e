import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildKubernetes } from '../support/kube-cluster.ts';
import { motoPython } from '../support/moto-server.ts';

/* Builds and installs what takes minutes the first time, so that no test waits for it: all of it is cached by the user. */

const folder = mkdtempSync(join(tmpdir(), 'rtv-prepare-'));
try {
  buildKubernetes(folder);
  console.log('kube-apiserver and etcd are built');
  console.log(`moto: ${motoPython()}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
