// What the tests of one file share: a scene that is made when they can run, and cleared away after the last of them.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';

import test, { type ExecutionContext } from 'ava';

import { isOciError, type OciErrorCode } from '../../src/oci/error.ts';
import { createContainer, type CreateRequest } from '../../src/oci/runtime/create.ts';
import { deleteContainer } from '../../src/oci/runtime/delete.ts';
import type { ContainerOptions } from '../../src/oci/runtime/generate-config.ts';
import { readState } from '../../src/oci/runtime/state.ts';
import { containersUnusable } from './busybox-bundle.ts';
import { ContainerScene } from './container-scene.ts';

export type SceneTests = {
  /** AVA's test; its skip, where containers cannot run or a program is missing. */
  readonly usable: typeof test | typeof test.skip;
  /** For the title: why the test is skipped. */
  readonly suffix: string;
  /** The scene of these tests. */
  readonly here: () => ContainerScene;
  /** A container that runs until it is killed (or as `options` say), deleted at the end of the test. Its id. */
  readonly running: (
    t: ExecutionContext,
    options?: Partial<ContainerOptions>,
    more?: Partial<CreateRequest>,
  ) => Promise<string>;
};

/** To be called once in a test file. `programs` of Debian that the tests need besides busybox. */
export function sceneTests(...programs: readonly string[]): SceneTests {
  const unusable = containersUnusable(...programs);
  const scene = unusable === undefined ? new ContainerScene() : undefined;
  if (scene !== undefined) test.after.always('nothing is left', () => scene.close());
  // AVA runs no hook of a file whose tests are all skipped.
  if (scene !== undefined) process.once('exit', () => rmSync(scene.directory, { recursive: true, force: true }));
  const here = (): ContainerScene => {
    if (scene === undefined) throw new Error(`These tests are skipped: ${unusable}`);
    return scene;
  };
  return {
    usable: unusable === undefined ? test : test.skip,
    suffix: unusable === undefined ? '' : ` (skipped: ${unusable})`,
    here,
    running: (t, options, more) => runUntilKilled(t, here(), options, more),
  };
}

async function runUntilKilled(
  t: ExecutionContext,
  scene: ContainerScene,
  options: Partial<ContainerOptions> = {},
  more: Partial<CreateRequest> = {},
): Promise<string> {
  const id = scene.newId();
  await createContainer(scene.runtime, scene.request(id, { command: ['sleep', '1000'], ...options }, more));
  t.teardown(async () => {
    if (readState(scene.stateDirectory, id) !== undefined) await deleteContainer(scene.runtime, id, { force: true });
    assert.deepEqual(scene.remains(id), []);
  });
  return id;
}

/** That `work` fails with an OciError of this code. */
export async function refused(
  t: ExecutionContext,
  work: () => unknown,
  code: OciErrorCode,
  message: RegExp = /./,
): Promise<void> {
  const error = await t.throwsAsync(async () => await work(), { message });
  t.true(isOciError(error, code), String(error));
}
