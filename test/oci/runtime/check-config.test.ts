import { assert, constantFrom, jsonValue, property } from 'fast-check';
import test from 'ava';

import { isOciError, OciError } from '../../../src/oci/error.ts';
import { checkConfig } from '../../../src/oci/runtime/check-config.ts';

type Json = { readonly [key: string]: unknown };

const BASE: Json = {
  ociVersion: '1.2.0',
  root: { path: 'rootfs' },
  process: { user: { uid: 0, gid: 0 }, args: ['sh'], cwd: '/' },
};

function withProcess(changes: Json): Json {
  return { ...BASE, process: { ...(BASE['process'] as Json), ...changes } };
}

const refused = test.macro<[config: unknown, message: string]>({
  title: (name, _, message) => `refused: ${name ?? message}`,
  exec(t, config, message) {
    const error = t.throws(() => checkConfig(config), { instanceOf: OciError });
    t.true(isOciError(error, 'CONFIG_INVALID'));
    t.true(error.message.startsWith(message), error.message);
  },
});

test('a version that is none', refused, { ...BASE, ociVersion: 'invalid' }, "ociVersion: 'invalid'");
test('a version to come', refused, { ...BASE, ociVersion: '2.0.0' }, "ociVersion: '2.0.0'");
test('no root', refused, { ociVersion: '1.0.0' }, 'root: it is missing');
test('no path of the root', refused, { ...BASE, root: {} }, 'root.path: it is missing');
test('no document', refused, [], 'config.json: [] is not an object');
test('a relative cwd', refused, withProcess({ cwd: 'x' }), 'process.cwd: "x" is not an absolute path');
test('no cwd', refused, withProcess({ cwd: null }), 'process.cwd: it is missing');
test('no arguments', refused, withProcess({ args: [] }), 'process.args is empty');
test('an argument with a NUL', refused, withProcess({ args: ['a\0b'] }), 'process.args[0]: a string with a NUL');
test(
  'a user id that the kernel takes for -1 (SEC-12)',
  refused,
  withProcess({ user: { uid: 4294967295, gid: 0 } }),
  'process.user.uid: 4294967295',
);
test('a negative group (SEC-12)', refused, withProcess({ user: { uid: 0, gid: -1 } }), 'process.user.gid: -1');
test('a user id as text', refused, withProcess({ user: { uid: '0', gid: 0 } }), 'process.user.uid: "0" is not a whole');
test(
  'a name of a user',
  refused,
  withProcess({ user: { uid: 0, gid: 0, username: 'x' } }),
  'process.user.username: not supp',
);
test(
  'an unknown limit',
  refused,
  withProcess({ rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }] }),
  'process.rlimits[0].type: Linux has',
);
test(
  'a limit twice',
  refused,
  withProcess({
    rlimits: [
      { type: 'RLIMIT_CORE', soft: 1, hard: 1 },
      { type: 'RLIMIT_CORE', soft: 1, hard: 1 },
    ],
  }),
  "process.rlimits[1].type: 'RLIMIT_CORE' stands twice",
);
test(
  'a soft limit above the hard one',
  refused,
  withProcess({ rlimits: [{ type: 'RLIMIT_CORE', soft: 2, hard: 1 }] }),
  'process.rlimits[0]: the soft',
);
test(
  'a hook with a relative path',
  refused,
  { ...BASE, hooks: { poststop: [{ path: 'x' }] } },
  'hooks.poststop[0].path: "x"',
);
test(
  'a hook without time',
  refused,
  { ...BASE, hooks: { prestart: [{ path: '/x', timeout: 0 }] } },
  'hooks.prestart[0].timeout: 0',
);
const NETWORK = { namespaces: [{ type: 'network' }] };
test(
  'network devices without a network namespace',
  refused,
  { ...BASE, linux: { netDevices: { eth0: {} } } },
  "linux.netDevices: the container has no 'network' namespace",
);
test(
  'two network devices of one name',
  refused,
  { ...BASE, linux: { ...NETWORK, netDevices: { eth0: { name: 'net' }, net: {} } } },
  "linux.netDevices: two are to be called 'net'",
);
test(
  'a network device with a name that cannot be',
  refused,
  { ...BASE, linux: { ...NETWORK, netDevices: { eth0: { name: 'a/b' } } } },
  "linux.netDevices: 'a/b' is not the name of a network device",
);
test(
  'Intel RDT',
  refused,
  { ...BASE, linux: { intelRdt: { l3CacheSchema: 'L3:0=1' } } },
  'linux.intelRdt: not supported',
);
test('another operating system', refused, { ...BASE, windows: { layerFolders: [] } }, 'windows: not supported');
test('a virtual machine', refused, { ...BASE, vm: { kernel: {} } }, 'vm: not supported');
test(
  'a sysctl as a number',
  refused,
  { ...BASE, linux: { sysctl: { 'net.x': 1 } } },
  "linux.sysctl['net.x']: 1 is not a string",
);
test(
  'a mapping without its size',
  refused,
  { ...BASE, linux: { uidMappings: [{ containerID: 0, hostID: 1 }] } },
  'linux.uidMappings[0].size: it is missing',
);

test('what asks for nothing is no error', (t) => {
  const nothing = { windows: {}, linux: { intelRdt: {}, netDevices: {} }, hooks: { prestart: null }, mounts: null };
  t.notThrows(() => checkConfig({ ...BASE, ...nothing }));
  t.notThrows(() => checkConfig({ ociVersion: '1.0.2-dev', root: { path: 'x' } }));
});

test('null is the same as nothing', (t) => {
  const { config } = checkConfig({
    ...BASE,
    mounts: null,
    hooks: { prestart: null },
    linux: { devices: null, sysctl: { a: null } },
  });
  t.deepEqual(config, { ...BASE, hooks: {}, linux: { sysctl: {} } });
});

test('an unknown property is left alone', (t) => {
  t.notThrows(() => checkConfig({ ...BASE, future: 1, linux: { future: { x: 1 } } }));
});

test('a capability that Linux does not have is left out, with a warning', (t) => {
  const capabilities = { bounding: ['CAP_CHOWN', 'CAP_MAGIC'], effective: ['CAP_MAGIC'] };
  const { config, warnings } = checkConfig(withProcess({ capabilities }));
  t.deepEqual(config.process?.capabilities, { bounding: ['CAP_CHOWN'], effective: [] });
  t.deepEqual(warnings, ["process.capabilities: this Linux has no 'CAP_MAGIC': left out"]);
});

test('2^64-1 of a limit, which JSON rounds, is a number like others', (t) => {
  const config: unknown = JSON.parse(
    JSON.stringify(withProcess({ rlimits: [{ type: 'RLIMIT_CORE', soft: 'S', hard: 'S' }] })).replaceAll(
      '"S"',
      '18446744073709551615',
    ),
  );
  t.notThrows(() => checkConfig(config));
});

test('whatever JSON there is, it is taken or refused by name', (t) => {
  const nothingElse = property(
    jsonValue(),
    constantFrom('process', 'linux', 'hooks', 'mounts', 'root'),
    (value, name) => {
      try {
        checkConfig({ ...BASE, [name]: value });
      } catch (error) {
        if (!isOciError(error, 'CONFIG_INVALID')) throw error;
      }
    },
  );
  t.notThrows(() => assert(nothingElse, { numRuns: 500 }));
});
