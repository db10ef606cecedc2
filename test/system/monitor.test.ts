// Monitors and creators that are killed at the worst moment: what is left tells the truth, and can be cleared away.
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { createContainer, type CreateRequest } from '../../src/oci/runtime/create.ts';
import { deleteContainer } from '../../src/oci/runtime/delete.ts';
import { execInContainer } from '../../src/oci/runtime/exec.ts';
import type { ContainerOptions } from '../../src/oci/runtime/generate-config.ts';
import { killContainer, stopContainer } from '../../src/oci/runtime/signal-container.ts';
import { startContainer } from '../../src/oci/runtime/start.ts';
import { readState } from '../../src/oci/runtime/state.ts';
import { waitContainer } from '../../src/oci/runtime/wait.ts';
import { findProgram } from './busybox-bundle.ts';
import { killCreator, reportOf, startCreator } from './container-creator.ts';
import { until } from './in-cgroup.ts';
import { refused, sceneTests } from './scene-tests.ts';

const [SIGTERM, SIGKILL] = [15, 9];
const { usable, suffix, here, running } = sceneTests();
const strace = findProgram('strace');
const traced =
  strace === undefined ? { test: test.skip, suffix: ' (skipped: needs strace)' } : { test: usable, suffix };

/** A container that another process has created, which is dead now. */
async function orphan(
  options: Partial<ContainerOptions>,
  more: Partial<CreateRequest> = {},
): Promise<{ readonly id: string; readonly pid: number | undefined }> {
  const id = here().newId();
  const request = here().request(id, options, more);
  const creator = startCreator({ stateDirectory: here().stateDirectory, request });
  const { pid } = await reportOf(creator);
  await killCreator(creator);
  return { id, pid };
}

async function deleted(t: ExecutionContext, id: string): Promise<void> {
  await deleteContainer(here().runtime, id, { force: true });
  t.deepEqual(here().remains(id), []);
}

usable(`a container goes on when its creator is killed${suffix}`, async (t) => {
  const { id, pid } = await orphan({ command: ['sleep', '1000'] });
  const state = readState(here().stateDirectory, id);
  t.is(state?.status, 'running');
  t.is(state?.pid, pid);
  const process = here().process(id, ['sh', '-c', 'exit 3']);
  t.is((await execInContainer(here().runtime, { id, process, stdio: [0, 1, 2] })).code, 3);
  await stopContainer(here().runtime, id, { graceMs: 0 });
  t.is(readState(here().stateDirectory, id)?.exit?.signal, SIGKILL);
  await deleted(t, id);
});

usable(`the exit code of one that ended while nobody was there is known${suffix}`, async (t) => {
  const { id, pid } = await orphan({
    command: ['sh', '-c', 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done'],
  });
  await until(() => here().log(id) === 'ready\n', 'the trap is set');
  process.kill(pid ?? 0, 'SIGTERM');
  await until(() => readState(here().stateDirectory, id)?.status === 'stopped', 'it has ended');
  const state = readState(here().stateDirectory, id);
  t.is(state?.exit?.code, 5);
  t.true((state?.finishedAt ?? 0) >= (state?.record.createdAt ?? Infinity));
  await deleted(t, id);
});

usable(`a container that was created by one process is started by another${suffix}`, async (t) => {
  const { id, pid } = await orphan({ command: ['sh', '-c', 'echo ran; exit 6'] }, { mode: 'create' });
  t.is(readState(here().stateDirectory, id)?.status, 'created');
  t.is(readState(here().stateDirectory, id)?.pid, pid);
  await startContainer(here().runtime, id);
  t.is((await waitContainer(here().stateDirectory, id))?.exit?.code, 6);
  t.is(here().log(id), 'ran\n');
  await deleted(t, id);
});

/** Kill the monitor of a container: the parent of its first process. */
async function killMonitor(id: string): Promise<void> {
  const { pid = 0 } = readState(here().stateDirectory, id) ?? {};
  const monitor = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  if (readFileSync(`/proc/${monitor}/comm`, 'utf8') !== 'berth-monitor\n') throw new Error('That is no monitor');
  process.kill(monitor, 'SIGKILL');
  await until(() => !readFileSync(`/proc/${pid}/status`, 'utf8').includes(`PPid:\t${monitor}\n`), 'it is an orphan');
}

usable(`a container whose monitor was killed runs on, and stops without an exit code${suffix}`, async (t) => {
  const id = await running(t);
  const before = readState(here().stateDirectory, id);
  await killMonitor(id);
  t.deepEqual(readState(here().stateDirectory, id), before);
  await refused(t, () => deleteContainer(here().runtime, id, { force: false }), 'CONTAINER_STATE', /it is running/);
  const ended = waitContainer(here().stateDirectory, id);
  killContainer(here().runtime, id, SIGKILL);
  const state = await ended;
  t.is(state?.status, 'stopped');
  t.is(state?.exit, undefined);
  t.is(state?.pid, 0);
  await refused(t, () => killContainer(here().runtime, id, SIGTERM), 'CONTAINER_STATE');
  await deleteContainer(here().runtime, id, { force: false });
  t.deepEqual(here().remains(id), []);
});

usable(`a container whose monitor was killed can be deleted by force${suffix}`, async (t) => {
  const id = await running(t, { command: ['sh', '-c', 'sleep 1000 & sleep 1000'] });
  await killMonitor(id);
  await deleted(t, id);
});

usable(`a created container whose monitor was killed can still be started${suffix}`, async (t) => {
  const id = here().newId();
  const request = here().request(id, { command: ['sleep', '1000'] }, { mode: 'create' });
  await createContainer(here().runtime, request);
  await killMonitor(id);
  t.is(readState(here().stateDirectory, id)?.status, 'created');
  await startContainer(here().runtime, id);
  t.is(readState(here().stateDirectory, id)?.status, 'running');
  await deleted(t, id);
});

usable(`a killed monitor's process number that went to another process is not the container${suffix}`, async (t) => {
  const id = await running(t);
  await killMonitor(id);
  killContainer(here().runtime, id, SIGKILL);
  await waitContainer(here().stateDirectory, id);
  const file = join(here().stateDirectory, 'containers', id, 'exit');
  const bytes = readFileSync(file);
  bytes.writeBigUInt64LE(BigInt(process.pid), 8);
  writeFileSync(file, bytes);
  t.is(readState(here().stateDirectory, id)?.status, 'stopped');
});

/** The creator is killed at (or the monitor by) its `when`-th call of `call`. */
function killedAt(call: string, when: number): readonly string[] {
  return [
    strace ?? '',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:signal=KILL:when=${when}`,
  ];
}

traced.test(`a create that is killed half way can be deleted, and made again${traced.suffix}`, async (t) => {
  const id = here().newId();
  const request = here().request(id);
  // The cgroup is made by then, the monitor not started.
  const creator = startCreator({ stateDirectory: here().stateDirectory, request }, killedAt('memfd_create', 1));
  await t.throwsAsync(() => reportOf(creator));
  t.is(readState(here().stateDirectory, id)?.status, 'creating');
  await refused(t, () => createContainer(here().runtime, request), 'CONTAINER_EXISTS');
  await stopContainer(here().runtime, id, { graceMs: 1000 });
  await deleted(t, id);
  t.is((await here().run(request)).code, 0);
});

traced.test(`a monitor that is killed before it told the pid takes nothing with it${traced.suffix}`, async (t) => {
  const id = here().newId();
  const request = here().request(id, { command: ['sleep', '1000'] });
  const creator = startCreator({ stateDirectory: here().stateDirectory, request }, killedAt('pwrite64', 1));
  const { code, message } = await reportOf(creator);
  t.is(code, 'START_FAILED');
  t.regex(message ?? '', /its monitor was killed/);
  t.deepEqual(here().remains(id), []);
});

usable(`what a create left that was cut short before its record does not block the id for ever${suffix}`, async (t) => {
  const id = here().newId();
  const directory = join(here().stateDirectory, 'containers', id);
  mkdirSync(directory);
  writeFileSync(join(directory, 'config.json'), '{');
  t.is(readState(here().stateDirectory, id), undefined);
  await refused(t, () => createContainer(here().runtime, here().request(id)), 'CONTAINER_EXISTS');
  const before = Date.now() / 1000 - 60;
  utimesSync(directory, before, before);
  t.is((await here().run(here().request(id))).code, 0);
  t.deepEqual(here().remains(id), []);
});

usable(`asking for the state of a container that is deleted meanwhile makes nothing${suffix}`, async (t) => {
  const id = await running(t);
  await killMonitor(id);
  const deletion = deleteContainer(here().runtime, id, { force: true });
  while (readState(here().stateDirectory, id) !== undefined) await new Promise(setImmediate);
  await deletion;
  t.deepEqual(here().remains(id), []);
});
