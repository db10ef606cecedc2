// Mounts that the peers of these tests cannot make, or make otherwise: id-mapped ones, and those of user namespaces.
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createContainer, type CreateRequest } from '../../src/oci/runtime/create.ts';
import type { Mount, RuntimeConfig } from '../../src/oci/runtime/config.ts';
import type { ContainerOptions } from '../../src/oci/runtime/generate-config.ts';
import { readState } from '../../src/oci/runtime/state.ts';
import { refused, sceneTests } from './scene-tests.ts';

const { usable, suffix, here, running } = sceneTests();
const OWN_USERS = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

/** A volume with files of root and of user 5, in a directory that only root can enter. */
function volume(): string {
  const path = join(here().directory, 'private', here().newId());
  mkdirSync(path, { recursive: true, mode: 0o700 });
  writeFileSync(join(path, 'of-root'), '');
  writeFileSync(join(path, 'of-5'), '');
  chownSync(join(path, 'of-5'), 5, 5);
  return path;
}

function requestWith(script: string, change: (config: RuntimeConfig) => RuntimeConfig): CreateRequest {
  const id = here().newId();
  const request = here().request(id, { command: ['sh', '-c', script] });
  return { ...request, config: change(request.config) };
}

function withMounts(...mounts: Mount[]): (config: RuntimeConfig) => RuntimeConfig {
  return (config) => ({ ...config, mounts: [...(config.mounts ?? []), ...mounts] });
}

function inUserNamespace(config: RuntimeConfig): RuntimeConfig {
  const namespaces = [...(config.linux?.namespaces ?? []), { type: 'user' as const }];
  return { ...config, linux: { ...config.linux, namespaces, uidMappings: OWN_USERS, gidMappings: OWN_USERS } };
}

const OWNERS = 'cd /tmp && stat -c "%n %u %g" *';

usable(`an id-mapped mount shows, and makes, files with other owners${suffix}`, async (t) => {
  const source = volume();
  const mappings = [{ containerID: 0, hostID: 1000, size: 10 }];
  const mount = { destination: '/tmp', type: 'bind', source, uidMappings: mappings, gidMappings: mappings };
  const script = `${OWNERS}; touch new 2>&1; chown 1003:1003 of-root; ${OWNERS}`;
  const request = requestWith(script, withMounts({ ...mount, options: ['rbind', 'idmap', 'nosuid'] }));
  const { output } = await here().run(request);
  t.is(
    output,
    'of-5 1005 1005\nof-root 1000 1000\ntouch: new: Value too large for defined data type\nof-5 1005 1005\nof-root 1003 1003\n',
  );
  t.regex(String(readFileSync('/proc/self/mountinfo')), /^(?!.*private)/s, 'nothing is mounted here');
});

usable(`an id-mapped mount without mappings is an error that says so${suffix}`, async (t) => {
  const mount: Mount = { destination: '/tmp', type: 'bind', source: volume(), options: ['bind', 'ridmap'] };
  const request = requestWith('true', withMounts(mount));
  const message = /Cannot mount '.*' on \/tmp with 'ridmap': there are neither mappings of its own nor the container's/;
  await refused(t, () => createContainer(here().runtime, request), 'CONFIG_INVALID', message);
  t.deepEqual(here().remains(request.id), []);
});

usable(`in a user namespace root owns its volume by idmap, and cannot enter it without${suffix}`, async (t) => {
  const source = volume();
  const mount = { destination: '/tmp', type: 'bind', source };
  const mapped = requestWith(OWNERS, (config) =>
    inUserNamespace(withMounts({ ...mount, options: ['bind', 'idmap'] })(config)),
  );
  t.is((await here().run(mapped)).output, 'of-5 5 5\nof-root 0 0\n');
  const bare = requestWith(OWNERS, (config) => inUserNamespace(withMounts({ ...mount, options: ['bind'] })(config)));
  t.regex((await here().run(bare)).output, /can't cd to \/tmp: Permission denied/);
});

usable(`in a user namespace a bind mount gets its options all the same, and cannot lose them${suffix}`, async (t) => {
  const script = 'grep " /tmp " /proc/self/mountinfo | cut -d" " -f6; mount -o remount,bind,rw,exec /tmp 2>&1 | wc -l';
  const mount: Mount = {
    destination: '/tmp',
    type: 'bind',
    source: volume(),
    options: ['bind', 'ro', 'noexec', 'nodev'],
  };
  const request = requestWith(script, (config) => inUserNamespace(withMounts(mount)(config)));
  t.is((await here().run(request)).output, 'ro,nodev,noexec,relatime\n1\n');
});

usable(`in a user namespace devices are the host's, and masks hold${suffix}`, async (t) => {
  const script = `stat -c '%n %F %t %T' /dev/null /dev/tty; echo x >/dev/null; head -c 3 /dev/zero | wc -c
chmod 600 /dev/null 2>&1; wc -c </proc/timer_list; ls -A /sys/firmware; readlink /dev/ptmx`;
  const request = requestWith(script, inUserNamespace);
  const { mode } = statSync('/dev/null');
  t.teardown(() => chmodSync('/dev/null', mode)); // an error below changes the mode of this machine's
  const expected = `/dev/null character special file 1 3
/dev/tty character special file 5 0
3
chmod: /dev/null: Operation not permitted
0
pts/ptmx
`;
  t.is((await here().run(request)).output, expected);
});

usable(`a volume follows the machine's mounts, or shares its own, where it is asked to${suffix}`, async (t) => {
  const script =
    'grep " /tmp " /proc/self/mountinfo | cut -d" " -f7 | cut -d: -f1; grep " / / " /proc/self/mountinfo | grep -c shared:';
  const withOption = (option: string): Partial<ContainerOptions> => ({
    command: ['sh', '-c', script],
    mounts: [{ destination: '/tmp', type: 'bind', source: volume(), options: ['rbind', option] }],
  });
  const outputOf = async (option: string): Promise<string> =>
    (await here().run(here().request(here().newId(), withOption(option)))).output;
  t.is(await outputOf('rshared'), 'shared\n1\n');
  t.is(await outputOf('rprivate'), '-\n0\n');
  t.true(['-\n0\n', 'master\n0\n'].includes(await outputOf('rslave')), 'as this machine has a peer to follow');
  t.false(readFileSync('/proc/self/mountinfo', 'utf8').includes(here().directory));
});

usable(`a mount of the container is not seen here${suffix}`, async (t) => {
  const id = await running(t, {
    mounts: [{ destination: '/tmp', type: 'bind', source: volume(), options: ['rbind'] }],
  });
  t.is(readState(here().stateDirectory, id)?.status, 'running');
  t.false(readFileSync('/proc/self/mountinfo', 'utf8').includes(here().directory));
});
