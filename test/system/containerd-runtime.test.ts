// containerd with `ctr run --runc-binary berth-oci`: ordinary commands, compared with the same under runc. Between them stands
// containerd's shim, which reads the log of a runtime and reaps its containers.
import { mkdirSync, writeFileSync } from 'node:fs';

import test from 'ava';

import { containersUnusable } from './busybox-bundle.ts';
import { BERTH_OCI, compareRuntimes, runToEnd, type Outcome, type RunEngine, type Step } from './engine-comparison.ts';
import { IMAGE, writeEngineImage } from './engine-image.ts';
import { EngineScene } from './engine-scene.ts';

const unusable = containersUnusable('containerd', 'ctr', 'containerd-shim-runc-v2', 'runc', 'script');
const scene = unusable === undefined ? new EngineScene() : undefined;
if (scene !== undefined) test.after.always('everything is put away', () => scene[Symbol.asyncDispose]());

const LOOP = 'trap "exit 3" TERM; while :; do sleep 0.1; done';
const CGROUPS = ['--mount', 'type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro'];
const PIDS = /\b\d{2,}\b/g;

const once = (...words: readonly string[]): readonly string[] => ['run', '--rm', ...words];
const shell = (script: string, ...options: readonly string[]): readonly string[] =>
  once(...options, IMAGE, 'NAME', 'sh', '-c', script);
const withoutPids = (output: string): string => output.replaceAll(PIDS, 'PID').replaceAll(/ +/g, ' ');
/** script(1) sends an end of input first, and ctr complains when a program has ended before it told it the size. */
const ofProgram = (output: string): string =>
  output
    .replaceAll('^@', '')
    .replaceAll('\r', '')
    .replaceAll(/^.*resize pty.*\n/gm, '');
const withoutHierarchies = (output: string): string => output.replaceAll(/^\/sys\/fs\/cgroup\/.*\n/gm, '');
const task = (...words: readonly string[]): readonly string[] => ['task', ...words];

const STEPS: Readonly<Record<string, Step>> = {
  'a command': { words: once(IMAGE, 'NAME', 'echo', 'hi'), output: /^hi\n$/ },
  'its exit code': { words: shell('exit 7'), code: 7 },
  'a program that is not there': { words: once(IMAGE, 'NAME', 'nope'), code: 1, complaint: /not found in \$PATH/ },
  'a path that is not there': { words: once(IMAGE, 'NAME', '/nope'), code: 1, complaint: /no such file or directory/ },
  'a file that is no program': { words: once(IMAGE, 'NAME', '/etc/passwd'), code: 1, complaint: /permission denied/ },
  'a directory, a variable': {
    words: shell('pwd; echo $A $HOME', '--cwd', '/tmp', '--env', 'A=b'),
    output: /^\/tmp\nb \/root\n$/,
  },
  'a terminal': { words: once('-t', IMAGE, 'NAME', 'tty'), output: /^\/dev\/pts\/0\n$/, normal: ofProgram },
  'a root that cannot be written': {
    words: once('--read-only', IMAGE, 'NAME', 'touch', '/x'),
    code: 1,
    complaint: /Read-only file system/,
  },
  'one capability less': { words: shell('grep Cap /proc/self/status', '--cap-drop', 'CAP_CHOWN') },
  'one capability more': { words: shell('grep Cap /proc/self/status', '--cap-add', 'CAP_NET_ADMIN') },
  privileged: { words: shell('grep CapEff /proc/self/status', '--privileged') },
  'new privileges': { words: shell('grep NoNewPrivs /proc/self/status', '--allow-new-privs'), output: /\t0\n/ },
  seccomp: { words: shell('grep Seccomp: /proc/self/status', '--seccomp'), output: /\t2\n/ },
  'a mount': {
    words: shell('ls /v; touch /v/x', '--mount', 'type=bind,src=/etc/apt,dst=/v,options=rbind:ro'),
    code: 1,
    complaint: /Read-only/,
  },
  'all mounts': { words: shell('cut -d" " -f5 /proc/self/mountinfo | sort'), normal: withoutHierarchies },
  'a device': { words: shell('ls -l /dev/fuse | cut -c1-10', '--device', '/dev/fuse'), output: /^crw/ },
  "the host's network": { words: shell('ls /sys/class/net', '--net-host'), output: /^lo$/m },
  'without pivot_root': { words: once('--no-pivot', IMAGE, 'NAME', 'echo', 'moved'), output: /^moved\n$/ },
  'a container in the background': {
    words: ['run', '-d', '--memory-limit', '67108864', ...CGROUPS, IMAGE, 'NAME', 'sh', '-c', LOOP],
  },
  'its task': { words: task('ls'), output: /NAME +PID +RUNNING/, normal: withoutPids },
  'its limit': {
    words: task('exec', '--exec-id', 'a', 'NAME', 'cat', '/sys/fs/cgroup/memory/memory.limit_in_bytes'),
    output: /^67108864\n$/,
  },
  exec: { words: task('exec', '--exec-id', 'b', 'NAME', 'sh', '-c', 'echo in; exit 5'), code: 5, output: /^in\n$/ },
  'exec as another': {
    words: task('exec', '--exec-id', 'c', '--cwd', '/tmp', '--user', '1000:1000', 'NAME', 'sh', '-c', 'pwd; id'),
    output: /^\/tmp\nuid=1000/,
  },
  'exec in a terminal': {
    words: task('exec', '--exec-id', 'd', '-t', 'NAME', 'tty'),
    output: /^\/dev\/pts\/\d\n$/,
    normal: ofProgram,
  },
  'exec of nothing': {
    words: task('exec', '--exec-id', 'e', 'NAME', 'nope'),
    code: 1,
    complaint: /executable file not found in \$PATH/,
  },
  'its processes': {
    words: task('ps', 'NAME'),
    output: /^PID +INFO\nPID/,
    normal: (output) => withoutPids(output).slice(0, 14),
  },
  pause: { words: task('pause', 'NAME') },
  paused: { words: task('ls'), output: /NAME +PID +PAUSED/, normal: withoutPids },
  'exec where it is paused': {
    words: task('exec', '--exec-id', 'f', 'NAME', 'true'),
    code: 1,
    complaint: /cannot exec in a paused/,
  },
  resume: { words: task('resume', 'NAME') },
  kill: { words: task('kill', '-s', 'TERM', 'NAME') },
  stopped: { words: task('ls'), output: /NAME +PID +STOPPED/, normal: withoutPids, eventually: true },
  'kill what has stopped': { words: task('kill', 'NAME'), code: 1, complaint: /process already finished|not found/ },
  'delete its task': { words: task('delete', 'NAME'), complaint: /exit code 3/ },
  'start again': { words: task('start', '-d', 'NAME') },
  'kill for good': { words: task('kill', '-s', 'KILL', 'NAME') },
  'stopped for good': { words: task('ls'), output: /NAME +PID +STOPPED/, normal: withoutPids, eventually: true },
  'delete that': { words: task('delete', 'NAME'), complaint: /exit code 137/ },
  'delete the container': { words: ['container', 'rm', 'NAME'] },
};

async function start(): Promise<RunEngine> {
  if (scene === undefined) throw new Error(`skipped: ${unusable}`);
  const socket = scene.path('containerd.sock');
  mkdirSync(scene.path('state'));
  const config = [
    'version = 2',
    `root = ${JSON.stringify(scene.path('root'))}`,
    `state = ${JSON.stringify(scene.path('state'))}`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    `[grpc]\n  address = ${JSON.stringify(socket)}`,
  ];
  writeFileSync(scene.path('containerd.toml'), `${config.join('\n')}\n`);
  const ctr = (...words: readonly string[]): readonly string[] => ['ctr', '--address', socket, ...words];
  await scene.daemon(['containerd', '--config', scene.path('containerd.toml')], async () => {
    return (await runToEnd(ctr('--connect-timeout', '1s', 'version'))).code === 0;
  });
  const archive = writeEngineImage(scene.directory);
  // Each in a namespace of its own, so that a list has only its own.
  for (const runtime of ['berth', 'runc']) {
    scene.defer(() => runToEnd(ctr('-n', runtime, 'task', 'delete', '--force', `${runtime}-1`)));
    const loaded = await runToEnd(ctr('-n', runtime, 'image', 'import', archive));
    if (loaded.code !== 0) throw new Error(`ctr image import: ${loaded.complaint}`);
  }
  return async (runtime, words, input) => {
    const program = [
      '--runc-binary',
      runtime === 'berth' ? BERTH_OCI : 'runc',
      '--runc-root',
      scene.path(`runc-${runtime}`),
    ];
    const place = ['--cgroup', `${scene.cgroupParent}/${runtime}`];
    const [command = '', ...rest] = words;
    const argv = ctr('-n', runtime, command, ...(command === 'run' ? [...program, ...place] : []), ...rest);
    const run = (): Promise<Outcome> => runToEnd(words.includes('-t') ? inTerminal(argv) : argv, input);
    const outcome = await run();
    // ctr may delete a task before it has copied what that wrote: each command here writes something.
    return words.includes('--rm') && outcome.code === 0 && outcome.output === '' ? run() : outcome;
  };
}

/** script(1) gives a program a terminal. */
function inTerminal(argv: readonly string[]): readonly string[] {
  const quoted = argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  return ['script', '--quiet', '--return', '--command', quoted, '/dev/null'];
}

compareRuntimes({ name: 'containerd', unusable }, STEPS, start);
