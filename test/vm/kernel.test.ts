import test from 'ava';

import { parseLdd } from './file-tree.ts';
import { kernelPackage, moduleDependencies } from './kernel.ts';
import { testCommand } from './test-command.ts';

test('the kernel is what the meta package depends on', (t) => {
  const depends = 'linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n  Recommends: apparmor\n';
  t.is(kernelPackage(depends), 'linux-image-6.1.0-56-cloud-amd64');
  t.throws(() => kernelPackage('N: Unable to locate package'), { message: /apt-get update/ });
});

function section(depends: string): Buffer {
  return Buffer.from(`\x7fELF…license=GPL\0depends=${depends}\0name=bridge\0`);
}

test('a module names what it depends on', (t) => {
  t.deepEqual(moduleDependencies(section('stp,nf-tables')), ['stp', 'nf_tables']);
  t.deepEqual(moduleDependencies(section('')), []);
});

test('libraries are read from what ldd prints', (t) => {
  const output = [
    '\tlinux-vdso.so.1 (0x00007ffd)',
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f5d)',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007f5e)',
  ];
  t.deepEqual(parseLdd(output.join('\n')), ['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2']);
  t.deepEqual(parseLdd('\tnot a dynamic executable\n'), []);
});

test('files named on the command line replace the chosen ones, and are quoted', (t) => {
  t.regex(testCommand({ short: true, tap: true }, []), /'--tap' 'test\/system\/cgroup\.test\.ts'/);
  const command = testCommand({}, ["it's.test.ts"]);
  t.true(command.endsWith(`'it'\\''s.test.ts'\n`), command);
  t.notRegex(command, /cgroup\.test/);
});
