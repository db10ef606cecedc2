// Device rules that hold: by the devices controller of v1, and by an eBPF program on cgroup2.
import { existsSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';

import test from 'ava';

import { BPF_CGROUP_DEVICE, BPF_PROG_TYPE_CGROUP_DEVICE, bpfProgLoad, bpfProgQuery } from '../../src/linux/bpf/bpf.ts';
import { encodeProgram, exit, load, move } from '../../src/linux/bpf/instruction.ts';
import { Fd } from '../../src/linux/fd.ts';
import { defaultDeviceRules, usableDeviceRules } from '../../src/oci/runtime/defaults.ts';
import { cgroupScene } from './cgroup-scene.ts';
import { cgroupsUnusable, ended, spawnIn } from './in-cgroup.ts';

const { layout, make, needs } = cgroupScene();
const devices = needs('devices');
const justNull = [...defaultDeviceRules([]), { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }] as const;
const tryDevices = 'echo x > /dev/null && echo null; head -c1 /dev/zero > /dev/null && echo zero; true';

devices.test(`default device rules let null through, and what a later rule denies not${devices.reason}`, async (t) => {
  const cgroup = make(t, {
    devices: [...defaultDeviceRules([]), ...usableDeviceRules(), { allow: false, type: 'c', major: 1, minor: 5 }],
  });
  const { output } = await ended(spawnIn(cgroup, tryDevices));
  t.regex(output, /^null$/m);
  t.notRegex(output, /^zero$/m);
  t.regex(output, /not permitted/);
});

// The same with cgroup2 alone, where the rules are a program: also possible where v1 has a devices hierarchy.
const unified = { hierarchies: layout.hierarchies.filter(({ version }) => version === 2) };
const filters = unified.hierarchies.length > 0 && cgroupsUnusable() === undefined;
(filters ? test : test.skip)(
  `on cgroup2 device rules are replaced by an update, and go with the cgroup${filters ? '' : ' (skipped: no cgroup2 here)'}`,
  async (t) => {
    const cgroup = make(t, { devices: justNull }, unified);
    t.notRegex((await ended(spawnIn(cgroup, tryDevices))).output, /^zero$/m);
    cgroup.update({ devices: [...justNull, { allow: true, type: 'c', major: 1, minor: 5, access: 'r' }] });
    const { output } = await ended(spawnIn(cgroup, `${tryDevices}; echo x > /dev/zero`));
    t.regex(output, /^zero$/m);
    t.regex(output, /not permitted/);
    using directory = new Fd(openSync(cgroup.bornIn ?? '', 'r'));
    t.is(bpfProgQuery({ cgroup: directory.number, type: BPF_CGROUP_DEVICE }).length, 1);
    const nodes = `${tmpdir()}/berth-test-node.${process.pid}`;
    t.regex((await ended(spawnIn(cgroup, `mknod ${nodes} b 7 99 || mknod ${nodes} c 1 5`))).output, /not permitted/);
    t.false(existsSync(nodes));
  },
);

(filters ? test : test.skip)(
  `a program that the kernel refuses is an error with its reason${filters ? '' : ' (skipped: no cgroup2 here)'}`,
  (t) => {
    const instructions = encodeProgram([move(1, 0), load(0, 1, 0), exit]);
    const error = t.throws(() => bpfProgLoad({ type: BPF_PROG_TYPE_CGROUP_DEVICE, name: 'berth_test', instructions }), {
      code: 'EACCES',
    });
    t.regex(
      error?.message ?? '',
      /^bpf\(BPF_PROG_LOAD, berth_test\): EACCES \(the verifier says: .*R1 invalid mem access/s,
    );
  },
);
