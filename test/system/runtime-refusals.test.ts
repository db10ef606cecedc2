// Containers that cannot start: each refusal names its reason, and nothing is left of it.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import type { Process } from '../../src/oci/runtime/config.ts';
import { createContainer, type CreateRequest } from '../../src/oci/runtime/create.ts';
import { deleteContainer } from '../../src/oci/runtime/delete.ts';
import type { ContainerOptions } from '../../src/oci/runtime/generate-config.ts';
import { killContainer } from '../../src/oci/runtime/signal-container.ts';
import { startContainer } from '../../src/oci/runtime/start.ts';
import { readState } from '../../src/oci/runtime/state.ts';
import { refused, sceneTests } from './scene-tests.ts';

const SIGTERM = 15;
const { usable, suffix, here } = sceneTests();

const startFails = test.macro<[what: string, options: Partial<ContainerOptions>, message: RegExp]>({
  title: (_, what) => `${what}: the start fails, says why, and leaves nothing${suffix}`,
  async exec(t, _what, options, message) {
    const id = here().newId();
    const request = here().request(id, options);
    writeFileSync(join(here().layer, 'etc/text'), 'no program\n');
    writeFileSync(join(here().layer, 'etc/garbage'), 'no program\n');
    chmodSync(join(here().layer, 'etc/garbage'), 0o755);
    await refused(t, () => createContainer(here().runtime, request), 'START_FAILED', message);
    t.deepEqual(here().remains(id), []);
    t.is(readState(here().stateDirectory, id), undefined);
  },
});

usable(
  startFails,
  'a program that is not there',
  { command: ['/bin/nope'] },
  /run \/bin\/nope: ENOENT \(the file, or /,
);
usable(startFails, 'a program that is nowhere in PATH', { command: ['nope'] }, /run 'nope' from \$PATH: ENOENT/);
usable(startFails, 'a file that is not executable', { command: ['/etc/text'] }, /run \/etc\/text: EACCES \(/);
usable(startFails, 'a file that is no program', { command: ['/etc/garbage'] }, /run \/etc\/garbage: ENOEXEC \(not a /);
usable(startFails, 'a working directory that is a file', { workingDir: '/etc/text' }, /\/etc\/text: ENOTDIR/);

const invalid = test.macro<[what: string, change: (request: CreateRequest) => CreateRequest, message: RegExp]>({
  title: (_, what) => `${what} is refused before anything is made${suffix}`,
  async exec(t, _what, change, message) {
    const id = here().newId();
    const request = change(here().request(id));
    await refused(t, () => createContainer(here().runtime, request), 'CONFIG_INVALID', message);
    t.deepEqual(here().remains(id), []);
  },
});

function withLinux(request: CreateRequest, linux: object): CreateRequest {
  return { ...request, config: { ...request.config, linux: { ...request.config.linux, ...linux } } };
}

usable(invalid, 'a cgroup path with dots', (r) => withLinux(r, { cgroupsPath: '/a/../b' }), /'\/a\/\.\.\/b'/);
usable(
  invalid,
  'a limit that the kernel does not take',
  (r) => withLinux(r, { resources: { cpu: { quota: 1, period: 100_000 } } }),
  /quota_us|cpu\.max/,
);
usable(
  invalid,
  'a sysctl of the machine',
  (r) => withLinux(r, { sysctl: { 'kernel.core_pattern': '|/bin/x' } }),
  /'kernel\.core_pattern' is a setting of the machine/,
);
usable(
  invalid,
  'an argument with a NUL byte',
  (r) => ({ ...r, config: { ...r.config, process: { ...(r.config.process as Process), args: ['a\0b'] } } }),
  /NUL/,
);

for (const id of ['', '.', '..', '.hidden', 'a/b', '/a', 'a b', 'a\n', 'ü', 'x'.repeat(1025)]) {
  usable(`'${id.slice(0, 20)}' is no id: nothing can be done with it${suffix}`, async (t) => {
    const { runtime, stateDirectory } = here();
    await refused(t, () => createContainer(runtime, { ...here().request('id'), id }), 'CONFIG_INVALID');
    await refused(t, () => readState(stateDirectory, id), 'CONTAINER_UNKNOWN');
    await refused(t, () => startContainer(runtime, id), 'CONTAINER_UNKNOWN');
    await refused(t, () => killContainer(runtime, id, SIGTERM), 'CONTAINER_UNKNOWN');
    await refused(t, () => deleteContainer(runtime, id, { force: true }), 'CONTAINER_UNKNOWN');
  });
}
