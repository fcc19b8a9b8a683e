import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pgadminPython } from './clients/pgadmin.ts';
import { prepareRecipes } from './clients/recipes.ts';
import { buildKubernetes } from '../support/kube-cluster.ts';
import { pamScriptModule } from '../support/iam/pam-service.ts';
import { motoPython } from '../support/moto-server.ts';

/* Builds and installs what takes minutes the first time, so that no test waits for it: all of it is cached by the user. */

const folder = mkdtempSync(join(tmpdir(), 'rtv-prepare-'));
try {
  buildKubernetes(folder);
  console.log('kube-apiserver and etcd are built');
  console.log(`moto: ${motoPython()}`);
  console.log(`PAM module: ${pamScriptModule()}`);
  prepareRecipes();
  console.log(`pgAdmin: ${pgadminPython()}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
