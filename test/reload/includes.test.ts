import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { VALID } from '../support/config-file.ts';
import { type FollowedConfig, followConfig, type Told } from '../support/followed-config.ts';

const MAIN = `${VALID}include: grants.d/*.yaml\n`;

function grants(...names: string[]): string {
  const grant = (name: string) =>
    `  - { name: ${name}, issuer: cluster, subject: "s:${name}", allow: [{ database: orders, users: [app_rw] }] }\n`;
  return `grants:\n${names.map(grant).join('')}`;
}

function layIncluded(folder: string): void {
  writeFileSync(join(folder, 'config.yaml'), MAIN);
  mkdirSync(join(folder, 'grants.d'));
  writeFileSync(join(folder, 'grants.d/a.yaml'), grants('a'));
}

/** The names of the grants that it is told to use. */
function namesOf(told: Told): string[] {
  assert.equal(told.what, 'reload');
  return told.next.grants.map(({ name }) => name);
}

const CHANGES: readonly [what: string, change: (followed: FollowedConfig) => void, names: string[], file: string][] = [
  ['changed', ({ folder }) => writeFileSync(join(folder, 'grants.d/a.yaml'), grants('x')), ['api', 'x'], 'a.yaml'],
  ['added', ({ folder }) => writeFileSync(join(folder, 'grants.d/b.yaml'), grants('b')), ['api', 'a', 'b'], 'b.yaml'],
  ['removed', ({ folder }) => rmSync(join(folder, 'grants.d/a.yaml')), ['api'], 'a.yaml'],
  [
    'linked to',
    ({ folder }) => {
      writeFileSync(join(folder, 'elsewhere.yaml'), grants('z'));
      symlinkSync('../elsewhere.yaml', join(folder, 'grants.d/z.yaml'));
    },
    ['api', 'a', 'z'],
    'z.yaml',
  ],
];

describe('included files', { concurrency: true }, () => {
  for (const [what, change, names, file] of CHANGES) {
    test(`a file that is ${what} is noticed and named`, async (t) => {
      const followed = await followConfig(t, { lay: layIncluded });
      change(followed);
      const told = await followed.next();
      assert.deepEqual(namesOf(told), names);
      assert.deepEqual(told.what === 'reload' && told.files, [join(followed.folder, 'grants.d', file)]);
      await followed.silence();
    });
  }

  test('a file with a mistake keeps all of the configuration in force, until it is mended or gone', async (t) => {
    const followed = await followConfig(t, { lay: layIncluded });
    const broken = join(followed.folder, 'grants.d/b.yaml');
    writeFileSync(broken, grants('a'));
    const kept = await followed.next();
    assert.equal(kept.what, 'keep');
    assert.match(kept.problems.join(), /grants\.d\/b\.yaml:2:\d+: grants\[0\] has the name a, and so has/);
    writeFileSync(broken, grants('b'));
    assert.deepEqual(namesOf(await followed.next()), ['api', 'a', 'b']);
    writeFileSync(broken, '');
    assert.equal((await followed.next()).what, 'keep');
    rmSync(broken);
    assert.deepEqual(namesOf(await followed.next()), ['api', 'a']);
    await followed.silence();
  });

  test('a file with a mistake that goes again: the files hold what is in force', async (t) => {
    const followed = await followConfig(t, { lay: layIncluded });
    writeFileSync(join(followed.folder, 'grants.d/b.yaml'), 'grants: [\n');
    assert.equal((await followed.next()).what, 'keep');
    rmSync(join(followed.folder, 'grants.d/b.yaml'));
    assert.equal((await followed.next()).what, 'confirm');
  });

  test('files that match no pattern are nothing to it', async (t) => {
    const followed = await followConfig(t, { lay: layIncluded });
    for (const name of ['b.yml', '.b.yaml', 'b.yaml~', 'b.txt']) {
      writeFileSync(join(followed.folder, 'grants.d', name), grants('b'));
    }
    await followed.silence();
    assert.equal(followed.loads(), 0);
  });

  test('a folder that comes later', async (t) => {
    const followed = await followConfig(t, { lay: (folder) => writeFileSync(join(folder, 'config.yaml'), MAIN) });
    mkdirSync(join(followed.folder, 'new'));
    writeFileSync(join(followed.folder, 'new/a.yaml'), grants('a'));
    renameSync(join(followed.folder, 'new'), join(followed.folder, 'grants.d'));
    assert.deepEqual(namesOf(await followed.next()), ['api', 'a']);
    writeFileSync(join(followed.folder, 'grants.d/b.yaml'), grants('b'));
    assert.deepEqual(namesOf(await followed.next()), ['api', 'a', 'b']);
  });

  test('what begins to be included is followed from then on, and what no longer is, is not', async (t) => {
    const followed = await followConfig(t);
    writeFileSync(join(followed.folder, 'extra.yaml'), grants('a'));
    writeFileSync(followed.main, `${VALID}include: extra.yaml\n`);
    assert.deepEqual(namesOf(await followed.next()), ['api', 'a']);
    writeFileSync(join(followed.folder, 'extra.yaml'), grants('b'));
    assert.deepEqual(namesOf(await followed.next()), ['api', 'b']);
    writeFileSync(followed.main, VALID);
    assert.deepEqual(namesOf(await followed.next()), ['api']);
    writeFileSync(join(followed.folder, 'extra.yaml'), 'broken: [');
    await followed.silence();
  });

  test('two ConfigMaps, of which the kubelet swaps one', async (t) => {
    const swap = (folder: string, version: string, names: readonly string[]) => {
      const map = join(folder, 'grants.d');
      mkdirSync(join(map, version), { recursive: true });
      for (const name of names) {
        writeFileSync(join(map, version, `${name}.yaml`), grants(`${name}${version.slice(2)}`));
      }
      symlinkSync(version, join(map, '..data_tmp'));
      renameSync(join(map, '..data_tmp'), join(map, '..data'));
    };
    const followed = await followConfig(t, {
      lay(folder) {
        writeFileSync(join(folder, 'config.yaml'), MAIN);
        swap(folder, '..0', ['a', 'b']);
        for (const name of ['a', 'b']) symlinkSync(`..data/${name}.yaml`, join(folder, `grants.d/${name}.yaml`));
      },
    });
    for (const version of ['1', '2', '3']) {
      swap(followed.folder, `..${version}`, ['a', 'b']);
      // Never one file of the old and one of the new.
      assert.deepEqual(namesOf(await followed.next()), ['api', `a${version}`, `b${version}`]);
    }
    await followed.silence();
  });
});
