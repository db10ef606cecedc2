import test, { type ExecutionContext } from 'ava';

import { assemble } from '../../../src/linux/tape/assemble.ts';
import type { Tape } from '../../../src/linux/tape/operation.ts';
import { printTape } from '../../../src/linux/tape/print.ts';
import { isOciError } from '../../../src/oci/error.ts';
import type { Linux } from '../../../src/oci/runtime/config.ts';
import { assertGolden } from '../../assert-golden.ts';
import { tapeWith } from './tape-scene.ts';

const MAPPINGS = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const OWN = [{ type: 'pid' }, { type: 'mount' }, { type: 'uts' }] as const;

function assertTape(t: ExecutionContext, name: string, tape: Tape): void {
  assertGolden(t, `tape/${name}.txt`, printTape(tape));
  t.notThrows(() => assemble(tape, 'x64'));
  t.notThrows(() => assemble(tape, 'arm64', 16384));
}

test('a user namespace is entered by the monitor, when what needs the host is done', (t) => {
  const tape = tapeWith({
    linux: { namespaces: [...OWN, { type: 'user' }], uidMappings: MAPPINGS, gidMappings: MAPPINGS },
    config: {
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/data', type: 'bind', source: '/private', options: ['rbind', 'rprivate'] },
      ],
    },
  });
  assertTape(t, 'user-namespace', tape);
});

test('a new time namespace gets its offsets before anything is in it', (t) => {
  const timeOffsets = { monotonic: { secs: 1000 }, boottime: { secs: -5, nanosecs: 7 } };
  assertTape(t, 'time-namespace', tapeWith({ linux: { namespaces: [...OWN, { type: 'time' }], timeOffsets } }));
});

test('namespaces are joined by path: pid and time before the clone', (t) => {
  const namespaces = (['pid', 'network', 'ipc', 'uts', 'cgroup', 'time'] as const).map((type) => ({
    type,
    path: `/ns/${type}`,
  }));
  assertTape(t, 'joined-namespaces', tapeWith({ linux: { namespaces: [{ type: 'mount' }, ...namespaces] } }));
});

test('without a mount namespace of its own the container is chrooted, and nothing else of the namespace changes', (t) => {
  assertTape(t, 'shared-mounts', tapeWith({ linux: { namespaces: [{ type: 'pid' }] } }));
  const namespaces = [{ type: 'pid' }, { type: 'mount', path: '/ns/mount' }] as const;
  assertTape(t, 'joined-mounts', tapeWith({ linux: { namespaces } }));
});

test('the tape stops for the hooks of create with everything mounted and the host in view', (t) => {
  const hooks = { createContainer: [{ path: '/bin/hook' }] };
  const options = { startFifo: '/s/containers/c1/start.fifo' };
  assertTape(t, 'hooks-of-create', tapeWith({ config: { hooks }, options }));
});

test('hooks of start, and of the end, leave the tape as it is', (t) => {
  const hook = [{ path: '/bin/hook' }];
  const hooks = { startContainer: hook, poststart: hook, poststop: hook };
  t.is(printTape(tapeWith({ config: { hooks } })), printTape(tapeWith({})));
  t.is(printTape(tapeWith({ config: { hooks: { prestart: [], createRuntime: [] } } })), printTape(tapeWith({})));
});

test('a shared root keeps what is mounted around it from the host', (t) => {
  assertTape(t, 'shared-root', tapeWith({ linux: { rootfsPropagation: 'shared' } }));
});

test('a container without a process waits for a start that cannot be', (t) => {
  const startFifo = '/s/containers/c1/start.fifo';
  const tape = printTape(tapeWith({ config: { process: undefined } as object, options: { startFifo } }));
  t.regex(tape, /read\(fifo, <byte>, 1\)\n {2}exit_group\(127\)/);
  t.throws(() => tapeWith({ config: { process: undefined } as object }), { message: /process is missing/ });
});

const refused = test.macro<[linux: Partial<Linux>, message: RegExp]>({
  title: (name = '') => `${name} is refused`,
  exec(t, linux, message) {
    const error = t.throws(() => tapeWith({ linux }), { message });
    t.true(isOciError(error, 'CONFIG_INVALID'));
  },
});

test(
  'a namespace that Linux does not have',
  refused,
  { namespaces: [...OWN, { type: 'disk' as 'pid' }] },
  /unknown type 'disk'/,
);
test('a relative path', refused, { namespaces: [...OWN, { type: 'ipc', path: 'x' }] }, /'x' of 'ipc' is not absolute/);
test('a mapping without a user namespace', refused, { uidMappings: MAPPINGS }, /uidMappings: there is no new 'user'/);
test('an offset without a time namespace', refused, { timeOffsets: { boottime: { secs: 1 } } }, /no new 'time'/);
test(
  'an offset of a clock that has none',
  refused,
  { namespaces: [...OWN, { type: 'time' }], timeOffsets: { realtime: { secs: 1 } } },
  /'realtime' is none of monotonic, boottime/,
);
test(
  'a user namespace from which the monitor can be seen',
  refused,
  { namespaces: [{ type: 'mount' }, { type: 'user', path: '/ns/user' }] },
  /needs a 'pid' namespace too/,
);
test('an unknown propagation', refused, { rootfsPropagation: 'public' }, /unknown value 'public'/);

test("a name that would become the machine's is refused", (t) => {
  const linux = { namespaces: [{ type: 'mount' }] } as const;
  for (const field of ['hostname', 'domainname']) {
    const message = new RegExp(`^${field}: 'x' would become the machine's`);
    t.throws(() => tapeWith({ config: { [field]: 'x', linux } }), { message });
  }
});
