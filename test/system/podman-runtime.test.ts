// Podman with `--runtime berth-oci`: ordinary commands, compared with the same under runc.
import test from 'ava';

import { containersUnusable } from './busybox-bundle.ts';
import { BERTH_OCI, compareRuntimes, runToEnd, type RunEngine, type Step } from './engine-comparison.ts';
import { IMAGE, writeEngineImage } from './engine-image.ts';
import { EngineScene } from './engine-scene.ts';

const unusable = containersUnusable('podman', 'conmon', 'runc');
const scene = unusable === undefined ? new EngineScene() : undefined;
if (scene !== undefined) test.after.always('everything is put away', () => scene[Symbol.asyncDispose]());

/** What nobody may raise here without CAP_SYS_RESOURCE, and no network of the host. */
const MADE = ['--network', 'none', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
const LOOP = 'trap "exit 3" TERM; echo started; while :; do sleep 0.1; done';

const once = (...words: readonly string[]): readonly string[] => ['run', '--rm', ...MADE, ...words];
const shell = (script: string, ...options: readonly string[]): readonly string[] =>
  once(...options, IMAGE, 'sh', '-c', script);
/** berth has no part in the hierarchies that it does not use, so none of those is mounted. */
const withoutHierarchies = (output: string): string => output.replaceAll(/^\/sys\/fs\/cgroup\/.*\n/gm, '');
const INIT = ['--init', '--init-path', '/usr/bin/docker-init'];

const STEPS: Readonly<Record<string, Step>> = {
  'a command': { words: once(IMAGE, 'echo', 'hi'), output: /^hi\n$/ },
  'its exit code': { words: shell('exit 7'), code: 7 },
  'a program that is not there': { words: once(IMAGE, 'nope'), code: 127, complaint: /not found in \$PATH/ },
  'a path that is not there': { words: once(IMAGE, '/nope'), code: 127, complaint: /command that was not found/ },
  'a file that is no program': { words: once(IMAGE, '/etc/passwd'), code: 126, complaint: /permission denied/ },
  'a command line that is wrong': { words: ['run', '--no-such-flag'], code: 125 },
  'a user, a directory, a variable, a name': {
    words: shell('pwd; echo $A $HOME; id; hostname', '-w', '/tmp', '-e', 'A=b', '-u', 'app', '--hostname', 'h'),
    output: /^\/tmp\nb \/tmp\nuid=1000\(app\) gid=1000\(app\).*\nh\n$/,
  },
  'standard input': { words: once('-i', IMAGE, 'cat'), input: 'through\n', output: /^through\n$/ },
  'a terminal': { words: once('-t', IMAGE, 'tty'), output: /^\/dev\/pts\/0\n$/ },
  'a root that cannot be written': {
    words: shell('touch /x; touch /t/x && echo ok', '--read-only', '--tmpfs', '/t'),
    output: /^ok\n$/,
    complaint: /Read-only file system/,
  },
  'no capability': { words: shell('grep Cap /proc/self/status', '--cap-drop', 'all'), output: /CapEff:\t0{16}\n/ },
  'one more capability': { words: shell('grep Cap /proc/self/status', '--cap-add', 'net_admin') },
  'no new privileges': {
    words: shell('grep -E "NoNewPrivs|Seccomp:" /proc/self/status', '--security-opt', 'no-new-privileges'),
    output: /NoNewPrivs:\t1\nSeccomp:\t2\n/,
  },
  'no seccomp': { words: shell('grep Seccomp: /proc/self/status', '--security-opt', 'seccomp=unconfined') },
  'a volume': { words: shell('ls /v; touch /v/x', '-v', '/etc/apt:/v:ro'), code: 1, complaint: /Read-only/ },
  'a masked path': { words: shell('cat /proc/kcore | wc -c; ls /proc/acpi /sys/firmware'), output: /^0\n/ },
  'all mounts': { words: shell('cut -d" " -f5 /proc/self/mountinfo | sort'), normal: withoutHierarchies },
  'an init': { words: shell('cat /proc/1/comm', ...INIT), output: /init\n/ },
  privileged: { words: shell('grep CapEff /proc/self/status; ls /dev | wc -l', '--privileged') },
  'a container in the background': {
    words: ['run', '-d', '--name', 'NAME', ...MADE, '--memory', '64m', '--pids-limit', '50', IMAGE, 'sh', '-c', LOOP],
  },
  'its logs': { words: ['logs', 'NAME'], output: /^started\n$/, eventually: true },
  'its limits': {
    words: ['exec', 'NAME', 'sh', '-c', 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max'],
    output: /^67108864\n50\n$/,
  },
  exec: { words: ['exec', 'NAME', 'sh', '-c', 'echo in; exit 5'], code: 5, output: /^in\n$/ },
  'exec as another': {
    words: ['exec', '-e', 'X=y', '-w', '/tmp', '-u', 'app', 'NAME', 'sh', '-c', 'echo $X $HOME; pwd; id'],
    output: /^y \/tmp\n\/tmp\nuid=1000/,
  },
  'exec in a terminal': { words: ['exec', '-t', 'NAME', 'tty'], output: /^\/dev\/pts\/\d+\n$/ },
  'exec of nothing': { words: ['exec', 'NAME', 'nope'], code: 127, complaint: /not found in \$PATH/ },
  'exec in the background': { words: ['exec', '-d', 'NAME', 'touch', '/tmp/x'] },
  'its processes': { words: ['top', 'NAME', 'comm', 'user'], output: /sh\s+root/ },
  'its numbers': {
    words: ['stats', '--no-stream', '--format', '{{.Name}} {{.MemLimit}}', 'NAME'],
    output: / 67108864\n$/,
  },
  pause: { words: ['pause', 'NAME'] },
  paused: { words: ['inspect', '--format', '{{.State.Status}}', 'NAME'], output: /^paused\n$/ },
  'exec where it is paused': { words: ['exec', 'NAME', 'true'], code: 255 },
  unpause: { words: ['unpause', 'NAME'] },
  update: { words: ['update', '--memory', '80m', 'NAME'] },
  updated: {
    words: ['exec', 'NAME', 'cat', '/sys/fs/cgroup/memory/memory.limit_in_bytes'],
    output: /^83886080\n$/,
  },
  kill: { words: ['kill', '-s', 'TERM', 'NAME'] },
  wait: { words: ['wait', 'NAME'], output: /^3\n$/ },
  inspect: { words: ['inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'NAME'], output: /^exited 3\n$/ },
  start: { words: ['start', 'NAME'], eventually: true },
  stop: { words: ['stop', '-t', '5', 'NAME'] },
  restart: { words: ['restart', 'NAME'], eventually: true },
  'kill for good': { words: ['kill', 'NAME'] },
  'wait for that': { words: ['wait', 'NAME'], output: /^137\n$/ },
  remove: { words: ['rm', '-f', 'NAME'] },
  'create and remove': { words: ['create', '--name', 'NAME', ...MADE, IMAGE, 'true'] },
  'remove what never ran': { words: ['rm', 'NAME'] },
  'nothing is left': { words: ['ps', '-aq', '--filter', 'name=NAME'], output: /^$/ },
};

async function start(): Promise<RunEngine> {
  if (scene === undefined) throw new Error(`skipped: ${unusable}`);
  const place = ['--root', scene.path('root'), '--runroot', scene.path('run'), '--tmpdir', scene.path('tmp')];
  const quiet = ['--cgroup-manager', 'cgroupfs', '--log-level', 'error', '--storage-driver', 'overlay'];
  const podman = (...words: readonly string[]): readonly string[] => ['podman', ...place, ...quiet, ...words];
  const loaded = await runToEnd(podman('load', '-i', writeEngineImage(scene.directory)));
  if (loaded.code !== 0) throw new Error(`podman load: ${loaded.complaint}`);
  scene.defer(() => runToEnd(podman('rm', '-fa', '-t', '0')));
  return (runtime, words, input) => {
    const program = runtime === 'berth' ? BERTH_OCI : 'runc';
    const parent = ['run', 'create'].includes(words[0] ?? '') ? ['--cgroup-parent', scene.cgroupParent] : [];
    const [command = '', ...rest] = words;
    return runToEnd(
      podman(
        '--runtime',
        program,
        '--runtime-flag',
        `root=${scene.path(`state-${runtime}`)}`,
        command,
        ...parent,
        ...rest,
      ),
      input,
    );
  };
}

compareRuntimes({ name: 'podman', unusable }, STEPS, start);
