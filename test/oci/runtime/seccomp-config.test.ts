import test from 'ava';

import type { Seccomp } from '../../../src/oci/runtime/config.ts';
import { planSeccomp } from '../../../src/oci/runtime/seccomp-config.ts';

const ALLOW = 'SCMP_ACT_ALLOW';
const asks: Seccomp = {
  defaultAction: ALLOW,
  syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }],
  listenerPath: '/run/agent.sock',
};

test('no profile, and one that says nothing, load no filter', (t) => {
  t.is(planSeccomp(undefined), undefined);
  t.is(planSeccomp({} as Seccomp), undefined);
  t.is(planSeccomp(null as unknown as Seccomp), undefined);
});

test('flags become those of seccomp(2); all threads are the one that a tape has', (t) => {
  const flags = ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'];
  t.like(planSeccomp({ defaultAction: ALLOW, flags }), { flags: 6, flagNames: flags, listener: undefined });
});

test('a profile that asks somebody has a listener', (t) => {
  t.like(planSeccomp({ ...asks, listenerMetadata: 'x' }), {
    flags: 8,
    listener: { path: '/run/agent.sock', metadata: 'x' },
  });
  t.is(planSeccomp({ ...asks, flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] })?.flags, 0x28);
  t.is(planSeccomp({ defaultAction: ALLOW, listenerPath: '/run/agent.sock' })?.listener, undefined);
});

test('what is null is not there', (t) => {
  const rule = { names: ['mkdir'], action: ALLOW, errnoRet: null, args: null };
  const seccomp = {
    defaultAction: 'SCMP_ACT_ERRNO',
    flags: null,
    listenerPath: null,
    architectures: null,
    syscalls: [rule],
  };
  t.deepEqual(planSeccomp(seccomp as unknown as Seccomp)?.profile, {
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['mkdir'], action: ALLOW }],
  });
});

const refused = test.macro({
  exec(t, seccomp: Seccomp, message: string) {
    t.throws(() => planSeccomp(seccomp), { message });
  },
  title: (_, __: Seccomp, message: string) => message,
});
test(
  refused,
  { defaultAction: ALLOW, architectures: ['SCMP_ARCH_Z80'] },
  "linux.seccomp.architectures: 'SCMP_ARCH_Z80' is not known",
);
test(
  refused,
  { defaultAction: ALLOW, flags: ['SECCOMP_FILTER_FLAG_NEW_LISTENER'] },
  "Unknown seccomp flag 'SECCOMP_FILTER_FLAG_NEW_LISTENER'",
);
test(
  refused,
  { defaultAction: ALLOW, flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] },
  'linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY',
);
test(
  refused,
  { defaultAction: ALLOW, syscalls: [{ names: [], action: ALLOW }] },
  'linux.seccomp.syscalls[0].names: names no system call',
);
test(
  refused,
  { ...asks, syscalls: [{ names: ['write'], action: 'SCMP_ACT_NOTIFY' }] },
  "linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY cannot be used for 'write'",
);
test(
  refused,
  { defaultAction: 'SCMP_ACT_NOTIFY', listenerPath: '/x' },
  'linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default: it would be asked about every write',
);
test(
  refused,
  { defaultAction: ALLOW, syscalls: asks.syscalls ?? [] },
  'linux.seccomp.listenerPath: is missing: SCMP_ACT_NOTIFY must say whom to ask',
);
test(
  refused,
  { defaultAction: ALLOW, listenerMetadata: 'x' },
  'linux.seccomp.listenerMetadata: means nothing without listenerPath',
);
