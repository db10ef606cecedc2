import test from 'ava';

import { assemble } from '../../../src/linux/tape/assemble.ts';
import { printTape } from '../../../src/linux/tape/print.ts';
import { isOciError } from '../../../src/oci/error.ts';
import type { Device, Mount, RuntimeConfig } from '../../../src/oci/runtime/config.ts';
import { withPlainMounts } from '../../../src/oci/runtime/plain-mounts.ts';
import { assertGolden } from '../../assert-golden.ts';
import { FACTS, tapeWith } from './tape-scene.ts';

const bind = (destination: string, ...options: string[]): Mount => ({
  destination,
  type: 'bind',
  source: '/volumes/data',
  options,
});
const tmpfs = (destination: string, ...options: string[]): Mount => ({ destination, type: 'tmpfs', options });

/** The lines of a tape that begin with one of these calls. */
function linesOf(tape: string, ...calls: string[]): string[] {
  return tape
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => calls.some((call) => line.startsWith(`${call}(`)));
}

test('mounts of every kind', (t) => {
  const mounts: Mount[] = [
    { destination: '/proc', type: 'proc', source: 'proc' },
    bind('/bind', 'bind', 'ro', 'noatime', 'rslave', 'shared'),
    bind('/tree', 'rbind', 'rro', 'rnosuid'),
    bind('/mapped', 'rbind', 'ridmap', 'ro'),
    tmpfs('/kept', 'ro', 'size=1m'),
    tmpfs('/kept/in', 'tmpcopyup'),
    bind('/tree', 'bind', 'remount', 'rw'),
    { destination: '/image', type: 'erofs', source: '/images/one.erofs', options: ['ro'] },
    { destination: '/root', type: 'none', options: ['remount', 'nosuid'] },
  ];
  const facts = { ...FACTS, prepared: new Set([3, 5]), stage: '/s/containers/c1' };
  const tape = tapeWith({ config: { mounts }, options: { facts } });
  assertGolden(t, 'tape/mounts.txt', printTape(tape));
  t.notThrows(() => assemble(tape, 'arm64'));
});

test('devices are those that are named, then the others that every container has, each once', (t) => {
  const devices: Device[] = [
    { type: 'c', path: '/dev/null', major: 1, minor: 3, fileMode: 0o600, uid: 5, gid: 6 },
    { type: 'c', path: '/dev//null', major: 9, minor: 9 },
    { type: 'p', path: '/dev/deep/pipe', fileMode: 0o640 },
    { type: 'c', path: '/dev/ptmx', major: 5, minor: 2 },
    { type: 'b', path: '/srv/disk', major: 8, minor: 300 },
  ];
  const tape = printTape(tapeWith({ config: { mounts: [tmpfs('/dev')] }, linux: { devices } }));
  t.deepEqual(linesOf(tape, 'mknodat', 'fchownat'), [
    'mknodat(AT_FDCWD, "/dev/null", S_IFCHR|0600, makedev(1, 3))',
    'fchownat(AT_FDCWD, "/dev/null", 5, 6, AT_SYMLINK_NOFOLLOW)',
    'mknodat(AT_FDCWD, "/dev/deep/pipe", S_IFIFO|0640, makedev(0, 0))',
    'mknodat(AT_FDCWD, "/srv/disk", S_IFBLK|0666, makedev(8, 300))  error -> next',
    'mknodat(AT_FDCWD, "/dev/zero", S_IFCHR|0666, makedev(1, 5))',
    'mknodat(AT_FDCWD, "/dev/full", S_IFCHR|0666, makedev(1, 7))',
    'mknodat(AT_FDCWD, "/dev/random", S_IFCHR|0666, makedev(1, 8))',
    'mknodat(AT_FDCWD, "/dev/urandom", S_IFCHR|0666, makedev(1, 9))',
    'mknodat(AT_FDCWD, "/dev/tty", S_IFCHR|0666, makedev(5, 0))',
  ]);
});

test('a /dev of the host is left as it is', (t) => {
  const tape = printTape(tapeWith({ config: { mounts: [{ ...bind('/dev', 'rbind'), source: '/dev' }] } }));
  t.deepEqual(linesOf(tape, 'mknodat', 'symlinkat'), []);
});

test('one empty directory masks all directories', (t) => {
  const mounts: Mount[] = [
    { destination: '/proc', type: 'proc' },
    { destination: '/sys', type: 'sysfs' },
  ];
  const maskedPaths = ['/proc/acpi', '/proc/scsi', '/sys/firmware'];
  const tape = printTape(tapeWith({ config: { mounts }, linux: { maskedPaths } }));
  t.deepEqual(
    linesOf(tape, 'mount').filter((line) => maskedPaths.some((path) => line.includes(path))),
    [
      'mount("tmpfs", "/proc/acpi", "tmpfs", MS_RDONLY|MS_NOSUID|MS_NODEV|MS_NOEXEC, 0)',
      'mount("/proc/acpi", "/proc/scsi", 0, MS_BIND, 0)',
      'mount("/proc/acpi", "/sys/firmware", 0, MS_BIND, 0)',
    ],
  );
});

test('a label of SELinux is given to file systems that take one, where there is SELinux', (t) => {
  const mounts: Mount[] = [{ destination: '/proc', type: 'proc' }, tmpfs('/t', 'mode=700'), bind('/data', 'bind')];
  const linux = { mountLabel: 'system_u:object_r:container_file_t:s0' };
  const label = `mode=700,context=\\"${linux.mountLabel}\\"`;
  const on = printTape(tapeWith({ config: { mounts }, linux, options: { facts: { ...FACTS, selinux: true } } }));
  t.is(on.split(label).length - 1, 1);
  t.false(printTape(tapeWith({ config: { mounts }, linux })).includes('context='));
});

const refused = test.macro<[mount: Mount, message: RegExp]>({
  title: (name = '') => name,
  exec(t, mount, message) {
    const error = t.throws(() => tapeWith({ config: { mounts: [mount] } }), { message });
    t.true(isOciError(error, 'CONFIG_INVALID'));
  },
});

test(
  'nothing is mounted over what /proc tells of a process',
  refused,
  bind('/proc/self/attr', 'bind'),
  /inside \/proc/,
);
test('nothing but proc is mounted on /proc', refused, tmpfs('/proc'), /only proc can be mounted there/);
test(
  'a tmpfs alone is filled',
  refused,
  { destination: '/x', type: 'ramfs', options: ['tmpcopyup'] },
  /option of tmpfs/,
);
test(
  'more than a page of options is refused',
  refused,
  tmpfs('/x', `size=${'1'.repeat(4096)}`),
  /longer than 4095 bytes/,
);

function plain(...mounts: Mount[]): readonly Mount[] {
  const config: RuntimeConfig = { ociVersion: '1.2.0', root: { path: '/' }, mounts };
  return withPlainMounts(config, '/bundle').mounts ?? [];
}

test('destinations count from the root, sources of bind mounts from the bundle', (t) => {
  t.is(plain(tmpfs('a//b/./c/'))[0]?.destination, '/a/b/c');
  t.is(plain(tmpfs('../../etc'))[0]?.destination, '/etc');
  t.is(plain(tmpfs('/'))[0]?.destination, '/');
  t.is(plain({ ...bind('/a', 'bind'), source: '../data' })[0]?.source, '/data');
  t.is(plain({ ...bind('/a', 'bind'), source: '/data' })[0]?.source, '/data');
  t.is(plain({ ...tmpfs('/a'), source: 'name' })[0]?.source, 'name');
  t.throws(() => plain(tmpfs('')), { message: /mounts\[0\]\.destination is missing/ });
});
