// The runtime in process, below a monitor: hooks around an overlay, a user namespace of its own, and one that is shared.
import { chownSync, mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createContainer, type CreateRequest } from '../../src/oci/runtime/create.ts';
import type { Hook, RuntimeConfig } from '../../src/oci/runtime/config.ts';
import { deleteContainer } from '../../src/oci/runtime/delete.ts';
import { readState } from '../../src/oci/runtime/state.ts';
import { makeBusyboxRoot } from './busybox-bundle.ts';
import { refused, sceneTests } from './scene-tests.ts';

const FIRST = 200_000;
const MAPPINGS = [{ containerID: 0, hostID: FIRST, size: 65_536 }];
const { usable, suffix, here } = sceneTests();

function hook(log: string, name: string, then = 'true'): Hook {
  const script = `cat > ${log}.state; echo ${name} >> ${log}; ${then}`;
  return { path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/usr/bin:/bin'] };
}

function changed(request: CreateRequest, change: (config: RuntimeConfig) => RuntimeConfig): CreateRequest {
  return { ...request, config: change(request.config) };
}

/** A root of its own that belongs to root of the user namespace, which the container is in. */
function inUserNamespace(request: CreateRequest, path?: string): CreateRequest {
  const rootfs = join(here().directory, `rootfs-${request.id}`);
  mkdirSync(rootfs, { mode: 0o755 });
  makeBusyboxRoot(rootfs);
  for (const name of ['', ...readdirSync(rootfs)]) chownSync(join(rootfs, name), FIRST, FIRST);
  const mapped = path === undefined ? { uidMappings: MAPPINGS, gidMappings: MAPPINGS } : {};
  const user = path === undefined ? { type: 'user' as const } : { type: 'user' as const, path };
  return changed({ ...request, rootfs: { kind: 'directory', path: rootfs } }, (config) => ({
    ...config,
    linux: { ...config.linux, namespaces: [...(config.linux?.namespaces ?? []), user], ...mapped },
  }));
}

usable(`hooks run around a container of image layers, and their state has its pid${suffix}`, async (t) => {
  const id = here().newId();
  const log = join(here().directory, `${id}.hooks`);
  const names = ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop'] as const;
  const hooks = Object.fromEntries(names.map((name) => [name, [hook(log, name)]]));
  const request = changed(here().request(id, { command: ['sh', '-c', 'sleep 0.5; echo ran'] }), (config) => ({
    ...config,
    hooks,
  }));
  const monitor = await createContainer(here().runtime, request);
  const state = JSON.parse(readFileSync(`${log}.state`, 'utf8')) as { pid: number; status: string };
  t.is(readState(here().stateDirectory, id)?.status, 'running');
  t.deepEqual([state.pid, state.status], [monitor.pid, 'running']);
  await monitor.ended;
  await deleteContainer(here().runtime, id, { force: false });
  t.is(readFileSync(log, 'utf8'), names.map((name) => `${name}\n`).join(''));
  t.is(here().log(id), 'ran\n');
  t.deepEqual(here().remains(id), []);
  for (const file of [log, `${log}.state`]) rmSync(file);
});

usable(`a hook that fails keeps a container from starting, and nothing of it is left${suffix}`, async (t) => {
  for (const name of ['prestart', 'createContainer', 'startContainer'] as const) {
    const id = here().newId();
    const failing = { path: '/bin/sh', args: ['sh', '-c', 'exit 5'] };
    const request = changed(here().request(id, { command: ['true'] }), (config) => ({
      ...config,
      hooks: { [name]: [failing] },
    }));
    const message = new RegExp(`^error running ${name} hook #0: exit code 5$`);
    await refused(t, () => createContainer(here().runtime, request), 'HOOK_FAILED', message);
    t.deepEqual(here().remains(id), []);
  }
});

usable(`a container in a user namespace is root only inside${suffix}`, async (t) => {
  const id = here().newId();
  const script =
    'id -u; cat /proc/self/uid_map | tr -s " "; touch /made; stat -c %u /made; hostname x && hostname; ls /dev/null';
  const request = inUserNamespace(
    here().request(id, { command: ['sh', '-c', script], capabilitiesAdd: ['SYS_ADMIN'] }),
  );
  writeFileSync(here().logFile(id), '');
  const { code, output } = await here().run(request);
  t.is(output, `0\n 0 ${FIRST} 65536\n0\nx\n/dev/null\n`);
  t.is(code, 0);
  t.deepEqual(here().remains(id), []);
});

usable(`a second container joins the user, network and ipc namespaces of the first${suffix}`, async (t) => {
  const [first, second] = [here().newId(), here().newId()];
  const monitor = await createContainer(
    here().runtime,
    inUserNamespace(here().request(first, { command: ['sleep', '100'] })),
  );
  const path = (name: string): string => `/proc/${monitor.pid}/ns/${name}`;
  const script =
    'cat /proc/self/uid_map | tr -s " "; for n in user net ipc; do readlink /proc/self/ns/$n; done; touch /made && stat -c %u /made';
  const options = { command: ['sh', '-c', script], network: path('net'), ipc: path('ipc') };
  const { output } = await here().run(inUserNamespace(here().request(second, options), path('user')));
  const shown = ['user', 'net', 'ipc'].map((name) => readlinkSync(path(name)));
  await deleteContainer(here().runtime, first, { force: true });
  t.is(output, ` 0 ${FIRST} 65536\n${shown.join('\n')}\n0\n`);
  for (const id of [first, second]) t.deepEqual(here().remains(id), []);
});
