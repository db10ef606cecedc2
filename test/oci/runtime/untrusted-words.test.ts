// Words that come with an image or a bundle and mean something to somebody else: nothing that berth does depends on them.
import test from 'ava';

import { printTape } from '../../../src/linux/tape/print.ts';
import type { RuntimeConfig } from '../../../src/oci/runtime/config.ts';
import { generateConfig, type ContainerOptions } from '../../../src/oci/runtime/generate-config.ts';
import { defaultSeccomp } from '../../../src/oci/runtime/seccomp-default.ts';
import { tapeWith } from './tape-scene.ts';

// What other programs have taken for orders: systemd's properties, hooks, paths, a log that is a program.
const HOSTILE = {
  'org.systemd.property.ExecStartPre': "['/bin/sh']",
  'org.systemd.property.CollectMode': "'inactive-or-failed'",
  'containerd.io/restart.loguri': 'binary:///bin/sh?-c=id',
  'io.kubernetes.cri-o.TrustedSandbox': 'true',
  'run.oci.hooks.stdout': '/etc/cron.d/x',
  'run.oci.keep_original_groups': '1',
  'berth.namespace': 'kube-system',
  'berth.owner': 'Deployment',
};
const options: ContainerOptions = {
  hostname: 'h',
  env: [],
  home: '/',
  user: { uid: 0, gid: 0 },
  mounts: [],
  resources: {},
  capabilitiesAdd: [],
  capabilitiesDrop: [],
  privileged: false,
  readonlyRootfs: false,
  noNewPrivileges: true,
  seccomp: 'default',
  terminal: false,
  cgroupPath: '/c',
};

/** The configuration of a container of an image that says this too. */
function config(more: object): RuntimeConfig {
  const image = { architecture: 'amd64', os: 'linux', config: { Cmd: ['true'], ...more }, rootfs: { diff_ids: [] } };
  return generateConfig(image, options, { thermalThrottle: [], defaultSeccomp });
}

test('annotations change no operation of a container (SEC-9)', (t) => {
  t.is(printTape(tapeWith({ config: { annotations: HOSTILE } })), printTape(tapeWith({})));
});

test('labels and volumes of an image change nothing in the configuration of its container (SEC-10, SEC-11)', (t) => {
  t.deepEqual(config({ Labels: HOSTILE, Volumes: { '/../../etc': {}, '/data': {} } }), config({}));
});
