// Processes that are put into a running container.
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ExitStatus } from '../../src/linux/siginfo.ts';
import type { Process } from '../../src/oci/runtime/config.ts';
import { execInContainer, type ExecRequest } from '../../src/oci/runtime/exec.ts';
import { stopContainer } from '../../src/oci/runtime/signal-container.ts';
import { readState } from '../../src/oci/runtime/state.ts';
import { until } from './in-cgroup.ts';
import { refused, sceneTests } from './scene-tests.ts';

const SIGKILL = 9;
const { usable, suffix, here, running } = sceneTests();

type Changes = Partial<Process>;

function execRequest(id: string, args: readonly string[], changes: Changes = {}, output?: number): ExecRequest {
  return { id, process: { ...here().process(id, args), ...changes }, stdio: [0, output ?? 1, output ?? 2] };
}

/** Run a process in a container: how it ended, and what it wrote. */
async function exec(
  id: string,
  args: readonly string[],
  changes: Changes = {},
): Promise<{ readonly status: ExitStatus; readonly output: string }> {
  const file = join(here().directory, `${id}.exec`);
  const fd = openSync(file, 'w');
  try {
    const status = await execInContainer(here().runtime, execRequest(id, args, changes, fd));
    return { status, output: readFileSync(file, 'utf8') };
  } finally {
    closeSync(fd);
  }
}

usable(`a process has the user, groups, directory, environment and exit code that it is told${suffix}`, async (t) => {
  const id = await running(t);
  const script = 'id -u; id -g; id -G; pwd; echo "$WORD"; umask; hostname; exit 7';
  const { status, output } = await exec(id, ['sh', '-c', script], {
    user: { uid: 1000, gid: 1001, additionalGids: [7, 8], umask: 0o077 },
    cwd: '/tmp',
    env: ['PATH=/bin', 'WORD=a b'],
  });
  t.deepEqual(output.split('\n'), ['1000', '1001', '1001 7 8', '/tmp', 'a b', '0077', 'scene', '']);
  t.is(status.code, 7);
});

usable(`a process joins every namespace and cgroup of the container${suffix}`, async (t) => {
  const id = await running(t);
  const kinds = 'cgroup ipc mnt net pid uts user';
  const script = `for kind in ${kinds}; do readlink /proc/$1/ns/$kind; done; cat /proc/$1/cgroup`;
  const first = await exec(id, ['sh', '-c', script, 'sh', '1']);
  const own = await exec(id, ['sh', '-c', script, 'sh', 'self']);
  t.is(own.output, first.output);
  t.true(own.output.includes(':/\n'));
  t.false(own.output.includes('berth'));
});

usable(`a process has the privileges of the container, no more, and no descriptor of the host${suffix}`, async (t) => {
  const id = await running(t);
  const show = ['sh', '-c', 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/$0/status; ls /proc/self/fd'];
  const first = await exec(id, [...show, '1']);
  const own = await exec(id, [...show, 'self']);
  t.is(own.output, first.output);
  t.regex(own.output, /^Seccomp:\t2$/m);
  t.regex(own.output, /\n0\n1\n2\n3\n$/); // 3 is the directory that ls reads
});

usable(`a program that is missing fails with the call and a hint${suffix}`, async (t) => {
  const id = await running(t);
  await refused(t, () => exec(id, ['/bin/nope']), 'START_FAILED', /run \/bin\/nope: ENOENT \(the file, or /);
  await refused(t, () => exec(id, ['true'], { cwd: '/nope' }), 'START_FAILED', /directory \/nope: ENOENT/);
  t.is(readState(here().stateDirectory, id)?.status, 'running');
});

usable(`a process that is called off is killed, and the container goes on${suffix}`, async (t) => {
  const id = await running(t);
  const signal = AbortSignal.timeout(100);
  const request = { ...execRequest(id, ['sleep', '1000']), signal };
  const error = await t.throwsAsync(() => execInContainer(here().runtime, request));
  t.is(error, signal.reason as Error);
  t.is(here().processes(id).length, 1);
  await t.throwsAsync(() => execInContainer(here().runtime, { ...request, signal: AbortSignal.abort() }));
  t.is(here().processes(id).length, 1);
});

usable(`a process ends with its container${suffix}`, async (t) => {
  const id = await running(t);
  const ended = execInContainer(here().runtime, execRequest(id, ['sleep', '1000']));
  await until(() => here().processes(id).length === 2, 'both processes run');
  await stopContainer(here().runtime, id, { graceMs: 0 });
  t.is((await ended).signal, SIGKILL);
});
