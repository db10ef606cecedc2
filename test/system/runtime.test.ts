// The life of a container: create, start, signals, end, delete, and what is refused in which state.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { createContainer } from '../../src/oci/runtime/create.ts';
import { deleteContainer } from '../../src/oci/runtime/delete.ts';
import { execInContainer } from '../../src/oci/runtime/exec.ts';
import { killContainer, stopContainer } from '../../src/oci/runtime/signal-container.ts';
import { startContainer } from '../../src/oci/runtime/start.ts';
import { listStates, readState } from '../../src/oci/runtime/state.ts';
import { waitContainer } from '../../src/oci/runtime/wait.ts';
import { until } from './in-cgroup.ts';
import { refused, sceneTests } from './scene-tests.ts';

const [SIGTERM, SIGKILL] = [15, 9];
const { usable, suffix, here, running } = sceneTests();

const ends = test.macro<[script: string, code: number]>({
  title: (_, script, code) => `'${script}' ends with ${code}${suffix}`,
  async exec(t, script, code) {
    const id = here().newId();
    const ran = await here().run(here().request(id, { command: ['sh', '-c', script] }));
    t.is(ran.code, code);
    t.deepEqual(here().remains(id), []);
  },
});

usable(ends, 'true', 0);
usable(ends, 'exit 7', 7);
// The first process of a pid namespace is deaf to its own signals, so a child takes them.
usable(ends, 'sh -c "kill -KILL \\$\\$"; exit $?', 128 + SIGKILL);

usable(`both streams go to the log, in the order of writing${suffix}`, async (t) => {
  const output = await here().script('echo one; echo two >&2; echo three');
  t.is(output, 'one\ntwo\nthree\n');
});

usable(`a log is appended to${suffix}`, async (t) => {
  const id = here().newId();
  writeFileSync(here().logFile(id), 'before\n');
  const { output } = await here().run(here().request(id, { command: ['echo', 'after'] }));
  t.is(output, 'before\nafter\n');
});

usable(`create, start, end and delete are told apart by the state${suffix}`, async (t) => {
  const { runtime, stateDirectory } = here();
  const id = here().newId();
  const request = here().request(id, { command: ['sh', '-c', 'echo ran; sleep 1000'] }, { mode: 'create' });
  await createContainer(runtime, request);
  const created = readState(stateDirectory, id);
  t.is(created?.status, 'created');
  t.true((created?.pid ?? 0) > 0);
  t.false(existsSync(here().logFile(id)) && here().log(id) !== '');
  await startContainer(runtime, id);
  const started = readState(stateDirectory, id);
  t.is(started?.status, 'running');
  t.is(started?.pid, created?.pid);
  await until(() => here().log(id) === 'ran\n', 'the program has written');
  killContainer(runtime, id, SIGKILL);
  const stopped = await waitContainer(stateDirectory, id);
  t.is(stopped?.status, 'stopped');
  t.is(stopped?.pid, 0);
  t.is(stopped?.exit?.signal, SIGKILL);
  t.true(Math.abs((stopped?.finishedAt ?? 0) - Date.now()) < 60_000);
  await deleteContainer(runtime, id, { force: false });
  t.is(readState(stateDirectory, id), undefined);
  t.deepEqual(here().remains(id), []);
});

usable(`a created container waits, also with sixty layers and every way to open a descriptor${suffix}`, async (t) => {
  const id = here().newId();
  const layers = Array.from({ length: 60 }, (_, index) =>
    join(here().directory, `layer-${String(index).padStart(90, '0')}`),
  );
  for (const layer of layers) here().emptyLayer(layer);
  await createContainer(here().runtime, here().request(id, {}, { mode: 'create', layers }));
  await sleep(50);
  t.is(readState(here().stateDirectory, id)?.status, 'created');
  await startContainer(here().runtime, id);
  t.is((await waitContainer(here().stateDirectory, id))?.exit?.code, 0);
  await deleteContainer(here().runtime, id, { force: false });
});

usable(`a container without its program is not created${suffix}`, async (t) => {
  const id = here().newId();
  const request = here().request(id, { command: ['/bin/nope'] }, { mode: 'create' });
  await refused(t, () => createContainer(here().runtime, request), 'START_FAILED', /run \/bin\/nope: ENOENT \(/);
  t.deepEqual(here().remains(id), []);
});

usable(`a created container that cannot run its program says so at its start${suffix}`, async (t) => {
  const id = here().newId();
  writeFileSync(join(here().layer, 'bin/text'), 'no program', { mode: 0o755 });
  await createContainer(here().runtime, here().request(id, { command: ['/bin/text'] }, { mode: 'create' }));
  await refused(t, () => startContainer(here().runtime, id), 'START_FAILED', /run \/bin\/text: ENOEXEC \(/);
  const state = await waitContainer(here().stateDirectory, id);
  t.is(state?.status, 'stopped');
  t.is(state?.failedErrno, 8);
  await deleteContainer(here().runtime, id, { force: false });
  t.deepEqual(here().remains(id), []);
});

usable(`a created container can be deleted without ever having run${suffix}`, async (t) => {
  const id = here().newId();
  await createContainer(here().runtime, here().request(id, {}, { mode: 'create' }));
  await deleteContainer(here().runtime, id, { force: false });
  t.deepEqual(here().remains(id), []);
});

usable(`only a created container can be started, and once${suffix}`, async (t) => {
  const { runtime } = here();
  const id = here().newId();
  await createContainer(runtime, here().request(id, { command: ['sleep', '1000'] }, { mode: 'create' }));
  const outcomes = await Promise.allSettled([startContainer(runtime, id), startContainer(runtime, id)]);
  t.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  await refused(t, () => startContainer(runtime, id), 'CONTAINER_STATE', /it is running, and only a created one/);
  await stopContainer(runtime, id, { graceMs: 0 });
  await refused(t, () => startContainer(runtime, id), 'CONTAINER_STATE', /it is stopped/);
  await deleteContainer(runtime, id, { force: false });
  await refused(t, () => startContainer(runtime, id), 'CONTAINER_UNKNOWN');
});

usable(`what is not allowed in a state is refused, and changes nothing${suffix}`, async (t) => {
  const { runtime, stateDirectory } = here();
  const id = await running(t);
  const before = readState(stateDirectory, id);
  await refused(t, () => createContainer(runtime, here().request(id)), 'CONTAINER_EXISTS');
  await refused(t, () => deleteContainer(runtime, id, { force: false }), 'CONTAINER_STATE', /it is running/);
  t.deepEqual(readState(stateDirectory, id), before);
  await stopContainer(runtime, id, { graceMs: 0 });
  await refused(t, () => killContainer(runtime, id, SIGTERM), 'CONTAINER_STATE', /not running/);
  await refused(
    t,
    () => execInContainer(runtime, { id, process: here().process(id, ['true']), stdio: [0, 1, 2] }),
    'CONTAINER_STATE',
    /it is stopped/,
  );
  await refused(t, () => createContainer(runtime, here().request(id)), 'CONTAINER_EXISTS');
  t.is(readState(stateDirectory, id)?.status, 'stopped');
  await stopContainer(runtime, id, { graceMs: 0 });
});

usable(`a container of another boot is stopped, whatever the file says${suffix}`, async (t) => {
  const id = await running(t);
  const file = join(here().stateDirectory, 'containers', id, 'state.json');
  const record = readFileSync(file, 'utf8');
  writeFileSync(file, record.replace(/"bootId":"[^"]*"/, '"bootId":"another"'));
  t.is(readState(here().stateDirectory, id)?.status, 'stopped');
  writeFileSync(file, record);
  t.is(readState(here().stateDirectory, id)?.status, 'running');
});

usable(`every container is listed, oldest first${suffix}`, async (t) => {
  const ids = [await running(t), await running(t)];
  const listed = listStates(here().stateDirectory).map(({ record }) => record.id);
  t.deepEqual(
    listed.filter((id) => ids.includes(id)),
    ids,
  );
});

usable(`a program that handles SIGTERM has its grace${suffix}`, async (t) => {
  const id = await running(t, {
    command: ['sh', '-c', 'trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done'],
  });
  await until(() => here().log(id) === 'ready\n', 'the trap is set');
  await stopContainer(here().runtime, id, { graceMs: 60_000 });
  t.is(readState(here().stateDirectory, id)?.exit?.code, 3);
});

usable(`a program that ignores SIGTERM is killed after its grace, with all its children${suffix}`, async (t) => {
  const command = ['sh', '-c', 'trap "" TERM; (sleep 1000 &) ; echo ready; while :; do sleep 0.05; done'];
  const id = await running(t, { command });
  await until(() => here().log(id) === 'ready\n', 'the trap is set');
  await stopContainer(here().runtime, id, { graceMs: 100 });
  t.is(readState(here().stateDirectory, id)?.exit?.signal, SIGKILL);
});

usable(`a stop that is called off leaves the container as it is${suffix}`, async (t) => {
  const id = await running(t, { command: ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'] });
  await until(() => here().log(id) === 'ready\n', 'the trap is set');
  const signal = AbortSignal.timeout(50);
  await t.throwsAsync(() => stopContainer(here().runtime, id, { graceMs: 60_000, signal }));
  t.is(readState(here().stateDirectory, id)?.status, 'running');
});

usable(`the stop signal is the one of the container${suffix}`, async (t) => {
  const command = ['sh', '-c', 'trap "exit 4" QUIT; echo ready; while :; do sleep 0.05; done'];
  const id = await running(t, { command }, { stopSignal: 3 });
  await until(() => here().log(id) === 'ready\n', 'the trap is set');
  await stopContainer(here().runtime, id, { graceMs: 60_000 });
  t.is(readState(here().stateDirectory, id)?.exit?.code, 4);
});

usable(
  `a wait ends when it is called off, and with undefined when there is nothing to wait for${suffix}`,
  async (t) => {
    const id = await running(t);
    await t.throwsAsync(() => waitContainer(here().stateDirectory, id, { signal: AbortSignal.timeout(20) }));
    t.is(await waitContainer(here().stateDirectory, 'nobody'), undefined);
  },
);
