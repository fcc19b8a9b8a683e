import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { VALID } from '../support/config-file.ts';
import { type FollowedConfig, followConfig, subjectOf, withSubject } from '../support/followed-config.ts';

const SUBJECT = 'system:serviceaccount:payments:';

/** As the kubelet does: a folder of its own for each version, and one rename of the link that leads to it. */
function swapConfigMap(folder: string, version: string, text: string): void {
  mkdirSync(join(folder, version));
  writeFileSync(join(folder, version, 'config.yaml'), text);
  symlinkSync(version, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
}

const CHANGES: readonly [what: string, change: (followed: FollowedConfig, text: string) => void | Promise<void>][] = [
  ['written in place', ({ main }, text) => writeFileSync(main, text)],
  [
    'replaced by a rename',
    ({ folder, main }, text) => {
      writeFileSync(join(folder, 'new'), text);
      renameSync(join(folder, 'new'), main);
    },
  ],
  [
    'replaced with the same size and times',
    ({ folder, main }, text) => {
      writeFileSync(join(folder, 'new'), text);
      utimesSync(join(folder, 'new'), 1, 1);
      renameSync(join(folder, 'new'), main);
    },
  ],
  [
    'removed and written again',
    ({ main }, text) => {
      rmSync(main);
      writeFileSync(main, text);
    },
  ],
  [
    'in a folder that is replaced',
    ({ folder, main }, text) => {
      mkdirSync(`${folder}-new`);
      writeFileSync(join(`${folder}-new`, 'config.yaml'), text);
      renameSync(folder, `${folder}-old`);
      renameSync(`${folder}-new`, folder);
      rmSync(`${folder}-old`, { recursive: true });
      assert.equal(join(folder, 'config.yaml'), main);
    },
  ],
  [
    'written slowly, in ten parts',
    async ({ main }, text) => {
      for (let part = 1; part <= 10; part++) {
        writeFileSync(main, text.slice(0, Math.ceil((text.length * part) / 10)));
        await pause(50);
      }
    },
  ],
];

describe('a changed configuration is used, and again after the next change', { concurrency: true }, () => {
  for (const [what, change] of CHANGES) {
    test(`a file that is ${what}`, async (t) => {
      const followed = await followConfig(t);
      for (const subject of ['one', 'two', 'six']) {
        await change(followed, withSubject(subject));
        assert.equal(subjectOf(await followed.next()), SUBJECT + subject);
      }
      await followed.silence();
    });
  }

  test('a ConfigMap that is swapped, which leaves its files and changes a link', async (t) => {
    const followed = await followConfig(t, {
      lay(folder) {
        symlinkSync('..data/config.yaml', join(folder, 'config.yaml'));
        swapConfigMap(folder, '..0', VALID);
      },
    });
    for (let version = 1; version <= 5; version++) {
      swapConfigMap(followed.folder, `..${version}`, withSubject(`v${version}`));
      rmSync(join(followed.folder, `..${version - 1}`), { recursive: true });
      const told = await followed.next();
      assert.equal(subjectOf(told), `${SUBJECT}v${version}`);
      assert.deepEqual(told.what === 'reload' && told.files, [followed.main]);
    }
    await followed.silence();
  });

  test('100 changes within a second: few reloads, and the last change is in force', async (t) => {
    const followed = await followConfig(t);
    for (let change = 0; change < 100; change++) {
      writeFileSync(followed.main, withSubject(`x${change}`));
      await pause(10);
    }
    await followed.next();
    await followed.silence();
    const last = followed.told.at(-1);
    assert.equal(last && subjectOf(last), `${SUBJECT}x99`);
    assert.ok(followed.told.length <= 10, `${followed.told.length} reloads`);
  });

  test('changes while a reload is under way are one more', async (t) => {
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const followed = await followConfig(t, {
      async takes() {
        enter();
        await held;
        return true;
      },
    });
    writeFileSync(followed.main, withSubject('one'));
    await entered;
    for (const subject of ['two', 'six', 'ten']) {
      writeFileSync(followed.main, withSubject(subject));
      await pause(100);
    }
    assert.equal(followed.told.length, 1);
    release();
    assert.equal(subjectOf(await followed.next()), `${SUBJECT}one`);
    assert.equal(subjectOf(await followed.next()), `${SUBJECT}ten`);
    await followed.silence();
  });

  test('nothing happens when a file is written again as it was', async (t) => {
    const followed = await followConfig(t);
    writeFileSync(followed.main, VALID);
    await followed.silence();
    assert.equal(followed.loads(), 0);
  });

  test('nothing happens when other files of the folder change', async (t) => {
    const followed = await followConfig(t);
    writeFileSync(join(followed.folder, 'config.yaml~'), 'x');
    mkdirSync(join(followed.folder, 'data'));
    await followed.silence();
    assert.equal(followed.loads(), 0);
  });

  test('what changed between the load and the first look is used', async (t) => {
    const followed = await followConfig(t, {
      lay: (folder) => writeFileSync(join(folder, 'config.yaml'), VALID),
      // The watch is set up after the load: the change comes in between.
      watch(path, ...rest) {
        writeFileSync(join(path, 'config.yaml'), withSubject('one'));
        return watch(path, ...rest);
      },
    });
    assert.equal(subjectOf(await followed.next()), `${SUBJECT}one`);
  });
});
