// The default init in a container: process 1 forwards, reaps, is small, and ends as the program does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { createContainer } from '../../src/oci/runtime/create.ts';
import { killContainer } from '../../src/oci/runtime/signal-container.ts';
import { startContainer } from '../../src/oci/runtime/start.ts';
import { readState } from '../../src/oci/runtime/state.ts';
import { waitContainer } from '../../src/oci/runtime/wait.ts';
import { until } from './in-cgroup.ts';
import { refused, sceneTests } from './scene-tests.ts';

const SIGTERM = 15;
const MAX_RESIDENT_KIB = 32;
const { usable, suffix, here, running } = sceneTests();

usable(`the program is a child of an init that is process 1${suffix}`, async (t) => {
  const script = 'cat /proc/1/comm; echo $$ $PPID; wc -w </proc/1/task/1/children';
  t.is(await here().script(script, { init: true }), 'berth-init\n2 1\n1\n');
});

usable(`init has the program's identity and confinement, and only the standard streams${suffix}`, async (t) => {
  const script = `for pid in 1 $$; do grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp):' /proc/$pid/status | md5sum; done
ls /proc/1/fd | tr '\\n' ' '; readlink /proc/1/cwd`;
  const output = await here().script(script, { init: true, user: { uid: 1000, gid: 1000, additionalGids: [7] } });
  const [init, program, files] = output.split('\n');
  t.is(init, program);
  t.is(files, '0 1 2 252 253 /');
});

/** The states of the children of a container's first process. */
function childStates(id: string): string[] {
  const { pid = 0 } = readState(here().stateDirectory, id) ?? {};
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.map((child) => /^State:\t(\w)/m.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1] ?? '');
}

usable(`orphans are reaped, which without an init stay zombies${suffix}`, async (t) => {
  const command = ['sh', '-c', "sh -c 'sleep 0.1 & sleep 0.1 &'; echo ready; exec sleep 1000"];
  const [bare, below] = [await running(t, { command }), await running(t, { command, init: true })];
  for (const id of [bare, below]) await until(() => here().log(id) === 'ready\n', 'ready');
  await until(() => childStates(bare).join('') === 'ZZ', 'the orphans end');
  await until(() => childStates(below).join('') === 'S', 'init has only the program');
  t.deepEqual([childStates(bare), childStates(below)], [['Z', 'Z'], ['S']]);
});

usable(`a signal that the program does not handle ends it: 128 and the signal${suffix}`, async (t) => {
  const { runtime, stateDirectory } = here();
  const id = await running(t, { init: true });
  killContainer(runtime, id, SIGTERM);
  await waitContainer(stateDirectory, id);
  t.deepEqual(readState(stateDirectory, id)?.exit, { code: 128 + SIGTERM });
  const deaf = await running(t);
  killContainer(runtime, deaf, SIGTERM);
  t.is(readState(stateDirectory, deaf)?.status, 'running', 'process 1 itself would be deaf to it');
});

usable(`a signal that the program handles reaches it${suffix}`, async (t) => {
  const { runtime, stateDirectory } = here();
  const command = ['sh', '-c', 'trap "echo term; exit 5" TERM; echo ready; while :; do sleep 0.05; done'];
  const id = await running(t, { init: true, command });
  await until(() => here().log(id) === 'ready\n', 'ready');
  killContainer(runtime, id, SIGTERM);
  await waitContainer(stateDirectory, id);
  t.deepEqual(readState(stateDirectory, id)?.exit, { code: 5 });
  t.is(here().log(id), 'ready\nterm\n');
});

usable(`create and start are two steps below an init too${suffix}`, async (t) => {
  const { runtime, stateDirectory } = here();
  const id = await running(t, { init: true, command: ['sh', '-c', 'echo ran; sleep 1000'] }, { mode: 'create' });
  t.is(readState(stateDirectory, id)?.status, 'created');
  await startContainer(runtime, id);
  await until(() => here().log(id) === 'ran\n', 'started');
});

usable(`a program that is missing is an error of the start${suffix}`, async (t) => {
  const id = here().newId();
  const request = here().request(id, { init: true, command: ['/bin/nope'] });
  await refused(t, () => createContainer(here().runtime, request), 'START_FAILED', /run \/bin\/nope: ENOENT/);
  t.deepEqual(here().remains(id), []);
});

usable(`an init needs ${MAX_RESIDENT_KIB} KiB of memory at most, and cannot be written to${suffix}`, async (t) => {
  const id = await running(t, { init: true });
  const { pid = 0 } = readState(here().stateDirectory, id) ?? {};
  const status = readFileSync(join('/proc', String(pid), 'status'), 'utf8');
  const resident = Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]);
  t.log(`VmRSS ${resident} KiB`);
  t.true(resident > 0 && resident <= MAX_RESIDENT_KIB);
  const script = '(echo x >>/proc/1/exe) 2>&1 | grep -o "Text file busy\\|Operation not permitted\\|Permission denied"';
  t.regex(
    await here().script(script, { init: true }),
    /^(Text file busy|Operation not permitted|Permission denied)\n$/,
  );
});
