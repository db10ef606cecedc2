// What a container costs the machine besides its own program: system calls of a start, memory, descriptors; and that many
// starts cost no more than one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ExecutionContext } from 'ava';

import { createContainer } from '../../src/oci/runtime/create.ts';
import { deleteContainer } from '../../src/oci/runtime/delete.ts';
import { readState } from '../../src/oci/runtime/state.ts';
import { findProgram } from './busybox-bundle.ts';
import type { RunnerWork } from './container-runner.ts';
import { sceneTests } from './scene-tests.ts';
import { formatCalls, parseStartCalls, totalOf } from './start-calls.ts';

/** PERF-4, on every machine: v1 with a hierarchy per controller costs most. */
const MAX_CALLS = 150;
const MAX_MONITOR_BYTES = 32 * 1024;
const { usable, suffix, here, running } = sceneTests('strace');

usable(`a start in a process that is prepared for many makes ${MAX_CALLS} system calls at most${suffix}`, async (t) => {
  const ids = [here().newId(), here().newId(), here().newId()]; // the first ones warm up
  const requests = ids.map((id) => here().request(id, { command: ['/bin/true'] }));
  const file = join(here().directory, 'trace');
  const runner = fileURLToPath(new URL('container-runner.ts', import.meta.url));
  const args = ['-f', '-o', file, process.execPath, runner];
  const strace = spawn(findProgram('strace') ?? '', args, { stdio: ['pipe', 'inherit', 'inherit'] });
  const { stateDirectory, cgroupParent } = here();
  const work: RunnerWork = { stateDirectory, requests, cgroupParent };
  strace.stdin.end(JSON.stringify(work));
  const [code] = (await once(strace, 'exit')) as [number];
  t.is(code, 0);
  const { counted, left } = parseStartCalls(readFileSync(file, 'utf8'), ids.at(-1) ?? '', '/bin/true');
  t.log(`${totalOf(counted)} system calls, at most ${MAX_CALLS}`);
  for (const line of formatCalls(counted, ['agent', 'monitor', 'container'])) t.log(line);
  t.log(`not counted: ${totalOf(left)}`);
  t.true(totalOf(counted) <= MAX_CALLS);
  t.true(totalOf(counted) > 100, 'the trace is whole');
});

/** The monitor of a container: the parent of its first process. */
function monitorOf(id: string): number {
  const { pid = 0 } = readState(here().stateDirectory, id) ?? {};
  return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** A line of a file of /proc, `Name: 16 kB`, in bytes. */
function bytesOf(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1]) * 1024;
}

usable(`a monitor needs ${MAX_MONITOR_BYTES / 1024} KiB of memory at most, and one descriptor${suffix}`, async (t) => {
  const id = await running(t);
  const monitor = monitorOf(id);
  t.is(readFileSync(`/proc/${monitor}/comm`, 'utf8'), 'berth-monitor\n');
  const resident = bytesOf(readFileSync(`/proc/${monitor}/status`, 'utf8'), 'VmRSS');
  const rollup = readFileSync(`/proc/${monitor}/smaps_rollup`, 'utf8');
  const [proportional, file] = [bytesOf(rollup, 'Pss'), statSync(`/proc/${monitor}/exe`).blocks * 512];
  t.log(`VmRSS ${resident / 1024} KiB, Pss ${proportional / 1024} KiB, its program in memory ${file / 1024} KiB`);
  t.true(resident > 0 && resident <= MAX_MONITOR_BYTES);
  t.true(proportional > 0 && proportional <= MAX_MONITOR_BYTES);
  const fds = readdirSync(`/proc/${monitor}/fd`).map((fd) => readlinkSync(`/proc/${monitor}/fd/${fd}`));
  t.deepEqual(fds, [join(here().stateDirectory, 'containers', id, 'exit')]);
  t.is(readlinkSync(`/proc/${monitor}/ns/mnt`), readlinkSync('/proc/self/ns/mnt'));
});

function ownDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

async function cycle(t: ExecutionContext): Promise<void> {
  const id = here().newId();
  await createContainer(here().runtime, here().request(id, { command: ['sleep', '1000'] }));
  await deleteContainer(here().runtime, id, { force: true });
  t.deepEqual(here().remains(id), []);
}

usable(`a hundred starts and stops leave no descriptor, process, mount, cgroup or file${suffix}`, async (t) => {
  for (let round = 0; round < 3; round++) await cycle(t); // what is opened once, is open now
  const before = ownDescriptors();
  for (let round = 0; round < 100; round++) await cycle(t);
  t.is(ownDescriptors(), before);
  t.false(readFileSync('/proc/self/mountinfo', 'utf8').includes(here().directory));
  t.deepEqual(readdirSync(join(here().stateDirectory, 'containers')), []);
  t.deepEqual(zombies(), []); // processes and cgroups: see the end of the scene
});

usable(`starts that fail leave nothing either${suffix}`, async (t) => {
  const fail = async (): Promise<void> => {
    const request = here().request(here().newId(), { command: ['/bin/nope'] });
    await t.throwsAsync(() => createContainer(here().runtime, request));
  };
  await fail();
  const before = ownDescriptors();
  for (let round = 0; round < 30; round++) await fail();
  t.is(ownDescriptors(), before);
  t.deepEqual(readdirSync(join(here().stateDirectory, 'containers')), []);
  t.deepEqual(zombies(), []);
});

/** Children of this process that nobody has reaped. */
function zombies(): string[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.filter((pid) => /^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
}
