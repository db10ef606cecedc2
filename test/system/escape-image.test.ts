// Images that try to get at the machine through what a start does with their files.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { ExecutionContext } from 'ava';

import type { Mount, RuntimeConfig } from '../../src/oci/runtime/config.ts';
import { createContainer, type CreateRequest } from '../../src/oci/runtime/create.ts';
import { execInContainer } from '../../src/oci/runtime/exec.ts';
import type { ContainerOptions } from '../../src/oci/runtime/generate-config.ts';
import { isOciError } from '../../src/oci/error.ts';
import { refused, sceneTests } from './scene-tests.ts';

const { usable, suffix, here, running } = sceneTests();
/** More descriptors than a tape opens. */
const DESCRIPTORS: readonly number[] = Array.from({ length: 62 }, (_, index) => index + 3);

let layers = 0;

/** An image layer of symbolic links: path → target. */
function layerOf(links: Readonly<Record<string, string>>): string {
  layers += 1;
  const layer = join(here().directory, `evil-${layers}`);
  mkdirSync(layer);
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(layer, path)), { recursive: true });
    symlinkSync(target, join(layer, path));
  }
  return layer;
}

function evil(
  links: Readonly<Record<string, string>>,
  options: Partial<ContainerOptions>,
  change: (config: RuntimeConfig) => RuntimeConfig = (config) => config,
): CreateRequest {
  const request = here().request(here().newId(), options, { layers: [layerOf(links)] });
  return { ...request, config: change(request.config) };
}

/** A directory of the host, to be mounted. */
function volume(name: string): string {
  const directory = join(here().directory, 'volumes', name);
  mkdirSync(directory, { recursive: true });
  return directory;
}

function bind(source: string, destination: string, more: Partial<Mount> = {}): Mount {
  return { type: 'bind', source, destination, options: ['rbind', 'rprivate'], ...more };
}

/** Everything of the scene that is no container's: what a start may not change. */
function hostFiles(): string[] {
  return readdirSync(here().directory).filter((name) => !/^(evil-|c\d|writable$)/.test(name));
}

/** The output of a start that may be refused: undefined then. */
async function startOrRefuse(request: CreateRequest): Promise<string | undefined> {
  try {
    return (await here().run(request)).output;
  } catch (error) {
    if (!isOciError(error, 'START_FAILED')) throw error;
    return undefined;
  }
}

usable(`a working directory that is a descriptor of the tape is refused (SEC-2)${suffix}`, async (t) => {
  for (const fd of DESCRIPTORS) {
    const request = here().request(here().newId(), { workingDir: `/proc/self/fd/${fd}` });
    await refused(t, () => createContainer(here().runtime, request), 'START_FAILED', /ENOENT|ENOTDIR/);
  }
});

usable(
  `a working directory that leads to a descriptor of the tape makes nothing on the host (SEC-2)${suffix}`,
  async (t) => {
    const before = hostFiles();
    for (const fd of DESCRIPTORS.slice(0, 20)) {
      const links = { wd: `/proc/self/fd/${fd}/../..` };
      const output = await startOrRefuse(evil(links, { command: ['pwd'], workingDir: `/wd/escaped-${fd}` }));
      t.is(output, undefined);
    }
    t.deepEqual(hostFiles(), before);
  },
);

usable(`a working directory of exec that is a descriptor of the tape is refused (SEC-2)${suffix}`, async (t) => {
  const id = await running(t);
  for (const fd of DESCRIPTORS) {
    const process = { ...here().process(id, ['pwd']), cwd: `/proc/self/fd/${fd}` };
    await refused(
      t,
      () => execInContainer(here().runtime, { id, process, stdio: [0, 1, 2] }),
      'START_FAILED',
      /ENOENT|ENOTDIR/,
    );
  }
});

for (const path of ['proc', 'sys']) {
  usable(`/${path} that is a symbolic link is refused (SEC-5)${suffix}`, async (t) => {
    for (const target of ['/tmp', 'tmp', '/proc/1/root', '..']) {
      const request = evil({ [path]: target }, {});
      await refused(
        t,
        () => createContainer(here().runtime, request),
        'START_FAILED',
        /must be mounted on ordinary directory .*: ELOOP/,
      );
      t.deepEqual(here().remains(request.id), []);
    }
  });
}

usable(`/dev that is a symbolic link stays in the container (SEC-6)${suffix}`, async (t) => {
  const before = execFileSync('ls', ['-l', '/dev'], { encoding: 'utf8' });
  const script = 'grep " /tmp " /proc/mounts | cut -d" " -f3; ls /tmp | wc -l; readlink /dev';
  const output = await startOrRefuse(evil({ dev: '/../../tmp' }, { command: ['sh', '-c', script] }));
  t.is(output, 'tmpfs\n14\n/../../tmp\n');
  for (const fd of DESCRIPTORS.slice(0, 20))
    t.is(await startOrRefuse(evil({ dev: `/proc/self/fd/${fd}` }, {})), undefined);
  t.is(execFileSync('ls', ['-l', '/dev'], { encoding: 'utf8' }), before);
});

usable(`mount points that lead to a descriptor of the tape make nothing on the host (SEC-6)${suffix}`, async (t) => {
  mkdirSync(join(volume('shared'), 'below'), { recursive: true });
  const before = hostFiles();
  const mounts = [
    bind(volume('shared'), '/volume', { subPath: 'below' }),
    bind(volume('plain'), '/data/escaped-directory'),
    bind(join(here().directory, 'a-file'), '/data/escaped-file'),
  ];
  writeFileSync(join(here().directory, 'a-file'), '');
  for (const fd of DESCRIPTORS.slice(0, 30)) {
    for (const up of ['', '/..', '/../..']) {
      t.is(await startOrRefuse(evil({ data: `/proc/self/fd/${fd}${up}` }, { mounts })), undefined);
    }
  }
  t.deepEqual(hostFiles(), [...before, 'a-file'].sort());
  t.deepEqual(readdirSync(volume('plain')), []);
  t.deepEqual(readdirSync(volume('shared')), ['below']);
});

usable(`a volume is mounted inside, wherever the image's links point (SEC-6, SEC-11)${suffix}`, async (t) => {
  writeFileSync(join(volume('mine'), 'mine'), '');
  const targets = { data: '/../../../../etc', relative: '../../../etc', up: '/proc/1/root/etc', here: './tmp' };
  const mounts = Object.keys(targets).map((name) => bind(volume('mine'), `/${name}`));
  const inEtc = readdirSync('/etc');
  const output = await startOrRefuse(
    evil({ data: targets.data }, { mounts: mounts.slice(0, 1), command: ['ls', '/etc'] }),
  );
  t.is(output, 'mine\n');
  t.is(
    await startOrRefuse(evil({ relative: targets.relative }, { mounts: mounts.slice(1, 2), command: ['ls', '/etc'] })),
    'mine\n',
  );
  // A link through /proc is refused, also where it leads to the container's own root.
  t.is(await startOrRefuse(evil({ up: targets.up }, { mounts: mounts.slice(2, 3) })), undefined);
  t.is(
    await startOrRefuse(evil({ here: targets.here }, { mounts: mounts.slice(3, 4), command: ['ls', '/tmp'] })),
    'mine\n',
  );
  t.deepEqual(readdirSync('/etc'), inEtc);
});

usable(`a sub path through a link of the volume is refused (CVE-2021-30465)${suffix}`, async (t) => {
  const source = volume('linked');
  mkdirSync(join(source, 'real/deep'), { recursive: true });
  symlinkSync('/etc', join(source, 'absolute'));
  symlinkSync('real', join(source, 'inside'));
  symlinkSync('../..', join(source, 'up'));
  for (const subPath of ['absolute', 'inside', 'inside/deep', 'up', 'real/../..', 'real/../../linked']) {
    const request = here().request(here().newId(), { mounts: [bind(source, '/data', { subPath })] });
    await refused(t, () => createContainer(here().runtime, request), 'START_FAILED', /ELOOP|EXDEV/);
  }
  const ok = here().request(here().newId(), {
    mounts: [bind(source, '/data', { subPath: 'real' })],
    command: ['ls', '/data'],
  });
  t.is((await here().run(ok)).output, 'deep\n');
});

function withoutDev(config: RuntimeConfig): RuntimeConfig {
  const mounts = (config.mounts ?? []).filter(({ destination }) => !destination.startsWith('/dev'));
  return { ...config, mounts };
}

usable(`paths are masked with a true null device, whatever /dev/null of the image is (SEC-3)${suffix}`, async (t) => {
  const script = 'stat -c %t:%T /proc/keys /proc/timer_list; wc -c </proc/keys; chmod 777 /proc/keys 2>&1';
  for (const target of ['/etc/passwd', '/proc/sysrq-trigger', '../proc/1/mem']) {
    const request = evil({ 'dev/null': target }, { command: ['sh', '-c', script] }, withoutDev);
    const { output } = await here().run(request);
    t.regex(output, /^1:3\n1:3\n0\nchmod: \/proc\/keys: Read-only file system\n$/);
  }
});

usable(
  `masked and read-only paths of the image's own files are found, or left out where there are none${suffix}`,
  async (t) => {
    const layer = layerOf({ 'secret/link': '/etc/passwd' });
    writeFileSync(join(layer, 'secret/file'), 'content');
    const script = 'wc -c </secret/file; ls -A /secret2 | wc -l; (: >>/kept/x) 2>&1; ls /nowhere 2>&1';
    mkdirSync(join(layer, 'secret2/inner'), { recursive: true });
    mkdirSync(join(layer, 'kept'));
    const request = here().request(here().newId(), { command: ['sh', '-c', script] }, { layers: [layer] });
    const { linux } = request.config;
    const maskedPaths = [...(linux?.maskedPaths ?? []), '/secret/file', '/secret2', '/nowhere'];
    const readonlyPaths = [...(linux?.readonlyPaths ?? []), '/kept', '/nowhere'];
    const config = { ...request.config, linux: { ...linux, maskedPaths, readonlyPaths } };
    const { output } = await here().run({ ...request, config });
    t.deepEqual(output.split('\n').slice(0, 2), ['0', '0']);
    t.regex(output, /\/kept\/x: Read-only file system/);
    t.regex(output, /\/nowhere: No such file/);
  },
);

usable(`the program of a tape cannot be opened for writing while processes are put in (SEC-1)${suffix}`, async (t) => {
  // Others than the shell's own programs: what is opened for writing is named.
  const script = `while :; do
      for exe in /proc/[0-9]*/exe; do
        target=$(readlink $exe 2>/dev/null)
        case $target in *busybox*) continue;; esac
        [ -n "$target" ] && echo "seen $target"
        (: >>$exe) 2>/dev/null && echo "opened $target"
      done
    done`;
  const id = await running(t, { command: ['sh', '-c', script] });
  for (let round = 0; round < 300; round++) {
    const request = { id, process: here().process(id, ['true']), stdio: [0, 1, 2] } as const;
    t.is((await execInContainer(here().runtime, request)).code, 0);
  }
  const log = readFileSync(here().logFile(id), 'utf8');
  t.false(log.includes('opened'), log);
  t.false(log.includes('memfd'), log);
});

/** That nothing of the above has left anything in the usual places. */
usable(`no path of the host was made${suffix}`, (t: ExecutionContext) => {
  for (const name of ['escaped-directory', 'escaped-file'])
    for (const directory of ['/', '/tmp', '/run', here().directory]) t.false(existsSync(join(directory, name)));
});

usable(`what an image has in the place of /proc is not written to (SEC-5)${suffix}`, async (t) => {
  const layer = layerOf({});
  mkdirSync(join(layer, 'proc/self'), { recursive: true });
  for (const name of ['oom_score_adj', 'attr']) writeFileSync(join(layer, 'proc/self', name), 'kept');
  const request = here().request(here().newId(), { command: ['cat', '/proc/self/oom_score_adj'] }, { layers: [layer] });
  const mounts = (request.config.mounts ?? []).filter(({ destination }) => destination !== '/proc');
  const { linux, process } = request.config;
  const config = { ...request.config, mounts, linux: { ...linux, maskedPaths: [], readonlyPaths: [] } };
  const scored = process === undefined ? config : { ...config, process: { ...process, oomScoreAdj: 700 } };
  t.is((await here().run({ ...request, config: scored })).output, 'kept');
});
