import test from 'ava';

import { printTape } from '../../../src/linux/tape/print.ts';
import { isOciError } from '../../../src/oci/error.ts';
import type { Linux, Process } from '../../../src/oci/runtime/config.ts';
import { execTape } from '../../../src/oci/runtime/exec-tape.ts';
import { FACTS, PROCESS, tapeWith } from './tape-scene.ts';

function linesOf(process: Partial<Process>, linux: Partial<Linux> = {}): string[] {
  return printTape(tapeWith({ config: { process: { ...PROCESS, ...process } }, linux })).split('\n');
}

test('what the kernel is told of priorities, in the numbers of its headers', (t) => {
  const lines = linesOf(
    { scheduler: { policy: 'SCHED_RR', priority: 7 }, ioPriority: { class: 'IOPRIO_CLASS_RT', priority: 1 } },
    {
      namespaces: [{ type: 'mount' }, { type: 'pid' }],
      personality: { domain: 'LINUX32' },
      memoryPolicy: { mode: 'MPOL_BIND', nodes: '0-1', flags: ['MPOL_F_STATIC_NODES'] },
    },
  );
  t.true(lines.includes('  sched_setattr(0, {SCHED_RR, nice 0, priority 7}, 0)'));
  t.true(lines.includes('  ioprio_set(IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_RT|1)'));
  t.true(lines.includes('  personality(LINUX32)'));
  t.true(lines.includes('  set_mempolicy(MPOL_BIND|MPOL_F_STATIC_NODES, [0-1], 65)'));
});

const refused = test.macro<[process: Partial<Process>, linux: Partial<Linux>, message: RegExp]>({
  title: (name = '') => `${name} is refused`,
  exec(t, process, linux, message) {
    const own = { namespaces: [{ type: 'mount' }, { type: 'pid' }] } as const;
    const error = t.throws(() => linesOf(process, { ...own, ...linux }), { message });
    t.true(isOciError(error, 'CONFIG_INVALID'));
  },
});

test(
  'an unknown policy',
  refused,
  { scheduler: { policy: 'SCHED_X' } },
  {},
  /scheduler\.policy: 'SCHED_X' is none of SCHED_OTHER/,
);
test('an unknown flag', refused, { scheduler: { policy: 'SCHED_RR', flags: ['X'] } }, {}, /scheduler\.flags: 'X'/);
test(
  'a runtime below zero',
  refused,
  { scheduler: { policy: 'SCHED_DEADLINE', runtime: -1 } },
  {},
  /^process\.scheduler: /,
);
test(
  'an I/O priority of 8',
  refused,
  { ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 8 } },
  {},
  /8 is not from 0 to 7/,
);
test('an unknown class', refused, { ioPriority: { class: 'X' } }, {}, /ioPriority\.class: 'X'/);
test('an unknown personality', refused, {}, { personality: { domain: 'X' } }, /personality\.domain: 'X'/);
test(
  'a flag of a personality',
  refused,
  {},
  { personality: { domain: 'LINUX', flags: ['X'] } },
  /personality\.flags: 'X'/,
);
test(
  'nodes that are none',
  refused,
  {},
  { memoryPolicy: { mode: 'MPOL_BIND', nodes: '1-' } },
  /memoryPolicy\.nodes: '1-'/,
);

test('labels are written to the /proc of the host, where their module is on', (t) => {
  const process = { ...PROCESS, apparmorProfile: 'web', selinuxLabel: 'u:r:t' };
  const on = { labels: { apparmor: true, selinux: true } };
  const tape = printTape(tapeWith({ config: { process }, options: { facts: { ...FACTS, ...on } } }));
  const written = [...tape.matchAll(/attr\/(apparmor\/exec|exec)", [^\n]*\n {2}write\([^,]*, "([^"]*)"/g)].map(
    ([, file, text]) => `${file} ${text}`,
  );
  t.deepEqual(written, ['apparmor/exec exec web', 'exec u:r:t']);
  t.true(tape.indexOf('attr/exec') < tape.indexOf('pivot_root'));
  t.false(linesOf({ apparmorProfile: 'web', selinuxLabel: 'u:r:t' }).join().includes('attr/'));
});

test('exec runs on other processors before it joins the cgroup, and after', (t) => {
  const process = { ...PROCESS, execCPUAffinity: { initial: '0', final: '1' } };
  const { labels, ...facts } = FACTS;
  const linux = { namespaces: [{ type: 'user' }, { type: 'time' }] } as const;
  const tape = printTape(
    execTape({ process, cgroupTasks: ['/c/tasks'], cgroupDirectory: undefined, facts, linux, labels }),
  );
  const order = [
    'sched_setaffinity(0, 8, [0])',
    'openat(AT_FDCWD, "/c/tasks"',
    'CLONE_NEWTIME',
    'CLONE_NEWUSER',
    'write(</c/tasks>',
    'sched_setaffinity(0, 8, [1])',
    'setresuid(0, 0, 0)',
    'execve',
  ];
  const places = order.map((text) => tape.indexOf(text));
  t.true(places.every((place) => place > 0));
  t.is(Math.max(...places), places.at(-1) ?? -1);
  t.true(
    (places[0] ?? 0) < (places[1] ?? 0) && (places[4] ?? 0) < (places[5] ?? 0) && (places[5] ?? 0) < (places[6] ?? 0),
  );
});
