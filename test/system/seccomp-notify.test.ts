// SCMP_ACT_NOTIFY: whoever listens gets the descriptor and the state, before the program makes a call that is asked about.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import type { RuntimeConfig, Seccomp } from '../../src/oci/runtime/config.ts';
import { createContainer, type CreateRequest } from '../../src/oci/runtime/create.ts';
import { execInContainer } from '../../src/oci/runtime/exec.ts';
import { startContainer } from '../../src/oci/runtime/start.ts';
import { requireState } from '../../src/oci/runtime/state.ts';
import { waitContainer } from '../../src/oci/runtime/wait.ts';
import { refused, sceneTests } from './scene-tests.ts';
import { SeccompAgent } from './seccomp-agent.ts';

const { usable, suffix, here, running } = sceneTests('python3');
let agents = 0;

async function agentOf(t: ExecutionContext): Promise<SeccompAgent> {
  agents += 1;
  const agent = await SeccompAgent.listen(join(here().directory, `agent-${agents}`));
  t.teardown(() => agent.close());
  return agent;
}

function asking(listenerPath: string, names: readonly string[] = ['mkdir', 'mkdirat']): Seccomp {
  const rule = { names, action: 'SCMP_ACT_NOTIFY' } as const;
  return { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule], listenerPath, listenerMetadata: 'for the agent' };
}

function filtered(seccomp: Seccomp, script: string, more: Partial<RuntimeConfig['process']> = {}): CreateRequest {
  const request = here().request(here().newId(), { command: ['sh', '-c', script] });
  const { linux, process } = request.config;
  const changed = process === undefined ? undefined : { ...process, ...more };
  return { ...request, config: { ...request.config, process: changed, linux: { ...linux, seccomp } } as RuntimeConfig };
}

const MKDIR = 'mkdir /tmp/x 2>&1; echo $?';
const DENIED = "mkdir: can't create directory '/tmp/x': No medium found\n1\n";

usable(`a listener is asked, and told about whom${suffix}`, async (t) => {
  const agent = await agentOf(t);
  const request = filtered(asking(agent.path), MKDIR);
  const { output } = await here().run(request);
  t.is(output, DENIED);
  const { state, fds, closed } = await agent.told();
  t.deepEqual([fds, closed], [1, true]);
  const { id, bundle, config } = request;
  const { pid } = state;
  t.true(pid > 1);
  t.deepEqual(state, {
    ociVersion: config.ociVersion,
    fds: ['seccompFd'],
    pid,
    metadata: 'for the agent',
    state: { ociVersion: config.ociVersion, id, status: 'creating', pid, bundle },
  });
});

usable(
  `also without no_new_privs, by another user, and with calls asked about that the runtime makes${suffix}`,
  async (t) => {
    const agent = await agentOf(t);
    const seccomp = asking(agent.path, ['mkdir', 'execve', 'read', 'close', 'capset', 'setresuid', 'sendmsg']);
    const user = { uid: 1000, gid: 1000 };
    const { output } = await here().run(filtered(seccomp, `${MKDIR}; id -u`, { noNewPrivileges: false, user }));
    t.is(output, `${DENIED}1000\n`);
    t.is((await agent.told()).fds, 1);
  },
);

usable(`create hands the listener over, start runs the program${suffix}`, async (t) => {
  const agent = await agentOf(t);
  const request = { ...filtered(asking(agent.path, ['mkdir', 'read', 'dup3']), MKDIR), mode: 'create' } as const;
  await createContainer(here().runtime, request);
  const { pid } = requireState(here().stateDirectory, request.id);
  t.is((await agent.told()).state.pid, pid);
  await startContainer(here().runtime, request.id);
  await waitContainer(here().stateDirectory, request.id);
  t.is(readFileSync(here().logFile(request.id), 'utf8'), DENIED);
});

usable(`a process of exec has a listener of its own${suffix}`, async (t) => {
  const agent = await agentOf(t);
  const id = await running(t, {}, { config: filtered(asking(agent.path), 'sleep 1000').config });
  const first = await agent.told();
  const process = here().process(id, ['sh', '-c', `mkdir /tmp/x; test $? = 1 || exit 3; exit 7`]);
  t.is((await execInContainer(here().runtime, { id, process, stdio: [0, 1, 2] })).code, 7);
  const { state } = await agent.told();
  t.is(state.state.status, 'running');
  t.is(state.state.pid, first.state.pid);
  t.not(state.pid, first.state.pid);
});

usable(`where nobody listens, nothing is started and nothing left${suffix}`, async (t) => {
  const request = filtered(asking(join(here().directory, 'nobody')), 'echo ran');
  await refused(
    t,
    () => createContainer(here().runtime, request),
    'START_FAILED',
    /listenerPath: connect\(.*\): ENOENT/,
  );
  t.deepEqual(here().remains(request.id), []);
});

usable(`whoever hangs up keeps the program from running${suffix}`, async (t) => {
  const path = join(here().directory, 'hangs-up');
  const server = createServer((socket) => socket.destroy()).listen(path);
  t.teardown(() => server.close());
  const request = filtered(asking(path), 'echo ran');
  // It takes the connection when this process waits for the tape: the hang-up is there before the tape has set up the container.
  await refused(
    t,
    () => createContainer(here().runtime, request),
    'START_FAILED',
    /seccomp listener to '.*': sendmsg.*EPIPE/,
  );
  t.deepEqual(here().remains(request.id), []);
  t.is(readFileSync(here().logFile(request.id), 'utf8'), '');
});

usable(`a profile that denies write cannot have a listener, and says so${suffix}`, async (t) => {
  const agent = await agentOf(t);
  const asked = asking(agent.path);
  const denied = { names: ['write'], action: 'SCMP_ACT_ERRNO' } as const;
  const request = filtered({ ...asked, syscalls: [...(asked.syscalls ?? []), denied] }, 'echo ran');
  await refused(t, () => createContainer(here().runtime, request), 'START_FAILED', /the profile must allow write/);
  t.deepEqual(here().remains(request.id), []);
});
